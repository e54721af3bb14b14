"""Served files are counted without a write, kept a while, and their facts with them."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from packaging.utils import NormalizedName
from sqlalchemy import Connection, event

from indexgate.store.database import Store, open_store
from indexgate.store.served import EVERY, Served, ServedFile
from indexgate_policy.assessment import Assessment
from indexgate_policy.flags import Flag, Severity
from indexgate_policy.health.result import HealthScore, Line
from indexgate_policy.signals import Signal, Unknown
from tests.proxy.store.conftest import Clock

INDEX = "0" * 64
FOO, BAR = NormalizedName("foo"), NormalizedName("bar")
NOON = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)  # the clock's
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
EVER = (NOON - 400 * DAY, NOON + 400 * DAY)


def serve(
    served: Served,
    version: str = "1.0",
    at: datetime = NOON,
    *,
    project: NormalizedName = FOO,
    family: str = "pip",
    ci: bool = False,
) -> None:
    served.count(
        INDEX, project, version, f"{project}-{version}.tar.gz", family=family, ci=ci, at=at
    )


def told(store: Store, project: NormalizedName = FOO) -> list[tuple[str, str, bool, int]]:
    found = store.served.of(INDEX, project, *EVER)
    return [(one.version, one.family, one.ci, one.count) for one in found]


def assessment(at: datetime, owners: int = 1, project: NormalizedName = FOO) -> Assessment:
    owned = Signal(
        name="owners",
        value=tuple(f"o{number}" for number in range(owners)),
        source="test",
        observed_at=at,
    )
    line = Line(dimension="d", input="i", points=1, most=2, known=True, evidence="e")
    return Assessment(
        index_id=INDEX,
        project=project,
        formula="fl-1",
        inputs=(owned,),
        flags=(Flag(check="typosquat", severity=Severity.HIGH, evidence="a look-alike"),),
        score=HealthScore(
            formula="hs", value=40, uncapped=40, confidence=0.5, grade="D", lines=(line,)
        ),
        assessed_at=at,
        valid_until=at + DAY,
    )


class TestCounts:
    async def test_they_are_by_file_day_and_kind_of_client(self, store: Store) -> None:
        for _ in range(3):
            serve(store.served)
        serve(store.served, family="uv")
        serve(store.served, ci=True)
        serve(store.served, "2.0", NOON + HOUR)
        serve(store.served, at=NOON + DAY)
        serve(store.served, project=BAR)
        assert await store.served.flush()
        serve(store.served)
        assert await store.served.flush()
        assert told(store) == [
            ("1.0", "pip", False, 4),
            ("1.0", "pip", True, 1),
            ("1.0", "uv", False, 1),
            ("2.0", "pip", False, 1),
            ("1.0", "pip", False, 1),
        ]
        assert store.served.names(NOON) == [(INDEX, BAR), (INDEX, FOO)]
        assert store.served.names(NOON + 2 * DAY) == []

    async def test_a_file_has_the_moment_it_was_first_served_at_on_the_day(
        self, store: Store
    ) -> None:
        for hours in (2, 1, 3):  # two workers need not write in order
            serve(store.served, at=NOON + hours * HOUR)
            assert await store.served.flush()
        assert store.served.of(INDEX, FOO, *EVER) == [
            ServedFile(
                index_id=INDEX,
                project=FOO,
                version="1.0",
                filename="foo-1.0.tar.gz",
                family="pip",
                ci=False,
                first_at=NOON + HOUR,
                count=3,
            )
        ]
        assert store.served.of(INDEX, FOO, NOON + HOUR, NOON + 2 * HOUR) != []
        assert store.served.of(INDEX, FOO, NOON, NOON + HOUR) == []

    async def test_counting_writes_nothing_by_itself(self, store: Store) -> None:
        begun: list[object] = []
        event.listen(store.writer._engine, "begin", begun.append)
        for number in range(5_000):
            serve(store.served, f"1.{number % 50}")
        assert begun == []
        assert store.served.waiting == 51  # fifty files, and a project whose facts are to be kept
        assert await store.served.flush()
        assert {row[3] for row in told(store)} == {100}

    async def test_what_gathers_is_written_by_itself_after_a_while(self, store: Store) -> None:
        waits: list[float] = []
        sent = asyncio.Event()

        async def wait(seconds: float) -> None:
            waits.append(seconds)
            if len(waits) == 2:
                sent.set()
                await asyncio.Event().wait()

        serve(store.served)
        sending = asyncio.create_task(store.served.send_for_ever(wait))
        await sent.wait()
        await store.writer.commit(lambda _connection: None)
        assert told(store) == [("1.0", "pip", False, 1)]
        assert waits == [EVERY.total_seconds()] * 2
        sending.cancel()

    async def test_it_is_there_after_a_restart(self, file: Path, clock: Clock) -> None:
        for _ in range(2):
            store = open_store(file, clock)
            serve(store.served)
            store.close()
        again = open_store(file, clock)
        assert told(again) == [("1.0", "pip", False, 2)]
        again.close()

    async def test_what_the_store_cannot_take_now_is_written_later(self, store: Store) -> None:
        fails = [True]

        def refuse(connection: Connection) -> None:
            if fails:
                raise OSError("no disk")

        event.listen(store.writer._engine, "begin", refuse)
        serve(store.served)
        store.served.send()
        with pytest.raises(Exception, match="disk"):
            await store.writer.commit(lambda _connection: None)
        assert store.served.fault is not None
        serve(store.served)
        fails.clear()
        assert await store.served.flush()
        assert told(store) == [("1.0", "pip", False, 2)]
        assert store.served.dropped == 0
        assert store.served.fault is None

    async def test_memory_is_bounded_and_loss_is_counted(self, store: Store) -> None:
        served = Served(store.reader, store.writer, room=10)
        for number in range(25):
            serve(served, f"1.{number}")
        serve(served, "1.0")  # has its place already
        assert served.dropped == 15
        assert await served.flush()
        assert len(told(store)) == 10

    async def test_it_is_kept_for_ninety_days(self, store: Store) -> None:
        for days in (0, 89, 91, 200):
            serve(store.served, at=NOON - days * DAY)
        assert await store.served.flush()
        assert await store.served.prune(NOON) == 2
        assert len(told(store)) == 2


class TestFactsThen:
    async def test_the_assessment_in_force_at_the_ask_is_kept(
        self, store: Store, clock: Clock
    ) -> None:
        first = assessment(NOON - HOUR, owners=1)
        await store.assessments.save(first)
        serve(store.served, at=NOON)
        clock.pass_by(HOUR)
        await store.assessments.save(assessment(clock.now, owners=2))
        assert await store.served.flush()
        [kept] = store.facts_then.of(INDEX, FOO)
        assert kept.inputs == first.inputs
        assert kept.flags == first.flags
        assert isinstance(kept.score, HealthScore)
        assert (kept.score.value, kept.score.lines) == (40, ())
        assert (kept.assessed_at, kept.valid_until) == (first.assessed_at, first.valid_until)

    async def test_they_are_looked_at_once_an_hour(self, store: Store, clock: Clock) -> None:
        for minutes in (0, 20, 59, 60, 90, 2000):
            clock.now = NOON + timedelta(minutes=minutes)
            await store.assessments.save(assessment(clock.now))
            serve(store.served, at=clock.now)
            assert await store.served.flush()
        kept = [one.assessed_at for one in store.facts_then.of(INDEX, FOO)]
        assert kept == [NOON + timedelta(minutes=minutes) for minutes in (0, 60, 2000)]

    async def test_an_assessment_that_still_holds_is_kept_once(self, store: Store) -> None:
        await store.assessments.save(assessment(NOON))
        for hours in range(5):
            serve(store.served, at=NOON + hours * HOUR)
            assert await store.served.flush()
        assert len(store.facts_then.of(INDEX, FOO)) == 1

    async def test_facts_that_the_store_had_no_room_for_are_kept_with_the_next_ask(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await store.assessments.save(assessment(NOON))
        serve(store.served)
        with monkeypatch.context() as full:
            full.setattr(store.writer, "soon", lambda *_: False)
            store.served.send()
        assert await store.served.flush()
        assert store.facts_then.of(INDEX, FOO) == ()
        serve(store.served, at=NOON + timedelta(minutes=1))
        assert await store.served.flush()
        assert len(store.facts_then.of(INDEX, FOO)) == 1

    async def test_a_refusal_keeps_the_facts_and_counts_no_file(self, store: Store) -> None:
        await store.assessments.save(assessment(NOON))
        store.served.refused(INDEX, FOO, NOON)
        assert await store.served.flush()
        assert len(store.facts_then.of(INDEX, FOO)) == 1
        assert store.served.names(NOON) == []

    async def test_a_score_that_is_not_known_says_why(self, store: Store) -> None:
        unknown = Unknown(reason="nobody asked")
        await store.assessments.save(replace(assessment(NOON), score=unknown))
        serve(store.served)
        assert await store.served.flush()
        [kept] = store.facts_then.of(INDEX, FOO)
        assert kept.score == unknown

    async def test_a_project_that_was_never_assessed_has_none(self, store: Store) -> None:
        serve(store.served)
        assert await store.served.flush()
        assert store.facts_then.of(INDEX, FOO) == ()

    async def test_many_projects_are_kept_in_one_go(self, store: Store) -> None:
        names = [NormalizedName(f"p{number}") for number in range(230)]
        store.assessments.save_many([assessment(NOON, project=name) for name in names])
        for name in names:
            serve(store.served, project=name)
        assert await store.served.flush()
        assert all(len(store.facts_then.of(INDEX, name)) == 1 for name in names)

    async def test_they_are_kept_for_ninety_days(self, store: Store, clock: Clock) -> None:
        await store.assessments.save(assessment(NOON))
        serve(store.served)
        assert await store.served.flush()
        await store.served.prune(NOON + 89 * DAY)
        assert len(store.facts_then.of(INDEX, FOO)) == 1
        await store.served.prune(NOON + 91 * DAY)
        assert store.facts_then.of(INDEX, FOO) == ()
