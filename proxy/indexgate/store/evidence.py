"""What an operator entered by hand about a project: who says it, of which day, and what.

It is that operator's own knowledge: it is shown as such, and stays in this store.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any, Literal, TypeAlias, get_args

from msgspec import Struct
from packaging.utils import NormalizedName
from sqlalchemy import Connection, Row, bindparam, delete, select

from indexgate.store.reader import Reader
from indexgate.store.schema import evidence as table
from indexgate.store.writer import Writer

EvidenceKind: TypeAlias = Literal["contact", "talk", "review", "mention", "testimonial"]
KINDS: tuple[EvidenceKind, ...] = get_args(EvidenceKind)
_OF_INDEX = (
    select(table)
    .where(table.c.index_id == bindparam("index_id"))
    .order_by(table.c.project, table.c.day, table.c.id)
)
_OF_PROJECT = _OF_INDEX.where(table.c.project == bindparam("project"))


class Evidence(Struct, frozen=True, kw_only=True):
    """One entry. `day` is when it was, `author` who says so, `entered_at` when it was written."""

    id: int
    project: NormalizedName
    kind: EvidenceKind
    text: str
    day: date
    author: str
    entered_at: datetime


class StoredEvidence:
    """Entries by index and project. Methods block; every one raises StoreFailed."""

    def __init__(self, reader: Reader, writer: Writer, clock: Callable[[], datetime]) -> None:
        self._reader = reader
        self._writer = writer
        self._clock = clock

    def add(
        self,
        index_id: str,
        project: NormalizedName,
        *,
        kind: EvidenceKind,
        text: str,
        day: date,
        author: str,
    ) -> int:
        """Keep an entry; return its number."""
        row = {
            "index_id": index_id,
            "project": project,
            "kind": kind,
            "text": text,
            "day": day,
            "author": author,
            "entered_at": self._clock(),
        }

        def write(connection: Connection) -> int:
            return int(connection.execute(table.insert().returning(table.c.id), row).scalar_one())

        return self._writer.wait(write)

    def remove(self, index_id: str, ids: Sequence[int]) -> tuple[int, ...]:
        """Delete the entries numbered *ids*, all or none; return those of *ids* that are not there.

        When some are not there, nothing is deleted.
        """
        which = (table.c.index_id == index_id) & table.c.id.in_(ids)

        def write(connection: Connection) -> tuple[int, ...]:
            there = set(connection.execute(select(table.c.id).where(which)).scalars())
            lacking = tuple(id_ for id_ in ids if id_ not in there)
            if not lacking:
                connection.execute(delete(table).where(which))
            return lacking

        return self._writer.wait(write)

    def of(self, index_id: str, project: NormalizedName | None = None) -> tuple[Evidence, ...]:
        """Return the entries about *project* (None: about all), by project and day."""
        if project is None:
            rows = self._reader.all(_OF_INDEX, index_id=index_id)
        else:
            rows = self._reader.quick_all(_OF_PROJECT, index_id=index_id, project=project)
        return tuple(_evidence(row) for row in rows)


def _evidence(row: Row[Any]) -> Evidence:
    return Evidence(
        id=row.id,
        project=NormalizedName(row.project),
        kind=row.kind,
        text=row.text,
        day=row.day,
        author=row.author,
        entered_at=row.entered_at,
    )
