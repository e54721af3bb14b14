"""Surges: a week of many times the usual, at once (step) or by and by (drip)."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from indexgate_policy.downloads.panel import Counts, Panel
from indexgate_policy.series.baseline import EPSILON, Baseline
from indexgate_policy.series.episodes import episodes
from indexgate_policy.series.explained import Explanations
from indexgate_policy.series.finding import NOTABLE, Finding
from indexgate_policy.series.index_level import Common

DEVIATIONS = 5.0
EXCESS = 200.0
"""A surge brings at least so many more downloads a week."""

STEP_AGE, DRIP_AGE = 60, 150

_LARGE = 15.0  # a smaller rise must show on every day
_SMALL_WEEK = 350.0  # with more downloads in a usual week one day fewer will do
_STEP_MEMORY, _DRIP_MEMORY = 14, 84


def surges(panel: Panel, past: Baseline, common: Common) -> Iterator[Finding]:
    """Yield the surges on the days that *past* covers."""
    step = _hot(past, past.short, common) & (past.age > STEP_AGE)
    drip = _hot(past, past.long, common) & (past.age > DRIP_AGE)
    explanations = Explanations(panel)

    def told(row: int, column: int) -> Finding:
        sudden = bool(step[row, column])
        usual = float((past.short if sudden else past.long)[row, column])
        week, day = float(past.week[row, column]), past.first + column
        memory = _STEP_MEMORY if sudden else _DRIP_MEMORY
        share, by = explanations.of(row, day, usual, week, memory)
        return Finding(
            row=row,
            day=day,
            last=day,
            kind="surge",
            why="step" if sudden else "drip",
            onset=_onset(past.daily[row, : day + 1], usual),
            before=usual,
            now=week,
            score=(week + 0.5) / (usual + 0.5) / NOTABLE,
            explained=share,
            by=by,
        )

    return episodes(step | drip, past.first, told)


def _hot(past: Baseline, usual: Counts, common: Common) -> NDArray[np.bool_]:
    """Tell the days whose week is far over *usual*, not by a batch job of a day or three."""
    with np.errstate(invalid="ignore"):
        high = past.daily[:, past.first - 6 :]
        days_high = _days_high(high, usual)
        ratio = (past.week + EPSILON) / (usual + EPSILON)
        deviation = past.deviation(usual) / (1.0 if common.known else 1.1)
        all_days = np.where(ratio < _LARGE, 6.9, 5.9)  # 7 or 6 of 7, when all are known
        enough = days_high >= np.where(usual < _SMALL_WEEK, all_days, all_days - 1)
        hot = (ratio >= NOTABLE) & (deviation >= DEVIATIONS) & enough
        hot |= (ratio >= 2 * NOTABLE) & (deviation >= 0.65 * DEVIATIONS) & enough
        hot |= (ratio >= 40) & (deviation >= DEVIATIONS) & (days_high >= 2.9)
        hot |= (ratio >= 100) & (deviation >= 1.5 * DEVIATIONS) & (days_high >= 1.9)
        hot &= past.week - usual >= EXCESS
    return hot


def _days_high(daily: Counts, usual: Counts) -> Counts:
    """Return (N, D) how many of the 7 days up to each are over three times the *usual* day.

    *daily* reaches 6 days further back than *usual*.
    """
    limit = 3 * np.fmax(usual, 1) / 7
    days = usual.shape[1]
    count = np.zeros(usual.shape, np.float32)
    known = np.zeros(usual.shape, np.float32)
    for lag in range(7):
        seen = daily[:, 6 - lag : 6 - lag + days]
        count += seen > limit
        known += np.isfinite(seen)
    scaled: Counts = (count * 7 / np.fmax(known, 1)).astype(np.float32)
    return scaled


def _onset(daily: Counts, usual: float) -> int:
    """Return the first day of the run of high days that ends the series, lapses of 3 allowed."""
    high = np.flatnonzero(daily > 2 * max(usual, 1.0) / 7)
    if not len(high):
        return len(daily) - 1
    breaks = np.flatnonzero(np.diff(high) > 4)
    return int(high[breaks[-1] + 1] if len(breaks) else high[0])
