"""Opening the store, and bringing its tables up to date."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from importlib import resources
from pathlib import Path

from msgspec import Struct
from sqlalchemy import (
    URL,
    Column,
    Connection,
    Engine,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    inspect,
    select,
    text,
)
from sqlalchemy.schema import CreateTable

from indexgate.store.advisories import StoredAdvisories
from indexgate.store.asked import Asked
from indexgate.store.assessments import Assessments
from indexgate.store.decisions import Decisions
from indexgate.store.engines import (
    DATABASE_ERRORS,
    StoreFailed,
    is_file,
    make_file,
    reading_engine,
    store_failed,
    store_url,
    writing_engine,
)
from indexgate.store.events import Events
from indexgate.store.evidence import StoredEvidence
from indexgate.store.exemption_requests import ExemptionRequests
from indexgate.store.exemption_uses import ExemptionUses
from indexgate.store.facts_then import FactsThen
from indexgate.store.history import History
from indexgate.store.kept import Kept
from indexgate.store.projects import Projects
from indexgate.store.reader import Reader
from indexgate.store.schema import REVISION, metadata
from indexgate.store.served import Served
from indexgate.store.source_answers import StoredAnswers
from indexgate.store.standing import Standing
from indexgate.store.star_totals import StarTotals
from indexgate.store.writer import Writer

_MIGRATION_LOCK = 0x696E6467
"""PostgreSQL's lock while tables change: any number that nobody else in the database uses."""

_TRIES = 10
"""How often to set what other processes are just setting, too."""

_REVISIONS = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
"""Alembic's own table, which it finds its place by."""


class Store(Struct, frozen=True, kw_only=True):
    """What the gate remembers. Open it after forking: connections do not survive a fork.

    `place` is where it is, for another process to open it.
    """

    place: URL
    assessments: Assessments
    projects: Projects
    advisories: StoredAdvisories
    decisions: Decisions
    kept: Kept
    history: History
    stars: StarTotals
    standing: Standing
    events: Events
    answers: StoredAnswers
    asked: Asked
    evidence: StoredEvidence
    exemption_requests: ExemptionRequests
    exemption_uses: ExemptionUses
    served: Served
    facts_then: FactsThen
    created_at: datetime
    reader: Reader
    writer: Writer

    def close(self) -> None:
        """Write what still waits, then close. Blocks for as long as the disk needs."""
        self.decisions.close()
        self.asked.close()
        self.served.close()
        self.assessments.close()
        self.projects.close()
        self.writer.close()
        self.reader.close()


def open_store(place: str | Path | URL, clock: Callable[[], datetime]) -> Store:
    """Open the store at *place* (a SQLite file's path or a database's address); make it if needed.

    *clock* returns aware times. Raises StoreFailed: the store cannot be opened or written, is
    damaged, or was made by a newer release of the gate.
    """
    url = store_url(place)
    shown = url.database if is_file(url) else url.render_as_string(hide_password=True)
    try:
        return _open(url, clock)
    except StoreFailed as error:
        message = f"{error.message} (the store is at `{shown}`)"
        raise StoreFailed(error.reference, message, error.hint) from error


