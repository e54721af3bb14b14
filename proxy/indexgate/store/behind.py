"""Rows that nobody waits for: written a moment later, as many as have gathered, in one go.

A page must not wait for a commit, nor a burst of pages make one each. Whoever reads in the meantime
finds here what is on its way; only what a killed process had gathered last is lost.
"""

import threading
from collections.abc import Callable, Hashable, Iterable, Sequence
from contextlib import suppress
from itertools import islice
from typing import Generic, TypeVar

from sqlalchemy import Connection

from indexgate.logs import logger
from indexgate.store.engines import StoreFailed, store_failed
from indexgate.store.writer import Writer

Key = TypeVar("Key", bound=Hashable)
Row = TypeVar("Row")

_AT_ONCE = 500
"""Rows in one transaction: some milliseconds, so that refusals do not wait."""


class Behind(Generic[Key, Row]):
    """Rows by key on their way to the store: of one key the latest counts.

    *write* puts rows into the store, a function of the database only. Rows that the store cannot
    take are lost, which the log is told.
    """

    def __init__(
        self,
        writer: Writer,
        write: Callable[[Connection, Sequence[Row]], None],
    ) -> None:
        self._writer = writer
        self._write = write
        self._lock = threading.Lock()
        self._waiting: dict[Key, Row] = {}
        self._under_way: dict[Key, Row] = {}
        self._sent = False

    def put(self, key: Key, row: Row) -> None:
        """Have *row* written before long."""
        with self._lock:
            self._waiting[key] = row
            sent, self._sent = self._sent, True
        if not sent:
            self._send()

    def get(self, key: Key) -> Row | None:
        """Return the row that is on its way under *key*, if one is."""
        return self._waiting.get(key)

    def on_their_way(self) -> list[Key]:
        """Return the keys of all that is on its way."""
        with self._lock:
            return list(self._waiting)

    def drop(self, keys: Iterable[Key]) -> None:
        """Write the rows of *keys* no more, unless it is being done: newer ones follow."""
        with self._lock:
            for key in keys:
                self._waiting.pop(key, None)

    async def written(self) -> None:
        """Return when all that is on its way now is written, or lost."""
        with self._lock:
            now = self._waiting.copy()
        with suppress(StoreFailed):
            while any(self._waiting.get(key) is row for key, row in now.items()):
                await self._writer.commit(_nothing)  # after what was sent before

    def close(self) -> None:
        """Write what waits, if the store can take it. Blocks."""
        with suppress(StoreFailed):
            while self._sent:
                self._writer.wait(_nothing)

    def _send(self) -> None:
        if not self._writer.soon(self._write_some, self._done):
            self._done(StoreFailed("store-overloaded", "The store takes no more writes"))

    def _write_some(self, connection: Connection) -> None:
        with self._lock:  # anew if the transaction is tried again
            self._under_way = dict(islice(self._waiting.items(), _AT_ONCE))
        if self._under_way:
            self._write(connection, list(self._under_way.values()))

    def _done(self, error: Exception | None) -> None:
        with self._lock:
            if error is not None and not self._under_way:
                self._under_way = self._waiting.copy()
            for key, row in self._under_way.items():
                if self._waiting.get(key) is row:
                    del self._waiting[key]
            self._under_way = {}
            self._sent = bool(self._waiting)
            more = self._sent
        if error is not None:
            logger("store").warning("store-failed", text=store_failed(error).message)
        if more:
            self._send()


def _nothing(_connection: Connection) -> None:
    """Write nothing: a place in the queue."""
