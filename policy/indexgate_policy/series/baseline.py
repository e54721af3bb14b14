"""What a project's weeks were like before: usual levels, and how far they stray (science fl-1)."""

import numpy as np
from msgspec import Struct

from indexgate_policy.downloads.panel import NOT_BORN, Counts, Panel
from indexgate_policy.series.index_level import Common
from indexgate_policy.series.windows import (
    blocks,
    days_before,
    median,
    trailing_median,
    trailing_sum,
)

EPSILON = np.float32(0.5)

SHORT, LONG, VERY_LONG = (7, 48), (28, 83), (56, 139)
"""Lags in days over which the median week is taken."""

_PRIOR_WEIGHT = 10.0
_CHANGES, _EVERY = (7, 70), 3  # lags of the weekly changes that tell how far a project strays
_LEAST_DAYS = 28


class Baseline(Struct, frozen=True, kw_only=True, eq=False):
    """The past of N projects as seen on D days, the last of a panel; `first` is the first of them.

    `daily` (N, T) is the consumers a day with what everybody did taken out, `weekly` (N, T) the sum
    of 7 days up to each. `short`, `long`, `very_long` and `spread` are (N, D): usual downloads a
    week at three distances, and the log standard deviation of a week. `age` (N, D) is in days.
    """

    first: int
    daily: Counts
    weekly: Counts
    short: Counts
    long: Counts
    very_long: Counts
    spread: Counts
    age: Counts

    @property
    def week(self) -> Counts:
        """(N, D) downloads of the 7 days up to each day."""
        chosen: Counts = self.weekly[:, self.first :]
        return chosen

    def deviation(self, usual: Counts) -> Counts:
        """Return (N, D) the log ratio of the week to *usual*, in standard deviations."""
        spread = np.sqrt(self.spread**2 + 1 / (usual + 3))
        deviation: Counts = (np.log(self.week + EPSILON) - np.log(usual + EPSILON)) / spread
        return deviation


def baseline(panel: Panel, common: Common, first: int) -> Baseline:
    """Return the past of the projects of *panel* as seen on the days from *first* to its last."""
    daily = daily_consumers(panel, common)
    weekly = trailing_sum(daily)
    logs = np.log(weekly + EPSILON)
    short, long, very_long = (
        np.exp(trailing_median(logs, lags, first)) for lags in (SHORT, LONG, VERY_LONG)
    )
    return Baseline(
        first=first,
        daily=daily,
        weekly=weekly,
        short=short,
        long=long,
        very_long=very_long,
        spread=_spread(logs, short, first),
        age=age(panel, first),
    )


def daily_consumers(panel: Panel, common: Common) -> Counts:
    """Return (N, T) the consumers a day with what everybody did taken out; unknown before birth."""
    alive = np.arange(panel.days)[None, :] >= panel.born[:, None]
    daily: Counts = np.where(alive, common.taken_out(panel.consumers), np.nan).astype(np.float32)
    return daily


def age(panel: Panel, first: int) -> Counts:
    """Return (N, D) the days since the first release; without end for what is older than the panel.

    Negative before the first release.
    """
    day = np.arange(first, panel.days)[None, :]
    born = panel.born[:, None]
    ages: Counts = np.where(born < 0, np.float32(NOT_BORN), day - born).astype(np.float32)
    return ages


def usual_stray(level: Counts) -> Counts:
    """Return the log standard deviation of a day's downloads at *level* a day, beyond chance.

    Fitted to real series (science 5.1).
    """
    stray: Counts = np.minimum(1.2, 1.9 * np.maximum(level, 0.5) ** -0.26).astype(np.float32)
    return stray


def _spread(logs: Counts, short: Counts, first: int) -> Counts:
    """Shrink the median absolute change from week to week to what is usual at the level."""
    prior = usual_stray(np.fmax(short / 7, 0.1)) * 0.6
    spread = np.full(short.shape, np.nan, np.float32)
    later = days_before(logs, _CHANGES, first)[:, :, ::_EVERY]
    earlier = days_before(logs, (_CHANGES[0] + 7, _CHANGES[1] + 7), first)[:, :, ::_EVERY]
    for days in blocks(later):
        changes = later[:, days] - earlier[:, days]
        off = 1.4826 * median(np.abs(changes - median(changes)[:, :, None]))
        weight = np.isfinite(changes).sum(axis=2) / 3
        own = np.where(weight >= 4 / 3, off, 0)
        weight = np.where(weight >= 4 / 3, weight, 0)
        pooled = (weight * own**2 + _PRIOR_WEIGHT * prior[:, days] ** 2) / (weight + _PRIOR_WEIGHT)
        spread[:, days] = np.sqrt(pooled)
    spread[:, : max(0, _LEAST_DAYS - first)] = np.nan
    return spread
