"""Writes: one thread, and group commit.

A commit that survives a power cut costs a wait for the disk, whether it carries one write or five
hundred. So all writes go to one thread; those that arrive while it waits for the disk share the
next transaction. A caller learns of its write only after that transaction is on the disk.

A write may run several times: when one write of a transaction fails, the transaction is rolled back
and each is tried alone, so that the others do not suffer; and one that another gate on the server
got in the way of is tried again. A write has to be a function of the database only.
"""

import asyncio
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError

from indexgate.logs import logger
from indexgate.store.engines import DATABASE_ERRORS, StoreFailed, store_failed

T = TypeVar("T")

Settle = Callable[[Any, Exception | None], None]

_IN_THE_WAY = frozenset({"40P01", "23505"})
"""PostgreSQL's words (SQLSTATE) for a deadlock, and for a key that somebody else was first with."""

_MOST_TRIES = 5
"""How often a write is tried alone: another gate was faster so many times, or it cannot be done."""

_TOGETHER = 512
"""Most writes in one transaction: readers of what they wrote wait for the last of them."""


def in_turn(items: Iterable[T], at_once: int) -> Iterator[list[T]]:
    """Yield *items* in lists of *at_once* at most: one transaction's worth each."""
    left = iter(items)
    while some := list(islice(left, at_once)):
        yield some


class _Entry:
    __slots__ = ("settle", "tries", "urgent", "write")

    def __init__(self, write: Callable[[Connection], Any], settle: Settle, urgent: bool) -> None:
        self.write = write
        self.settle = settle
        self.urgent = urgent
        self.tries = 0  # alone


class Writer:
    """The one thread that writes. `room` bounds the writes that wait.

    `linger` is how long (seconds) a write that nobody waits for may wait for company.
    `fault` says why the last transaction failed; None once one succeeded again.
    """

    def __init__(self, engine: Engine, *, room: int = 10_000, linger: float = 0.2) -> None:
        self.fault: StoreFailed | None = None
        self._engine = engine
        self._room = room
        self._linger = linger
        self._waiting: deque[_Entry] = deque()
        self._changed = threading.Condition()
        self._urgent = 0
        self._closing = False
        # Both are the thread's own.
        self._connection: Connection | None = None
        self._answers: dict[asyncio.AbstractEventLoop, list[Callable[[], None]]] = {}
        self._thread = threading.Thread(target=self._run, name="indexgate-store", daemon=True)
        self._thread.start()

    async def commit(self, write: Callable[[Connection], T]) -> T:
        """Run *write* in a transaction; return its answer once it is committed.

        Raises StoreFailed when the database cannot take it, else whatever *write* raises. A caller
        that is cancelled leaves; its write is still done.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()

        def settle(result: T, error: Exception | None) -> None:
            if answer.done():
                return
            if error is None:
                answer.set_result(result)
            else:
                answer.set_exception(error)

        def settle_there(result: T, error: Exception | None) -> None:
            self._answers.setdefault(loop, []).append(partial(settle, result, error))

        self._put(_Entry(write, settle_there, urgent=True))
        return await answer

    def wait(self, write: Callable[[Connection], T]) -> T:
        """Do as `commit` does and block until it is done: for threads and for the command line."""
        answer: Future[T] = Future()

        def settle(result: T, error: Exception | None) -> None:
            if error is None:
                answer.set_result(result)
            else:
                answer.set_exception(error)

        self._put(_Entry(write, settle, urgent=True))
        return answer.result()

    def soon(
        self,
        write: Callable[[Connection], object],
        done: Callable[[Exception | None], None] | None = None,
    ) -> bool:
        """Run *write* before long; nobody waits.

        *done* is called in the writer's thread, with what went wrong or None. False: there is no
        room, or the store is closed, and the write is not taken.
        """

        def settle(_result: object, error: Exception | None) -> None:
            if done is not None:
                done(error)

        try:
            self._put(_Entry(write, settle, urgent=False))
        except StoreFailed:
            return False
        return True

    def close(self) -> None:
        """Write what waits, then end the thread. Later writes raise StoreFailed."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()
        self._engine.dispose()

    def _put(self, entry: _Entry) -> None:
        with self._changed:
            if self._closing:
                raise StoreFailed("store-closed", "The store is closed")
            if len(self._waiting) >= self._room:
                raise StoreFailed(
                    "store-overloaded", f"{self._room} writes are waiting for the store already"
                )
            self._waiting.append(entry)
            self._urgent += entry.urgent
            if entry.urgent or len(self._waiting) == 1:
                self._changed.notify()

    def _run(self) -> None:
        while entries := self._next():
            self._write(entries)
        self._disconnect()

    def _next(self) -> list[_Entry]:
        """Wait for writes and take them; an empty list is the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing)
            self._changed.wait_for(lambda: self._urgent or self._closing, self._linger)
            count = min(len(self._waiting), _TOGETHER)
            entries = [self._waiting.popleft() for _ in range(count)]
            self._urgent -= sum(entry.urgent for entry in entries)
            return entries

    def _write(self, entries: list[_Entry]) -> None:
        if len(entries) == 1:
            entries[0].tries += 1
        try:
            connection = self._connected()
            with connection.begin():
                results = [entry.write(connection) for entry in entries]
        except Exception as error:
            self._disconnect()
            self._failed(entries, error)
        else:
            self.fault = None
            for entry, result in zip(entries, results, strict=True):
                _settle(entry, result, None)
        self._answer()

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = self._engine.connect()
        return self._connection

    def _disconnect(self) -> None:
        """Give up the connection: whatever failed, the next transaction starts afresh."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(*DATABASE_ERRORS):
                connection.close()

    def _answer(self) -> None:
        """Tell those who wait how their writes ended: one call for all of an event loop."""
        answers, self._answers = self._answers, {}
        for loop, calls in answers.items():
            # A loop that has ended has nobody left who could be told.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(_call_all, calls)

    def _failed(self, entries: list[_Entry], error: Exception) -> None:
        of_the_store, in_the_way = _is_of_the_store(error), _somebody_was_in_the_way(error)
        if len(entries) > 1 and (in_the_way or not of_the_store):
            for entry in entries:
                self._write([entry])
        elif in_the_way and entries[0].tries < _MOST_TRIES:
            self._write(entries)
        elif of_the_store:
            self.fault = store_failed(error)
            for entry in entries:
                _settle(entry, None, self.fault)
        else:
            _settle(entries[0], None, error)


def _call_all(calls: Iterable[Callable[[], None]]) -> None:
    for call in calls:
        call()


def _settle(entry: _Entry, result: object, error: Exception | None) -> None:
    """Tell whoever asked for *entry*. Their failure is their own: this thread writes for all."""
    try:
        entry.settle(result, error)
    except Exception:
        logger("store").exception("a caller could not be told how its write ended")


_DECLINED = (
    *(IntegrityError, DataError, ProgrammingError),
    *(sqlite3.IntegrityError, sqlite3.DataError, sqlite3.ProgrammingError),
)


def _is_of_the_store(error: Exception) -> bool:
    """Tell whether the database failed, and not one write that it rightly declined."""
    if isinstance(error, _DECLINED):
        return False
    return isinstance(error, (*DATABASE_ERRORS, OSError, StoreFailed))


def _somebody_was_in_the_way(error: Exception) -> bool:
    """Tell whether another gate on the server held what was wanted, or wrote the same row first."""
    orig = error.orig if isinstance(error, DBAPIError) else None
    return getattr(orig, "sqlstate", None) in _IN_THE_WAY
