"""Politeness towards a service, over restarts: how often it is asked, when it is left alone.

What happened is a `Spent`, and the rules on it are pure functions of it and of the time. `Budget`
applies them at the edge: it counts each request, refuses those that are too many (never waits: who
refreshes knows better what to do meanwhile), and leaves a service alone for as long as it wishes,
or, where it failed without a wish, twice as long each time, with some chance in it so that
many gates do not come back at the same second.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from indexgate.sources.limits import LIMITS, Limit, Limits
from indexgate.sources.protocol import SourceFailed

SHORTEST_PAUSE = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(hours=1)
"""Of the pauses that we take by ourselves; a service's own wish may be up to a day."""

_TROUBLE = {"timeout", "refused", "dns", "cut-off", "certificate"}
_DOWN = 2  # failures in a row after which nobody waits for the service
_MOST_FAILURES = 12  # from here on every pause is the longest


class Window(Struct, frozen=True, kw_only=True):
    """The requests counted in a window of `seconds` that began at `started`."""

    seconds: int
    started: datetime
    used: int


class Spent(Struct, frozen=True, kw_only=True):
    """What a service was asked lately, until when it is left alone, how often it failed in a row.

    Times are aware UTC. `wished` says that the service itself said until when.
    """

    windows: tuple[Window, ...] = ()
    paused_until: datetime | None = None
    failures: int = 0
    wished: bool = False


NOTHING_SPENT = Spent()


class BudgetBook(Protocol):
    """Where `Spent` is kept over restarts; one entry a budget."""

    def spent(self, source: str) -> Spent:
        """Return what is kept of *source*, `NOTHING_SPENT` when nothing is."""

    def keep(self, source: str, spent: Spent) -> None:
        """Replace what is kept."""


class MemoryBook:
    """A book that lasts as long as the process."""

    def __init__(self) -> None:
        self._kept: dict[str, Spent] = {}

    def spent(self, source: str) -> Spent:
        """Return what is kept of *source*."""
        return self._kept.get(source, NOTHING_SPENT)

    def keep(self, source: str, spent: Spent) -> None:
        """Replace what is kept."""
        self._kept[source] = spent


def ready_at(limits: Limits, spent: Spent, now: datetime) -> datetime:
    """Return when the next request may be sent: *now*, or later."""
    waits = [now]
    if spent.paused_until is not None:
        waits.append(spent.paused_until)
    for limit in limits.windows:
        window = _window(limit, spent, now)
        if window.used >= limit.requests:
            waits.append(window.started + timedelta(seconds=limit.seconds))
    return max(waits)


def left(limits: Limits, spent: Spent, now: datetime) -> tuple[tuple[Limit, int], ...]:
    """Return for each limit how many requests its window still has."""
    return tuple(
        (limit, max(0, limit.requests - _window(limit, spent, now).used))
        for limit in limits.windows
    )


def counted(limits: Limits, spent: Spent, now: datetime) -> Spent:
    """Return *spent* with one request more."""
    windows = (_window(limit, spent, now) for limit in limits.windows)
    return replace(spent, windows=tuple(replace(w, used=w.used + 1) for w in windows))


def paused(spent: Spent, now: datetime, *, wish: int | None, chance: float) -> Spent:
    """Return *spent* after a failure: with a pause of *wish* seconds, or of our own.

    Ours doubles with each failure in a row; *chance* (0..1) takes away up to a half of it. Failures
    of requests that were under way together count as one.
    """
    if spent.paused_until is not None and now < spent.paused_until:
        failures = spent.failures
    else:
        failures = min(spent.failures + 1, _MOST_FAILURES)
    own = min(SHORTEST_PAUSE * 2 ** max(0, failures - 1), LONGEST_PAUSE) * (1 - chance / 2)
    until = now + (own if wish is None else timedelta(seconds=wish))
    return replace(
        spent,
        failures=failures,
        paused_until=max(until, spent.paused_until or until),
        wished=wish is not None,
    )


