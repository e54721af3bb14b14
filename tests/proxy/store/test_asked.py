import asyncio
import itertools
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packaging.utils import NormalizedName
from sqlalchemy import Connection, event

from indexgate.store import missing_names, prepared, upserts
from indexgate.store.asked import EVERY, Asked, Counts
from indexgate.store.database import Store, open_store
from indexgate.store.missing_names import Missed, WaitedFor
from tests.proxy.store.conftest import Clock

INDEX = "0" * 64
FOO, BAR = NormalizedName("foo"), NormalizedName("bar")
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
TODAY = NOON.date()
HOUR = timedelta(hours=1)
NUMBERS = itertools.count()


def month(store: Store, project: NormalizedName = FOO, until: date = TODAY) -> Counts:
    return store.asked.counts(INDEX, project, until, 30)


def rows(store: Store, table: str) -> int:
    query = f"SELECT count(*) FROM {table}"
    return int(store.writer.wait(lambda to: to.exec_driver_sql(query).scalar_one()))


def kept_names(store: Store) -> set[str]:
    query = "SELECT project FROM missing_names"
    return set(store.writer.wait(lambda to: to.exec_driver_sql(query).scalars().all()))


def hold(store: Store) -> threading.Event:
    """Let the writer wait until the event is set."""
    go_on = threading.Event()
    store.writer.soon(lambda _connection: go_on.wait(30))
    return go_on


