"""Connections: how SQLite and PostgreSQL are opened, and what their failures are called."""

import os
import sqlite3
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from indexgate.errors import GateError

STORE_FILE = "indexgate.sqlite3"
"""The name of the store's file in the state folder."""

_BUSY_SECONDS = 5
"""How long to wait for another process of the gate that is writing."""

_READ_SECONDS = 0.25
"""How long a read waits; SQLite asks that of it only while a file is being opened or closed."""


_WRITER_KEEPS = 4096
"""Kilobytes of SQLite's file in the writer's memory: what a transaction changes should fit."""

_READER_KEEPS = 512
"""The same of each reader: every thread has one, and forgets all whenever something is written."""

DATABASE_ERRORS = (DBAPIError, sqlite3.Error)
"""What a database's failure is raised as; SQLite's own where a connection is being made."""


class StoreFailed(GateError):
    """The store cannot be read or written now."""


def store_url(place: str | Path | URL) -> URL:
    """Return the address of the store at *place*: a database URL, or the path of a SQLite file.

    Raises StoreFailed.
    """
    if isinstance(place, URL):
        return place
    if isinstance(place, Path) or "://" not in place:
        return URL.create("sqlite", database=str(place))
    try:
        url = make_url(place)
    except ArgumentError as error:
        raise StoreFailed("store-address", "The store's address is not a database URL") from error
    if url.drivername == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    if url.drivername != "postgresql+psycopg" and not is_file(url):
        raise StoreFailed(
            "store-address",
            f"The store's address starts with `{url.drivername}`, which the gate cannot use",
            "give the path of a file, or an address that starts with `postgresql://`",
        )
    return url


def is_file(url: URL) -> bool:
    """Tell whether the store is a SQLite file."""
    return url.drivername == "sqlite" and bool(url.database)


def make_file(path: Path) -> None:
    """Make the folder (0700) and the file (0600) at *path* if they are not there.

    Raises OSError.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # SQLite gives its side files the mode of this one.
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def writing_engine(url: URL) -> Engine:
    """Return an engine whose commits are on the disk when they return."""
    engine = _engine(url, pool_size=1, max_overflow=0)
    if is_file(url):
        event.listen(
            engine, "connect", partial(_prepare_sqlite, patience=_BUSY_SECONDS, keeps=_WRITER_KEEPS)
        )
        event.listen(engine, "begin", _BeginToWrite(Path(url.database or "")))
    return engine


def reading_engine(url: URL) -> Engine:
    """Return an engine whose every read sees the latest commit; its connections are not pooled."""
    engine = _engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    if is_file(url):
        event.listen(
            engine, "connect", partial(_prepare_sqlite, patience=_READ_SECONDS, keeps=_READER_KEEPS)
        )
    return engine


def store_failed(error: Exception) -> StoreFailed:
    """Return what to tell a person about a database's *error*."""
    if isinstance(error, StoreFailed):
        return error
    text = str(error.orig if isinstance(error, DBAPIError) else error).strip()
    words = " ".join(text.split()) or type(error).__name__
    for sign, (reference, message, hint) in _KNOWN.items():
        if sign in words:
            return StoreFailed(reference, message, hint)
    return StoreFailed("store-failed", f"The store failed: {words}")


_KNOWN = {
    "not a database": (
        "store-corrupt",
        "The store's file is not a database",
        "move the file away; the gate starts a new one",
    ),
    "malformed": (
        "store-corrupt",
        "The store's file is damaged",
        "move the file away; the gate starts a new one",
    ),
    "readonly": (
        "store-read-only",
        "The store's file cannot be written",
        "the user that runs the gate needs to own the state folder",
    ),
    "unable to open": (
        "store-unreachable",
        "The store's file cannot be opened",
        "the user that runs the gate needs to own the state folder",
    ),
    "disk is full": ("store-full", "The disk of the store is full", "make room on the disk"),
    "database is locked": (
        "store-locked",
        f"Another process has held the store for {_BUSY_SECONDS} s",
        "",
    ),
}


def _engine(url: URL, **options: Any) -> Engine:
    arguments = {"check_same_thread": False} if is_file(url) else {"connect_timeout": _BUSY_SECONDS}
    try:
        return create_engine(url, connect_args=arguments, **options)
    except ModuleNotFoundError as error:
        raise StoreFailed(
            "store-driver",
            "A PostgreSQL store needs the package `psycopg`, which is not installed",
            "run `pip install 'psycopg[binary]'` in the gate's environment",
        ) from error


def _prepare_sqlite(connection: Any, _record: object, *, patience: float, keeps: int) -> None:
    # Transactions begin where `_begin_to_write` says, not where the driver guesses.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {patience * 1000:.0f}")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute(f"PRAGMA cache_size = -{keeps}")
    cursor.close()


class _BeginToWrite:
    """Begins SQLite's transactions as writing ones, in the file that the path still names.

    A transaction that turns from reading to writing midway can fail without waiting its turn. And
    SQLite goes on writing into a file that was deleted, where nobody would find it again.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened = self._identity()

    def __call__(self, connection: Connection) -> None:
        if self._opened is None or self._identity() != self._opened:
            raise StoreFailed(
                "store-gone",
                "The store's file was removed or replaced while the gate ran",
                "start the gate again",
            )
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    def _identity(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino
