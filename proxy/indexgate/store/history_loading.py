"""Writing counts into tiles: a day of the whole index, or some days of one project."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import product

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from indexgate.store.history_codes import UNKNOWN, Codes, decode, encode
from indexgate.store.history_numbers import IN_TILE, INDEX_SHIFT, TILE_BITS, alone
from indexgate.store.history_panels import week_sum
from indexgate.store.history_tiles import ACTIVITY, MIXES, Part, Tile, edit, week_of
from indexgate.store.schema import history_days
from indexgate_policy.downloads.day_counts import DayCounts
from indexgate_policy.downloads.kinds import CLASSES

_COLUMNS = len(CLASSES) + len(MIXES)
_NUMBERS = (1 << INDEX_SHIFT) - 1


class Gathered:
    """One day's counts of many projects of one index, as codes: 58 bytes for each."""

    def __init__(self) -> None:
        self.count = 0
        self._first_id = 0
        self._codes: Codes = np.full((0, _COLUMNS), UNKNOWN, np.uint16)
        self._given: NDArray[np.bool_] = np.zeros(0, bool)

    @property
    def tiles(self) -> list[int]:
        """The tiles of the projects that were put."""
        given: list[int] = np.unique(
            (np.flatnonzero(self._given) + self._first_id) >> TILE_BITS
        ).tolist()
        return given

    def put(self, ids: Mapping[str, int], counts: Sequence[DayCounts]) -> None:
        """Take *counts*, whose projects have *ids*."""
        self._put([ids[one.project] for one in counts], encode(_columns(counts)))
        self.count += len(counts)

    def put_nothing(self, ids: Mapping[str, int]) -> None:
        """Take that the projects with *ids* had no downloads."""
        self._put(list(ids.values()), np.zeros(_COLUMNS, np.uint16))

    def _put(self, ids: Sequence[int], codes: Codes) -> None:
        rows = np.array(ids, np.int64)
        self._first_id = int(rows[0]) & ~_NUMBERS
        rows &= _NUMBERS
        self._grow(int(rows.max()) + 1)
        self._codes[rows] = codes
        self._given[rows] = True

    def write(self, connection: Connection, *, day: date, tiles: list[int], whole: bool) -> None:
        """Put what was gathered of the projects of *tiles* in the place of what is held."""
        alone(connection)
        week, place = week_of(day), day.weekday()
        places = [(tile, week) for tile in tiles]
        for part, columns in (
            (Part.COUNTS, slice(0, len(CLASSES))),
            (Part.MIXES, slice(len(CLASSES), _COLUMNS)),
        ):

            def change(tile: int, _week: int, numbers: Tile, columns: slice = columns) -> Tile:
                if numbers.ndim == 2:  # folded: the day's part of the week cannot be told any more
                    return numbers
                codes, given = self._of(tile)
                chosen = slice(None) if whole else given
                numbers[chosen, place] = codes[chosen, columns]
                return numbers

            edit(connection, part, places, change)

    def _of(self, tile: int) -> tuple[Codes, NDArray[np.bool_]]:
        """Return the codes of a tile's projects, and which of them were given."""
        first = (tile << TILE_BITS) - self._first_id
        self._grow(first + IN_TILE)
        return self._codes[first : first + IN_TILE], self._given[first : first + IN_TILE]

    def _grow(self, rows: int) -> None:
        lacking = rows - len(self._given)
        if lacking > 0:
            lacking = max(lacking, len(self._given) // 2)
            more = np.full((lacking, _COLUMNS), UNKNOWN, np.uint16)
            self._codes = np.concatenate([self._codes, more])
            self._given = np.concatenate([self._given, np.zeros(lacking, bool)])


def add_days(connection: Connection, id_: int, counts: Iterable[DayCounts]) -> None:
    """Put *counts* of the project *id_* in the place of what is held of their days.

    Days that were loaded whole are left alone, and those of which more is held than *counts* tell.
    """
    alone(connection)
    loaded = _whole_days(connection, id_ >> INDEX_SHIFT)
    days = [one for one in counts if one.day not in loaded]
    if not days:
        return
    codes = encode(_columns(days))
    _set(connection, Part.COUNTS, id_, [one.day for one in days], codes[:, : len(CLASSES)])
    _set(connection, Part.MIXES, id_, [one.day for one in days], codes[:, len(CLASSES) :])


def fold(connection: Connection, *, tiles: list[int], first: date) -> None:
    """Keep the mixes of the week that begins on *first* for the whole week only."""
    alone(connection)

    def change(_tile: int, _week: int, numbers: Tile) -> Tile:
        if numbers.ndim == 2 or (numbers == UNKNOWN).all():
            return numbers
        every_day = np.ones(7, bool)  # was loaded whole: who is not in it had nothing
        return encode(week_sum(decode(numbers), every_day))

    edit(connection, Part.MIXES, list(product(tiles, [week_of(first)])), change)


def note_activity(
    connection: Connection, id_: int, what: str, values: Mapping[date, float]
) -> None:
    """Put *values* in the place of what is held of *what*, one of `ACTIVITY`."""
    alone(connection)
    codes = encode(np.array(list(values.values()), np.float32))[:, None]
    _set(connection, Part.ACTIVITY, id_, list(values), codes, column=ACTIVITY.index(what))


def note_totals(connection: Connection, day: date, totals: Mapping[int, int]) -> None:
    """Put *totals* of stars, by project id, in the place of what is held of *day*."""
    alone(connection)
    by_tile: dict[int, list[int]] = {}
    for id_ in totals:
        by_tile.setdefault(id_ >> TILE_BITS, []).append(id_)

    def change(tile: int, _week: int, numbers: Tile) -> Tile:
        for id_ in by_tile[tile]:
            numbers[id_ & (IN_TILE - 1), day.weekday(), 0] = totals[id_]
        return numbers

    week = week_of(day)
    edit(connection, Part.STARS, list(product(by_tile, [week])), change)


def _set(
    connection: Connection,
    part: Part,
    id_: int,
    days: Sequence[date],
    codes: Codes,
    *,
    column: int | None = None,
) -> None:
    tile, slot = id_ >> TILE_BITS, id_ & (IN_TILE - 1)
    columns = slice(None) if column is None else slice(column, column + 1)
    by_week: dict[int, list[int]] = {}
    for row, day in enumerate(days):
        by_week.setdefault(week_of(day), []).append(row)

    def change(_tile: int, week: int, numbers: Tile) -> Tile:
        if numbers.ndim == 2:
            return numbers
        for row in by_week[week]:
            held = numbers[slot, days[row].weekday(), columns]
            # The log itself tells every class; who only has bounds must not blot it out.
            if _told(codes[row]) >= _told(held):
                held[:] = codes[row]
        return numbers

    edit(connection, part, list(product([tile], by_week)), change)


def _told(codes: Codes) -> int:
    """Return how many of *codes* are known."""
    return int(np.count_nonzero(codes != UNKNOWN))


def _columns(counts: Sequence[DayCounts]) -> NDArray[np.float32]:
    return np.concatenate(
        [
            np.array([one.classes for one in counts], np.float32),
            np.array([one.installers for one in counts], np.float32),
            np.array([one.regions for one in counts], np.float32),
            np.array([one.version_ages for one in counts], np.float32),
        ],
        axis=1,
    )


def _whole_days(connection: Connection, index_number: int) -> set[date]:
    which = (history_days.c.index_number == index_number) & history_days.c.whole
    return set(connection.execute(select(history_days.c.day).where(which)).scalars())
