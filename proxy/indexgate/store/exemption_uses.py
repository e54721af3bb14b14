"""How often each exemption let a file pass, by day: one that nobody uses is one to end."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from msgspec import Struct
from sqlalchemy import delete, select

from indexgate.store.reader import Reader
from indexgate.store.schema import exemption_uses as table
from indexgate.store.upserts import put_joined
from indexgate.store.writer import Writer

KEPT = timedelta(days=400)
"""How long uses are kept."""


class Uses(Struct, frozen=True, kw_only=True):
    """Files that an exemption let pass, and the last day on which one did."""

    count: int
    last: date


class ExemptionUses:
    """The counts, by the exemption's id."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    def count(self, exemptions: Iterable[str], at: datetime) -> None:
        """Count that a file passed by *exemptions*; written before long, and never raises."""
        rows = [{"exemption": each, "day": at.date(), "count": 1} for each in exemptions]
        if rows:
            self._writer.soon(lambda to: put_joined(to, table, rows, _added))

    def of(self) -> Mapping[str, Uses]:
        """Return the uses of every exemption that was used. Raises StoreFailed."""
        of_days = select(table, table.c.count.label("number")).order_by(table.c.day)
        found: dict[str, Uses] = {}
        for row in self._reader.all(of_days):
            earlier = found.get(row.exemption)
            count = row.number + (0 if earlier is None else earlier.count)
            found[row.exemption] = Uses(count=count, last=row.day)
        return found

    async def prune(self, now: datetime) -> int:
        """Forget what is older than is kept; return how many rows. Raises StoreFailed."""
        old = delete(table).where(table.c.day < now.date() - KEPT)
        return await self._writer.commit(lambda to: to.execute(old).rowcount)


def _added(new: Any) -> Mapping[str, Any]:
    return {"count": table.c.count + new.count}
