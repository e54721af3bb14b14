import asyncio
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from msgspec.structs import replace
from packaging.utils import NormalizedName
from sqlalchemy import Connection

from indexgate.store.database import Store, open_store
from indexgate.store.decisions import Decisions
from indexgate.store.engines import writing_engine
from indexgate.store.records import Decision, Reason, Refusal, VerdictSet, verdict_set
from indexgate.store.writer import Writer
from tests.proxy.store.conftest import Clock

INDEX = "0" * 64
FOO, BAR = NormalizedName("foo"), NormalizedName("bar")
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LONG_AGO = NOON - timedelta(days=3650)
RUN = "run-0123456789abcdef"

REFUSAL = Refusal(
    at=NOON,
    index_id=INDEX,
    project=FOO,
    version="1.0",
    filename="foo-1.0-py3-none-any.whl",
    rule="malware",
    reason="known malware: MAL-2026-1",
    policy_digest="d" * 64,
    run=RUN,
    family="pip",
    formula="1",
    assessed_at=NOON,
)
WITHHELD = verdict_set(
    INDEX,
    FOO,
    "d" * 64,
    (
        Reason(rule="release-age", reason="uploaded 2026-03-01", versions=("2.0", "2.1")),
        Reason(rule="low-health", reason="health is 12", versions=("0.1",)),
    ),
)


def count(store: Store, table: str) -> int:
    query = f"SELECT count(*) FROM {table}"
    return int(store.writer.wait(lambda to: to.exec_driver_sql(query).scalar_one()))


def notice(store: Store, verdicts: VerdictSet = WITHHELD, hour: datetime = NOON) -> None:
    store.decisions.noticed("withheld", verdicts, run=None, family="uv", hour=hour)


def everything(store: Store) -> list[Decision]:
    return store.decisions.query(since=LONG_AGO)


class TestRefusals:
    async def test_a_refusal_is_on_the_disk_when_the_call_returns(
        self, store: Store, file: Path, clock: Clock
    ) -> None:
        await store.decisions.refused(REFUSAL)
        other = open_store(file, clock)
        assert everything(other) == [
            Decision(
                kind="refused",
                at=NOON,
                index_id=INDEX,
                project=FOO,
                versions=("1.0",),
                filename="foo-1.0-py3-none-any.whl",
                rule="malware",
                reason="known malware: MAL-2026-1",
                policy_digest="d" * 64,
                run=RUN,
                family="pip",
                count=1,
            )
        ]
        other.close()

    async def test_the_same_refusal_twice_is_two_lines(self, store: Store) -> None:
        await asyncio.gather(*(store.decisions.refused(REFUSAL) for _ in range(2)))
        assert len(everything(store)) == 2

    async def test_a_caller_that_leaves_leaves_its_refusal(self, store: Store) -> None:
        leaving = asyncio.create_task(store.decisions.refused(REFUSAL))
        await asyncio.sleep(0)
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        await store.decisions.flush()
        assert len(everything(store)) == 1

    @pytest.mark.parametrize("odd", ["half \ud800 of a character", "nothing\0here"])
    async def test_texts_that_no_database_takes_are_recorded_all_the_same(
        self, store: Store, odd: str
    ) -> None:
        await store.decisions.refused(replace(REFUSAL, filename=odd))
        (line,) = everything(store)
        assert line.filename is not None
        assert "\\" in line.filename
        assert not store.decisions.health().degraded


class TestNotices:
    async def test_pages_of_one_hour_are_counted_in_one_line_a_reason(self, store: Store) -> None:
        for minute in range(60):
            notice(store, hour=NOON + timedelta(minutes=minute))
        notice(store, hour=NOON + timedelta(hours=1))
        assert await store.decisions.flush()
        found = [(d.at.hour, d.rule, d.versions, d.count, d.run) for d in everything(store)]
        assert found == [
            (13, "release-age", ("2.0", "2.1"), 1, None),
            (13, "low-health", ("0.1",), 1, None),
            (12, "release-age", ("2.0", "2.1"), 60, None),
            (12, "low-health", ("0.1",), 60, None),
        ]

    async def test_counts_of_one_hour_add_up_over_restarts(self, file: Path, clock: Clock) -> None:
        for _ in range(3):
            store = open_store(file, clock)
            store.decisions.noticed("warned", WITHHELD, run=RUN, family="pip", hour=NOON, count=2)
            store.close()
        store = open_store(file, clock)
        assert {(d.kind, d.run, d.count) for d in everything(store)} == {("warned", RUN, 6)}
        assert count(store, "verdict_sets") == 2
        store.close()

    async def test_every_count_is_kept_however_they_fall(self, store: Store) -> None:
        for n in range(500):
            notice(store)
            if n % 50 == 0:
                await store.decisions.flush()
        assert await store.decisions.flush()
        assert everything(store)[0].count == 500

    def test_equal_sets_have_one_digest_and_others_another(self) -> None:
        again = verdict_set(INDEX, FOO, "d" * 64, WITHHELD.reasons)
        assert again.digest == WITHHELD.digest
        others = [
            verdict_set("1" * 64, FOO, "d" * 64, WITHHELD.reasons),
            verdict_set(INDEX, BAR, "d" * 64, WITHHELD.reasons),
            verdict_set(INDEX, FOO, "e" * 64, WITHHELD.reasons),
            verdict_set(INDEX, FOO, "d" * 64, WITHHELD.reasons[:1]),
        ]
        assert len({other.digest for other in others} | {WITHHELD.digest}) == 5

    async def test_an_hour_is_utc_whatever_zone_is_given(self, store: Store) -> None:
        zone = timezone(timedelta(hours=5, minutes=30))
        notice(store, hour=datetime(2026, 3, 1, 18, 10, tzinfo=zone))
        await store.decisions.flush()
        assert {d.at for d in everything(store)} == {NOON}


