"""Point reads, fast enough for the event loop: an open connection for each thread."""

import threading
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Engine, Row, Select

from indexgate.store.engines import DATABASE_ERRORS, StoreFailed, store_failed
from indexgate.store.prepared import all_of, first_of


class Reader:
    """Reads of committed rows. Every method raises StoreFailed when the database cannot answer."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._mine = threading.local()
        self._opened: list[Connection] = []
        self._lock = threading.Lock()
        self._closed = False

    def first(self, select: Select[Any], **values: Any) -> Row[Any] | None:
        """Return the first row, or None."""
        try:
            return self._connection().execute(select, values).first()
        except DATABASE_ERRORS as error:
            raise self._broken(error) from error

    def quick(self, select: Select[Any], **values: Any) -> Any | None:
        """Return the first row as `first` does, in less time: for constant *select*s.

        A value that is bound without one in the select has to be among *values*.
        """
        try:
            return first_of(self._connection(), select, values)
        except DATABASE_ERRORS as error:
            raise self._broken(error) from error

    def all(self, select: Select[Any], **values: Any) -> Sequence[Row[Any]]:
        """Return all rows."""
        try:
            return self._connection().execute(select, values).all()
        except DATABASE_ERRORS as error:
            raise self._broken(error) from error

    def quick_all(self, select: Select[Any], **values: Any) -> Sequence[Any]:
        """Return all rows, as `quick` returns the first."""
        try:
            return all_of(self._connection(), select, values)
        except DATABASE_ERRORS as error:
            raise self._broken(error) from error

    def close(self) -> None:
        """Close the connections of all threads."""
        with self._lock:
            self._closed = True
            for connection in self._opened:
                connection.close()
            self._opened.clear()
        self._engine.dispose()

    def _connection(self) -> Connection:
        connection: Connection | None = getattr(self._mine, "connection", None)
        if connection is not None and not connection.closed:
            return connection
        with self._lock:
            if self._closed:
                raise StoreFailed("store-closed", "The store is closed")
            connection = self._engine.connect()
            self._opened.append(connection)
        self._mine.connection = connection
        return connection

    def _broken(self, error: Exception) -> StoreFailed:
        """Give up this thread's connection, so that the next read starts afresh."""
        connection: Connection | None = getattr(self._mine, "connection", None)
        if connection is not None:
            self._mine.connection = None
            with self._lock:
                if connection in self._opened:
                    self._opened.remove(connection)
            connection.invalidate(error)
            connection.close()
        return store_failed(error)
