"""Sums and medians over the days before, where a day may be unknown (not a number)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexgate_policy.downloads.panel import Counts

WEEK = 7


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


def trailing_median(values: Counts, lags: tuple[int, int], first: int) -> Counts:
    """Return (N, T - first): for each day from *first* the median over *lags* days before it.

    Unknown until half of the window is known.
    """
    nearest, farthest = lags
    rows, days = values.shape
    result = np.full((rows, days - first), np.nan, np.float32)
    need = (farthest - nearest + 1) // 2
    for day in range(max(first, nearest + need - 1), days):
        window = values[:, max(0, day - farthest) : day - nearest + 1]
        enough = np.isfinite(window).sum(axis=1) >= need
        result[:, day - first] = np.where(enough, median(window), np.nan)
    return result
