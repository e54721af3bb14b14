"""Drops: downloads that stop, and downloads that fall to a third or less and stay there."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from indexgate_policy.downloads.panel import Counts
from indexgate_policy.series.baseline import EPSILON, Baseline
from indexgate_policy.series.episodes import episodes
from indexgate_policy.series.finding import Finding
from indexgate_policy.series.index_level import Common
from indexgate_policy.series.windows import blocks, days_before, trailing_sum

AGE = 120
"""Younger projects have no usual level to fall from, in days."""

NOTHING = 0.06
"""So small a share of what is expected counts as stopped."""

FALLEN_TO = 0.4
"""What is left of the usual week at most, else it is no drop."""

LEAST_USUAL = 14.0
"""Downloads in a usual week, at least."""

PART = 0.33
PART_DEVIATIONS = 4.0

_SPANS = (2, 3, 5, 7, 14)
_EXPECTED = 30.0
_CHANCE = np.log(1e-4)
_NEVER = 0.35  # of the least that came in as many days, or less: it was never so quiet
_MEMORY = 84


def drops(past: Baseline, common: Common) -> Iterator[Finding]:
    """Yield the drops on the days that *past* covers; `why` is `stopped` or `part`."""
    expected = _expected(past)
    lowest = np.fmin(np.fmin(past.short, past.long), past.very_long)
    with np.errstate(invalid="ignore"):
        stopped = _stopped(past, expected, common) | _silent(past, expected)
        stopped &= past.week <= FALLEN_TO * lowest  # falling back from a surge is not a drop
        part = _part(past, expected, lowest, common) & ~common.recounted[None, past.first :]
        hot = (stopped | part) & (past.age > AGE) & ~common.lost[None, past.first :]
        hot &= np.isfinite(past.daily[:, past.first :])

    def told(row: int, column: int) -> Finding:
        usual, week = float(past.short[row, column]), float(past.week[row, column])
        day = past.first + column
        return Finding(
            row=row,
            day=day,
            last=day,
            kind="drop",
            why="stopped" if stopped[row, column] else "part",
            onset=_onset(past.daily[row, : day + 1], usual),
            before=usual,
            now=week,
            score=(usual + 0.5) / (week + 0.5) * PART,
        )

    return episodes(hot, past.first, told)


def _expected(past: Baseline) -> Counts:
    """Return (N, T) downloads expected of each day by the weekdays of the 12 weeks before.

    Only the days that a look at the days from `past.first` on needs are told, others are unknown.
    """
    result = np.full(past.daily.shape, np.nan, np.float32)
    begin = max(0, past.first - max(_SPANS))
    days = np.arange(begin, past.daily.shape[1])
    usual = past.short[:, np.maximum(days - past.first, 0)] / 7
    all_days = days_before(past.daily, (1, _MEMORY), begin)
    same = days_before(past.daily, (7, _MEMORY), begin)[:, :, ::7]
    for part in blocks(all_days):
        factor = (_mean(same[:, part]) + 1) / (_mean(all_days[:, part]) + 1)
        result[:, days[part]] = usual[:, part] * np.nan_to_num(factor, nan=1.0)
    return result


def _mean(values: Counts) -> Counts:
    known = np.isfinite(values)
    total = np.where(known, values, 0).sum(axis=-1)
    count = known.sum(axis=-1)
    mean: Counts = np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)
    return mean


def _stopped(past: Baseline, expected: Counts, common: Common) -> NDArray[np.bool_]:
    """Tell the days on which next to nothing came for so long that chance cannot be the reason."""
    spread = np.where(np.isfinite(past.spread), past.spread, 1.2) ** 2 + 0.02
    result = np.zeros(past.week.shape, bool)
    for span in _SPANS if common.known else _SPANS[1:]:
        wanted, seen = _last_days(past, expected, span)
        size = min(span, 3) ** 0.5 / spread  # of a negative binomial with the missing as its mean
        chance = size * (np.log(size) - np.log(size + np.maximum(wanted - seen, 0)))
        nothing = (seen <= NOTHING * wanted) & (wanted >= _EXPECTED) & (chance <= _CHANCE)
        result |= nothing & ~(seen + EPSILON > _NEVER * (_least(past, span) + EPSILON))
    return result


def _least(past: Baseline, span: int) -> Counts:
    """Return (N, D) the least that came in *span* days in a row in the 12 weeks before them."""
    begin = max(0, past.first - 2 * span - _MEMORY)
    sums = trailing_sum(past.daily[:, begin:], span, least=span)
    windows = days_before(sums, (span, span + _MEMORY - 1), past.first - begin)
    least = np.full_like(past.week, np.nan)
    for days in blocks(windows):
        least[:, days] = np.fmin.reduce(windows[:, days], axis=2)
    return least


def _last_days(past: Baseline, expected: Counts, span: int) -> tuple[Counts, Counts]:
    """Return (N, D) the expected and the seen downloads of the known ones of *span* days."""
    wanted, seen = np.zeros_like(past.week), np.zeros_like(past.week)
    days = past.daily.shape[1]
    for lag in range(span):
        then = slice(max(past.first - lag, 0), days - lag)
        known = np.isfinite(past.daily[:, then])
        columns = past.week.shape[1] - known.shape[1]
        wanted[:, columns:] += np.where(known, np.nan_to_num(expected[:, then]), 0)
        seen[:, columns:] += np.where(known, past.daily[:, then], 0)
    return wanted, seen


def _silent(past: Baseline, expected: Counts) -> NDArray[np.bool_]:
    """Tell the days of a small project's silence, twice as long as any in 12 weeks and more."""
    begin = max(0, past.first - _MEMORY - 28)
    usual = np.where(np.isfinite(expected), expected, _mean(past.daily[:, :begin])[:, None])
    low = past.daily <= np.fmax(NOTHING * np.nan_to_num(usual), 0.2)
    run, ended = _runs(low[:, begin:], past.daily[:, begin:] > -1)
    windows = days_before(ended, (0, _MEMORY), past.first - begin)
    longest = np.zeros(past.week.shape, np.float32)
    for days in blocks(windows):
        longest[:, days] = np.fmax.reduce(windows[:, days], axis=2)
    run = run[:, past.first - begin :]
    missed = run * expected[:, past.first :]
    silent: NDArray[np.bool_] = (
        (run >= 2 * longest + 3) & (missed >= 20) & (past.short >= LEAST_USUAL)
    )
    return silent


