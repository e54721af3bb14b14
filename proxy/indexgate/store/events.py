"""Events: what happened to a project, each kept once however often it is told."""

from collections.abc import Iterable
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import Any

from packaging.utils import NormalizedName
from sqlalchemy import Connection, bindparam, delete, select

from indexgate.store.column_types import in_json
from indexgate.store.reader import Reader
from indexgate.store.schema import events as table
from indexgate.store.upserts import insert_new
from indexgate.store.writer import Writer
from indexgate_policy.events import Event

_SINCE = (
    select(table)
    .where(
        table.c.index_id == bindparam("index_id"),
        table.c.project == bindparam("project"),
        table.c.at >= bindparam("since"),
    )
    .order_by(table.c.at, table.c.key)
)


class Events:
    """Events by index and project. Every method raises StoreFailed."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    def of(self, index_id: str, project: NormalizedName, since: datetime) -> tuple[Event, ...]:
        """Return what happened to *project* from *since* on, in order of time."""
        rows = self._reader.quick_all(_SINCE, index_id=index_id, project=project, since=since)
        return tuple(
            Event(kind=row.kind, at=row.at, text=row.text, source=row.source, size=row.size)
            for row in rows
        )

    async def note(
        self, index_id: str, project: NormalizedName, event: Event, *, key: str | None = None
    ) -> None:
        """Keep *event* unless it is kept already.

        *key* says what makes it the same event (`release 1.2`) where its time is only that of the
        first look; without one, two events are the same when kind, time and text are.
        """
        await self.note_all(index_id, project, [(event, key)])

    async def note_all(
        self,
        index_id: str,
        project: NormalizedName,
        told: Iterable[tuple[Event, str | None]],
    ) -> None:
        """Keep events of one project, each with its key, in one transaction (see `note`)."""
        rows = [_row(index_id, project, event, key) for event, key in told]
        if rows:
            await self._writer.commit(partial(insert_new, table=table, rows=rows))


def note_event(
    connection: Connection, index_id: str, project: NormalizedName, event: Event
) -> None:
    """Keep *event* in the transaction of *connection*."""
    insert_new(connection, table, [_row(index_id, project, event, None)])


def drop_before(connection: Connection, moment: datetime) -> int:
    """Delete the events before *moment*; return how many."""
    return connection.execute(delete(table).where(table.c.at < moment)).rowcount


def _row(index_id: str, project: NormalizedName, event: Event, key: str | None) -> dict[str, Any]:
    return {
        "index_id": index_id,
        "project": project,
        "key": key or sha256(in_json((event.kind, event.at, event.text)).encode()).hexdigest(),
        "kind": event.kind,
        "at": event.at,
        "text": event.text,
        "source": event.source,
        "size": event.size,
    }
