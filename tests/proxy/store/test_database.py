import os
import sqlite3
import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

import indexgate.store
from indexgate.store.database import Store, open_store
from indexgate.store.engines import StoreFailed, store_url
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


def test_a_store_that_is_up_to_date_opens_without_alembic(file: Path, clock: Clock) -> None:
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


def test_the_migrations_make_the_tables_that_the_code_expects(store: Store) -> None:
    def compare(connection: object) -> list[object]:
        context = MigrationContext.configure(connection)  # type: ignore[arg-type]
        assert context.get_current_revision() == REVISION
        return list(compare_metadata(context, metadata))

    assert store.writer.wait(compare) == []


def test_the_revision_in_the_code_is_the_newest_migration() -> None:
    config = Config()
    folder = Path(str(indexgate.store.__file__)).parent / "migrations"
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    assert ScriptDirectory.from_config(config).get_current_head() == REVISION


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
