"""Tiles: what is kept of 32 projects for one week, packed into one row.

So a whole day of a large index is some twenty thousand small rows to change, and one project's half
year some fifty to read. A row's id is made of the week, the part and the tile's number: what a day
changes lies together at the end, and so does what has grown old at the beginning.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from enum import IntEnum
from typing import Any, Final, TypeAlias

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from sqlalchemy import Connection, bindparam, delete, select

from indexgate.store.engines import StoreFailed
from indexgate.store.history_codes import UNKNOWN, pack, unpack, unpack_all
from indexgate.store.history_numbers import IN_TILE
from indexgate.store.reader import Reader
from indexgate.store.schema import history_tiles as table
from indexgate.store.upserts import put_all
from indexgate.store.writer import in_turn
from indexgate_policy.downloads.kinds import CLASSES, INSTALLERS, REGIONS, VERSION_AGES

_FIRST_MONDAY: Final = date(1970, 1, 5)
_PART_SHIFT: Final = 43
_WEEK_SHIFT: Final = 47
_PARTS: Final = (1 << (_WEEK_SHIFT - _PART_SHIFT)) - 1
_TILES: Final = (1 << _PART_SHIFT) - 1
_ALL: Final = slice(None)
_TILES_AT_ONCE: Final = 64

MIXES: Final = (*INSTALLERS, *REGIONS, *VERSION_AGES)
"""The columns of `Part.MIXES`, in order."""

ACTIVITY: Final = ("releases", "people", "inflow")
"""The columns of `Part.ACTIVITY`, in order: append only."""

NO_TOTAL: Final = -1
"""A day on which nobody looked at the stars."""


class Part(IntEnum):
    """What a row holds; the numbers are in the store."""

    COUNTS = 0
    MIXES = 1
    ACTIVITY = 2
    STARS = 3


class _Layout(Struct, frozen=True, kw_only=True):
    columns: int
    kind: type[np.generic]
    nothing: int


_LAYOUTS: Final = {
    Part.COUNTS: _Layout(columns=len(CLASSES), kind=np.uint16, nothing=UNKNOWN),
    Part.MIXES: _Layout(columns=len(MIXES), kind=np.uint16, nothing=UNKNOWN),
    Part.ACTIVITY: _Layout(columns=len(ACTIVITY), kind=np.uint16, nothing=UNKNOWN),
    Part.STARS: _Layout(columns=1, kind=np.int32, nothing=NO_TOTAL),
}

Tile: TypeAlias = NDArray[Any]
"""(32, 7, columns) numbers of a part by day of the week; mixes of a folded week are (32, 22)."""

_SOME = select(table.c.id, table.c.codes).where(table.c.id.in_(bindparam("ids", expanding=True)))
_OLD = delete(table).where(
    table.c.id.in_(
        select(table.c.id)
        .where(table.c.id < bindparam("end"))
        .order_by(table.c.id)
        .limit(bindparam("most"))
    )
)


def week_of(day: date) -> int:
    """Return the number of the week (Monday to Sunday) of *day*."""
    return (day - _FIRST_MONDAY).days // 7


def monday(week: int) -> date:
    """Return the first day of a week."""
    return _FIRST_MONDAY + timedelta(days=7 * week)


def blank(part: Part, days: int = 7) -> Tile:
    """Return a tile of *part* in which nothing is known."""
    layout = _LAYOUTS[part]
    return np.full((IN_TILE, days, layout.columns), layout.nothing, layout.kind)


class Row(Struct, frozen=True):
    """One row of the store, still packed."""

    week: int
    part: Part
    tile: int
    codes: bytes

    def numbers(self, chosen: Any = _ALL) -> Tile:
        """Return what it holds of the projects *chosen* in the tile. Raises StoreFailed."""
        return _unpacked(self.part, self.codes, chosen)


def read(reader: Reader, some: Sequence[int], weeks: range) -> Iterator[Row]:
    """Yield what is kept of the tiles *some* in *weeks*, in no order. Raises StoreFailed."""
    for few in in_turn(some, _TILES_AT_ONCE):
        ids = [_row_id(week, part, tile) for week in weeks for part in Part for tile in few]
        for row in reader.all(_SOME, ids=ids):
            part = Part((row.id >> _PART_SHIFT) & _PARTS)
            yield Row(row.id >> _WEEK_SHIFT, part, row.id & _TILES, row.codes)


def all_numbers(rows: Sequence[Row]) -> Tile | None:
    """Return what *rows*, of one part and week, hold of all projects, one tile after the other.

    None when they are not alike (mixes are kept by the day or by the week), or one cannot be read.
    """
    part = rows[0].part
    try:
        numbers = unpack_all([row.codes for row in rows], _LAYOUTS[part].kind, IN_TILE)
        return _shaped(part, numbers)
    except ValueError:
        return None


def edit(
    connection: Connection,
    part: Part,
    places: Sequence[tuple[int, int]],
    change: Callable[[int, int, Tile], Tile],
) -> None:
    """Put what *change* makes of (tile, week, its numbers) in the place of each of *places*.

    *change* may work in place. Call `alone` first; the transaction is the caller's.
    """
    ids = {_row_id(week, part, tile): (tile, week) for tile, week in places}
    there = {row.id: row.codes for row in connection.execute(_SOME, {"ids": list(ids)})}
    rows = []
    for id_, (tile, week) in sorted(ids.items()):
        found = there.get(id_)
        changed = change(tile, week, blank(part) if found is None else _unpacked(part, found, _ALL))
        if found is not None or (changed != _LAYOUTS[part].nothing).any():
            codes = pack(changed.reshape(IN_TILE, -1))
            if codes != found:
                rows.append({"id": id_, "codes": codes})
    put_all(connection, table, rows)


def drop_before(connection: Connection, *, week: int, most: int) -> int:
    """Delete *most* rows at most of the weeks before *week*; return how many there were."""
    end = _row_id(week, Part.COUNTS, 0)
    return connection.execute(_OLD, {"end": end, "most": most}).rowcount


def _row_id(week: int, part: Part, tile: int) -> int:
    return (week << _WEEK_SHIFT) | (part << _PART_SHIFT) | tile


def _unpacked(part: Part, codes: bytes, chosen: Any) -> Tile:
    try:
        return _shaped(part, unpack(codes, _LAYOUTS[part].kind, IN_TILE, chosen))
    except ValueError as error:
        raise StoreFailed(
            "store-corrupt", f"A part of the download history cannot be read: {error}"
        ) from error


def _shaped(part: Part, numbers: NDArray[Any]) -> Tile:
    columns = _LAYOUTS[part].columns
    if part is Part.MIXES and numbers.shape[1] == columns:
        return numbers
    return numbers.reshape(-1, 7, columns)
