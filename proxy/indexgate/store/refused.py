"""Recorded refusals by project, for looking back."""

from datetime import datetime

from packaging.utils import NormalizedName
from sqlalchemy import bindparam, select

from indexgate.store.reader import Reader
from indexgate.store.records import Refusal
from indexgate.store.schema import refusals as table

_NAMES = (
    select(table.c.index_id, table.c.project)
    .where(table.c.at >= bindparam("since"))
    .distinct()
    .order_by(table.c.index_id, table.c.project)
)
_OF = (
    select(table)
    .where(
        table.c.project == bindparam("project"),
        table.c.index_id == bindparam("index_id"),
        table.c.at >= bindparam("since"),
        table.c.at < bindparam("until"),
    )
    .order_by(table.c.at, table.c.key)
)


class Refused:
    """Refusals that are on the disk. Every method raises StoreFailed."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def names(self, since: datetime) -> list[tuple[str, NormalizedName]]:
        """Return the index and the name of every project with files refused since. In order."""
        rows = self._reader.all(_NAMES, since=since)
        return [(row.index_id, NormalizedName(row.project)) for row in rows]

    def of(
        self, index_id: str, project: NormalizedName, since: datetime, until: datetime
    ) -> list[Refusal]:
        """Return what was refused from *since* to before *until*, in order of time."""
        rows = self._reader.all(_OF, index_id=index_id, project=project, since=since, until=until)
        return [
            Refusal(
                at=row.at,
                index_id=row.index_id,
                project=NormalizedName(row.project),
                version=row.version,
                filename=row.filename,
                rule=row.rule,
                reason=row.reason,
                policy_digest=row.policy_digest,
                run=row.run,
                family=row.family,
                formula=row.formula,
                assessed_at=row.assessed_at,
            )
            for row in rows
        ]