def _open(url: URL, clock: Callable[[], datetime]) -> Store:
    if is_file(url):
        try:
            make_file(Path(url.database or ""))
        except OSError as error:
            raise StoreFailed(
                "store-unreachable",
                f"The store's file cannot be made: {error.strerror or error}",
                "the user that runs the gate needs to own the state folder",
            ) from error
    engine = writing_engine(url)
    try:
        _prepare(engine, in_file=is_file(url))
    except (*DATABASE_ERRORS, StoreFailed) as error:
        engine.dispose()
        raise store_failed(error) from error
    reader, writer = Reader(reading_engine(url)), Writer(engine)
    try:
        kept = Kept(reader, writer)
        created = kept.get("created-at") or kept.keep_first("created-at", clock().isoformat())
    except StoreFailed:
        writer.close()
        reader.close()
        raise
    return Store(
        place=url,
        assessments=Assessments(reader, writer, clock),
        projects=Projects(reader, writer),
        advisories=StoredAdvisories(reader, writer, clock),
        decisions=Decisions(reader, writer),
        kept=kept,
        history=History(reader, writer, clock),
        stars=StarTotals(reader, writer),
        standing=Standing(reader, writer),
        events=Events(reader, writer),
        answers=StoredAnswers(reader, writer, clock),
        asked=Asked(reader, writer),
        evidence=StoredEvidence(reader, writer, clock),
        exemption_requests=ExemptionRequests(reader, writer, clock),
        exemption_uses=ExemptionUses(reader, writer),
        served=Served(reader, writer),
        facts_then=FactsThen(reader),
        created_at=datetime.fromisoformat(created),
        reader=reader,
        writer=writer,
    )


def _prepare(engine: Engine, *, in_file: bool) -> None:
    """Make the tables what this release expects; a transaction, so all or nothing."""
    if in_file:
        _let_readers_read(engine)
    # To begin a writing transaction also proves that the file can be written.
    with engine.begin() as connection:
        if not in_file:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        revision = stored_revision(connection)
        if revision is None and not inspect(connection).get_table_names():
            _make(connection)
        elif revision != REVISION:
            _migrate(connection)


def _make(connection: Connection) -> None:
    """Make all tables as they are now; Alembic would take longer, on the way they came about."""
    if connection.dialect.name == "sqlite":
        # To put the statements together takes longer than to carry them out, and each start waits.
        for statement in statements_for_sqlite():
            connection.exec_driver_sql(statement)
    else:
        metadata.create_all(connection, checkfirst=False)
        connection.execute(CreateTable(_REVISIONS))
    connection.execute(_REVISIONS.insert(), {"version_num": REVISION})


def statements_for_sqlite() -> list[str]:
    """Return the statements that make all tables of a SQLite store, as they were put together."""
    made = resources.files("indexgate.store").joinpath("tables.sql").read_text("utf-8")
    return [statement for part in made.split(";\n") if (statement := part.strip())]


def _let_readers_read(engine: Engine) -> None:
    """Set SQLite's write-ahead log, which the file remembers; readers and the writer do not wait.

    It cannot be set in a transaction, so the driver's own connection is asked. Of several processes
    that set it at the same moment SQLite lets all but one fail without waiting: they wait until
    they may have the file for themselves, and then mostly find it set.
    """
    with closing(engine.raw_connection()) as connection, closing(connection.cursor()) as cursor:
        for more in range(_TRIES, -1, -1):
            try:
                cursor.execute("PRAGMA journal_mode = WAL").fetchall()
            except sqlite3.OperationalError as error:
                if not more or not error.sqlite_errorname.startswith("SQLITE_BUSY"):
                    raise
                cursor.execute("BEGIN EXCLUSIVE")
                cursor.execute("ROLLBACK")
            else:
                return


def stored_revision(connection: Connection) -> str | None:
    """Return the revision of the tables; None when there are none yet."""
    if not inspect(connection).has_table(_REVISIONS.name):
        return None
    found = connection.execute(select(_REVISIONS.c.version_num)).scalar()
    return None if found is None else str(found)


def _migrate(connection: Connection) -> None:
    # Alembic takes longer to import than the store to open, and only an older store needs it.
    from alembic import command
    from alembic.config import Config
    from alembic.util.exc import CommandError

    with resources.as_file(resources.files("indexgate.store") / "migrations") as scripts:
        config = Config()
        config.set_main_option("script_location", str(scripts).replace("%", "%%"))
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise StoreFailed(
                "store-too-new",
                f"The store has tables of revision `{stored_revision(connection)}`, "
                f"and this release knows revisions up to `{REVISION}`",
                "run the newest release that has used this store, or give another state folder",
            ) from error
