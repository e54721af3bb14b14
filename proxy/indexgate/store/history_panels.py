"""Panels made of tiles: what the store holds, as what the checks and the score read."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from operator import attrgetter
from typing import Any, Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from packaging.utils import NormalizedName

from indexgate.store.history_codes import Numbers, decode
from indexgate.store.history_days import EPOCH, FLAGS
from indexgate.store.history_numbers import IN_TILE, TILE_BITS
from indexgate.store.history_tiles import (
    ACTIVITY,
    MIXES,
    NO_TOTAL,
    Part,
    Row,
    all_numbers,
    blank,
    monday,
    read,
    week_of,
)
from indexgate.store.reader import Reader
from indexgate_policy.downloads.kinds import INSTALLERS, REGIONS
from indexgate_policy.downloads.panel import NOT_BORN, Panel

_LEAST_DAYS: Final = 5
"""Days of a week that have to be known for its mixes: those missing are taken to be alike."""

_LONGEST_GAP: Final = 7
"""Days between two sights of the stars over which what came is spread; longer: unknown."""


class Span(Struct, frozen=True, kw_only=True):
    """The days of a panel, from a Monday on, so that its weeks are the weeks of the tiles.

    `zero` (T,) marks days that were loaded for the whole index: who is not in them had nothing.
    `incomplete` (T,) is the panel's.
    """

    first_day: date
    days: int
    zero: NDArray[np.bool_]
    incomplete: NDArray[np.bool_]

    @property
    def weeks(self) -> range:
        """The weeks that the span touches."""
        first = week_of(self.first_day)
        return range(first, first + (self.days + 6) // 7)


class Projects(Struct, frozen=True, kw_only=True):
    """The projects of a panel: their ids in rising order, names, and when they were born."""

    ids: Sequence[int]
    names: tuple[NormalizedName, ...]
    born: Sequence[date | None]


def panel_of(reader: Reader, projects: Projects, span: Span) -> Panel:
    """Return the panel of *projects* over *span*. Raises StoreFailed."""
    days = span.days
    kept = _Kept(reader, projects.ids, span.weeks)
    classes = _zero_where_nobody_was(decode(kept.daily(Part.COUNTS))[:, :days], span.zero)
    activity = decode(kept.daily(Part.ACTIVITY))[:, :days]
    stars = new_stars(kept.daily(Part.STARS, weeks_before=1)[:, :, 0])[:, 7 : 7 + days]
    mixes = kept.weekly_mixes(span)
    installers, regions = len(INSTALLERS), len(INSTALLERS) + len(REGIONS)
    return Panel(
        names=projects.names,
        first_day=span.first_day,
        classes=classes,
        installers=mixes[:, :, :installers],
        regions=mixes[:, :, installers:regions],
        version_ages=mixes[:, :, regions:],
        stars=stars,
        releases=activity[:, :, ACTIVITY.index("releases")],
        people=activity[:, :, ACTIVITY.index("people")],
        inflow=activity[:, :, ACTIVITY.index("inflow")],
        born=_born(projects.born, span),
        incomplete=span.incomplete,
    )


class _Kept:
    """What the tiles hold of some projects, whose *ids* rise, over some weeks."""

    def __init__(self, reader: Reader, ids: Sequence[int], weeks: range) -> None:
        self._projects = len(ids)
        self._weeks = weeks
        numbers = np.asarray(ids, np.int64)
        tiles, starts = np.unique(numbers >> TILE_BITS, return_index=True)
        ends = [*starts[1:].tolist(), len(ids)]
        self._places = {
            tile: slice(start, end)
            for tile, start, end in zip(tiles.tolist(), starts.tolist(), ends, strict=True)
        }
        slots = numbers & (IN_TILE - 1)
        self._slots = {tile: _as_slice(slots[place]) for tile, place in self._places.items()}
        self._rows: dict[Part, list[Row]] = {part: [] for part in Part}
        # The week before tells how many stars the first days brought.
        for row in read(reader, list(self._places), range(weeks.start - 1, weeks.stop)):
            self._rows[row.part].append(row)

    def daily(self, part: Part, weeks_before: int = 0) -> NDArray[Any]:
        """Return (N, 7 W, columns) numbers, with *weeks_before* the first of the weeks."""
        weeks = range(self._weeks.start - weeks_before, self._weeks.stop)
        numbers = _unknown(part, self._projects, 7 * len(weeks))
        for place, week, found in self._found(part, weeks):
            first = 7 * (week - weeks.start)
            numbers[place, first : first + 7] = found
        return numbers

    def weekly_mixes(self, span: Span) -> Numbers:
        """Return (N, W, 22) downloads of the weeks that *span* holds wholly."""
        weeks = range(self._weeks.start, self._weeks.start + span.days // 7)
        mixes = np.full((self._projects, len(weeks), len(MIXES)), np.nan, np.float32)
        zero = span.zero[: 7 * len(weeks)].reshape(-1, 7)
        mixes[:, zero.sum(axis=1) >= _LEAST_DAYS] = 0
        for place, week, found in self._found(Part.MIXES, weeks):
            counts = decode(found)
            if counts.ndim == 3:
                counts = week_sum(counts, zero[week - weeks.start])
            mixes[place, week - weeks.start] = counts
        return mixes

    def _found(self, part: Part, weeks: range) -> Iterator[tuple[slice, int, NDArray[Any]]]:
        by_week: dict[int, list[Row]] = {}
        for row in self._rows[part]:
            if row.week in weeks:
                by_week.setdefault(row.week, []).append(row)
        for week, rows in by_week.items():
            for place, some in self._runs(rows):
                # Many tiles at once take a fifth of the time.
                numbers = all_numbers(some) if len(some) > 1 else None
                if numbers is not None:
                    yield place, week, numbers
                else:
                    for row in some:
                        yield self._places[row.tile], week, row.numbers(self._slots[row.tile])

    def _runs(self, rows: list[Row]) -> Iterator[tuple[slice, list[Row]]]:
        """Yield *rows* in groups of which the projects lie side by side, and where.

        More than one row is in a group only where all projects of each are in the panel.
        """
        run: list[Row] = []
        place = slice(0, 0)
        for row in sorted(rows, key=attrgetter("tile")):
            here = self._places[row.tile]
            if run and here.start == place.stop and self._is_whole(row) and self._is_whole(run[0]):
                place = slice(place.start, here.stop)
                run.append(row)
                continue
            if run:
                yield place, run
            run, place = [row], here
        if run:
            yield place, run

    def _is_whole(self, row: Row) -> bool:
        place = self._places[row.tile]
        return bool(place.stop - place.start == IN_TILE)


def _as_slice(slots: NDArray[np.int64]) -> Any:
    """Return rising *slots* as a slice if they follow each other: that is quicker to take."""
    first, last = int(slots[0]), int(slots[-1])
    return slice(first, last + 1) if last - first + 1 == len(slots) else slots


def week_sum(daily: Numbers, zero: NDArray[np.bool_]) -> Numbers:
    """Return (N, K) sums of the week's (N, 7, K) counts; *zero* (7,) as in `Span`.

    Up to two days that are not known are taken to be like the others; with more of them the week
    is not known.
    """
    filled = _zero_where_nobody_was(daily, zero)
    known = np.isfinite(filled).sum(axis=1)
    sums = np.nansum(filled, axis=1, dtype=np.float32)
    scaled = sums * (7 / np.maximum(known, 1)).astype(np.float32)
    return np.where(known >= _LEAST_DAYS, scaled, np.float32(np.nan))


def new_stars(totals: NDArray[np.int32]) -> Numbers:
    """Return (N, T) stars that came on each day, of the (N, T) totals that were seen.

    What came between two sights is spread evenly over the days since the first of them, so that a
    day on which nobody looked makes no burst; over more than a week it is not known. A first sight
    is no rise, and stars that were taken back are no negative ones.
    """
    if not (totals != NO_TOTAL).any():
        return np.full(totals.shape, np.nan, np.float32)
    days = np.arange(totals.shape[1])
    seen = np.where(totals != NO_TOTAL, days, -1)
    before = np.full_like(seen, -1)
    np.maximum.accumulate(seen[:, :-1], axis=1, out=before[:, 1:])
    ahead = np.where(seen < 0, totals.shape[1], seen)
    after = np.minimum.accumulate(ahead[:, ::-1], axis=1)[:, ::-1]
    gap = after - before
    told = (before >= 0) & (after < totals.shape[1]) & (gap <= _LONGEST_GAP)
    last = np.take_along_axis(totals, np.maximum(before, 0), axis=1)
    following = np.take_along_axis(totals, np.minimum(after, totals.shape[1] - 1), axis=1)
    a_day = np.maximum(following - last, 0) / np.maximum(gap, 1)
    return np.where(told, a_day, np.nan).astype(np.float32)


def _unknown(part: Part, projects: int, days: int) -> NDArray[Any]:
    row = blank(part, days)[:1]
    return np.repeat(row, projects, axis=0)


def _zero_where_nobody_was(counts: Numbers, zero: NDArray[np.bool_]) -> Numbers:
    nobody = np.isnan(counts) & zero[None, :, None]
    counts[nobody] = 0
    return counts


def _born(born: Sequence[date | None], span: Span) -> NDArray[np.int32]:
    """Count from the first day; a project of which it is not known counts as an old one."""
    first, last = span.first_day, span.first_day + timedelta(days=span.days - 1)
    days = [
        -1 if day is None or day < first else NOT_BORN if day > last else (day - first).days
        for day in born
    ]
    return np.asarray(days, np.int32)


def first_monday(last: date, days: int) -> date:
    """Return the Monday from which a panel that ends on *last* holds at least *days* days."""
    return monday(week_of(last - timedelta(days=days - 1)))


def span_of(reader: Reader, index_number: int, until: date, days: int) -> Span:
    """Return the days of a panel of at least *days* days that ends on *until*."""
    first = first_monday(until, days)
    length = (until - first).days + 1
    zero, incomplete = np.zeros(length, bool), np.zeros(length, bool)
    start = (first - EPOCH).days
    for row in reader.all(FLAGS, index_number=index_number, first=first, last=until):
        zero[row.day - start], incomplete[row.day - start] = row.whole, not row.complete
    return Span(first_day=first, days=length, zero=zero, incomplete=incomplete)


def known_days(panel: Panel) -> int:
    """Return how many days there are up to the last of which any downloads are known."""
    known = np.isfinite(panel.classes).any(axis=(0, 2))
    return int(np.flatnonzero(known)[-1]) + 1 if known.any() else 0
