"""Download histories for tests of checks: panels of one project, the same every day."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import numpy as np
from packaging.utils import NormalizedName

from indexgate_policy.downloads.kinds import CLASSES, INSTALLERS, REGIONS, VERSION_AGES
from indexgate_policy.downloads.panel import Panel

LAST_DAY = date(2026, 11, 20)  # the day before the tests' now
DAYS = 182


def history_of(
    *,
    daily: Mapping[str, float] | None = None,
    regions: Mapping[str, float] | None = None,
    regions_before: Mapping[str, float] | None = None,
    version_ages: Mapping[str, float] | None = None,
    born: int = -1,
    days: int = DAYS,
    last_day: date = LAST_DAY,
) -> Panel:
    """Return a history with so many downloads *daily* of each class and so many a week of each mix.

    *regions* holds in the last four weeks, *regions_before* (if given) before them. Days before
    *born* have none.
    """
    weeks = days // 7
    classes = np.tile(_row(CLASSES, daily), (1, days, 1))
    classes[:, : max(0, born)] = 0
    mix = np.tile(_row(REGIONS, regions), (1, weeks, 1))
    if regions_before is not None:
        mix[:, :-4] = _row(REGIONS, regions_before)
    return Panel(
        names=(NormalizedName("reqeusts"),),
        first_day=last_day - timedelta(days=days - 1),
        classes=classes,
        installers=np.zeros((1, weeks, len(INSTALLERS)), np.float32),
        regions=mix,
        version_ages=np.tile(_row(VERSION_AGES, version_ages), (1, weeks, 1)),
        stars=np.zeros((1, days), np.float32),
        people=np.zeros((1, days), np.float32),
        releases=np.zeros((1, days), np.float32),
        inflow=np.zeros((1, days), np.float32),
        born=np.array([born], np.int32),
        incomplete=np.zeros(days, np.bool_),
    )


def with_days(panel: Panel, kind: str, counts: Sequence[float]) -> Panel:
    """Return *panel* with *counts* of the class *kind* on its last days."""
    panel.classes[0, -len(counts) :, CLASSES.index(kind)] = counts
    return panel


def _row(
    kinds: Sequence[str], counts: Mapping[str, float] | None
) -> "np.ndarray[tuple[int], np.dtype[np.float32]]":
    told = counts or {}
    return np.array([told.get(kind, 0.0) for kind in kinds], np.float32)
