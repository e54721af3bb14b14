import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import IntegrityError, OperationalError

from indexgate.store.engines import StoreFailed
from indexgate.store.writer import Writer
from tests.heard import heard


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = create_engine(
        f"sqlite:///{tmp_path}/numbers.sqlite3", connect_args={"check_same_thread": False}
    )
    with made.begin() as connection:
        connection.execute(text("CREATE TABLE numbers (n INTEGER PRIMARY KEY)"))
    yield made
    made.dispose()


@pytest.fixture
def writer(engine: Engine) -> Iterator[Writer]:
    made = Writer(engine, linger=0)
    yield made
    made.close()


class Put:
    def __init__(self, n: int) -> None:
        self.n = n

    def __call__(self, connection: Connection) -> int:
        connection.execute(text("INSERT INTO numbers VALUES (:n)"), {"n": self.n})
        return self.n


class Hold:
    """A write that lasts until it is let go, so that others gather behind it."""

    def __init__(self) -> None:
        self.began = threading.Event()
        self.go = threading.Event()

    def __call__(self, connection: Connection) -> None:
        self.began.set()
        self.go.wait()


def transactions(engine: Engine) -> list[str]:
    seen: list[str] = []
    event.listen(engine, "commit", lambda _connection: seen.append("commit"))
    event.listen(engine, "rollback", lambda _connection: seen.append("rollback"))
    return seen


def numbers(engine: Engine) -> list[int]:
    with engine.connect() as connection:
        return list(connection.execute(text("SELECT n FROM numbers ORDER BY n")).scalars())


async def test_writes_that_wait_together_share_one_transaction(
    engine: Engine, writer: Writer
) -> None:
    seen, hold = transactions(engine), Hold()
    holding = asyncio.create_task(writer.commit(hold))
    await asyncio.to_thread(hold.began.wait)
    waiting = [asyncio.create_task(writer.commit(Put(n))) for n in range(100)]
    await asyncio.sleep(0)
    hold.go.set()
    assert await asyncio.gather(*waiting) == list(range(100))
    await holding
    assert seen == ["commit", "commit"]


async def test_a_write_that_fails_does_not_harm_those_beside_it(
    engine: Engine, writer: Writer
) -> None:
    hold = Hold()
    holding = asyncio.create_task(writer.commit(hold))
    await asyncio.to_thread(hold.began.wait)
    waiting = [asyncio.create_task(writer.commit(Put(n))) for n in (1, 2, 2, 3)]
    await asyncio.sleep(0)
    hold.go.set()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    await holding
    assert [r for r in results if not isinstance(r, Exception)] == [1, 2, 3]
    assert [type(r) for r in results if isinstance(r, Exception)] == [IntegrityError]
    assert numbers(engine) == [1, 2, 3]
    assert writer.fault is None


async def test_a_failing_database_fails_every_write_and_is_told_until_it_works(
    writer: Writer,
) -> None:
    def full(_connection: Connection) -> None:
        raise OperationalError("INSERT", None, Exception("database or disk is full"))

    with pytest.raises(StoreFailed, match="store-full"):
        await writer.commit(full)
    assert writer.fault is not None
    assert writer.fault.message == "The disk of the store is full"
    await writer.commit(Put(1))
    assert writer.fault is None


async def test_the_queue_is_bounded(engine: Engine) -> None:
    writer, hold = Writer(engine, room=2), Hold()
    holding = asyncio.create_task(writer.commit(hold))
    await asyncio.to_thread(hold.began.wait)
    assert writer.soon(Put(1))
    assert writer.soon(Put(2))
    assert not writer.soon(Put(3))
    with pytest.raises(StoreFailed, match="store-overloaded"):
        await writer.commit(Put(4))
    hold.go.set()
    await holding
    writer.close()
    assert numbers(engine) == [1, 2]


def test_closing_writes_what_still_waits(engine: Engine) -> None:
    writer = Writer(engine, linger=3600)
    for n in range(5):
        assert writer.soon(Put(n))
    writer.close()
    assert numbers(engine) == [0, 1, 2, 3, 4]
    assert not writer.soon(Put(9))
    with pytest.raises(StoreFailed, match="store-closed"):
        writer.wait(Put(10))


def test_a_write_that_nobody_waits_for_lingers_until_one_comes_that_is_awaited(
    engine: Engine,
) -> None:
    seen = transactions(engine)
    writer = Writer(engine, linger=3600)
    writer.soon(Put(1))
    assert writer.wait(Put(2)) == 2
    assert seen == ["commit"]
    assert numbers(engine) == [1, 2]
    writer.close()


def test_the_outcome_of_a_write_that_nobody_waits_for_is_told(writer: Writer) -> None:
    outcomes: list[type[Exception] | None] = []

    def done(error: Exception | None) -> None:
        outcomes.append(None if error is None else type(error))

    writer.soon(Put(1), done)
    writer.wait(lambda _connection: None)
    writer.soon(Put(1), done)
    writer.wait(lambda _connection: None)
    assert outcomes == [None, IntegrityError]


def test_a_caller_that_fails_when_it_is_told_does_not_end_the_writing(
    engine: Engine, writer: Writer
) -> None:
    def done(_error: Exception | None) -> None:
        raise RuntimeError("the caller is broken")

    with heard() as said:
        writer.soon(Put(1), done)
        assert writer.wait(Put(2)) == 2
        writer.soon(Put(2), done)  # a failure that cannot be told either
        assert writer.wait(Put(3)) == 3
    assert numbers(engine) == [1, 2, 3]
    assert [line["part"] for line in said] == ["store", "store"]


async def test_a_caller_that_leaves_does_not_take_its_write_along(
    engine: Engine, writer: Writer
) -> None:
    hold = Hold()
    holding = asyncio.create_task(writer.commit(hold))
    await asyncio.to_thread(hold.began.wait)
    leaving = asyncio.create_task(writer.commit(Put(7)))
    await asyncio.sleep(0)
    leaving.cancel()
    hold.go.set()
    await holding
    with pytest.raises(asyncio.CancelledError):
        await leaving
    await writer.commit(lambda _connection: None)
    assert numbers(engine) == [7]


def test_who_waited_on_a_loop_that_ended_keeps_nobody_from_an_answer(
    engine: Engine, writer: Writer
) -> None:
    hold, ended = Hold(), asyncio.new_event_loop()
    assert writer.soon(hold)
    hold.began.wait()
    left = writer.commit(Put(1))
    with pytest.raises(asyncio.TimeoutError):
        ended.run_until_complete(asyncio.wait_for(asyncio.shield(ended.create_task(left)), 0))
    ended.close()

    async def others() -> list[int]:
        waiting = [asyncio.create_task(writer.commit(Put(n))) for n in (2, 3)]
        await asyncio.sleep(0)
        hold.go.set()
        return await asyncio.gather(*waiting)

    assert asyncio.run(others()) == [2, 3]
    assert numbers(engine) == [1, 2, 3]
