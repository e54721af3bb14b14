"""What goes on in the background: feeds, days of the log, old assessments, what is kept too long.

Nothing that fails here ends the gate: it is told, and tried again later.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from packaging.utils import NormalizedName

from indexgate.day_reading import Reading
from indexgate.sources.osv_records import FeedState
from indexgate.sources.protocol import SourceFailed
from indexgate_policy.assessment import Assessment
from indexgate_policy.errors import Explained

if TYPE_CHECKING:
    from indexgate.sources.release_feed import Released

FEED_EVERY = timedelta(minutes=30)
FEED_RETRY = timedelta(minutes=2)
"""A feed that failed is asked again sooner, but not so soon that it is in anybody's way."""

DUE_EVERY = timedelta(minutes=5)
DUE_AT_ONCE = 200
ASKED_SINCE = timedelta(days=30)
"""Projects that nobody asked for in this time are not kept up to date."""

POSTPONED = timedelta(hours=1)
"""How long a project that is due again at once, as its refresh failed, lets others go first."""

RELATE_EVERY = timedelta(hours=3)

TIDY_EVERY = timedelta(hours=6)


DAYS_EVERY = timedelta(hours=6)
"""A day is settled once a day; those that could not be read are tried again in between."""


class Days(Protocol):
    """A reader of days of the download log; its methods block."""

    @property
    def source(self) -> str:
        """The name of the log."""

    def due(self) -> Sequence[date]:
        """Return the days that are to be read now, the newest first."""

    def read(self, day: date, *, tell: Callable[[int], None]) -> Reading:
        """Read *day* as a whole; *tell* hears of its rows, and may raise to end it."""


RELEASES_EVERY = timedelta(minutes=5)
"""The feed holds about a quarter of an hour of a busy index."""


class Releases(Protocol):
    """The index's own feed of new releases."""

    async def recent(self, now: datetime) -> "Sequence[Released]":
        """Return what came out lately. Raises SourceFailed."""


class Feed(Protocol):
    """An advisory feed."""

    async def refresh(self, now: datetime) -> FeedState:
        """Bring the local copy up to date. Raises SourceFailed."""


class Pruned(Protocol):
    """Something that forgets what is too old."""

    async def prune(self, now: datetime) -> int:
        """Delete what is too old; return how many rows."""


class Due(Pruned, Protocol):
    """The stored assessments, as far as the refresh needs them."""

    def current(self, index_id: str, project: NormalizedName) -> Assessment | None:
        """Return the assessment in force, None for a project that was never assessed."""

    def due(
        self, index_id: str, now: datetime, limit: int, *, asked_since: datetime | None = None
    ) -> list[NormalizedName]:
        """Return the projects to assess anew, those that are due for longest first."""


class _Ended(Exception):
    """Raised inside a reading that nobody waits for any more."""


async def sleep(time: timedelta) -> None:
    """Wait for *time*."""
    await asyncio.sleep(time.total_seconds())


