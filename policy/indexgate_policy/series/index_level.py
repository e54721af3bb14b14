"""What everybody did, as a level that can be divided out of one project's series."""

from math import isfinite
from statistics import median

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from indexgate_policy.downloads.breaks import BREAKS, LOST_BELOW, applied
from indexgate_policy.downloads.movement import movement as movement_of
from indexgate_policy.downloads.panel import Counts, Movement, Panel
from indexgate_policy.signals import Unknown

ENOUGH = 200
"""A panel of so many projects tells itself how the whole index moves."""

_WEEK = 7
_REACH = 56  # days; the usual level is of days up to so long ago


class Common(Struct, frozen=True, kw_only=True, eq=False):
    """The level of the whole index over the days and weeks of a panel, in logs; 0 is the start.

    `days` is (T,), `lost` marks the days of which the log lacks most rows, `recounted` those that
    are compared with days counted in another way: a break does not hit everyone alike. The mixes
    are (W, K). `known` is False when nobody can tell how the index moved: the levels are 0 then,
    and rules demand more.
    """

    days: NDArray[np.float32]
    lost: NDArray[np.bool_]
    recounted: NDArray[np.bool_]
    installers: Counts
    regions: Counts
    version_ages: Counts
    known: bool

    def taken_out(self, series: Counts) -> Counts:
        """Return the (N, T) daily *series* without what everybody did; lost days are unknown."""
        even: Counts = np.where(self.lost, np.nan, series / np.exp(self.days)).astype(np.float32)
        return even


def common(panel: Panel, movement: Movement | None) -> tuple[Panel, Common]:
    """Return *panel* as it can be read, and the level of the index over its days.

    That is by *movement* where it is of these days; without one, a panel of `ENOUGH` projects tells
    it. A smaller one does not: then nothing is known of what was counted otherwise than today.
    """
    told = None if movement is None else _aligned(movement, panel)
    if told is None and len(panel.names) >= ENOUGH:
        told = movement_of([panel])
    if told is None:
        unknown = Unknown(reason="the whole index's downloads are not known")
        return applied(panel, unknown)[0], _level_ground(panel)
    changes = told.consumers
    return panel, Common(
        days=_day_level(changes),
        lost=panel.incomplete | _lost(changes),
        recounted=_recounted(panel),
        installers=_mix_level(told.installers),
        regions=_mix_level(told.regions),
        version_ages=_mix_level(told.version_ages),
        known=True,
    )


def _level_ground(panel: Panel) -> Common:
    return Common(
        days=np.zeros(panel.days, np.float32),
        lost=panel.incomplete,
        recounted=_recounted(panel),
        installers=np.zeros(panel.installers.shape[1:], np.float32),
        regions=np.zeros(panel.regions.shape[1:], np.float32),
        version_ages=np.zeros(panel.version_ages.shape[1:], np.float32),
        known=False,
    )


def _aligned(movement: Movement, panel: Panel) -> Movement | None:
    """Return *movement* over the days of *panel*; None when its weeks or days are others."""
    skipped = (panel.first_day - movement.first_day).days
    if skipped < 0 or skipped % _WEEK or len(movement.consumers) - skipped < panel.days:
        return None
    weeks = slice(skipped // _WEEK, skipped // _WEEK + panel.days // _WEEK)
    return Movement(
        first_day=panel.first_day,
        consumers=movement.consumers[skipped : skipped + panel.days],
        installers=movement.installers[weeks],
        regions=movement.regions[weeks],
        version_ages=movement.version_ages[weeks],
    )


def _recounted(panel: Panel) -> NDArray[np.bool_]:
    """Mark the days whose usual level is still partly of days counted in another way."""
    marked = np.zeros(panel.days, bool)
    for known in BREAKS:
        day = (known.first - panel.first_day).days
        if known.series == "log" and known.last is None and day < panel.days:
            marked[max(day, 0) : max(day + _REACH, 0)] = True
    return marked


def _lost(changes: Counts) -> NDArray[np.bool_]:
    """Mark days with less than half of the usual; after a week of them it is the new usual."""
    low = changes < LOST_BELOW
    lost = low.copy()
    for day in range(_WEEK, len(low)):
        lost[day] = low[day] and not low[day - _WEEK : day].all()
    return lost


def _day_level(changes: Counts) -> NDArray[np.float32]:
    """Add up changes that were measured against the same weekday one to four weeks before."""
    level: list[float] = []
    for day, change in enumerate(changes.tolist()):
        before = [level[day - _WEEK * week] for week in (1, 2, 3, 4) if day >= _WEEK * week]
        moved = change if before and isfinite(change) else 0.0
        level.append((median(before) if before else 0.0) + moved)
    return np.array(level, np.float32).clip(-5, 5)


def _mix_level(changes: Counts) -> Counts:
    """Add up changes that were measured against the mean of weeks -9 to -2."""
    known = np.nan_to_num(changes, nan=0.0)
    level = np.zeros(known.shape, np.float32)
    for week in range(9, len(known)):
        level[week] = known[week] + np.log(np.exp(level[week - 9 : week - 1]).mean(axis=0))
    return level
