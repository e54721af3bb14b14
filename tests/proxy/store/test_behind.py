"""Rows that nobody waits for: found at once, written together, and in the end all of them."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, create_engine, text

from indexgate.store import behind
from indexgate.store.behind import Behind
from indexgate.store.writer import Writer


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = create_engine(
        f"sqlite:///{tmp_path}/rows.sqlite3", connect_args={"check_same_thread": False}
    )
    with made.begin() as connection:
        connection.execute(text("CREATE TABLE rows (key TEXT, value INTEGER)"))
    yield made
    made.dispose()


@pytest.fixture
def writer(engine: Engine) -> Iterator[Writer]:
    made = Writer(engine, linger=0)
    yield made
    made.close()


class Table:
    """Where rows are written, and how many came together."""

    def __init__(self, writer: Writer) -> None:
        self.together: list[int] = []
        self.rows: Behind[str, tuple[str, int]] = Behind(writer, self.write)

    def put(self, key: str, value: int) -> None:
        self.rows.put(key, (key, value))

    def write(self, connection: Connection, some: Sequence[tuple[str, int]]) -> None:
        self.together.append(len(some))
        for key, value in some:
            connection.execute(text("INSERT INTO rows VALUES (:k, :v)"), {"k": key, "v": value})


def written(engine: Engine) -> dict[str, int]:
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT key, value FROM rows ORDER BY value")).all()
    return {row.key: row.value for row in rows}


class Hold:
    """Keeps the writer busy, so that rows gather."""

    def __init__(self, writer: Writer) -> None:
        self._began, self._go = threading.Event(), threading.Event()
        writer.soon(self._write)
        self._began.wait()

    def _write(self, _connection: Connection) -> None:
        self._began.set()
        self._go.wait()

    def release(self) -> None:
        self._go.set()


async def test_what_gathers_is_found_at_once_and_written_together(
    engine: Engine, writer: Writer
) -> None:
    table, hold = Table(writer), Hold(writer)
    for n in range(100):
        table.put(f"key-{n}", n)
    assert table.rows.get("key-7") == ("key-7", 7)
    assert len(table.rows.on_their_way()) == 100
    hold.release()
    await table.rows.written()
    assert table.together == [100]
    assert table.rows.on_their_way() == []
    assert written(engine)["key-99"] == 99


async def test_of_one_key_the_latest_counts_and_a_dropped_one_is_not_written(
    engine: Engine, writer: Writer
) -> None:
    table, hold = Table(writer), Hold(writer)
    table.put("a", 1)
    table.put("a", 2)
    table.put("b", 3)
    table.rows.drop(["b", "c"])
    hold.release()
    await table.rows.written()
    assert written(engine) == {"a": 2}


def test_closing_writes_more_than_goes_at_once(
    engine: Engine, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(behind, "_AT_ONCE", 3)
    table, hold = Table(writer), Hold(writer)
    for n in range(7):
        table.put(f"key-{n}", n)
    hold.release()
    table.rows.close()
    assert table.together == [3, 3, 1]
    assert len(written(engine)) == 7


async def test_who_waits_waits_for_more_than_goes_at_once(
    engine: Engine, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(behind, "_AT_ONCE", 3)
    table, hold = Table(writer), Hold(writer)
    for n in range(7):
        table.put(f"key-{n}", n)
    hold.release()
    await table.rows.written()
    assert len(written(engine)) == 7


def test_what_comes_while_the_rest_is_written_is_written_too(
    engine: Engine, writer: Writer
) -> None:
    table = Table(writer)
    write, first = table.write, [True]

    def put_more(connection: Connection, some: Sequence[tuple[str, int]]) -> None:
        write(connection, some)
        if first:
            first.clear()
            table.put("late", 2)

    table.rows = Behind(writer, put_more)
    table.put("early", 1)
    table.rows.close()
    assert written(engine) == {"early": 1, "late": 2}


async def test_what_the_store_cannot_take_is_lost_and_later_rows_are_not(
    engine: Engine, writer: Writer, capsys: pytest.CaptureFixture[str]
) -> None:
    table = Table(writer)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE rows RENAME TO elsewhere"))
    table.put("a", 1)
    await table.rows.written()
    assert table.rows.get("a") is None
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE elsewhere RENAME TO rows"))
    table.put("b", 2)
    await table.rows.written()
    assert written(engine) == {"b": 2}
    assert "no such table" in capsys.readouterr().err


async def test_a_store_that_is_closed_holds_up_nobody(writer: Writer) -> None:
    table = Table(writer)
    writer.close()
    table.put("a", 1)
    async with asyncio.timeout(30):
        await table.rows.written()
    table.rows.close()
    assert table.rows.get("a") is None