class TestReading:
    @pytest.fixture
    async def filled(self, store: Store) -> Store:
        for minute, project in enumerate((FOO, BAR, FOO)):
            at = NOON + timedelta(minutes=minute)
            rule = "malware" if project == FOO else "low-health"
            run = RUN if minute == 0 else None
            await store.decisions.refused(
                replace(REFUSAL, at=at, project=project, rule=rule, run=run)
            )
        notice(store)
        await store.decisions.flush()
        return store

    async def test_the_newest_come_first_and_the_limit_holds(self, filled: Store) -> None:
        times = [d.at for d in everything(filled)]
        assert times == sorted(times, reverse=True)
        assert len(times) == 5
        newest = filled.decisions.query(since=LONG_AGO, limit=2)
        assert [d.at.minute for d in newest] == [2, 1]

    async def test_each_question_narrows_the_answer(self, filled: Store) -> None:
        def asked(**question: str) -> list[tuple[str, str, str]]:
            found = filled.decisions.query(since=LONG_AGO, **question)  # type: ignore[arg-type]
            return [(d.kind, d.project, d.rule) for d in found]

        assert asked(project="bar") == [("refused", "bar", "low-health")]
        assert asked(rule="low-health") == [
            ("refused", "bar", "low-health"),
            ("withheld", "foo", "low-health"),
        ]
        assert asked(run=RUN) == [("refused", "foo", "malware")]
        assert asked(project="foo", rule="malware", run="run-0000000000000000") == []

    async def test_since_counts_from_that_moment_and_notices_from_its_hour(
        self, filled: Store
    ) -> None:
        found = filled.decisions.query(since=NOON + timedelta(minutes=1))
        assert [d.kind for d in found] == ["refused", "refused", "withheld", "withheld"]
        assert filled.decisions.query(since=NOON + timedelta(hours=1)) == []

    async def test_what_is_older_than_the_limit_goes_with_all_its_rows(self, filled: Store) -> None:
        at_the_limit = NOON + timedelta(days=90)
        assert await filled.decisions.prune(at_the_limit) == 0
        assert await filled.decisions.prune(at_the_limit + timedelta(minutes=2)) == 5
        assert [d.at.minute for d in everything(filled)] == [2]
        assert count(filled, "verdict_sets") == 0


def limit_pages(store: Store, pages: Callable[[int], int]) -> None:
    """Set how many pages the store's file may have: SQLite's own way of a full disk."""

    def write(connection: Connection) -> None:
        used = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages(int(used))}")

    store.writer.wait(write)


@pytest.fixture
def full(store: Store, file: Path) -> Iterator[Store]:
    limit_pages(store, lambda used: used)
    yield store
    limit_pages(store, lambda _used: 1_000_000)


LARGE = replace(REFUSAL, reason="r" * 5000)  # needs a page of its own


