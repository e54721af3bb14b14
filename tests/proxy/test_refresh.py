"""The background work goes on whatever fails, and says what did."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import pytest
from packaging.utils import NormalizedName

from indexgate.day_reading import Reading
from indexgate.refresh import (
    DAYS_EVERY,
    DUE_AT_ONCE,
    DUE_EVERY,
    FEED_EVERY,
    FEED_RETRY,
    POSTPONED,
    RELEASES_EVERY,
    TIDY_EVERY,
    Refresh,
)
from indexgate.sources.osv_records import FeedState
from indexgate.sources.protocol import SourceFailed
from indexgate.sources.release_feed import Released
from indexgate.store.engines import StoreFailed
from indexgate_policy.assessment import Assessment

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
READ = FeedState(fetched_at=NOW, newest_modified=NOW, etag=None, records=3)
ASSESSED = Assessment(
    index_id="this-index",
    project=NormalizedName("known"),
    formula="fl-1",
    inputs=(),
    flags=(),
    assessed_at=NOW,
    valid_until=NOW,
)
FAILURES: list[tuple[Exception, str]] = [
    (SourceFailed("osv", "status", "answered with status 500"), "status 500"),
    (StoreFailed("store-closed", "The store is closed"), "The store is closed"),
    (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid"), "UnicodeDecodeError"),
    (RuntimeError("of a kind nobody thought of"), "nobody thought of"),
]
a_failure = pytest.mark.parametrize(("failure", "told"), FAILURES, ids=lambda v: type(v).__name__)


class Enough(BaseException):
    """Ends the work from outside, as a cancellation would."""


class Time:
    """A clock that moves by what is waited for. Work that waits for *every* has *turns* turns."""

    def __init__(self, turns: int) -> None:
        self.now = NOW
        self.waits: list[timedelta] = []
        self._turns = turns

    def __call__(self) -> datetime:
        return self.now

    async def wait(self, time: timedelta) -> None:
        if len(self.waits) == self._turns:
            raise Enough
        self.waits.append(time)
        self.now += time


@dataclass
class Rows:
    """Stored rows: what is due, and what goes wrong at each call, if anything does."""

    names: Sequence[str] = ()
    failures: list[Exception | None] = field(default_factory=list)
    asked: list[tuple[str, int]] = field(default_factory=list)
    pruned: int = 0

    def due(
        self, index_id: str, now: datetime, limit: int, *, asked_since: datetime | None = None
    ) -> list[NormalizedName]:
        self.asked.append((index_id, limit))
        self._fail()
        return [NormalizedName(name) for name in self.names[:limit]]

    def current(self, index_id: str, project: NormalizedName) -> Assessment | None:
        return ASSESSED if project in self.names else None

    async def prune(self, now: datetime) -> int:
        self._fail()
        self.pruned += 1
        return 0

    def _fail(self) -> None:
        failure = self.failures.pop(0) if self.failures else None
        if failure is not None:
            raise failure


class Releases:
    """A feed of releases that says one thing after the other."""

    def __init__(self, *answers: list[str] | Exception) -> None:
        self._answers = list(answers)

    async def recent(self, now: datetime) -> list[Released]:
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        told = (text.split("==") for text in answer)
        return [Released(project=NormalizedName(a), version=b, at=now) for a, b in told]


class Feed:
    def __init__(self, *answers: FeedState | Exception) -> None:
        self._answers = list(answers)

    async def refresh(self, now: datetime) -> FeedState:
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass
class Days:
    """A log of days: what is due in each turn, and how reading each day ends."""

    turns: list[list[date]]
    failures: dict[date, Exception] = field(default_factory=dict)
    read_days: list[date] = field(default_factory=list)
    source: str = "bigquery"

    def due(self) -> list[date]:
        return self.turns.pop(0)

    def read(self, day: date, *, tell: Callable[[int], None]) -> Reading:
        self.read_days.append(day)
        tell(9)
        if day in self.failures:
            raise self.failures[day]
        return Reading(day=day, source=self.source, projects=3, rows=9)


@dataclass
class LongDay(Days):
    """A log whose reading goes on until it is told to end, or *goes_on* after the first rows."""

    begun: threading.Event = field(default_factory=threading.Event)
    goes_on: threading.Event = field(default_factory=threading.Event)
    how: Future[None] = field(default_factory=Future)

    def read(self, day: date, *, tell: Callable[[int], None]) -> Reading:
        self.begun.set()
        self.goes_on.wait(20)
        try:
            tell(9)
        except Exception as error:
            self.how.set_exception(error)
            raise
        self.how.set_result(None)
        return Reading(day=day, source=self.source, projects=3, rows=9)


@dataclass
class Work:
    """The background work, and all that it does to its surroundings."""

    time: Time
    assessments: Rows = field(default_factory=Rows)
    record: Rows = field(default_factory=Rows)
    feed: Feed | None = None
    days: Days | None = None
    queued: list[str] = field(default_factory=list)
    said: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.refresh = Refresh(
            feed=self.feed,
            assessments=self.assessments,
            record=self.record,
            index_id="this-index",
            queue=self.queued.append,
            clock=self.time,
            log=lambda event, text: self.said.append((event, text)),
            days=() if self.days is None else (self.days,),
            wait=self.time.wait,
        )


async def until_enough(work: Callable[[], Awaitable[None]]) -> None:
    with pytest.raises(Enough):
        await work()


async def run_feed(work: Work) -> None:
    assert work.feed is not None
    feed = work.feed
    await until_enough(lambda: work.refresh._feed_for_ever(feed))


@a_failure
async def test_a_feed_that_fails_is_told_and_asked_again_soon(
    failure: Exception, told: str
) -> None:
    work = Work(Time(1), feed=Feed(failure, failure))
    await run_feed(work)
    assert work.time.waits == [FEED_RETRY]
    assert work.refresh.feed_failure is not None
    assert told in work.refresh.feed_failure
    assert [event for event, _ in work.said] == ["feed-failed", "feed-failed"]


async def test_a_feed_that_is_read_again_is_no_longer_failing() -> None:
    work = Work(Time(1), feed=Feed(RuntimeError("once"), READ))
    await run_feed(work)
    assert work.refresh.feed_failure is None
    assert work.said[-1] == ("feed-read", "osv: 3 records")
    work = Work(Time(1), feed=Feed(READ, READ))
    await run_feed(work)
    assert work.time.waits == [FEED_EVERY]


@pytest.mark.parametrize(("wish", "wait"), [(1, 120), (600, 600), (10**9, 3600)])
async def test_a_feed_is_left_alone_as_long_as_it_wishes_within_reason(
    wish: int, wait: int
) -> None:
    busy = SourceFailed("osv", "status", "answered with status 429", retry_after=wish)
    work = Work(Time(1), feed=Feed(busy, busy))
    await run_feed(work)
    assert work.time.waits == [timedelta(seconds=wait)]


@a_failure
async def test_what_is_due_is_queued_in_the_turn_after_one_that_failed(
    failure: Exception, told: str
) -> None:
    work = Work(Time(2), assessments=Rows(names=["a", "b"], failures=[failure]))
    await until_enough(work.refresh._due_for_ever)
    assert work.time.waits == [DUE_EVERY, DUE_EVERY]
    assert told in dict(work.said)["refresh-failed"]
    assert work.queued == ["a", "b"]
    assert {index for index, _ in work.assessments.asked} == {"this-index"}


async def test_projects_that_stay_due_let_others_go_first_for_an_hour() -> None:
    failing = [f"bad-{n}" for n in range(DUE_AT_ONCE)]
    rows = Rows(names=[*failing, "good"])
    turns = POSTPONED // DUE_EVERY
    work = Work(Time(turns), assessments=rows)
    await until_enough(work.refresh._due_for_ever)
    assert work.queued == [*failing, "good"]
    work = Work(Time(turns + 1), assessments=rows)
    await until_enough(work.refresh._due_for_ever)
    assert work.queued == [*failing, "good", *failing]


async def test_a_project_that_was_refreshed_is_queued_whenever_it_is_due() -> None:
    rows = Rows(names=["a"])
    work = Work(Time(9), assessments=rows)
    work.refresh._queue_due()
    rows.names = []
    work.refresh._queue_due()
    rows.names = ["a"]
    work.refresh._queue_due()
    assert work.queued == ["a", "a"]


@a_failure
async def test_what_is_too_old_goes_in_each_turn_even_when_another_part_failed(
    failure: Exception, told: str
) -> None:
    work = Work(
        Time(1), assessments=Rows(failures=[failure]), record=Rows(failures=[None, failure])
    )
    await until_enough(work.refresh._tidy_for_ever)
    assert (work.assessments.pruned, work.record.pruned) == (1, 1)
    assert work.time.waits == [TIDY_EVERY]
    assert [event for event, _ in work.said] == ["tidy-failed", "tidy-failed"]
    assert all(told in text for _, text in work.said)


async def test_no_failure_of_any_part_ends_the_work_before_it_is_cancelled() -> None:
    broken = [RuntimeError("broken") for _ in range(20)]
    work = Work(
        Time(0),
        assessments=Rows(failures=[*broken]),
        record=Rows(failures=[*broken]),
        feed=Feed(*broken),
    )
    turns: list[timedelta] = []
    many = asyncio.Event()

    async def wait(time: timedelta) -> None:
        turns.append(time)
        if len(turns) > 12:
            many.set()
            await asyncio.Event().wait()
        await asyncio.sleep(0)

    work.refresh.wait = wait
    running = asyncio.create_task(work.refresh.for_ever())
    await many.wait()
    assert not running.done()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert {event for event, _ in work.said} == {"feed-failed", "refresh-failed", "tidy-failed"}


async def test_the_work_ends_when_told_to_though_something_fails_in_that_moment() -> None:
    reached = asyncio.Event()

    class Failing(Feed):
        async def refresh(self, now: datetime) -> FeedState:
            reached.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:  # as where one of several questions failed first
                raise SourceFailed("osv", "status", "answered with status 500") from None
            return READ

    work = Work(Time(0), feed=Failing())

    async def wait(_time: timedelta) -> None:
        await asyncio.Event().wait()

    work.refresh.wait = wait
    running = asyncio.create_task(work.refresh.for_ever())
    await reached.wait()
    running.cancel()
    ended, _ = await asyncio.wait({running}, timeout=10)
    assert ended


async def test_a_known_project_with_a_new_release_is_queued_once() -> None:
    work = Work(Time(2), assessments=Rows(names=["known", "other"]))
    feed = Releases(["known==1", "foreign==1"], ["known==1", "other==2"], ["known==2"])
    await until_enough(lambda: work.refresh._releases_for_ever(feed))
    assert work.queued == ["known", "other", "known"]
    assert work.time.waits == [RELEASES_EVERY, RELEASES_EVERY]


@a_failure
async def test_a_feed_of_releases_that_fails_is_told_and_asked_again(
    failure: Exception, told: str
) -> None:
    work = Work(Time(1), assessments=Rows(names=["known"]))
    await until_enough(lambda: work.refresh._releases_for_ever(Releases(failure, ["known==1"])))
    assert work.queued == ["known"]
    assert told in dict(work.said)["releases-failed"]


async def test_days_are_read_as_they_fall_due_and_told() -> None:
    first, second = date(2026, 11, 20), date(2026, 11, 19)
    days = Days([[first, second], []])
    work = Work(Time(1), days=days)
    await until_enough(lambda: work.refresh._days_for_ever(days))
    assert days.read_days == [first, second]
    assert work.time.waits == [DAYS_EVERY]
    assert work.said[0] == ("day-read", "bigquery: 2026-11-20, 3 projects")


@a_failure
async def test_a_day_that_cannot_be_read_ends_the_turn_and_is_tried_in_the_next(
    failure: Exception, told: str
) -> None:
    first, second = date(2026, 11, 20), date(2026, 11, 19)
    days = Days([[first, second], [first, second]], {first: failure})
    work = Work(Time(1), days=days)
    await until_enough(lambda: work.refresh._days_for_ever(days))
    assert days.read_days == [first, first]
    assert [event for event, _ in work.said] == ["day-failed", "day-failed"]
    assert all(told in text for _, text in work.said)


async def test_a_gate_without_a_feed_does_the_rest() -> None:
    work = Work(Time(0), assessments=Rows())
    with pytest.raises(BaseExceptionGroup):
        await work.refresh.for_ever()
    assert work.assessments.pruned == 1
    assert work.refresh.feed_failure is None


async def test_a_reading_ends_with_the_gate_and_not_long_after_it() -> None:
    days = LongDay([[date(2026, 11, 20)]])
    working = asyncio.create_task(Work(Time(1), days=days).refresh._days_for_ever(days))
    await asyncio.to_thread(days.begun.wait)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    days.goes_on.set()
    assert await asyncio.to_thread(days.how.exception, 20) is not None
