"""Counting what pages withheld or warned of, by the hour, without a write for every page.

Counts gather in memory while the last ones are being written, so a busy gate writes a few times a
second at most. One group is under way at a time; if it fails it joins what has gathered since.
"""

import threading
from datetime import datetime
from typing import Any, TypeAlias

from msgspec import Struct, field
from sqlalchemy import Connection

from indexgate.store.engines import StoreFailed, store_failed
from indexgate.store.records import Notice, VerdictSet
from indexgate.store.schema import notices as table
from indexgate.store.schema import verdict_sets
from indexgate.store.upserts import insert_new, put_joined
from indexgate.store.writer import Writer

_KEY = ("digest", "kind", "run", "family", "hour")
_Key: TypeAlias = tuple[str, str, str, str, datetime]


class _Group(Struct):
    counts: dict[_Key, int] = field(default_factory=dict)
    sets: dict[str, VerdictSet] = field(default_factory=dict)

    def add(self, key: _Key, verdicts: VerdictSet, count: int) -> None:
        self.counts[key] = self.counts.get(key, 0) + count
        self.sets[verdicts.digest] = verdicts

    def write(self, connection: Connection) -> None:
        sets = [row for verdicts in self.sets.values() for row in _set_rows(verdicts)]
        insert_new(connection, verdict_sets, sets)
        # Always in one order, so that two machines cannot wait for each other's rows.
        rows = [
            {**dict(zip(_KEY, key, strict=True)), "count": count}
            for key, count in sorted(self.counts.items())
        ]
        put_joined(connection, table, rows, _added)


class Notices:
    """Counts on their way to the database. `room` bounds the different ones in memory."""

    def __init__(self, writer: Writer, room: int) -> None:
        self.fault: StoreFailed | None = None
        self.dropped = 0
        self._writer = writer
        self._room = room
        self._lock = threading.Lock()
        self._gathering = _Group()
        self._under_way: _Group | None = None

    def count(
        self,
        kind: Notice,
        verdicts: VerdictSet,
        *,
        run: str,
        family: str,
        hour: datetime,
        count: int,
    ) -> None:
        """Add *count* to the line of this set, run, family and hour."""
        key = (verdicts.digest, kind, run, family, hour)
        with self._lock:
            if key not in self._gathering.counts and len(self._gathering.counts) >= self._room:
                self.dropped += count
                return
            self._gathering.add(key, verdicts, count)
        self.send()

    def send(self) -> None:
        """Begin to write what has gathered, unless some is under way or nothing has."""
        with self._lock:
            if self._under_way is not None or not self._gathering.counts:
                return
            group = self._under_way = self._gathering
            self._gathering = _Group()
        if not self._writer.soon(group.write, self._done):
            self._done(StoreFailed("store-overloaded", "The store takes no more writes"))

    @property
    def waiting(self) -> int:
        """How many different counts are in memory only."""
        with self._lock:
            under_way = self._under_way.counts if self._under_way is not None else {}
            return len(self._gathering.counts) + len(under_way)

    def _done(self, error: Exception | None) -> None:
        with self._lock:
            group, self._under_way = self._under_way, None
            self.fault = None if error is None else store_failed(error)
            if isinstance(error, StoreFailed) and group is not None:
                self._join(group)
            elif error is not None and group is not None:
                # The database declined what is in it and would again.
                self.dropped += sum(group.counts.values())
        if error is None:
            self.send()

    def _join(self, group: _Group) -> None:
        for key, count in group.counts.items():
            self._gathering.add(key, group.sets[key[0]], count)


def _added(new: Any) -> dict[str, Any]:
    return {"count": table.c.count + new["count"]}


def _set_rows(verdicts: VerdictSet) -> list[dict[str, Any]]:
    return [
        {
            "digest": verdicts.digest,
            "position": position,
            "index_id": verdicts.index_id,
            "project": verdicts.project,
            "policy_digest": verdicts.policy_digest,
            "rule": reason.rule,
            "reason": reason.reason,
            "versions": reason.versions,
        }
        for position, reason in enumerate(verdicts.reasons)
    ]