@dataclass(slots=True)
class Refresh:
    """The background work of one gate. `feed` is None when no advisories are wanted, or offline.

    `releases` is the index's feed of new releases, None where there is none or nobody may be asked;
    `days` are logs that are read by days, `others` what else forgets what is too old. `relate`
    compares the projects with each other and returns those that are to be assessed again.
    `feed_failure` says why the feed could not be read last; None after a success. `wait` is how
    time passes between two turns of the work.
    """

    feed: Feed | None
    assessments: Due
    record: Pruned
    index_id: str
    queue: Callable[[NormalizedName], None]
    clock: Callable[[], datetime]
    log: Callable[[str, str], None]
    releases: Releases | None = None
    days: Sequence[Days] = ()
    others: Sequence[Pruned] = ()
    relate: Callable[[], Awaitable[Iterable[NormalizedName]]] | None = None
    wait: Callable[[timedelta], Awaitable[None]] = sleep
    feed_failure: str | None = field(default=None, init=False)
    _released: set[tuple[NormalizedName, str]] = field(default_factory=set, init=False)
    _queued: dict[NormalizedName, datetime] = field(default_factory=dict, init=False)

    async def for_ever(self) -> None:
        """Do all of it until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            if self.feed is not None:
                tasks.create_task(self._feed_for_ever(self.feed))
            if self.releases is not None:
                tasks.create_task(self._releases_for_ever(self.releases))
            for log in self.days:
                tasks.create_task(self._days_for_ever(log))
            if self.relate is not None:
                tasks.create_task(self._relate_for_ever(self.relate))
            tasks.create_task(self._due_for_ever())
            tasks.create_task(self._tidy_for_ever())

    async def _rest(self, time: timedelta) -> None:
        """Wait for *time*. Who was told to end ends here, where a failure in that moment hid it."""
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise asyncio.CancelledError
        await self.wait(time)

    async def _feed_for_ever(self, feed: Feed) -> None:
        while True:
            await self._rest(await self._read(feed))

    async def _releases_for_ever(self, feed: Releases) -> None:
        while True:
            try:
                self._queue_released(await feed.recent(self.clock()))
            except Exception as error:
                self.log("releases-failed", _told(error))
            await self._rest(RELEASES_EVERY)

    def _queue_released(self, recent: "Sequence[Released]") -> None:
        """Queue the projects that are known here and have something new. Raises StoreFailed."""
        told = {(released.project, released.version) for released in recent}
        for name in sorted({name for name, _ in told - self._released}):
            if self.assessments.current(self.index_id, name) is not None:
                self.queue(name)
        self._released = told

    async def _days_for_ever(self, log: Days) -> None:
        ended = threading.Event()

        def tell(_rows: int) -> None:
            if ended.is_set():
                raise _Ended

        try:
            while True:
                await self._read_days(log, tell)
                await self._rest(DAYS_EVERY)
        finally:
            ended.set()  # else the program waits for its thread, which is not cancelled

    async def _read_days(self, log: Days, tell: Callable[[int], None]) -> None:
        try:
            for day in await asyncio.to_thread(log.due):
                read = await asyncio.to_thread(log.read, day, tell=tell)
                self.log("day-read", f"{log.source}: {day}, {read.projects:,} projects")
        except Exception as error:
            # The budget is used up, say: what is due stays due, the newest day first.
            self.log("day-failed", f"{log.source}: {_told(error)}")

    async def _relate_for_ever(
        self, relate: Callable[[], Awaitable[Iterable[NormalizedName]]]
    ) -> None:
        while True:
            await self._rest(RELATE_EVERY)
            try:
                for project in await relate():
                    self.queue(project)
            except Exception as error:
                self.log("relating-failed", _told(error))

    async def _due_for_ever(self) -> None:
        while True:
            await self._rest(DUE_EVERY)
            try:
                self._queue_due()
            except Exception as error:
                self.log("refresh-failed", _told(error))

    async def _tidy_for_ever(self) -> None:
        while True:
            for pruned in (self.assessments, self.record, *self.others):
                try:
                    await pruned.prune(self.clock())
                except Exception as error:
                    self.log("tidy-failed", _told(error))
            await self._rest(TIDY_EVERY)

    async def _read(self, feed: Feed) -> timedelta:
        """Read the feed; return how long it may rest now."""
        try:
            state = await feed.refresh(self.clock())
        except Exception as error:
            self.feed_failure = _told(error)
            self.log("feed-failed", f"{self.feed_failure}; advisories stay as they were read last")
            wish = error.retry_after if isinstance(error, SourceFailed) else None
            return max(FEED_RETRY, timedelta(seconds=min(wish or 0, 3600)))
        self.feed_failure = None
        self.log("feed-read", f"osv: {state.records} records")
        return FEED_EVERY

    def _queue_due(self) -> None:
        """Queue what is due. What was queued before and is due still could not be refreshed.

        Raises StoreFailed.
        """
        now = self.clock()
        most = DUE_AT_ONCE + len(self._queued)
        due = self.assessments.due(self.index_id, now, most, asked_since=now - ASKED_SINCE)
        recently = {name: at for name, at in self._queued.items() if now - at < POSTPONED}
        turn = [name for name in due if name not in recently][:DUE_AT_ONCE]
        for name in turn:
            self.queue(name)
        still = {name: recently[name] for name in due if name in recently}
        self._queued = {**still, **dict.fromkeys(turn, now)}


def _told(error: Exception) -> str:
    """Say what failed; the name of an error that nobody foresaw is part of it."""
    if isinstance(error, SourceFailed):
        return str(error)
    if isinstance(error, Explained):
        return error.message
    return f"{type(error).__name__}: {error}"
