"""A small index by chance, with incidents that are known: what the detectors are measured on.

Levels, noise and mixes are drawn so that a panel looks like real series do (science 5.1): log
deviations of a day of 1.2 at one a day and .1 at 100,000, half of which lasts to the next day,
quiet weekends, batch jobs of up to three days, and mixes that stray by their size.
"""

from dataclasses import dataclass

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from indexgate_policy.downloads.kinds import CLASSES
from indexgate_policy.downloads.panel import Counts, Panel
from indexgate_policy.series.finding import FindingKind
from tests.policy.series.panels import (
    USUAL_INSTALLERS,
    USUAL_REGIONS,
    USUAL_VERSIONS,
    panel_of,
)

WEEKS = 34
DAYS = WEEKS * 7
BURN_IN = 84


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """What was done to project `row` from day `start`, and by when it must be told."""

    row: int
    kind: FindingKind
    start: int
    until: int


def simulated(*, rows: int, seed: int, each: int) -> tuple[Panel, list[Incident]]:
    """Return a panel of *rows* projects and *each* incidents of every kind in it."""
    random = np.random.default_rng(seed)
    usual = np.exp(random.uniform(np.log(3), np.log(30_000), rows))
    mean = _days(random, usual)
    stars = random.poisson(0.1, (rows, DAYS)).astype(np.float32)
    mixes = {
        "installers": np.tile(np.array(USUAL_INSTALLERS), (rows, WEEKS, 1)),
        "regions": np.tile(np.array(USUAL_REGIONS), (rows, WEEKS, 1)),
        "version_ages": np.tile(np.array(USUAL_VERSIONS), (rows, WEEKS, 1)),
    }
    human = np.full((rows, DAYS), 0.4)
    incidents = []
    free = iter(np.flatnonzero(usual > 30))
    for _ in range(each):
        for kind in ("surge", "drop", "installer", "region", "version", "automation", "stars"):
            row, week = int(next(free)), int(random.integers(BURN_IN // 7 + 1, WEEKS - 4))
            start, patience = 7 * week, 28
            if kind == "surge":
                mean[row, start : start + 20] += max(200.0, usual[row] * random.uniform(6, 30))
                patience = 14
            elif kind == "drop":
                mean[row, start:] *= random.uniform(0, 0.01)
                patience = 14
            elif kind == "automation":
                human[row, start:] *= 0.05
            elif kind == "stars":
                stars[row, start : start + 4] += random.poisson(40, 4)
                patience = 7
            else:
                field = {"installer": "installers", "region": "regions", "version": "version_ages"}
                mixed = mixes[field[kind]]
                gain = random.uniform(0.4, 0.9)
                mixed[row, week:] *= 1 - gain
                mixed[row, week:, 3 if kind == "version" else 4] += gain
            incidents.append(Incident(row=row, kind=kind, start=start, until=start + patience))
    return _panel(random, mean, human, stars, mixes), incidents


def _days(random: np.random.Generator, usual: NDArray[np.float64]) -> NDArray[np.float64]:
    shape = (len(usual), DAYS)
    stray = np.minimum(1.2, 1.9 * usual**-0.26)[:, None]
    noise = random.normal(size=shape)
    for day in range(1, DAYS):
        noise[:, day] = 0.45 * noise[:, day - 1] + 0.89 * noise[:, day]
    week = np.where(np.arange(DAYS) % 7 >= 5, 0.65, 1.0)
    mean: NDArray[np.float64] = usual[:, None] * week * np.exp(stray * noise - stray**2 / 2)
    for row, day in zip(*np.nonzero(random.random(shape) < 0.0025), strict=True):
        mean[row, day : day + random.integers(1, 4)] += usual[row] * random.uniform(1, 20)
    return mean


def _panel(
    random: np.random.Generator,
    mean: NDArray[np.float64],
    human: NDArray[np.float64],
    stars: Counts,
    mixes: dict[str, NDArray[np.float64]],
) -> Panel:
    people = random.poisson(mean * human).astype(np.float32)
    machines = random.poisson(mean * (1 - human)).astype(np.float32)
    panel = panel_of(*(people + machines))
    panel.classes[:, :, CLASSES.index("human")] = people
    panel.classes[:, :, CLASSES.index("pipeline")] = machines
    weekly = panel.consumers.reshape(len(mean), WEEKS, 7).sum(axis=2)
    size = np.maximum(np.median(weekly, axis=1), 10)
    extra = np.minimum(0.08, 0.6 * size**-0.45)[:, None, None]
    drawn: dict[str, Counts] = {}
    for field, shares in mixes.items():
        strayed = random.gamma(np.maximum(shares * (1 - extra) / extra, 1e-3))
        strayed /= strayed.sum(axis=2, keepdims=True)
        drawn[field] = random.poisson(strayed * weekly[:, :, None]).astype(np.float32)
    return replace(
        panel,
        stars=stars,
        installers=drawn["installers"],
        regions=drawn["regions"],
        version_ages=drawn["version_ages"],
    )
