"""What this gate's clients ask for: how often, by kind of client, and names that do not exist.

Of a client only its kind is kept, never who or where it is. No request waits for it or writes:
counts gather in memory and are written together, `EVERY` so often and at the end. One group is
under way at a time; if it fails it joins what has gathered since.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal, TypeAlias

from msgspec import Struct, field
from packaging.utils import NormalizedName
from sqlalchemy import Connection, Row, bindparam, delete, func, select

from indexgate.store import missing_names
from indexgate.store.engines import StoreFailed, store_failed
from indexgate.store.missing_names import Missed, WaitedFor
from indexgate.store.reader import Reader
from indexgate.store.schema import asked as table
from indexgate.store.upserts import put_joined
from indexgate.store.writer import Writer

Asker: TypeAlias = Literal["person", "ci", "system"]
"""Who asks, by its own word: somebody at a keyboard, a CI job, or another program."""

KEPT = timedelta(days=90)
"""How long counts are kept."""

EVERY = timedelta(seconds=30)
"""How often what has gathered is written."""

ROOM = 10_000
"""Most different (project, day), and most names that do not exist, in memory."""

_COLUMN: dict[Asker, str] = {"person": "people", "ci": "ci", "system": "systems"}
_COUNTS = select(
    *(func.coalesce(func.sum(table.c[name]), 0).label(name) for name in _COLUMN.values())
).where(
    table.c.index_id == bindparam("index_id"),
    table.c.project == bindparam("project"),
    table.c.day.between(bindparam("first"), bindparam("last")),
)
_Name: TypeAlias = tuple[str, NormalizedName]  # index_id, project
_Key: TypeAlias = tuple[str, NormalizedName, date]


class Counts(Struct, kw_only=True):
    """Requests for a project's page, by who asked."""

    people: int = 0
    ci: int = 0
    systems: int = 0

    def add(self, other: "Counts") -> None:
        """Count those of *other* too."""
        self.people += other.people
        self.ci += other.ci
        self.systems += other.systems


_NONE = Counts()


class _Group(Struct):
    asks: dict[_Key, Counts] = field(default_factory=dict)
    missing: dict[_Name, Missed] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.asks) + len(self.missing)

    def add(self, key: _Key, counts: Counts) -> None:
        self.asks.setdefault(key, Counts()).add(counts)

    def miss(self, name: _Name, missed: Missed) -> None:
        there = self.missing.get(name)
        self.missing[name] = missed if there is None else there.joined(missed)

    def write(self, connection: Connection) -> None:
        # Always in one order, so that two machines cannot wait for each other's rows.
        put_joined(
            connection, table, [_row(key, self.asks[key]) for key in sorted(self.asks)], _added
        )
        missing_names.note_all(connection, self.missing)


