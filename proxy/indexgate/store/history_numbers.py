"""Numbers for the projects of the history, so that a project's name is stored once.

A project's id is its index's number and its own, counted from 0 in each index; 32 ids in a row
share a tile. Numbers are never given back.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from functools import partial
from typing import Any, Final

from packaging.utils import NormalizedName
from sqlalchemy import Connection, bindparam, func, select, text, update

from indexgate.store.prepared import first_of, write_each
from indexgate.store.reader import Reader
from indexgate.store.schema import history_indexes as indexes
from indexgate.store.schema import history_projects as table
from indexgate.store.writer import Writer

AT_ONCE: Final = 5_000
"""Projects asked for or numbered in one statement."""

TILE_BITS: Final = 5
IN_TILE: Final = 1 << TILE_BITS
INDEX_SHIFT: Final = 36

_INDEX = select(indexes.c.number).where(indexes.c.index_id == bindparam("index_id"))
_INDEXES = select(indexes.c.number).order_by(indexes.c.number)
_ONE = (
    select(table.c.id, table.c.born)
    .join_from(table, indexes, table.c.index_number == indexes.c.number)
    .where(indexes.c.index_id == bindparam("index_id"), table.c.project == bindparam("project"))
)
_IDS = select(table.c.project, table.c.id).where(
    table.c.index_number == bindparam("index_number"),
    table.c.project.in_(bindparam("projects", expanding=True)),
)
_BETWEEN = (
    select(table.c.id, table.c.project, table.c.born)
    .where(table.c.id >= bindparam("first"), table.c.id < bindparam("end"))
    .order_by(table.c.id)
)
_HIGHEST = select(func.max(table.c.id).label("id")).where(
    table.c.id >= bindparam("first"), table.c.id < bindparam("end")
)
_INSERT = table.insert()
_BORN = update(table).where(table.c.id == bindparam("which")).values(born=bindparam("day"))

_LOCK = text("SELECT pg_advisory_xact_lock(:key)")
_LOCK_KEY = 0x68697374
"""PostgreSQL's lock of the history: any number that nobody else in the database uses."""


def alone(connection: Connection) -> None:
    """Let no other process change the history until this transaction ends.

    Tiles are read, changed and written. In SQLite a writing transaction is alone anyhow.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(_LOCK, {"key": _LOCK_KEY})


def tiles(ids: range) -> range:
    """Return the tiles of *ids*."""
    return range(ids.start >> TILE_BITS, (ids.stop - 1 >> TILE_BITS) + 1) if ids else range(0)


class HistoryNumbers:
    """The numbers of indexes and projects. Every method raises StoreFailed."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    def index(self, index_id: str) -> int | None:
        """Return the number of an index; None when nothing of it is kept."""
        row = self._reader.quick(_INDEX, index_id=index_id)
        return None if row is None else int(row.number)

    def indexes(self) -> tuple[int, ...]:
        """Return the numbers of all indexes."""
        return tuple(row.number for row in self._reader.all(_INDEXES))

    def project(self, index_id: str, project: NormalizedName) -> tuple[int, date | None] | None:
        """Return a project's id and the day it was born; None when nothing of it is kept."""
        row = self._reader.quick(_ONE, index_id=index_id, project=project)
        return None if row is None else (int(row.id), row.born)

    def ids(self, index_number: int) -> range:
        """Return the ids that an index has given out."""
        first = index_number << INDEX_SHIFT
        row = self._reader.first(_HIGHEST, first=first, end=first + (1 << INDEX_SHIFT))
        highest = None if row is None else row.id
        return range(0) if highest is None else range(first, highest + 1)

    def between(self, ids: range) -> Sequence[Any]:
        """Return the rows (id, project, born) of *ids* in order."""
        return self._reader.all(_BETWEEN, first=ids.start, end=ids.stop)

    def of(self, index_number: int, projects: list[NormalizedName]) -> dict[str, int]:
        """Return the ids of *projects*, at most `AT_ONCE`; new ones are numbered, blocking."""
        rows = self._reader.all(_IDS, index_number=index_number, projects=projects)
        found = {row.project: int(row.id) for row in rows}
        new = [project for project in projects if project not in found]
        if new:
            found |= self._writer.wait(partial(number, index_number=index_number, projects=new))
        return found


def number_index(connection: Connection, index_id: str) -> int:
    """Return the number of an index, a new one if it has none."""
    alone(connection)
    found = first_of(connection, _INDEX, {"index_id": index_id})
    if found is not None:
        return int(found.number)
    highest = connection.execute(select(func.max(indexes.c.number))).scalar()
    new = 0 if highest is None else int(highest) + 1
    connection.execute(indexes.insert(), {"number": new, "index_id": index_id})
    return new


def number(
    connection: Connection, *, index_number: int, projects: Iterable[NormalizedName]
) -> dict[str, int]:
    """Return the ids of *projects*, at most `AT_ONCE`; new ones are numbered in their order."""
    alone(connection)
    wanted = list(dict.fromkeys(projects))
    rows = connection.execute(_IDS, {"index_number": index_number, "projects": wanted})
    found: dict[str, int] = {row.project: int(row.id) for row in rows}
    return found | _given(connection, index_number, [one for one in wanted if one not in found])


def _given(
    connection: Connection, index_number: int, new: Sequence[NormalizedName]
) -> dict[str, int]:
    """Give *new* projects, which have no number, one in their order; return their ids."""
    first = index_number << INDEX_SHIFT
    span = {"first": first, "end": first + (1 << INDEX_SHIFT)}
    row = first_of(connection, _HIGHEST, span)
    highest = None if row is None else row.id
    next_id = first if highest is None else int(highest) + 1
    given: dict[str, int] = {project: next_id + place for place, project in enumerate(new)}
    write_each(
        connection,
        _INSERT,
        [
            {"id": id_, "index_number": index_number, "project": project, "born": None}
            for project, id_ in given.items()
        ],
    )
    return given


def set_born(connection: Connection, born: dict[int, date]) -> None:
    """Note the days on which the projects with these ids had their first release."""
    write_each(connection, _BORN, [{"which": id_, "day": day} for id_, day in born.items()])


def number_one(connection: Connection, index_id: str, project: NormalizedName) -> int:
    """Return the id of one project, a new one if it has none."""
    alone(connection)
    found = first_of(connection, _ONE, {"index_id": index_id, "project": project})
    if found is not None:
        return int(found.id)
    return _given(connection, number_index(connection, index_id), [project])[project]
