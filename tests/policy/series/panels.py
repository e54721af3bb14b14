"""Panels for tests, made by hand: every project alike and quiet unless told else."""

from datetime import date

import numpy as np
from numpy.typing import ArrayLike, NDArray
from packaging.utils import canonicalize_name

from indexgate_policy.downloads.kinds import CLASSES, INSTALLERS, REGIONS, VERSION_AGES
from indexgate_policy.downloads.panel import Counts, Panel

DAYS = 182
FIRST_DAY = date(2024, 1, 1)  # a Monday, and no break in counting in the half year after it

USUAL_INSTALLERS = (0.6, 0.2, 0.08, 0.04, 0.03, 0.05)
USUAL_REGIONS = (0.34, 0.07, 0.07, 0.06, 0.05, 0.04, 0.05, 0.03, 0.03, 0.03, 0.05, 0.18)
USUAL_VERSIONS = (0.3, 0.3, 0.3, 0.1)

CI, PIPELINE, HUMAN = (CLASSES.index(name) for name in ("ci", "pipeline", "human"))


def level(usual: float, days: int = DAYS, *, seed: int = 0, noise: float = 0.15) -> Counts:
    """Return a series around *usual* a day, less at weekends, as real ones stray a little."""
    random = np.random.default_rng(seed)
    week = np.array([1.1, 1.1, 1.1, 1.1, 1.1, 0.7, 0.7])[np.arange(days) % 7]
    mean = usual * week * np.exp(random.normal(0, noise, days))
    return random.poisson(mean).astype(np.float32)


def mix(shares: ArrayLike, weekly: Counts, *, seed: int = 0) -> Counts:
    """Return (W, K) counts of a mix of *shares* (K,) or (W, K) of *weekly* (W,) downloads."""
    random = np.random.default_rng(seed)
    weeks = np.broadcast_to(np.asarray(shares, np.float64), (len(weekly), np.shape(shares)[-1]))
    counts = [random.multinomial(int(n), p / p.sum()) for n, p in zip(weekly, weeks, strict=True)]
    return np.array(counts, np.float32)


def panel_of(
    *series: Counts,
    people: float = 0.3,
    stars: ArrayLike = 0.0,
    writers: ArrayLike = 0.0,
    releases: ArrayLike = 0.0,
    inflow: ArrayLike = 0.0,
    born: int = -1,
    incomplete: NDArray[np.bool_] | None = None,
    first_day: date = FIRST_DAY,
) -> Panel:
    """Return a panel of projects with these consumers a day, of whom *people* (a share) are such.

    What is given of stars, writers, releases and inflow is every project's: a number or (T,).
    """
    consumers = np.stack(series)
    rows, days = consumers.shape
    classes = np.zeros((rows, days, len(CLASSES)), np.float32)
    classes[:, :, HUMAN] = people * consumers
    classes[:, :, PIPELINE] = (1 - people) * consumers
    classes[:, :, 0] = np.where(np.isfinite(consumers), 12, np.nan)
    weekly = np.nan_to_num(consumers)[:, : days // 7 * 7].reshape(rows, -1, 7).sum(axis=2)

    def daily(values: ArrayLike) -> Counts:
        return np.broadcast_to(np.asarray(values, np.float32), (rows, days)).copy()

    def mixes(shares: tuple[float, ...]) -> Counts:
        return np.stack([mix(shares, week, seed=row) for row, week in enumerate(weekly)])

    return Panel(
        names=tuple(canonicalize_name(f"project-{row}") for row in range(rows)),
        first_day=first_day,
        classes=classes,
        installers=mixes(USUAL_INSTALLERS),
        regions=mixes(USUAL_REGIONS),
        version_ages=mixes(USUAL_VERSIONS),
        stars=daily(stars),
        people=daily(writers),
        releases=daily(releases),
        inflow=daily(inflow),
        born=np.full(rows, born, np.int32),
        incomplete=np.zeros(days, bool) if incomplete is None else incomplete,
    )


assert (len(INSTALLERS), len(REGIONS), len(VERSION_AGES)) == (
    len(USUAL_INSTALLERS),
    len(USUAL_REGIONS),
    len(USUAL_VERSIONS),
)