class TestFaults:
    async def test_on_a_full_disk_refusals_wait_in_memory_and_are_written_later(
        self, full: Store
    ) -> None:
        for n in range(5):
            await full.decisions.refused(replace(LARGE, version=str(n)))
        health = full.decisions.health()
        assert health.degraded
        assert health.reason == "The disk of the store is full"
        assert (health.spooled, health.dropped) == (5, 0)
        assert not await full.decisions.flush()
        assert full.decisions.health().spooled == 5

        limit_pages(full, lambda _used: 1_000_000)
        assert full.decisions.health().degraded  # the rows are still in memory only
        assert await full.decisions.flush()
        health = full.decisions.health()
        assert (health.reason, health.spooled, health.dropped) == (None, 0, 0)
        assert sorted(d.versions for d in everything(full)) == [(str(n),) for n in range(5)]

    async def test_notices_wait_out_a_full_disk_too(self, full: Store) -> None:
        large = verdict_set(INDEX, FOO, "d", (Reason(rule="r", reason="w" * 9000, versions=()),))
        for _ in range(3):
            notice(full, large)
            await full.decisions.flush()
        assert full.decisions.health().degraded
        limit_pages(full, lambda _used: 1_000_000)
        assert await full.decisions.flush()
        assert not full.decisions.health().degraded
        assert [d.count for d in everything(full)] == [3]

    async def test_waiting_refusals_are_written_without_being_asked_for(self, full: Store) -> None:
        decisions = Decisions(full.reader, full.writer, retry_every=0.005)
        await decisions.refused(LARGE)
        assert decisions.health().spooled == 1
        limit_pages(full, lambda _used: 1_000_000)
        async with asyncio.timeout(30):
            while decisions.health().degraded:  # noqa: ASYNC110 - nobody waits for it but this
                await asyncio.sleep(0.005)
        assert len(everything(full)) == 1

    async def test_beyond_the_spools_room_refusals_are_counted(self, full: Store) -> None:
        decisions = Decisions(full.reader, full.writer, spool=2)
        for _ in range(5):
            await decisions.refused(LARGE)
        health = decisions.health()
        assert (health.spooled, health.dropped) == (2, 3)

    async def test_closing_writes_what_waited(self, file: Path, clock: Clock) -> None:
        store = open_store(file, clock)
        limit_pages(store, lambda used: used)
        await store.decisions.refused(LARGE)
        limit_pages(store, lambda _used: 1_000_000)
        notice(store)
        store.close()
        again = open_store(file, clock)
        assert sorted(d.kind for d in everything(again)) == ["refused", "withheld", "withheld"]
        again.close()

    async def test_a_store_whose_file_was_removed_is_told_and_refusals_are_kept(
        self, store: Store, file: Path
    ) -> None:
        elsewhere = file.with_name("elsewhere")
        await asyncio.to_thread(file.rename, elsewhere)
        await store.decisions.refused(REFUSAL)
        health = store.decisions.health()
        assert health.spooled == 1
        assert health.reason == "The store's file was removed or replaced while the gate ran"
        await asyncio.to_thread(elsewhere.rename, file)
        assert await store.decisions.flush()
        assert len(everything(store)) == 1

    async def test_a_database_that_hangs_does_not_hold_an_answer_for_long(
        self, store: Store
    ) -> None:
        decisions = Decisions(store.reader, store.writer, patience=0.01)
        began, go = threading.Event(), threading.Event()

        def hang(_connection: Connection) -> None:
            began.set()
            go.wait()

        hanging = asyncio.create_task(store.writer.commit(hang))
        await asyncio.to_thread(began.wait)
        await decisions.refused(REFUSAL)
        health = decisions.health()
        assert (health.degraded, health.spooled) == (True, 1)
        go.set()
        await hanging
        assert await decisions.flush()
        assert len(everything(store)) == 1  # the late write and the spooled one are one line

    async def test_with_too_many_writes_waiting_a_refusal_is_spooled(self, store: Store) -> None:
        writer = Writer(writing_engine(store.place), room=0)
        decisions = Decisions(store.reader, writer)
        await decisions.refused(REFUSAL)
        notice_lost = verdict_set(INDEX, FOO, "d", ())
        decisions.noticed("warned", notice_lost, run=None, family="pip", hour=NOON)
        assert decisions.health().degraded
        assert decisions.health().spooled == 1
        writer.close()

    async def test_a_refusal_that_no_database_can_take_is_counted_and_never_raised(
        self, store: Store
    ) -> None:
        naive = datetime(2026, 3, 1, 12, 0)  # noqa: DTZ001 - a caller's mistake
        await store.decisions.refused(replace(REFUSAL, at=naive))
        health = store.decisions.health()
        assert (health.degraded, health.spooled, health.dropped) == (True, 0, 1)
        await store.decisions.refused(REFUSAL)
        assert not store.decisions.health().degraded

    async def test_a_row_that_is_declined_does_not_hold_up_the_spool(self, full: Store) -> None:
        for _ in range(2):
            await full.decisions.refused(LARGE)
        rows = list(full.decisions._spool.values())
        rows[0]["rule"] = None  # a column that has to have a value
        limit_pages(full, lambda _used: 1_000_000)
        assert await full.decisions.flush()
        health = full.decisions.health()
        assert (health.reason, health.spooled, health.dropped) == (None, 0, 1)
        assert len(everything(full)) == 1

    async def test_notices_that_are_declined_do_not_hold_up_the_others(self, store: Store) -> None:
        odd = verdict_set(INDEX, FOO, "d", (Reason(rule="r", reason="a\\b", versions=()),))
        broken = replace(odd, policy_digest="\ud800")
        notice(store, broken)
        assert not await store.decisions.flush()
        assert store.decisions.health().dropped == 1
        notice(store, odd)
        assert await store.decisions.flush()
        assert [d.reason for d in everything(store)] == ["a\\b"]
