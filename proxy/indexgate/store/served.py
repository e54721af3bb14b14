"""Files that passed: which, on what day, for what kind of client, and how often.

Refusals have a record of their own (`decisions`); together they are the traffic that a draft policy
can be tried on. Of a client only its installer's name is kept and whether it says that it runs in
CI. No request waits for it or writes: an ask is one more in a dictionary, what has gathered is
written together, `EVERY` so often and at the end, and what cannot be kept is counted as `dropped`.

With the files of a project the facts are kept that were in force when it was asked for, looked at
once an hour: see `facts_then`.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any, TypeAlias

from msgspec import Struct
from packaging.utils import NormalizedName
from sqlalchemy import Connection, bindparam, case, delete, select

from indexgate.store.engines import StoreFailed, store_failed
from indexgate.store.facts_then import FACTS_AT_ONCE, FirstAsked, drop_facts_before, keep_facts
from indexgate.store.reader import Reader
from indexgate.store.schema import served as table
from indexgate.store.upserts import put_joined
from indexgate.store.writer import Writer, in_turn

KEPT = timedelta(days=90)
"""How long it is kept: as long as decisions."""

EVERY = timedelta(seconds=30)
"""How often what has gathered is written."""

FACTS_EVERY = timedelta(hours=1)
"""How long facts stand for later asks: as long, at most, what came in between is not kept."""

ROOM = 20_000
"""Most different (file, kind of client, day), and most projects, in memory."""

_KEY = ("index_id", "project", "version", "filename", "family", "ci", "day")
_Key: TypeAlias = tuple[str, NormalizedName, str, str, str, bool, date]
_Name: TypeAlias = tuple[str, NormalizedName]
_OF = (
    select(table, table.c.count.label("number"))
    .where(
        table.c.index_id == bindparam("index_id"),
        table.c.project == bindparam("project"),
        table.c.first_at >= bindparam("since"),
        table.c.first_at < bindparam("until"),
    )
    .order_by(table.c.first_at, table.c.filename, table.c.family, table.c.ci)
)
_NAMES = (
    select(table.c.index_id, table.c.project)
    .where(table.c.day >= bindparam("first"))
    .distinct()
    .order_by(table.c.index_id, table.c.project)
)


class ServedFile(Struct, frozen=True, kw_only=True):
    """That a file was served `count` times on a day in UTC, for the first time at `first_at`."""

    index_id: str
    project: NormalizedName
    version: str
    filename: str
    family: str
    ci: bool
    first_at: datetime
    count: int


class _Counted(Struct):
    first_at: datetime
    count: int


class Served:
    """Served files on their way to the store, and those that are there.

    Counting never raises: `fault` says why the last group could not be written, `dropped` how many
    different files of a day were lost since the start.
    """

    def __init__(self, reader: Reader, writer: Writer, *, room: int = ROOM) -> None:
        self.fault: StoreFailed | None = None
        self.dropped = 0
        self._reader = reader
        self._writer = writer
        self._room = room
        self._lock = threading.Lock()
        self._gathering: dict[_Key, _Counted] = {}
        self._under_way: dict[_Key, _Counted] | None = None
        # Whose facts are to be kept, and whose were when.
        self._first_asked: dict[_Name, datetime] = {}
        self._kept_at: dict[_Name, datetime] = {}

    def count(
        self,
        index_id: str,
        project: NormalizedName,
        version: str,
        filename: str,
        *,
        family: str,
        ci: bool,
        at: datetime,
    ) -> None:
        """Count that a file was served at *at* (in UTC)."""
        key = (index_id, project, version, filename, family, ci, at.date())
        with self._lock:
            counted = self._gathering.get(key)
            if counted is not None:
                counted.count += 1
            elif len(self._gathering) < self._room:
                self._gathering[key] = _Counted(at, 1)
                self._note(index_id, project, at)
            else:
                self.dropped += 1

    def refused(self, index_id: str, project: NormalizedName, at: datetime) -> None:
        """Note that a file of *project* was refused at *at*, which has a record of its own."""
        with self._lock:
            self._note(index_id, project, at)

    def names(self, since: datetime) -> list[_Name]:
        """Return the index and the name of every project with files served since. In order.

        Raises StoreFailed.
        """
        rows = self._reader.all(_NAMES, first=since.astimezone(UTC).date())
        return [(row.index_id, NormalizedName(row.project)) for row in rows]

    def of(
        self, index_id: str, project: NormalizedName, since: datetime, until: datetime
    ) -> list[ServedFile]:
        """Return what was first served from *since* to before *until*, in order of time.

        What is in memory only is not in it. Raises StoreFailed.
        """
        rows = self._reader.all(_OF, index_id=index_id, project=project, since=since, until=until)
        return [
            ServedFile(
                index_id=row.index_id,
                project=NormalizedName(row.project),
                version=row.version,
                filename=row.filename,
                family=row.family,
                ci=row.ci,
                first_at=row.first_at,
                count=row.number,
            )
            for row in rows
        ]

    def send(self) -> None:
        """Begin to write what has gathered, unless some is under way or nothing has."""
        with self._lock:
            if self._under_way is not None or not (self._gathering or self._first_asked):
                return
            group, names = self._gathering, self._first_asked
            self._gathering, self._first_asked = {}, {}
            self._under_way = group
            if len(self._kept_at) > self._room:
                self._kept_at.clear()  # then some are looked at twice in an hour
            self._kept_at |= names
        for some in in_turn(names.items(), FACTS_AT_ONCE):
            asked = [FirstAsked(*name, at=first) for name, first in some]
            if not self._writer.soon(partial(keep_facts, asked=asked), self._facts_done):
                self._facts_done(_overloaded())
        if not self._writer.soon(partial(_write, group=group), self._done):
            self._done(_overloaded())

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
        before = now - KEPT
        first = before.astimezone(UTC).date()

        def write(connection: Connection) -> int:
            count = connection.execute(delete(table).where(table.c.day < first)).rowcount
            return count + drop_facts_before(connection, before)

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
        """How many different files of a day, and projects, are in memory only."""
        with self._lock:
            return len(self._gathering) + len(self._under_way or ()) + len(self._first_asked)

    def _note(self, index_id: str, project: NormalizedName, at: datetime) -> None:
        name = (index_id, project)
        kept_at = self._kept_at.get(name)
        if (kept_at is not None and at - kept_at < FACTS_EVERY) or name in self._first_asked:
            return
        if len(self._first_asked) < self._room:
            self._first_asked[name] = at

    def _facts_done(self, error: Exception | None) -> None:
        if error is not None:
            with self._lock:
                self._kept_at.clear()  # so that the next ask tries again

    def _done(self, error: Exception | None) -> None:
        with self._lock:
            group, self._under_way = self._under_way or {}, None
            self.fault = None if error is None else store_failed(error)
            if error is None:
                return
            if not isinstance(error, StoreFailed):  # the database declined it and would again
                self.dropped += len(group)
                return
            newer, self._gathering = self._gathering, group
            for key, counted in newer.items():
                if key in group:
                    group[key].count += counted.count
                elif len(group) < self._room:
                    group[key] = counted
                else:
                    self.dropped += 1


def _overloaded() -> StoreFailed:
    return StoreFailed("store-overloaded", "The store takes no more writes")


def _write(connection: Connection, *, group: dict[_Key, _Counted]) -> None:
    # Always in one order, so that two machines cannot wait for each other's rows.
    put_joined(connection, table, list(_rows(sorted(group.items(), key=_key))), _joined)


def _key(item: tuple[_Key, _Counted]) -> _Key:
    return item[0]


def _rows(items: Iterable[tuple[_Key, _Counted]]) -> Iterable[dict[str, Any]]:
    for key, counted in items:
        row = dict(zip(_KEY, key, strict=True))
        yield {**row, "first_at": counted.first_at, "count": counted.count}


def _joined(new: Any) -> dict[str, Any]:
    return {
        "count": table.c.count + new.count,
        "first_at": case((new.first_at < table.c.first_at, new.first_at), else_=table.c.first_at),
    }


def _nothing(_connection: Connection) -> None:
    """Write nothing: a place in the queue."""
