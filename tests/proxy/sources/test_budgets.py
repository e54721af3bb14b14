import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexgate.sources.budgets import (
    LONGEST_PAUSE,
    NOTHING_SPENT,
    Budget,
    Budgets,
    MemoryBook,
    Spent,
    answered,
    counted,
    paused,
    ready_at,
)
from indexgate.sources.limits import LIMITS, Limit, Limits
from indexgate.sources.protocol import SourceFailed

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TWO_A_MINUTE = Limits(
    at_once=1,
    windows=(Limit(requests=2, seconds=60), Limit(requests=3, seconds=3600)),
    stated="none",
)


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def on(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def budget(clock: Clock, book: MemoryBook | None = None) -> Budget:
    return Budget("x", TWO_A_MINUTE, book or MemoryBook(), clock=clock, chance=lambda: 0.0)


async def spend(spending: Budget, failed: SourceFailed | None = None) -> None:
    async with spending.turn("x"):
        if failed is not None:
            raise failed


async def test_a_request_too_many_is_refused_with_the_seconds_until_the_next() -> None:
    clock = Clock()
    spending = budget(clock)
    await spend(spending)
    clock.on(10)
    await spend(spending)
    assert [(str(limit), left) for limit, left in spending.left] == [
        ("2 a minute", 0),
        ("3 an hour", 1),
    ]
    with pytest.raises(SourceFailed) as caught:
        await spend(spending)
    assert (caught.value.kind, caught.value.retry_after) == ("budget", 51)
    assert caught.value.reason == "was asked as often as is polite"
    assert spending.ready_at == NOW + timedelta(seconds=60)


async def test_a_window_ends_and_the_longer_one_still_counts() -> None:
    clock = Clock()
    spending = budget(clock)
    for _ in range(2):
        await spend(spending)
    clock.on(60)
    await spend(spending)
    with pytest.raises(SourceFailed) as caught:
        await spend(spending)
    assert caught.value.retry_after == 3600 - 60 + 1


async def test_what_was_spent_survives_a_restart() -> None:
    clock, book = Clock(), MemoryBook()
    for _ in range(2):
        await spend(budget(clock, book))
    with pytest.raises(SourceFailed, match="as often as is polite"):
        await spend(budget(clock, book))


async def test_a_wish_to_be_left_alone_is_kept() -> None:
    clock = Clock()
    spending = budget(clock)
    limited = SourceFailed("x", "status", "answered 429", status=429, retry_after=30)
    with pytest.raises(SourceFailed):
        await spend(spending, limited)
    clock.on(29)
    with pytest.raises(SourceFailed, match="is left alone for a while"):
        await spend(spending)
    clock.on(1)
    await spend(spending)


@pytest.mark.parametrize(
    ("kind", "status", "alone"),
    [
        ("timeout", None, True),
        ("refused", None, True),
        ("cut-off", None, True),
        ("status", 500, True),
        ("status", 503, True),
        ("status", 429, True),
        ("status", 403, True),
        ("status", 401, True),
        ("status", 404, False),
        ("garbage", None, False),
        ("too-large", None, False),
    ],
)
async def test_a_service_in_trouble_is_left_alone_and_one_that_only_lacks_a_project_is_not(
    kind: str, status: int | None, alone: bool
) -> None:
    spending = budget(Clock())
    with pytest.raises(SourceFailed):
        await spend(spending, SourceFailed("x", kind, "failed", status=status))
    assert (spending.ready_at > NOW) == alone


async def test_a_service_that_says_that_little_is_left_does_not_shorten_its_own_wish() -> None:
    spending = budget(Clock())
    with pytest.raises(SourceFailed):
        await spend(spending, SourceFailed("x", "status", "no", status=429, retry_after=600))
    spending.pause(60)
    assert spending.ready_at == NOW + timedelta(seconds=600)


async def test_an_answer_ends_the_row_of_failures() -> None:
    clock = Clock()
    spending = budget(clock)
    with pytest.raises(SourceFailed):
        await spend(spending, SourceFailed("x", "timeout", "was slow"))
    clock.on(120)
    await spend(spending)
    assert spending.spent.failures == 0


async def test_no_more_requests_are_under_way_than_allowed() -> None:
    spending = budget(Clock())
    entered, leave = asyncio.Event(), asyncio.Event()
    order: list[str] = []

    async def first() -> None:
        async with spending.turn("x"):
            order.append("first")
            entered.set()
            await leave.wait()
            order.append("first done")

    async def second() -> None:
        await entered.wait()
        leave.set()
        async with spending.turn("x"):
            order.append("second")

    await asyncio.gather(first(), second())
    assert order == ["first", "first done", "second"]


def test_pauses_double_up_to_an_hour_and_chance_takes_at_most_half() -> None:
    spent, now, lengths = NOTHING_SPENT, NOW, []
    for _ in range(14):
        spent = paused(spent, now, wish=None, chance=0.0)
        assert spent.paused_until is not None
        lengths.append((spent.paused_until - now).total_seconds())
        now = spent.paused_until
    assert lengths[:5] == [2, 4, 8, 16, 32]
    assert lengths[-1] == LONGEST_PAUSE.total_seconds()
    half = paused(NOTHING_SPENT, NOW, wish=None, chance=1.0)
    assert half.paused_until == NOW + timedelta(seconds=1)


def test_failures_that_were_under_way_together_count_as_one() -> None:
    spent = paused(NOTHING_SPENT, NOW, wish=None, chance=0.0)
    again = paused(spent, NOW + timedelta(seconds=1), wish=None, chance=0.0)
    assert again.failures == 1


def test_a_later_pause_is_never_cut_short_by_an_earlier_one() -> None:
    spent = paused(NOTHING_SPENT, NOW, wish=600, chance=0.0)
    assert paused(spent, NOW, wish=1, chance=0.0).paused_until == NOW + timedelta(seconds=600)


def test_a_clock_that_was_set_back_does_not_lock_a_source_out() -> None:
    spent = Spent()
    for _ in range(2):
        spent = counted(TWO_A_MINUTE, spent, NOW + timedelta(days=30))
    assert ready_at(TWO_A_MINUTE, spent, NOW) == NOW


@given(st.lists(st.integers(0, 90), min_size=1, max_size=60))
def test_no_window_ever_holds_more_than_its_limit(steps: list[int]) -> None:
    spent, now = NOTHING_SPENT, NOW
    sent: list[datetime] = []
    for step in steps:
        now += timedelta(seconds=step)
        if ready_at(TWO_A_MINUTE, spent, now) <= now:
            spent = answered(counted(TWO_A_MINUTE, spent, now))
            sent.append(now)
    for limit in TWO_A_MINUTE.windows:
        span = timedelta(seconds=limit.seconds)
        windows = [sum(start <= at < start + span for at in sent) for start in sent]
        # Windows do not slide, so two of them may meet: never more than twice in any span.
        assert max(windows, default=0) <= 2 * limit.requests


def test_every_named_budget_can_be_had_and_is_one() -> None:
    budgets = Budgets(MemoryBook(), clock=Clock(), chance=lambda: 0.5)
    for name in LIMITS:
        assert budgets.of(name) is budgets.of(name)
