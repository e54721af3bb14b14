"""The tables of the store: one schema for SQLite and for PostgreSQL."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    event,
)

from indexgate.store.column_types import Day, Moment, Packed, Stored
from indexgate_policy.flags import Flag
from indexgate_policy.health.result import HealthScore, Line
from indexgate_policy.signals import Signal

REVISION = "0006"
"""The migration that makes the tables below."""


def _row_id(*, numbers_itself: bool = True) -> Column[int]:
    # Only a plain INTEGER key numbers itself in SQLite, and only by such a key do its rows lie in
    # order; PostgreSQL gets the large one.
    number = BigInteger().with_variant(Integer, "sqlite")
    return Column("id", number, primary_key=True, autoincrement="auto" if numbers_itself else False)


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
    # A text says why there is no score; nothing at all, that this was never asked.
    Column("score", Stored(HealthScore | str), nullable=True),  # its lines are apart: most readers
    Column("score_lines", Packed(tuple[Line, ...]), nullable=True),  # do without, and they are long
    Column("assessed_at", Moment, nullable=False),
    Column("valid_until", Moment, nullable=False),
    Column("superseded_at", Moment, nullable=True),
    Index("assessments_superseded", "index_id", "project", "superseded_at"),
)
_in_force = assessments.c.superseded_at.is_(None)
_current = Index(
    "assessments_current",
    assessments.c.index_id,
    assessments.c.project,
    unique=True,
    sqlite_where=_in_force,
)


@event.listens_for(metadata, "before_create")
def _on_postgresql_too(_: MetaData, connection: Connection, **__: object) -> None:
    # To name it above would import all that SQLAlchemy knows of PostgreSQL, whatever the store is.
    if connection.dialect.name == "postgresql":
        _current.dialect_options["postgresql"]["where"] = _in_force


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

history_indexes = Table(
    "history_indexes",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    _text("index_id"),
    Index("history_indexes_id", "index_id", unique=True),
)

history_projects = Table(
    "history_projects",
    metadata,
    _row_id(numbers_itself=False),  # see `history_numbers`
    Column("index_number", Integer, nullable=False),
    _text("project"),
    Column("born", Day, nullable=True),
    Index("history_projects_name", "index_number", "project", unique=True),
)

history_tiles = Table(
    "history_tiles",
    metadata,
    _row_id(numbers_itself=False),  # see `history_tiles`
    Column("codes", LargeBinary, nullable=False),
)

history_days = Table(
    "history_days",
    metadata,
    Column("index_number", Integer, primary_key=True, autoincrement=False),
    Column("day", Day, primary_key=True),
    _text("source"),
    Column("whole", Boolean, nullable=False),
    Column("complete", Boolean, nullable=False),
    Column("projects", Integer, nullable=False),
    Column("folded", Boolean, nullable=False),
    Column("loaded_at", Moment, nullable=False),
)

history_movement = Table(
    "history_movement",
    metadata,
    Column("index_number", Integer, primary_key=True, autoincrement=False),
    Column("day", Day, primary_key=True),
    Column("consumers", Float, nullable=True),
    Column("mixes", Stored(tuple[float | None, ...]), nullable=True),  # of the week, on Mondays
)

events = Table(
    "events",
    metadata,
    _text("index_id", key=True),
    _text("project", key=True),
    _text("key", key=True),
    _text("kind"),
    Column("at", Moment, nullable=False),
    _text("text"),
    _text("source"),
    Column("size", Float, nullable=True),
    Index("events_at", "at"),
)

standing = Table(
    "standing",
    metadata,
    _text("index_id", key=True),
    _text("project", key=True),
    _text("fact", key=True),
    Column("value", Stored(tuple[str, ...]), nullable=False),
    Column("before", Stored(tuple[str, ...]), nullable=True),
    Column("watched_since", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=True),
)

spending = Table(
    "spending",
    metadata,
    _text("job", key=True),
    _text("source"),
    _text("month"),
    _text("day"),
    _text("purpose"),
    Column("bytes_billed", BigInteger, nullable=False),
    Column("settled", Boolean, nullable=False),
    Column("at", Moment, nullable=False),
    Index("spending_month", "source", "month"),
)

source_answers = Table(
    "source_answers",
    metadata,
    _text("source", key=True),
    _text("address", key=True),
    _text("etag"),
    _text("link"),
    Column("body", LargeBinary, nullable=False),
    Column("kept_at", Moment, nullable=False),
    Index("source_answers_kept_at", "kept_at"),
)

asked = Table(
    "asked",
    metadata,
    _text("index_id", key=True),
    _text("project", key=True),
    Column("day", Day, primary_key=True),
    Column("people", BigInteger, nullable=False),
    Column("ci", BigInteger, nullable=False),
    Column("systems", BigInteger, nullable=False),
    Index("asked_day", "day"),
)

missing_names = Table(
    "missing_names",
    metadata,
    _text("index_id", key=True),
    _text("project", key=True),
    Column("first_asked", Moment, nullable=False),
    Column("last_asked", Moment, nullable=False),
    Column("hours", Integer, nullable=False),  # different ones in which it was asked for
)

served = Table(
    "served",
    metadata,
    _text("index_id", key=True),
    _text("project", key=True),
    _text("version"),
    _text("filename", key=True),
    _text("family", key=True),
    Column("ci", Boolean, primary_key=True),
    Column("day", Day, primary_key=True),
    Column("first_at", Moment, nullable=False),
    Column("count", BigInteger, nullable=False),
    # The day comes before who asked, as in stores that a migration made.
    PrimaryKeyConstraint("index_id", "project", "filename", "day", "family", "ci"),
    Index("served_day", "day"),
)

facts_then = Table(
    "facts_then",
    metadata,
    _text("index_id", key=True),
    _text("project", key=True),
    Column("assessed_at", Moment, primary_key=True),
    Column("valid_until", Moment, nullable=False),
    _text("formula"),
    Column("facts", LargeBinary, nullable=False),
    Index("facts_then_assessed_at", "assessed_at"),
)

exemption_requests = Table(
    "exemption_requests",
    metadata,
    _text("id", key=True),
    Column("at", Moment, nullable=False),
    _text("author"),
    _text("project"),
    _text("version"),
    _text("rule"),
    _text("reason"),
    Column("days", Integer, nullable=False),
    _text("state"),
    Column("decided_at", Moment, nullable=True),
    _text("decided_by"),
    _text("answer"),
    _text("team", optional=True),
    Index("exemption_requests_state", "state"),
)

exemption_uses = Table(
    "exemption_uses",
    metadata,
    _text("exemption", key=True),
    Column("day", Day, primary_key=True),
    Column("count", BigInteger, nullable=False),
)

evidence = Table(
    "evidence",
    metadata,
    _row_id(),
    _text("index_id"),
    _text("project"),
    _text("kind"),
    _text("text"),
    Column("day", Day, nullable=False),
    _text("author"),
    Column("entered_at", Moment, nullable=False),
    Index("evidence_project", "index_id", "project"),
)
