"""What paid queries cost, so that a month's sum outlives the process: see `sources.spending`."""

from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select, text, update

from indexgate.sources.spending import Spending
from indexgate.store.reader import Reader
from indexgate.store.schema import spending as table
from indexgate.store.upserts import insert_new
from indexgate.store.writer import Writer

_SPENT = select(func.coalesce(func.sum(table.c.bytes_billed), 0)).where(
    table.c.source == bindparam("source"), table.c.month == bindparam("month")
)
_UNSETTLED = (
    select(table)
    .where(table.c.source == bindparam("source"), table.c.settled.is_(False))
    .order_by(table.c.at, table.c.job)
)


class StoredLedger:
    """The ledger in the store. Every method raises StoreFailed."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    def reserve(self, spending: Spending, most: int) -> bool:
        """Write *spending* unless its month would come to more than *most*; tell if it is there."""

        def write(connection: Connection) -> bool:
            if connection.dialect.name == "postgresql":
                # Two sums at once would both miss the other's row; SQLite has one writer anyway.
                connection.execute(text("LOCK TABLE spending IN SHARE ROW EXCLUSIVE MODE"))
            there = select(table.c.job).where(table.c.job == spending.job)
            if connection.execute(there).first() is not None:
                return True
            of_month = {"source": spending.source, "month": spending.month}
            spent = int(connection.execute(_SPENT, of_month).scalar_one())
            if spent + spending.bytes_billed > most:
                return False
            insert_new(connection, table, [_row(spending)])
            return True

        return self._writer.wait(write)

    def settle(self, job: str, bytes_billed: int) -> None:
        """Put what *job* did cost in the place of the most it could have cost."""
        change = update(table).where(table.c.job == job)
        values = {"bytes_billed": bytes_billed, "settled": True}
        self._writer.wait(lambda to: to.execute(change, values).rowcount)

    def spent(self, source: str, month: str) -> int:
        """Return the sum of bytes of a month."""
        row = self._reader.first(_SPENT, source=source, month=month)
        return 0 if row is None else int(row[0])

    def unsettled(self, source: str) -> tuple[Spending, ...]:
        """Return the jobs of which nobody knows yet what they cost, oldest first."""
        return tuple(_spending(row) for row in self._reader.all(_UNSETTLED, source=source))


def _row(spending: Spending) -> dict[str, Any]:
    return {
        "job": spending.job,
        "source": spending.source,
        "month": spending.month,
        "day": "" if spending.day is None else spending.day.isoformat(),
        "purpose": spending.purpose,
        "bytes_billed": spending.bytes_billed,
        "settled": spending.settled,
        "at": spending.at,
    }


def _spending(row: Row[Any]) -> Spending:
    return Spending(
        job=row.job,
        source=row.source,
        month=row.month,
        purpose=row.purpose,
        day=date.fromisoformat(row.day) if row.day else None,
        bytes_billed=row.bytes_billed,
        settled=row.settled,
        at=row.at,
    )
