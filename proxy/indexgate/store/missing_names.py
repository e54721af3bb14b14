"""Names that clients asked for and the index did not have, should somebody make them one day.

Mistyped and invented names, and names of packages that are elsewhere: they tell what people here
work on, so they stay in this store and are sent to nobody. There is room for `MOST`; names that
were asked for in one hour only go first, then those that nobody asked for lately.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct
from packaging.utils import NormalizedName
from sqlalchemy import (
    BigInteger,
    Connection,
    bindparam,
    case,
    delete,
    func,
    select,
    tuple_,
    type_coerce,
)

from indexgate.store.reader import Reader
from indexgate.store.schema import missing_names as table
from indexgate.store.upserts import put_joined

MOST = 10_000
"""How many names are kept at most."""

KEPT = timedelta(days=400)
"""How long a name is kept that nobody asks for any more: longer than a new project is new."""

_HOUR = timedelta(hours=1)
_MICROSECOND = timedelta(microseconds=1)
_ONE = select(table).where(
    table.c.index_id == bindparam("index_id"), table.c.project == bindparam("project")
)


class WaitedFor(Struct, frozen=True, kw_only=True):
    """When a name was asked for in vain; `hours` counts the different hours of that.

    A loop that tries again and again, or a resolver that asks twice, counts once an hour.
    """

    first: datetime
    last: datetime
    hours: int


class Missed(Struct, frozen=True, kw_only=True):
    """Requests for a name that was missing, on their way to the store."""

    first: datetime
    last: datetime
    hours: frozenset[datetime]

    @staticmethod
    def once(at: datetime) -> "Missed":
        """Return one request *at* a time in UTC."""
        hour = at.replace(minute=0, second=0, microsecond=0)
        return Missed(first=at, last=at, hours=frozenset([hour]))

    def joined(self, other: "Missed") -> "Missed":
        """Return these requests and those of *other*."""
        return Missed(
            first=min(self.first, other.first),
            last=max(self.last, other.last),
            hours=self.hours | other.hours,
        )


def note_all(connection: Connection, missed: Mapping[tuple[str, NormalizedName], Missed]) -> None:
    """Add what is *missed*, by index and name, to what is kept.

    Of an hour that two processes saw, the second one to write counts nothing; the same holds for
    one hour too many of a write that comes late.
    """
    rows = [
        {
            "index_id": index_id,
            "project": project,
            "first_asked": missed[index_id, project].first,
            "last_asked": missed[index_id, project].last,
            "hours": len(missed[index_id, project].hours),
        }
        for index_id, project in sorted(missed)
    ]
    put_joined(connection, table, rows, _joined)
    if rows:
        bound(connection)


def _joined(new: Any) -> dict[str, Any]:
    """Return how the row of a name and a *new* one become one."""
    first, last = table.c.first_asked, table.c.last_asked
    begins = type_coerce(new.first_asked, BigInteger)
    hour_of_first = begins - begins % (_HOUR // _MICROSECOND)
    seen_already = type_coerce(last, BigInteger) >= hour_of_first
    return {
        "first_asked": case((new.first_asked < first, new.first_asked), else_=first),
        "last_asked": case((new.last_asked > last, new.last_asked), else_=last),
        "hours": table.c.hours + new.hours - case((seen_already, 1), else_=0),
    }


def bound(connection: Connection, most: int = MOST) -> int:
    """Let go of names beyond *most*, and of a tenth more, so that it is seldom done."""
    excess = connection.execute(select(func.count()).select_from(table)).scalar_one() - most
    if excess <= 0:
        return 0
    key = (table.c.index_id, table.c.project)
    once = case((table.c.hours > 1, 1), else_=0)
    least = select(*key).order_by(once, table.c.last_asked).limit(excess + most // 10)
    return connection.execute(delete(table).where(tuple_(*key).in_(least))).rowcount


def drop_before(connection: Connection, moment: datetime) -> int:
    """Delete the names that were last asked for before *moment*; return how many."""
    return connection.execute(delete(table).where(table.c.last_asked < moment)).rowcount


def waited_for(reader: Reader, index_id: str, project: NormalizedName) -> WaitedFor | None:
    """Return when *project* was asked for in vain; None: never. Raises StoreFailed."""
    row = reader.quick(_ONE, index_id=index_id, project=project)
    if row is None:
        return None
    return WaitedFor(first=row.first_asked, last=row.last_asked, hours=row.hours)
