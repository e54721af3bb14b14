"""Gates on one server do not harm each other by waiting for each other's rows."""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from queue import Queue

import psycopg
import pytest
from packaging.utils import NormalizedName
from sqlalchemy import Connection, insert
from sqlalchemy.exc import IntegrityError

from indexgate.store.database import Store, open_store
from indexgate.store.projects import _write_seen
from indexgate.store.schema import projects
from indexgate_policy.assessment import Assessment
from indexgate_policy.signals import Unknown
from tests.proxy.store.conftest import Clock
from tests.proxy.store.postgresql import Server

INDEX = "0" * 64
_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
_ASSESSED_ELSEWHERE = """
INSERT INTO assessments (index_id, project, formula, inputs, flags, assessed_at, valid_until)
SELECT index_id, %s, 'elsewhere', inputs, flags, assessed_at, valid_until
FROM assessments WHERE project = %s
"""
A, B = NormalizedName("a"), NormalizedName("b")


def assess(store: Store, names: Iterable[NormalizedName], at: datetime) -> None:
    store.assessments.save_many(
        Assessment(
            index_id=INDEX,
            project=name,
            formula="1",
            inputs=(),
            flags=(),
            score=Unknown(reason="nothing is known"),
            assessed_at=at,
            valid_until=at + timedelta(days=1),
        )
        for name in names
    )


def see(store: Store, names: Iterable[NormalizedName], at: datetime) -> None:
    seen = [((INDEX, name), (at, at)) for name in names]
    store.writer.wait(partial(_write_seen, seen=seen))


@pytest.mark.parametrize(("write", "table"), [(assess, "assessments"), (see, "projects")])
def test_who_waits_for_a_row_holds_none_that_comes_after_it(
    write: Callable[[Store, Iterable[NormalizedName], datetime], None],
    table: str,
    postgresql: Server,
    clock: Clock,
) -> None:
    place = postgresql.new_database()
    store = open_store(place, clock)
    write(store, [A, B], clock.now)
    hold = f"SELECT FROM {table} WHERE project = %s FOR UPDATE NOWAIT"
    with ThreadPoolExecutor(1) as pool:
        with psycopg.connect(place) as other, psycopg.connect(place, autocommit=True) as watching:
            other.execute(hold, [A])
            writing = pool.submit(write, store, [B, A], clock.now)
            while watching.execute(_WAITING).fetchone() == (0,) and not writing.done():
                pass
            assert not writing.done()
            other.execute(hold, [B])  # raises if the writing gate has it
        writing.result()
    store.close()


@pytest.mark.parametrize("known", [True, False], ids=["known", "new"])
def test_a_project_that_two_gates_assess_at_one_moment_is_assessed_by_both(
    known: bool, postgresql: Server, clock: Clock
) -> None:
    place = postgresql.new_database()
    store = open_store(place, clock)
    assess(store, [A, B] if known else [B], clock.now)
    later = clock.pass_by(timedelta(hours=1))
    with ThreadPoolExecutor(1) as pool:
        with psycopg.connect(place) as other, psycopg.connect(place, autocommit=True) as watching:
            other.execute("UPDATE assessments SET superseded_at = 0 WHERE project = %s", [A])
            other.execute(_ASSESSED_ELSEWHERE, [A, B])
            writing = pool.submit(assess, store, [A], later)
            while watching.execute(_WAITING).fetchone() == (0,):
                assert not writing.done()
            other.commit()
        writing.result()
    current = store.assessments.current(INDEX, A)
    assert current is not None
    assert (current.formula, current.assessed_at) == ("1", later)
    before = store.assessments.in_force_since(INDEX, A, clock.now - timedelta(seconds=1))
    assert before is not None
    assert before.formula == "elsewhere"
    store.close()


def test_a_write_whose_key_is_taken_for_good_is_declined(postgresql: Server, clock: Clock) -> None:
    store = open_store(postgresql.new_database(), clock)
    see(store, [A], clock.now)
    again = {"index_id": INDEX, "project": A, "first_seen": clock.now, "last_asked": clock.now}
    with pytest.raises(IntegrityError):
        store.writer.wait(lambda connection: connection.execute(insert(projects), again))
    assert store.writer.fault is None
    store.close()


@pytest.mark.parametrize("writes", [[[A], [B]], [[A, B]]], ids=["two", "one"])
def test_writes_that_another_gate_got_in_the_way_of_are_done_one_by_one(
    writes: list[list[NormalizedName]], postgresql: Server, clock: Clock
) -> None:
    place = postgresql.new_database()
    store = open_store(place, clock)
    see(store, [A, B], clock.now)
    began, go = threading.Event(), threading.Event()

    def hold(_connection: Connection) -> None:
        began.set()
        go.wait()

    later = clock.pass_by(timedelta(hours=1))
    with psycopg.connect(place) as other:
        other.execute("SET deadlock_timeout = '1h'")  # so it is the gate's that PostgreSQL ends
        other.execute("SELECT FROM projects WHERE project = %s FOR UPDATE", [B])
        assert store.writer.soon(hold)
        began.wait()
        done: Queue[Exception | None] = Queue()
        for names in writes:  # in one transaction
            seen = [((INDEX, name), (later, later)) for name in names]
            assert store.writer.soon(partial(_write_seen, seen=seen), done.put)
        go.set()
        with psycopg.connect(place, autocommit=True) as watching:
            while watching.execute(_WAITING).fetchone() == (0,):
                assert done.empty()
        other.execute("SELECT FROM projects WHERE project = %s FOR UPDATE", [A])
        other.commit()
        assert [done.get(timeout=60) for _ in writes] == [None] * len(writes)
    assert store.writer.fault is None
    store.close()
