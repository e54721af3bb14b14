"""How the whole index moved: what everybody does is nobody's own (science fl-1, g and mix drift).

Holidays, lost days of the log, a new way of counting, a client that everybody takes up: all are
seen in the median over sizeable projects. Medians come from histograms of fixed width, so that
panels can be read one after the other in bounded memory, in any order, with the same result.
"""

from collections.abc import Iterable
from datetime import date
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from indexgate_policy.downloads.panel import Counts, Movement, Panel

SIZEABLE_DAY: Final = 20.0
"""A project counts for a day when it is usually downloaded so often by consumers on such days."""

SIZEABLE_WEEK: Final = 200.0
"""A project counts for a week's mixes with so many downloads in it and in each week before."""

ENOUGH: Final = 30
"""Projects that must count; with fewer the median is not told."""

MIXES: Final = ("installers", "regions", "version_ages")

_REFERENCE_DAYS = (7, 14, 21, 28)
_REACH, _WIDTH = 6.0, 0.005  # of the histograms, in logs
_BINS = round(2 * _REACH / _WIDTH) + 1


def movement(panels: Iterable[Panel]) -> Movement:
    """Return how the projects of all *panels* moved together.

    The panels must be of the same days; raises ValueError for others and for none. What a day or
    week says rests on that one and earlier ones only.
    """
    medians: dict[str, _Medians] = {}
    first_day: date | None = None
    days = 0
    for panel in panels:
        if first_day is None:
            first_day, days = panel.first_day, panel.days
            medians["consumers"] = _Medians(days)
            for mix in MIXES:
                weeks, parts = getattr(panel, mix).shape[1:]
                medians[mix] = _Medians(weeks, parts)
        elif (panel.first_day, panel.days) != (first_day, days):
            raise ValueError("the panels are not of the same days")
        consumers = panel.consumers
        large = np.any(consumers >= SIZEABLE_DAY - 1, axis=1)
        medians["consumers"].add(day_changes(consumers[large], panel.incomplete))
        for mix in MIXES:
            counts = getattr(panel, mix)
            medians[mix].add(
                mix_changes(counts[np.any(counts.sum(axis=2) >= SIZEABLE_WEEK, axis=1)])
            )
    if first_day is None:
        raise ValueError("there is no panel")
    return Movement(
        first_day=first_day,
        consumers=medians["consumers"].told(),
        installers=medians["installers"].told(),
        regions=medians["regions"].told(),
        version_ages=medians["version_ages"].told(),
    )


def day_changes(consumers: Counts, incomplete: NDArray[np.bool_]) -> Counts:
    """Return (N, T) logs of a day's *consumers* against the same weekday 1 to 4 weeks before.

    The median of the days before that are known and complete, of which there must be two. Not a
    number where that median is below `SIZEABLE_DAY` or the day is not known.
    """
    logs = np.log(consumers + np.float32(0.5))
    whole = np.where(incomplete[None, :], np.float32(np.nan), logs)
    before = np.full((len(_REFERENCE_DAYS), *logs.shape), np.nan, np.float32)
    for row, lag in zip(before, _REFERENCE_DAYS, strict=True):
        row[:, lag:] = whole[:, :-lag] if lag < logs.shape[1] else np.nan
    reference = _median_of_known(before, least=2)
    changes: Counts = np.where(reference >= np.log(SIZEABLE_DAY), logs - reference, np.nan)
    return changes


def mix_changes(mix: Counts) -> Counts:
    """Return (N, W, K) logs of a week's shares against the mean of weeks -9 to -2.

    Not a number for weeks that are too small or not wholly known, and for parts that hardly exist
    (fewer than 5 expected in the week).
    """
    totals = mix.sum(axis=2, keepdims=True)
    sized = totals >= SIZEABLE_WEEK
    shares = np.divide(mix, totals, out=np.full(mix.shape, np.nan, np.float32), where=sized)
    changes: Counts = np.full(mix.shape, np.nan, np.float32)
    for week in range(9, mix.shape[1]):
        base = shares[:, week - 9 : week - 1].mean(axis=1)
        expected = base * totals[:, week]
        seen = shares[:, week] + 0.5 / np.fmax(totals[:, week], 1)
        known = (expected >= 5) & np.isfinite(seen)
        np.log(np.divide(seen, base, where=known, out=np.ones_like(base)), out=changes[:, week])
        changes[:, week][~known] = np.nan
    return changes


def _median_of_known(stack: NDArray[np.float32], least: int) -> NDArray[np.float32]:
    """Return the median along the first axis without unknowns, unknown below *least* known."""
    known = np.isfinite(stack).sum(axis=0)
    ordered = np.sort(stack, axis=0)  # unknowns go last
    low = np.take_along_axis(ordered, (np.fmax(known - 1, 0) // 2)[None], axis=0)[0]
    high = np.take_along_axis(ordered, np.fmin(known // 2, len(stack) - 1)[None], axis=0)[0]
    median: NDArray[np.float32] = np.where(known >= least, (low + high) / 2, np.nan)
    return median.astype(np.float32)


class _Medians:
    """The running median of every column: counts by bins of `_WIDTH`, a line within a bin."""

    def __init__(self, *shape: int) -> None:
        self._shape = shape
        self._columns = int(np.prod(shape))
        self._counts = np.zeros(self._columns * _BINS, np.int64)

    def add(self, values: NDArray[Any]) -> None:
        flat = values.reshape(len(values), self._columns)
        rows, columns = np.nonzero(np.isfinite(flat))
        bins = np.rint((flat[rows, columns] + _REACH) / _WIDTH).astype(np.int64)
        bins = bins.clip(0, _BINS - 1)
        self._counts += np.bincount(columns * _BINS + bins, minlength=len(self._counts))

    def told(self) -> Counts:
        counts = self._counts.reshape(self._columns, _BINS)
        heaped = counts.cumsum(axis=1)
        totals = heaped[:, -1]
        half = totals / 2
        bins = (heaped < half[:, None]).sum(axis=1).clip(0, _BINS - 1)
        column = np.arange(self._columns)
        inside = counts[column, bins]
        before = heaped[column, bins] - inside
        part = np.divide(half - before, inside, out=np.zeros(self._columns), where=inside > 0)
        medians = (bins - 0.5 + part) * _WIDTH - _REACH
        told: Counts = np.where(totals >= ENOUGH, medians, np.nan).astype(np.float32)
        return told.reshape(self._shape)
