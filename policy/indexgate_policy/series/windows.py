"""Sums and medians over the days before, where a day may be unknown (not a number)."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from indexgate_policy.downloads.panel import Counts

WEEK = 7

_AT_ONCE = 100_000  # numbers; one project's days all together, those of many day by day


def median(values: Counts) -> Counts:
    """Return the medians along the last axis of what is known; unknown where nothing is."""
    ordered = np.sort(values, axis=-1)  # the unknown ones come last
    known = np.isfinite(values).sum(axis=-1)
    low = np.maximum((known - 1) // 2, 0)[..., None]
    high = np.minimum(known // 2, max(values.shape[-1] - 1, 0))[..., None]
    middle = np.take_along_axis(ordered, low, -1) + np.take_along_axis(ordered, high, -1)
    result: Counts = (middle[..., 0] / 2).astype(np.float32)
    return result


def trailing_sum(values: Counts, length: int = WEEK, *, least: int = 4) -> Counts:
    """Return (N, T) sums of the *length* days up to each, scaled up for the days not known.

    Unknown where fewer than *least* of them are known.
    """
    present = np.isfinite(values)
    if present.all():
        filled, present = values, present[:1]  # one row tells how many days there are
    else:
        filled = np.where(present, values, 0)
    total, known = _ending(filled, length, np.float64), _ending(present, length, np.int32)
    scaled = total * (length / np.maximum(known, 1))
    result: Counts = np.where(known >= least, scaled, np.nan).astype(np.float32)
    return result


def _ending(values: NDArray[Any], length: int, kind: type[Any]) -> NDArray[Any]:
    """Return the (N, T) sums of the *length* values up to each, fewer at the start."""
    heaped = values.cumsum(axis=1, dtype=kind)
    sums = heaped.copy()
    sums[:, length:] -= heaped[:, :-length]
    return sums


def days_before(values: Counts, lags: tuple[int, int], first: int) -> Counts:
    """Return (N, T - first, L): what was *lags* days before each day from *first*, oldest first.

    Unknown before the first day. A view: take of it what `blocks` says at a time.
    """
    nearest, farthest = lags
    begin = first - farthest
    if begin < 0:
        nothing = np.full((len(values), -begin), np.nan, values.dtype)
        values = np.concatenate([nothing, values], axis=1)
    else:
        values = values[:, begin:]
    windows: Counts = sliding_window_view(values, farthest - nearest + 1, axis=1)
    return windows[:, : values.shape[1] - farthest]


def blocks(windows: Counts) -> Iterator[slice]:
    """Yield the (N, D, L) *windows*' days, so many at a time as fit into little memory."""
    rows, days, width = windows.shape
    length = max(1, _AT_ONCE // max(1, rows * width))
    for begin in range(0, days, length):
        yield slice(begin, begin + length)


def trailing_median(values: Counts, lags: tuple[int, int], first: int) -> Counts:
    """Return (N, T - first): for each day from *first* the median over *lags* days before it.

    Unknown until half of the window is known.
    """
    nearest, farthest = lags
    need = (farthest - nearest + 1) // 2
    windows = days_before(values, lags, first)
    result = np.full(windows.shape[:2], np.nan, np.float32)
    for days in blocks(windows):
        window = windows[:, days]
        enough = np.isfinite(window).sum(axis=2) >= need
        result[:, days] = np.where(enough, median(window), np.nan)
    return result
