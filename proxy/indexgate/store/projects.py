"""Projects that were asked for: since when, where their files are, and what the files' hashes were.

A file's hash is pinned where upstream gives none: the first one seen holds from then on.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from cachetools import LRUCache
from packaging.utils import NormalizedName
from sqlalchemy import Connection, bindparam, select

from indexgate.store.behind import Behind
from indexgate.store.reader import Reader
from indexgate.store.schema import file_addresses, hash_pins
from indexgate.store.schema import projects as table
from indexgate.store.upserts import insert_new, insert_or_change, put_joined
from indexgate.store.writer import Writer

ASKED_EVERY = timedelta(hours=1)
"""How exact `last_asked` is: a busy project is written once in this time, not at every request."""

_REMEMBERED = 4096
_Key: TypeAlias = tuple[str, NormalizedName]
_Times: TypeAlias = tuple[datetime, datetime]
"""First seen and last asked."""

_ASKED = select(table.c.project).where(table.c.index_id == bindparam("index_id"))
_SEEN = select(table.c.first_seen, table.c.last_asked).where(
    table.c.index_id == bindparam("index_id"), table.c.project == bindparam("project")
)
_ADDRESS = select(file_addresses.c.project).where(
    file_addresses.c.index_id == bindparam("index_id"), file_addresses.c.path == bindparam("path")
)
_PIN = select(hash_pins.c.sha256).where(
    hash_pins.c.index_id == bindparam("index_id"), hash_pins.c.address == bindparam("address")
)


class Projects:
    """What is remembered of projects, by index. For the event loop's thread."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer
        self._recent: LRUCache[_Key, _Times] = LRUCache(_REMEMBERED)
        self._soon: Behind[_Key, tuple[_Key, _Times]] = Behind(writer, _write_seen)

    def first_seen(self, index_id: str, project: NormalizedName) -> datetime | None:
        """Return when *project* was first asked for; None: never. Raises StoreFailed."""
        times = self._times(index_id, project)
        return None if times is None else times[0]

    def seen(self, index_id: str, project: NormalizedName, now: datetime) -> None:
        """Note that *project* was asked for at *now*; it is written before long.

        If it is lost, because the store fails then, a request an hour later notes it again.
        Raises StoreFailed.
        """
        times = self._times(index_id, project)
        if times is not None and now - times[1] < ASKED_EVERY:
            return
        key, times = (index_id, project), (times[0] if times else now, now)
        self._recent[key] = times
        self._soon.put(key, (key, times))

    def close(self) -> None:
        """Write what is still to be written. Blocks."""
        self._soon.close()

    def asked(self, index_id: str) -> frozenset[NormalizedName]:
        """Return the projects of the index that clients ever asked for. Raises StoreFailed."""
        coming = [project for of, project in self._soon.on_their_way() if of == index_id]
        rows = self._reader.all(_ASKED, index_id=index_id)
        return frozenset((*(NormalizedName(row.project) for row in rows), *coming))

    def project_of_address(self, index_id: str, path: str) -> NormalizedName | None:
        """Return the project whose page listed *path*, for file names that do not tell it.

        Raises StoreFailed.
        """
        row = self._reader.quick(_ADDRESS, index_id=index_id, path=path)
        return None if row is None else NormalizedName(row.project)

    def remember_address(self, index_id: str, path: str, project: NormalizedName) -> None:
        """Note that the page of *project* lists *path* (no query, no credentials)."""
        row = {"index_id": index_id, "path": path, "project": project}
        self._writer.soon(lambda to: insert_or_change(to, file_addresses, row, ["project"]))

    def served(
        self, index_id: str, path: str, project: NormalizedName, sha256: str, now: datetime
    ) -> None:
        """Note that the file at *path* was served: should upstream drop it, it can be told."""
        address = {"index_id": index_id, "path": path, "project": project}
        pin = {"index_id": index_id, "address": path, "sha256": sha256, "pinned_at": now}

        def write(connection: Connection) -> None:
            insert_or_change(connection, file_addresses, address, ["project"])
            insert_new(connection, hash_pins, [pin])

        self._writer.soon(write)

    def pinned(self, index_id: str, address: str) -> str | None:
        """Return the pinned SHA-256 of the file at *address*, if any. Raises StoreFailed."""
        row = self._reader.quick(_PIN, index_id=index_id, address=address)
        return None if row is None else str(row.sha256)

    async def pin(self, index_id: str, address: str, sha256: str, now: datetime) -> str:
        """Pin *sha256* to the file at *address* unless one is pinned; return the pinned one.

        An answer other than *sha256* means that the file has changed. Raises StoreFailed.
        """
        there = self.pinned(index_id, address)
        if there is not None:
            return there
        row = {"index_id": index_id, "address": address, "sha256": sha256, "pinned_at": now}

        def write(connection: Connection) -> str:
            insert_new(connection, hash_pins, [row])
            found = connection.execute(_PIN, {"index_id": index_id, "address": address})
            return str(found.scalar_one())

        return await self._writer.commit(write)

    def _times(self, index_id: str, project: NormalizedName) -> _Times | None:
        key = (index_id, project)
        known = self._recent.get(key)
        if known is not None:
            return known
        coming = self._soon.get(key)
        if coming is not None:
            return coming[1]
        row = self._reader.quick(_SEEN, index_id=index_id, project=project)
        if row is None:
            return None
        known = self._recent[key] = (row.first_seen, row.last_asked)
        return known


def _write_seen(connection: Connection, seen: Sequence[tuple[_Key, _Times]]) -> None:
    # Always in one order, so that two machines cannot wait for each other's rows.
    rows: list[dict[str, Any]] = [
        {"index_id": index_id, "project": project, "first_seen": first, "last_asked": last}
        for (index_id, project), (first, last) in sorted(seen)
    ]
    put_joined(connection, table, rows, _asked_again)


def _asked_again(new: Any) -> dict[str, Any]:
    return {"last_asked": new.last_asked}
