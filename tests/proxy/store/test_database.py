import os
import sqlite3
import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine.interfaces import ReflectedIndex

import indexgate.store
from indexgate.store import database
from indexgate.store.database import Store, open_store
from indexgate.store.engines import StoreFailed, store_url, writing_engine
from indexgate.store.schema import REVISION, metadata
from tests.proxy.store.conftest import Clock


def test_a_new_store_is_for_its_owner_only(store: Store, file: Path) -> None:
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in file.parent.iterdir()}
    assert set(modes.values()) == {0o600}, modes


def test_a_store_remembers_when_it_was_made(file: Path, clock: Clock) -> None:
    made = clock.now
    open_store(file, clock).close()
    clock.pass_by(timedelta(days=3))
    again = open_store(file, clock)
    again.close()
    assert again.created_at == made


def test_several_processes_may_make_one_store_at_once(file: Path) -> None:
    script = (
        "import sys, datetime, indexgate.store.database as d;"
        "s = d.open_store(sys.argv[1], lambda: datetime.datetime.now(datetime.UTC));"
        "print(s.created_at.isoformat()); s.close()"
    )
    command = [sys.executable, "-c", script, str(file)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(4)]
    told = {process.communicate()[0] for process in running}
    assert [process.returncode for process in running] == [0, 0, 0, 0]
    assert len(told) == 1


class _Contended(sqlite3.Cursor):
    """A cursor that finds the file taken some times, as while another process changes it."""

    taken = 0
    code = ""

    def execute(self, statement: str, parameters: Any = (), /) -> Self:
        if statement.startswith("PRAGMA journal_mode") and _Contended.taken:
            _Contended.taken -= 1
            busy = sqlite3.OperationalError("database is locked")
            busy.sqlite_errorname = _Contended.code
            raise busy
        return super().execute(statement, parameters)


class _ContendedConnection(sqlite3.Connection):
    def cursor(self, *_: object) -> sqlite3.Cursor:  # type: ignore[override]
        return super().cursor(_Contended)