def _runs(low: NDArray[np.bool_], known: NDArray[np.bool_]) -> tuple[Counts, Counts]:
    """Return (N, T) the low days in a row up to each, and of the run that ended the day before.

    Days that are not *known* neither end a run nor add to it.
    """
    over = known & ~low
    heaped = low.cumsum(axis=1, dtype=np.float32)
    run = heaped - np.maximum.accumulate(np.where(over, heaped, 0), axis=1)
    ended = np.zeros_like(run)
    ended[:, 1:] = np.where(over[:, 1:], run[:, :-1], 0)
    return run, ended


def _part(past: Baseline, expected: Counts, lowest: Counts, common: Common) -> NDArray[np.bool_]:
    """Tell the days whose week is a third of the usual or less, low on nearly every day."""
    below = np.zeros_like(past.week)
    known = np.zeros_like(past.week)
    days = past.daily.shape[1]
    for lag in range(7):
        then = slice(past.first - lag, days - lag)
        seen = past.daily[:, then]
        known += np.isfinite(seen)
        below += seen < 0.45 * expected[:, then]
    enough = below * 7 / np.fmax(known, 1) >= 5.9
    limit = PART_DEVIATIONS * (1.0 if common.known else 1.15)
    part: NDArray[np.bool_] = (
        (past.week <= PART * lowest)
        & (past.short >= 200)
        & (past.deviation(past.short) <= -limit)
        & enough
    )
    return part


def _onset(daily: Counts, usual: float) -> int:
    """Return the day after the last that was not low."""
    low = ~(daily > 0.45 * max(usual, 1.0) / 7)
    high = np.flatnonzero(~low)
    return int(high[-1]) + 1 if len(high) and high[-1] + 1 < len(daily) else len(daily) - 1
