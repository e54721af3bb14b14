"""The tables of the store: one schema for SQLite and for PostgreSQL.

Moments are stored as whole microseconds since 1970 UTC, structures as JSON in a stable order, so
that both databases hold, compare and give back exactly the same.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from math import isfinite
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Dialect,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
)
from sqlalchemy.dialects import sqlite

from indexgate_policy.flags import Flag
from indexgate_policy.signals import Signal

REVISION = "0001"
"""The migration that makes the tables below."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Moment(TypeDecorator[datetime]):
    """An aware time, to the microsecond."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Return whole microseconds since 1970. A naive *value* is a bug: TypeError."""
        return None if value is None else (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Return the time in UTC."""
        return None if value is None else _EPOCH + value * _MICROSECOND


class Stored(TypeDecorator[Any]):
    """A value of *kind* as JSON; what does not fit *kind* raises msgspec.ValidationError."""

    impl = Text
    cache_ok = True

    def __init__(self, kind: Any) -> None:
        super().__init__()
        self.kind = kind
        self._decoder = msgspec.json.Decoder(kind)

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:
        """Return the JSON text, members in a fixed order."""
        return in_json(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Return the value as *kind*."""
        return None if value is None else self._decoder.decode(value)


def in_json(value: Any) -> str:
    """Return *value* as JSON, the same text for equal values."""
    return msgspec.json.encode(value, order="deterministic").decode()


def storable(signal: Signal) -> bool:
    """Tell whether JSON can carry the value: it has no word for infinities and not-a-numbers."""
    return not isinstance(signal.value, float) or isfinite(signal.value)


def insert_new(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Insert *rows*; one whose key is there already is left as it is."""
    connection.execute(_insert_new(connection.dialect.name, table), rows)


def insert_or_change(
    connection: Connection, table: Table, row: Mapping[str, Any], changes: Mapping[str, Any]
) -> None:
    """Insert *row*; when its primary key is there already, set *changes* on that one."""
    insert = _insert(connection.dialect.name, table).values(row)
    key = list(table.primary_key.columns)
    connection.execute(insert.on_conflict_do_update(index_elements=key, set_=dict(changes)))


@cache
def _insert_new(dialect: str, table: Table) -> Any:
    return _insert(dialect, table).on_conflict_do_nothing()


def _insert(dialect: str, table: Table) -> Any:
    # Both databases know `ON CONFLICT`, and SQLAlchemy has a word for it in each.
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)
    return sqlite.insert(table)


def _row_id() -> Column[int]:
    # Only a plain INTEGER key numbers itself in SQLite; PostgreSQL gets the large one.
    return Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True)


def _text(name: str, *, key: bool = False, optional: bool = False) -> Column[str]:
    return Column(name, Text, primary_key=key, nullable=optional)


metadata = MetaData()

kept = Table("kept", metadata, _text("key", key=True), _text("value"))

projects = Table(
    "projects",
    metadata,
    _text("index_id", key=True),
    _text("project", key=True),
    Column("first_seen", Moment, nullable=False),
    Column("last_asked", Moment, nullable=False),
    Index("projects_last_asked", "last_asked"),
)

file_addresses = Table(
    "file_addresses",
    metadata,
    _text("index_id", key=True),
    _text("path", key=True),
    _text("project"),
)

hash_pins = Table(
    "hash_pins",
    metadata,
    _text("index_id", key=True),
    _text("address", key=True),
    _text("sha256"),
    Column("pinned_at", Moment, nullable=False),
)

assessments = Table(
    "assessments",
    metadata,
    _row_id(),
    _text("index_id"),
    _text("project"),
    _text("formula"),
    Column("inputs", Stored(tuple[Signal, ...]), nullable=False),
    Column("flags", Stored(tuple[Flag, ...]), nullable=False),
    Column("assessed_at", Moment, nullable=False),
    Column("valid_until", Moment, nullable=False),
    Column("superseded_at", Moment, nullable=True),
    Index("assessments_superseded", "index_id", "project", "superseded_at"),
)
_in_force = assessments.c.superseded_at.is_(None)
Index(
    "assessments_current",
    assessments.c.index_id,
    assessments.c.project,
    unique=True,
    sqlite_where=_in_force,
    postgresql_where=_in_force,
)

advisories = Table(
    "advisories",
    metadata,
    # A load is one whole reading of the feed; only the rows of the load in force count.
    Column("load", BigInteger, primary_key=True, autoincrement=False),
    _text("project", key=True),
    _text("record", key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    _text("advisory"),
    Index("advisories_record", "load", "record"),
)

advisory_feed = Table(
    "advisory_feed",
    metadata,
    _text("source", key=True),
    Column("load", BigInteger, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("fetched_at", Moment, nullable=False),
    Column("newest_modified", Moment, nullable=True),
    _text("etag", optional=True),
    Column("records", Integer, nullable=False),
)

refusals = Table(
    "refusals",
    metadata,
    # The key is drawn before the row is first tried, so that a second try adds no second row.
    _text("key", key=True),
    Column("at", Moment, nullable=False),
    _text("index_id"),
    _text("project"),
    _text("version"),
    _text("filename"),
    _text("rule"),
    _text("reason"),
    _text("policy_digest"),
    _text("run", optional=True),
    _text("family"),
    _text("formula", optional=True),
    Column("assessed_at", Moment, nullable=True),
    Index("refusals_at", "at"),
    Index("refusals_project", "project", "at"),
    Index("refusals_run", "run"),
)

verdict_sets = Table(
    "verdict_sets",
    metadata,
    _text("digest", key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    _text("index_id"),
    _text("project"),
    _text("policy_digest"),
    _text("rule"),
    _text("reason"),
    Column("versions", Stored(tuple[str, ...]), nullable=False),
    Index("verdict_sets_project", "project"),
)

notices = Table(
    "notices",
    metadata,
    _text("digest", key=True),
    _text("kind", key=True),
    _text("run", key=True),  # empty: no run; a key cannot be null
    _text("family", key=True),
    Column("hour", Moment, primary_key=True),
    Column("count", BigInteger, nullable=False),
    Index("notices_hour", "hour"),
    Index("notices_run", "run"),
)