class Asked:
    """Counts on their way to the store, and those that are there.

    Counting never raises: `fault` says why the last group could not be written, `dropped` how many
    requests were not counted for want of room.
    """

    def __init__(self, reader: Reader, writer: Writer, *, room: int = ROOM) -> None:
        self.fault: StoreFailed | None = None
        self.dropped = 0
        self._reader = reader
        self._writer = writer
        self._room = room
        self._lock = threading.Lock()
        self._gathering = _Group()
        self._under_way: _Group | None = None

    def count(
        self, index_id: str, project: NormalizedName, by: Asker, at: datetime, times: int = 1
    ) -> None:
        """Count a request for the page of *project*, or so many."""
        key = (index_id, project, at.astimezone(UTC).date())
        with self._lock:
            asks = self._gathering.asks
            if key not in asks and len(asks) >= self._room:
                self.dropped += times
                return
            counts, column = asks.setdefault(key, Counts()), _COLUMN[by]
            setattr(counts, column, getattr(counts, column) + times)

    def miss(self, index_id: str, project: NormalizedName, at: datetime) -> None:
        """Note that somebody asked for *project*, and the index has none of that name."""
        name = (index_id, project)
        with self._lock:
            missing = self._gathering.missing
            if name not in missing and len(missing) >= self._room:
                self.dropped += 1
                return
            self._gathering.miss(name, Missed.once(at.astimezone(UTC)))

    def counts(self, index_id: str, project: NormalizedName, last: date, days: int) -> Counts:
        """Return the requests for *project* on the *days* up to *last*. Raises StoreFailed."""
        first = last - timedelta(days=days - 1)
        row = self._reader.quick(
            _COUNTS, index_id=index_id, project=project, first=first, last=last
        )
        found = Counts() if row is None else _counts(row)
        keys = [(index_id, project, first + timedelta(days=back)) for back in range(days)]
        with self._lock:
            for group in self._in_memory():
                for key in keys:
                    found.add(group.asks.get(key, _NONE))
        return found

    def waited_for(self, index_id: str, project: NormalizedName) -> WaitedFor | None:
        """Return when *project* was asked for in vain; None: never. Raises StoreFailed."""
        return missing_names.waited_for(self._reader, index_id, project)

    def send(self) -> None:
        """Begin to write what has gathered, unless some is under way or nothing has."""
        with self._lock:
            if self._under_way is not None or not self._gathering:
                return
            group = self._under_way = self._gathering
            self._gathering = _Group()
        if not self._writer.soon(group.write, self._done):
            self._done(StoreFailed("store-overloaded", "The store takes no more writes"))

    async def send_for_ever(self, wait: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Write what has gathered, again and again, until cancelled."""
        while True:
            await wait(EVERY.total_seconds())
            self.send()

    async def flush(self) -> bool:
        """Write all that waits in memory; tell whether that went well."""
        while self.waiting:
            self.send()
            # Writes keep their order: when this one is done, the group's is too.
            await self._writer.commit(_nothing)
            if self.fault is not None:
                return False
        return True

    async def prune(self, now: datetime) -> int:
        """Delete what is too old at *now*; return the number of rows. Raises StoreFailed."""
        before = (now - KEPT).astimezone(UTC).date()

        def write(connection: Connection) -> int:
            count = connection.execute(delete(table).where(table.c.day < before)).rowcount
            return count + missing_names.drop_before(connection, now - missing_names.KEPT)

        return await self._writer.commit(write)

    def close(self) -> None:
        """Write what waits in memory, if the database can take it. Blocks."""
        try:
            while self.waiting:
                self.send()
                self._writer.wait(_nothing)
                if self.fault is not None:
                    break
        except Exception as error:  # the rest of the store has to be closed all the same
            self.fault = store_failed(error)

    @property
    def waiting(self) -> int:
        """How many different counts and names are in memory only."""
        with self._lock:
            return sum(len(group) for group in self._in_memory())

    def _in_memory(self) -> Iterator[_Group]:
        yield self._gathering
        if self._under_way is not None:
            yield self._under_way

    def _done(self, error: Exception | None) -> None:
        with self._lock:
            group, self._under_way = self._under_way, None
            self.fault = None if error is None else store_failed(error)
            if error is None or group is None:
                return
            if isinstance(error, StoreFailed):
                self._join(group)
            else:  # the database declined what is in it and would again
                self.dropped += len(group)

    def _join(self, group: _Group) -> None:
        """Take *group* back, its oldest first, as far as there is room."""
        newer, self._gathering = self._gathering, group
        for key, counts in newer.asks.items():
            if key in group.asks or len(group.asks) < self._room:
                group.add(key, counts)
            else:
                self.dropped += 1
        for name, missed in newer.missing.items():
            if name in group.missing or len(group.missing) < self._room:
                group.miss(name, missed)
            else:
                self.dropped += 1


def _row(key: _Key, counts: Counts) -> dict[str, Any]:
    row = dict(zip(("index_id", "project", "day"), key, strict=True))
    return {**row, "people": counts.people, "ci": counts.ci, "systems": counts.systems}


def _added(new: Any) -> dict[str, Any]:
    return {name: table.c[name] + new[name] for name in _COLUMN.values()}


def _counts(row: Row[Any]) -> Counts:
    return Counts(people=int(row.people), ci=int(row.ci), systems=int(row.systems))


def _nothing(_connection: Connection) -> None:
    """Write nothing: a place in the queue."""