class TestRequests:
    async def test_they_are_counted_by_who_asks(self, store: Store) -> None:
        for _ in range(3):
            store.asked.count(INDEX, FOO, "person", NOON)
        store.asked.count(INDEX, FOO, "ci", NOON)
        store.asked.count(INDEX, FOO, "system", NOON)
        store.asked.count(INDEX, BAR, "ci", NOON)
        store.asked.count("1" * 64, FOO, "ci", NOON)
        expected = Counts(people=3, ci=1, systems=1)
        assert month(store) == expected
        assert await store.asked.flush()
        assert month(store) == expected

    async def test_a_day_is_one_in_utc_and_a_month_has_thirty_of_them(self, store: Store) -> None:
        far_east = timezone(timedelta(hours=9))
        last_second = datetime(2026, 3, 2, 8, 59, 59, tzinfo=far_east)  # 2026-03-01 in UTC
        store.asked.count(INDEX, FOO, "ci", last_second)
        for _ in range(2):  # from memory, then from the store
            first_after = [month(store, until=TODAY + timedelta(days=days)) for days in (29, 30)]
            assert [counts.ci for counts in first_after] == [1, 0]
            assert month(store, until=TODAY - timedelta(days=1)).ci == 0
            assert await store.asked.flush()

    async def test_counting_writes_nothing_by_itself(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        begun: list[object] = []
        engine = store.writer._engine
        event.listen(engine, "begin", begun.append)
        for number in range(5_000):
            store.asked.count(INDEX, NormalizedName(f"p{number % 50}"), "ci", NOON)
            store.asked.miss(INDEX, NormalizedName(f"m{number % 50}"), NOON)
        assert store.asked.waiting == 100
        assert begun == []
        sizes: list[int] = []

        def write_each(to: Connection, statement: Any, rows: Sequence[Mapping[str, Any]]) -> None:
            sizes.append(len(rows))
            prepared.write_each(to, statement, rows)

        monkeypatch.setattr(upserts, "write_each", write_each)
        assert await store.asked.flush()
        assert len(begun) <= 2  # the group, and the wait for it
        # However many there are: one for the requests, one for the names.
        assert sizes == [50, 50]
        assert rows(store, "asked") == 50

    async def test_what_gathers_is_written_by_itself_after_a_while(self, store: Store) -> None:
        waits: list[float] = []
        sent = asyncio.Event()

        async def wait(seconds: float) -> None:
            waits.append(seconds)
            if len(waits) == 2:
                sent.set()
                await asyncio.Event().wait()

        store.asked.count(INDEX, FOO, "person", NOON)
        sending = asyncio.create_task(store.asked.send_for_ever(wait))
        await sent.wait()
        await store.writer.commit(lambda _connection: None)
        assert rows(store, "asked") == 1
        assert waits == [EVERY.total_seconds()] * 2
        sending.cancel()

    def test_what_gathered_is_written_when_the_store_is_closed(
        self, file: Path, clock: Clock
    ) -> None:
        for _ in range(3):
            store = open_store(file, clock)
            store.asked.count(INDEX, FOO, "person", NOON)
            store.asked.miss(INDEX, BAR, NOON)
            store.close()
        store = open_store(file, clock)
        assert month(store) == Counts(people=3)
        assert store.asked.waited_for(INDEX, BAR) is not None
        store.close()

    async def test_counts_of_two_workers_add_up(self, file: Path, clock: Clock) -> None:
        workers = [open_store(file, clock) for _ in range(2)]
        for turn in range(20):
            for worker in workers:
                worker.asked.count(INDEX, FOO, "ci", NOON)
                if turn % 3 == 0:
                    worker.asked.send()
        for worker in workers:
            assert await worker.asked.flush()
        assert [month(worker) for worker in workers] == [Counts(ci=40)] * 2
        for worker in workers:
            worker.close()

    async def test_what_the_store_cannot_take_now_is_written_later(
        self, store: Store, file: Path
    ) -> None:
        fails = [True]

        def refuse(connection: Connection) -> None:
            if fails:
                raise OSError("no disk")

        engine = store.writer._engine
        event.listen(engine, "begin", refuse)
        store.asked.count(INDEX, FOO, "person", NOON)
        store.asked.miss(INDEX, BAR, NOON)
        store.asked.send()
        with pytest.raises(Exception, match="disk"):
            await store.writer.commit(lambda _connection: None)
        assert store.asked.fault is not None
        store.asked.count(INDEX, FOO, "person", NOON)
        assert store.asked.waiting == 2
        fails.clear()
        assert await store.asked.flush()
        assert month(store) == Counts(people=2)
        assert store.asked.fault is None
        assert store.asked.dropped == 0

    async def test_memory_is_bounded_also_while_nothing_can_be_written(self, store: Store) -> None:
        asked = Asked(store.reader, store.writer, room=10)
        go_on = hold(store)
        for turn in range(3):
            for number in range(20):
                asked.count(INDEX, NormalizedName(f"p{turn}-{number}"), "ci", NOON)
                asked.miss(INDEX, NormalizedName(f"m{turn}-{number}"), NOON)
            asked.send()
        assert asked.waiting == 40  # one group under way, one gathering
        assert asked.dropped == 20 + 20 + 40
        asked.count(INDEX, NormalizedName("p1-0"), "ci", NOON)  # has its place already
        assert asked.dropped == 80
        go_on.set()
        assert await asked.flush()
        assert rows(store, "asked") == 20

    async def test_counts_are_kept_for_ninety_days(self, store: Store) -> None:
        for days in (0, 89, 90, 91, 200):
            store.asked.count(INDEX, FOO, "ci", NOON - timedelta(days=days))
        assert await store.asked.flush()
        assert await store.asked.prune(NOON) == 2
        assert rows(store, "asked") == 3


class TestNamesThatDoNotExist:
    async def test_a_name_counts_once_an_hour(self, store: Store) -> None:
        for minutes in (0, 1, 59, 60, 61, 300):
            store.asked.miss(INDEX, FOO, NOON + timedelta(minutes=minutes))
            assert await store.asked.flush()
        found = store.asked.waited_for(INDEX, FOO)
        assert found == WaitedFor(first=NOON, last=NOON + timedelta(minutes=300), hours=3)
        assert store.asked.waited_for(INDEX, BAR) is None
        assert store.asked.waited_for("1" * 64, FOO) is None

    async def test_an_hour_that_two_workers_saw_counts_once(self, file: Path, clock: Clock) -> None:
        workers = [open_store(file, clock) for _ in range(2)]
        for hour in range(3):
            for worker in workers:
                worker.asked.miss(INDEX, FOO, NOON + hour * HOUR)
                assert await worker.asked.flush()
        found = workers[0].asked.waited_for(INDEX, FOO)
        assert found == WaitedFor(first=NOON, last=NOON + 2 * HOUR, hours=3)
        for worker in workers:
            worker.close()

    async def test_names_beyond_the_bound_go_the_once_asked_and_the_oldest_first(
        self, store: Store
    ) -> None:
        def note(connection: Connection) -> None:
            for number in range(30):
                again = frozenset(NOON + hour * HOUR for hour in range(2 if number < 5 else 1))
                at = NOON + timedelta(minutes=number)
                name = NormalizedName(f"n{number:02}")
                missed = Missed(first=at, last=at, hours=again)
                missing_names.note_all(connection, {(INDEX, name): missed})

        store.writer.wait(note)
        assert store.writer.wait(lambda to: missing_names.bound(to, 30)) == 0
        assert store.writer.wait(lambda to: missing_names.bound(to, 20)) == 12
        assert kept_names(store) == {f"n{number:02}" for number in (*range(5), *range(17, 30))}

    async def test_a_script_that_guesses_names_cannot_fill_the_store(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(missing_names.bound, "__defaults__", (100,))
        for hour in range(2):
            store.asked.miss(INDEX, FOO, NOON + hour * HOUR)
        for number in range(1_000):
            store.asked.miss(INDEX, NormalizedName(f"guess-{number}"), NOON + 3 * HOUR)
            if number % 90 == 0:
                assert await store.asked.flush()
        assert await store.asked.flush()
        assert len(kept_names(store)) <= 100
        assert "foo" in kept_names(store)

    async def test_a_name_that_nobody_asks_for_any_more_is_forgotten(self, store: Store) -> None:
        store.asked.miss(INDEX, FOO, NOON)
        store.asked.miss(INDEX, BAR, NOON + timedelta(days=300))
        assert await store.asked.flush()
        await store.asked.prune(NOON + timedelta(days=401))
        assert kept_names(store) == {"bar"}


@given(
    minutes=st.lists(st.integers(0, 600), min_size=1, max_size=30),
    written=st.sets(st.integers(0, 30)),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
def test_it_is_the_same_whenever_it_is_written(
    store: Store, minutes: list[int], written: set[int]
) -> None:
    name = NormalizedName(f"n{next(NUMBERS)}")
    for place, minute in enumerate(sorted(minutes)):
        store.asked.miss(INDEX, name, NOON + timedelta(minutes=minute))
        if place in written:
            store.asked.send()
            store.writer.wait(lambda _connection: None)
    store.asked.send()
    store.writer.wait(lambda _connection: None)
    assert store.asked.waited_for(INDEX, name) == WaitedFor(
        first=NOON + timedelta(minutes=min(minutes)),
        last=NOON + timedelta(minutes=max(minutes)),
        hours=len({minute // 60 for minute in minutes}),
    )