def answered(spent: Spent) -> Spent:
    """Return *spent* after an answer: failures are forgotten, a pause under way is not."""
    return replace(spent, failures=0) if spent.failures else spent


def _window(limit: Limit, spent: Spent, now: datetime) -> Window:
    """Return the window of *limit* that *now* is in; a clock set back begins a new one."""
    for window in spent.windows:
        age = (now - window.started).total_seconds()
        if window.seconds == limit.seconds and 0 <= age < limit.seconds:
            return window
    return Window(seconds=limit.seconds, started=now, used=0)


class Budget:
    """The turns at one service. *clock* gives aware UTC times, *chance* numbers in 0..1."""

    def __init__(
        self,
        name: str,
        limits: Limits,
        book: BudgetBook,
        *,
        clock: Callable[[], datetime],
        chance: Callable[[], float],
    ) -> None:
        self.name = name
        self.limits = limits
        self._book = book
        self._clock = clock
        self._chance = chance
        self._at_once = asyncio.Semaphore(limits.at_once)

    @property
    def ready_at(self) -> datetime:
        """When the next request may be sent; a time that is past or now means at once."""
        return ready_at(self.limits, self._book.spent(self.name), self._clock())

    @property
    def left(self) -> tuple[tuple[Limit, int], ...]:
        """How many requests each limit still allows."""
        return left(self.limits, self._book.spent(self.name), self._clock())

    @property
    def spent(self) -> Spent:
        """What was asked lately, and the pause."""
        return self._book.spent(self.name)

    @asynccontextmanager
    async def turn(self, source: str) -> AsyncIterator[None]:
        """Count one request of *source* and note how it ends.

        Raises SourceFailed when it may not be sent now: of the kind `budget` where waiting helps,
        of the kind `resting` where the service seems to be down.
        """
        async with self._at_once:
            self._charge(source)
            try:
                yield
            except SourceFailed as failed:
                self._note(failed)
                raise
            self._book.keep(self.name, answered(self._book.spent(self.name)))

    def pause(self, seconds: int) -> None:
        """Leave the service alone for *seconds*: it said that little is left."""
        spent = self._book.spent(self.name)
        until = self._clock() + timedelta(seconds=seconds)
        until = max(until, spent.paused_until or until)
        self._book.keep(self.name, replace(spent, paused_until=until, wished=True))

    def _charge(self, source: str) -> None:
        now = self._clock()
        spent = self._book.spent(self.name)
        ready = ready_at(self.limits, spent, now)
        if ready > now:
            wait = int((ready - now).total_seconds()) + 1
            paused = spent.paused_until is not None and spent.paused_until > now
            if paused and not spent.wished and spent.failures >= _DOWN:
                why = "failed several times and is left alone for a while"
                raise SourceFailed(source, "resting", why, retry_after=wait)
            why = "is left alone for a while" if paused else "was asked as often as is polite"
            raise SourceFailed(source, "budget", why, retry_after=wait)
        self._book.keep(self.name, counted(self.limits, spent, now))

    def _note(self, failed: SourceFailed) -> None:
        spent = self._book.spent(self.name)
        status = failed.status or 0
        if failed.kind in _TROUBLE or status in {401, 403, 429} or status >= 500:
            spent = paused(spent, self._clock(), wish=failed.retry_after, chance=self._chance())
        else:  # it answered, if not what was hoped for
            spent = answered(spent)
        self._book.keep(self.name, spent)


class Budgets:
    """The budgets of all services, each made once."""

    def __init__(
        self, book: BudgetBook, *, clock: Callable[[], datetime], chance: Callable[[], float]
    ) -> None:
        self._book = book
        self._clock = clock
        self._chance = chance
        self._made: dict[str, Budget] = {}

    def of(self, name: str) -> Budget:
        """Return the budget of *name*, a key of `LIMITS`. Raises KeyError."""
        if name not in self._made:
            self._made[name] = Budget(
                name, LIMITS[name], self._book, clock=self._clock, chance=self._chance
            )
        return self._made[name]