@pytest.mark.parametrize("code", ["SQLITE_BUSY", "SQLITE_BUSY_RECOVERY"])
@pytest.mark.parametrize("times", [1, 10, 11])
def test_who_finds_another_process_opening_the_store_waits_for_it(
    times: int, code: str, file: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def contended(url: URL) -> Engine:
        engine = writing_engine(url)
        event.listen(engine, "do_connect", _contended)
        return engine

    monkeypatch.setattr(_Contended, "taken", times)
    monkeypatch.setattr(_Contended, "code", code)
    monkeypatch.setattr(database, "writing_engine", contended)
    if times > 10:  # it does not try for ever
        with pytest.raises(StoreFailed) as caught:
            open_store(file, clock)
        assert caught.value.reference == "store-locked"
    else:
        open_store(file, clock).close()
    assert _Contended.taken == 0


def _contended(_dialect: object, _record: object, arguments: list[Any], more: Any) -> Any:
    return sqlite3.connect(*arguments, **more, factory=_ContendedConnection)


@pytest.mark.parametrize("new", [True, False], ids=["new", "there already"])
def test_a_store_opens_without_alembic(new: bool, file: Path, clock: Clock) -> None:
    if not new:
        open_store(file, clock).close()
    script = (
        "import sys, datetime, indexgate.store.database as d;"
        "d.open_store(sys.argv[1], lambda: datetime.datetime.now(datetime.UTC)).close();"
        "print('alembic' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(file)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


def compare_with_the_code(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection)
    assert context.get_current_revision() == REVISION
    return list(compare_metadata(context, metadata))


def shape(connection: Connection) -> dict[str, object]:
    """Return what tables there are, but for the order of their columns."""
    found = inspect(connection)
    return {
        table: [
            sorted((c["name"], str(c["type"]), c["nullable"]) for c in found.get_columns(table)),
            found.get_pk_constraint(table),
            sorted(map(index_shape, found.get_indexes(table)), key=str),
            found.get_foreign_keys(table),
        ]
        for table in found.get_table_names()
    }


def index_shape(index: ReflectedIndex) -> tuple[object, ...]:
    where = {name: str(value) for name, value in index.get("dialect_options", {}).items()}
    return index["name"], index["column_names"], bool(index["unique"]), where


def migrate_from_nothing(connection: Connection) -> None:
    for table in inspect(connection).get_table_names():
        connection.execute(text(f"DROP TABLE {table}"))
    database._migrate(connection)


def test_the_migrations_make_the_tables_that_a_new_store_has(store: Store) -> None:
    assert store.writer.wait(compare_with_the_code) == []
    new = store.writer.wait(shape)
    store.writer.wait(migrate_from_nothing)
    assert store.writer.wait(compare_with_the_code) == []
    assert store.writer.wait(shape) == new


def test_an_older_store_is_brought_up_to_date(file: Path, clock: Clock) -> None:
    file.parent.mkdir()
    engine = create_engine(f"sqlite:///{file}")
    config = migrations()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
    engine.dispose()
    opened = open_store(file, clock)
    assert opened.writer.wait(compare_with_the_code) == []
    opened.close()


def migrations() -> Config:
    config = Config()
    folder = Path(str(indexgate.store.__file__)).parent / "migrations"
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    return config


def test_the_revision_in_the_code_is_the_newest_migration() -> None:
    assert ScriptDirectory.from_config(migrations()).get_current_head() == REVISION


def test_a_store_of_a_newer_release_is_refused_and_left_alone(file: Path, clock: Clock) -> None:
    open_store(file, clock).close()
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(StoreFailed) as caught:
        open_store(file, clock)
    assert caught.value.reference == "store-too-new"
    assert "`9999`" in caught.value.message
    assert str(file) in caught.value.message


def test_a_file_that_is_no_database_is_refused_and_left_alone(file: Path, clock: Clock) -> None:
    file.parent.mkdir()
    file.write_bytes(b"this is no database, and it is long enough to tell" * 100)
    before = file.read_bytes()
    with pytest.raises(StoreFailed) as caught:
        open_store(file, clock)
    assert caught.value.reference == "store-corrupt"
    assert file.read_bytes() == before


def test_a_damaged_store_is_told_from_a_missing_one(file: Path, clock: Clock) -> None:
    open_store(file, clock).close()
    content = bytearray(file.read_bytes())
    content[100:8192] = b"\xff" * (8192 - 100)
    file.write_bytes(content)
    with pytest.raises(StoreFailed) as caught:
        open_store(file, clock)
    assert caught.value.reference == "store-corrupt"


def test_a_state_folder_that_cannot_be_made_is_told(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "state").write_text("a file where the folder should be")
    with pytest.raises(StoreFailed) as caught:
        open_store(tmp_path / "state" / "indexgate.sqlite3", clock)
    assert caught.value.reference == "store-unreachable"


@pytest.mark.skipif(os.geteuid() == 0, reason="the system lets root write everywhere")
def test_a_read_only_store_is_told(file: Path, clock: Clock) -> None:
    open_store(file, clock).close()
    file.chmod(0o400)
    with pytest.raises(StoreFailed) as caught:
        open_store(file, clock)
    assert caught.value.reference in {"store-read-only", "store-unreachable"}


def test_a_percent_sign_in_the_path_is_no_obstacle(tmp_path: Path, clock: Clock) -> None:
    open_store(tmp_path / "100%s" / "store.sqlite3", clock).close()
    assert (tmp_path / "100%s" / "store.sqlite3").exists()


@pytest.mark.parametrize(
    ("place", "driver"),
    [
        ("state/indexgate.sqlite3", "sqlite"),
        ("sqlite:///state/indexgate.sqlite3", "sqlite"),
        ("postgresql://gate:secret@db.example.test/gate", "postgresql+psycopg"),
    ],
)
def test_a_path_and_two_kinds_of_address_are_taken(place: str, driver: str) -> None:
    assert store_url(place).drivername == driver


@pytest.mark.parametrize("place", ["mysql://db.example.test/gate", "sqlite://", "://nothing"])
def test_other_databases_are_refused(place: str) -> None:
    with pytest.raises(StoreFailed) as caught:
        store_url(place)
    assert caught.value.reference == "store-address"


def test_a_password_in_the_address_is_never_shown(clock: Clock) -> None:
    # Port 1 on loopback takes no connections; without the driver the error is another one.
    with pytest.raises(StoreFailed) as caught:
        open_store("postgresql://gate:hunter2@127.0.0.1:1/gate", clock)
    assert "hunter2" not in str(caught.value)
    assert "127.0.0.1" in caught.value.message


def test_a_closed_store_says_so(file: Path, clock: Clock) -> None:
    store = open_store(file, clock)
    store.close()
    store.close()
    with pytest.raises(StoreFailed, match="store-closed"):
        store.kept.get("created-at")
    with pytest.raises(StoreFailed, match="store-closed"):
        store.kept.keep_first("key", "value")
