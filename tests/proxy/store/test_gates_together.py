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
from sqlalchemy import Connection

from indexgate.store.database import Store, open_store
from indexgate.store.projects import _write_seen
from indexgate_policy.assessment import Assessment
from indexgate_policy.signals import Unknown
from tests.proxy.store.conftest import Clock
from tests.proxy.store.postgresql import Server

INDEX = "0" * 64
_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
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


def test_writes_that_another_gate_got_in_the_way_of_together_are_done_one_by_one(
    postgresql: Server, clock: Clock
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
        for name in (A, B):  # in one transaction
            seen = [((INDEX, name), (later, later))]
            assert store.writer.soon(partial(_write_seen, seen=seen), done.put)
        go.set()
        with psycopg.connect(place, autocommit=True) as watching:
            while watching.execute(_WAITING).fetchone() == (0,):
                assert done.empty()
        other.execute("SELECT FROM projects WHERE project = %s FOR UPDATE", [A])
        other.commit()
        assert [done.get(timeout=60), done.get(timeout=60)] == [None, None]
    assert store.writer.fault is None
    store.close()
