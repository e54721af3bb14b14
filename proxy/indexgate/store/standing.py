"""What stands of a project until it is seen to change: its owners, and the repository it claims.

No index tells its past, so every sight is noted, and a change is a fact that only those have who
looked before. A first sight is no change.
"""

from datetime import datetime
from typing import Any, Literal, TypeAlias

from msgspec import Struct
from packaging.utils import NormalizedName
from sqlalchemy import Connection, bindparam, select

from indexgate.store.events import note_event
from indexgate.store.prepared import first_of
from indexgate.store.reader import Reader
from indexgate.store.schema import standing as table
from indexgate.store.upserts import insert_or_change
from indexgate.store.writer import Writer
from indexgate_policy.events import Event, EventKind
from indexgate_policy.signals import Signal, Unknown, Value

Fact: TypeAlias = Literal["owners", "repository"]

SOURCE = "watched"
"""The source of signals that come of having looked before."""

_ONE_TO_CHANGE = (
    select(table)
    .where(
        table.c.index_id == bindparam("index_id"),
        table.c.project == bindparam("project"),
        table.c.fact == bindparam("fact"),
    )
    .with_for_update()
)
_ALL = select(table).where(
    table.c.index_id == bindparam("index_id"), table.c.project == bindparam("project")
)


class Change(Struct, frozen=True, kw_only=True):
    """A fact was one thing at the last sight and is another *at* this one; sets are sorted."""

    fact: Fact
    before: tuple[str, ...]
    after: tuple[str, ...]
    at: datetime

    @property
    def added(self) -> tuple[str, ...]:
        """What is new."""
        return tuple(one for one in self.after if one not in self.before)

    @property
    def removed(self) -> tuple[str, ...]:
        """What is gone."""
        return tuple(one for one in self.before if one not in self.after)


class Standing:
    """Facts by index and project. Every method raises StoreFailed."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    async def note_owners(
        self, index_id: str, project: NormalizedName, owners: tuple[str, ...], at: datetime
    ) -> Change | None:
        """Note the *owners* seen *at* a time; return what changed, which becomes an event too."""
        return await self._note(index_id, project, "owners", tuple(sorted(set(owners))), at)

    async def note_repository(
        self, index_id: str, project: NormalizedName, repository: str, at: datetime
    ) -> Change | None:
        """Note the *repository* claimed *at* a time; empty: none is. Else as `note_owners`."""
        claimed = (repository,) if repository else ()
        return await self._note(index_id, project, "repository", claimed, at)

    def signals(self, index_id: str, project: NormalizedName) -> tuple[Signal, ...]:
        """Return what having looked before tells: of owners `owners_...`, of the repository."""
        found = self._reader.quick_all(_ALL, index_id=index_id, project=project)
        rows = {row.fact: row for row in found}
        return (*_of_owners(rows.get("owners")), *_of_repository(rows.get("repository")))

    async def _note(
        self,
        index_id: str,
        project: NormalizedName,
        fact: Fact,
        value: tuple[str, ...],
        at: datetime,
    ) -> Change | None:
        key = {"index_id": index_id, "project": project, "fact": fact}

        def write(connection: Connection) -> Change | None:
            there = first_of(connection, _ONE_TO_CHANGE, key)
            if there is None:
                first = {"value": value, "before": None, "changed_at": None}
                row = {**key, **first, "watched_since": at, "seen_at": at}
                # Whoever was quicker looked at the same moment.
                insert_or_change(connection, table, row, ["seen_at"])
                return None
            if at < there.seen_at:  # told late: it is known what stood after it
                return None
            seen: dict[str, Any] = {"seen_at": at}
            change = None
            if value != there.value:
                change = Change(fact=fact, before=there.value, after=value, at=at)
                seen |= {"value": value, "before": there.value, "changed_at": at}
                note_event(connection, index_id, project, _event(change))
            insert_or_change(connection, table, {**there._asdict(), **seen}, seen)
            return change

        return await self._writer.commit(write)


def _event(change: Change) -> Event:
    kind: EventKind = "owner-change" if change.fact == "owners" else "repository-change"
    return Event(kind=kind, at=change.at, text=_told(change), source=SOURCE)


def _told(change: Change) -> str:
    added, removed = _named(change.added), _named(change.removed)
    noun = change.fact if change.fact == "repository" else "owner"
    if added and removed:
        return f"{noun} {removed} replaced by {added}"
    return f"{noun} {added} added" if added else f"{noun} {removed} removed"


def _named(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _of_owners(row: Any) -> tuple[Signal, ...]:
    if row is None:
        return ()
    unchanged = Unknown(reason=f"the owners have not changed since {row.watched_since:%Y-%m-%d}")
    values: dict[str, Value | Unknown] = {
        "owners_watched_since": f"{row.watched_since:%Y-%m-%d}",
        "owners_changed_on": unchanged,
        "owners_added": unchanged,
        "owners_removed": unchanged,
    }
    if row.changed_at is not None:
        change = Change(fact="owners", before=row.before, after=row.value, at=row.changed_at)
        values["owners_changed_on"] = f"{row.changed_at:%Y-%m-%d}"
        values["owners_added"], values["owners_removed"] = change.added, change.removed
    return _signals(values, row.seen_at)


def _of_repository(row: Any) -> tuple[Signal, ...]:
    if row is None:
        return ()
    if row.changed_at is None:
        unchanged = Unknown(
            reason=f"the repository has not changed since {row.watched_since:%Y-%m-%d}"
        )
        values = {"repository_before": unchanged, "repository_changed_on": unchanged}
        return _signals(values, row.seen_at)
    none = Unknown(reason="no repository was claimed before")
    return _signals(
        {
            "repository_before": row.before[0] if row.before else none,
            "repository_changed_on": f"{row.changed_at:%Y-%m-%d}",
        },
        row.seen_at,
    )


def _signals(values: dict[str, Any], at: datetime) -> tuple[Signal, ...]:
    return tuple(
        Signal(name=name, value=value, source=SOURCE, observed_at=at)
        for name, value in values.items()
    )
