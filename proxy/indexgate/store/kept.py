"""Small things that the gate keeps: the upstream in use, its own id, when the store was made."""

from sqlalchemy import Connection, bindparam, select

from indexgate.store.reader import Reader
from indexgate.store.schema import kept as table
from indexgate.store.upserts import insert_new, insert_or_change
from indexgate.store.writer import Writer

_VALUE = select(table.c.value).where(table.c.key == bindparam("key"))


class Kept:
    """Texts by key. `keep_first` blocks until the disk has it: for the start and the commands."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    def get(self, key: str) -> str | None:
        """Return what is kept under *key*. Raises StoreFailed."""
        row = self._reader.quick(_VALUE, key=key)
        return None if row is None else str(row.value)

    def keep_first(self, key: str, value: str) -> str:
        """Keep *value* unless something is kept already; return what is kept.

        Of several processes that do so at once, all get the same answer. Raises StoreFailed.
        """

        def write(connection: Connection) -> str:
            insert_new(connection, table, [{"key": key, "value": value}])
            return str(connection.execute(_VALUE, {"key": key}).scalar_one())

        return self._writer.wait(write)

    def put_soon(self, key: str, value: str) -> bool:
        """Keep *value* in place of what was kept; nobody waits. False: it cannot be taken."""
        row = {"key": key, "value": value}
        return self._writer.soon(lambda to: insert_or_change(to, table, row, ["value"]))
