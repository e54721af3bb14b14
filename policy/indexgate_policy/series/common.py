"""What everybody did, as a level that can be divided out of one project's series."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexgate_policy.downloads.breaks import LOST_BELOW
from indexgate_policy.downloads.movement import movement as movement_of
from indexgate_policy.downloads.panel import Counts, Movement, Panel

ENOUGH = 200
"""A panel of so many projects tells itself how the whole index moves."""

_WEEK = 7


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Common:
    """The level of the whole index over the days and weeks of a panel, in logs; 0 is the start.

    `days` is (T,), `lost` marks the days of which the log lacks most rows. The mixes are (W, K).
    `known` is False when nobody can tell how the index moved: the levels are 0 then, and rules
    demand more.
    """

    days: NDArray[np.float32]
    lost: NDArray[np.bool_]
    installers: Counts
    regions: Counts
    version_ages: Counts
    known: bool

    def taken_out(self, series: Counts) -> Counts:
        """Return the (N, T) daily *series* without what everybody did; lost days are unknown."""
        even: Counts = np.where(self.lost, np.nan, series / np.exp(self.days)).astype(np.float32)
        return even


def common(panel: Panel, movement: Movement | None) -> Common:
    """Return the level of the index over the days of *panel*, by *movement* where it fits them.

    Without one, a panel of `ENOUGH` projects tells it; a smaller one does not.
    """
    told = movement if movement is not None and _fits(movement, panel) else None
    if told is None and len(panel.names) >= ENOUGH:
        told = movement_of([panel])
    if told is None:
        weeks = panel.days // _WEEK
        return Common(
            days=np.zeros(panel.days, np.float32),
            lost=panel.incomplete,
            installers=np.zeros((weeks, panel.installers.shape[2]), np.float32),
            regions=np.zeros((weeks, panel.regions.shape[2]), np.float32),
            version_ages=np.zeros((weeks, panel.version_ages.shape[2]), np.float32),
            known=False,
        )
    changes = told.consumers[: panel.days]
    return Common(
        days=_day_level(changes),
        lost=panel.incomplete | _lost(changes),
        installers=_mix_level(told.installers, panel.days),
        regions=_mix_level(told.regions, panel.days),
        version_ages=_mix_level(told.version_ages, panel.days),
        known=True,
    )


def _fits(movement: Movement, panel: Panel) -> bool:
    return movement.first_day == panel.first_day and len(movement.consumers) >= panel.days


def _lost(changes: Counts) -> NDArray[np.bool_]:
    """Mark days with less than half of the usual; after a week of them it is the new usual."""
    low = changes < LOST_BELOW
    lost = low.copy()
    for day in range(_WEEK, len(low)):
        lost[day] = low[day] and not low[day - _WEEK : day].all()
    return lost


def _day_level(changes: Counts) -> NDArray[np.float32]:
    """Add up changes that were measured against the same weekday one to four weeks before."""
    level = np.zeros(len(changes), np.float32)
    for day in range(_WEEK, len(changes)):
        before = level[[day - _WEEK * week for week in (1, 2, 3, 4) if day >= _WEEK * week]]
        level[day] = np.median(before) + (changes[day] if np.isfinite(changes[day]) else 0)
    return level.clip(-5, 5)


def _mix_level(changes: Counts, days: int) -> Counts:
    """Add up changes that were measured against the mean of weeks -9 to -2."""
    known = np.nan_to_num(changes[: days // _WEEK], nan=0.0)
    level = np.zeros(known.shape, np.float32)
    for week in range(9, len(known)):
        level[week] = known[week] + np.log(np.exp(level[week - 9 : week - 1]).mean(axis=0))
    return level
