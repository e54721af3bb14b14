"""What goes on in the background: the advisory feed, old assessments, and what is kept too long.

Nothing that fails here ends the gate: it is told, and tried again later.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from packaging.utils import NormalizedName

from indexgate.sources.osv_records import FeedState
from indexgate.sources.protocol import SourceFailed
from indexgate.store.engines import StoreFailed

FEED_EVERY = timedelta(minutes=30)
FEED_RETRY = timedelta(minutes=2)
"""A feed that failed is asked again sooner, but not so soon that it is in anybody's way."""

DUE_EVERY = timedelta(minutes=5)
DUE_AT_ONCE = 200
ASKED_SINCE = timedelta(days=30)
"""Projects that nobody asked for in this time are not kept up to date."""

POSTPONED = timedelta(hours=1)
"""How long a project that is due again at once, as its refresh failed, lets others go first."""

TIDY_EVERY = timedelta(hours=6)


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

    def due(
        self, index_id: str, now: datetime, limit: int, *, asked_since: datetime | None = None
    ) -> list[NormalizedName]:
        """Return the projects to assess anew, those that are due for longest first."""


async def sleep(time: timedelta) -> None:
    """Wait for *time*."""
    await asyncio.sleep(time.total_seconds())


@dataclass(slots=True)
class Refresh:
    """The background work of one gate. `feed` is None when no advisories are wanted, or offline.

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
    wait: Callable[[timedelta], Awaitable[None]] = sleep
    feed_failure: str | None = field(default=None, init=False)
    _queued: dict[NormalizedName, datetime] = field(default_factory=dict, init=False)

    async def for_ever(self) -> None:
        """Do all of it until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            if self.feed is not None:
                tasks.create_task(self._feed_for_ever(self.feed))
            tasks.create_task(self._due_for_ever())
            tasks.create_task(self._tidy_for_ever())

    async def _feed_for_ever(self, feed: Feed) -> None:
        while True:
            await self.wait(await self._read(feed))

    async def _due_for_ever(self) -> None:
        while True:
            await self.wait(DUE_EVERY)
            try:
                self._queue_due()
            except Exception as error:
                self.log("refresh-failed", _told(error))

    async def _tidy_for_ever(self) -> None:
        while True:
            for pruned in (self.assessments, self.record):
                try:
                    await pruned.prune(self.clock())
                except Exception as error:
                    self.log("tidy-failed", _told(error))
            await self.wait(TIDY_EVERY)

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
    if isinstance(error, StoreFailed):
        return error.message
    return f"{type(error).__name__}: {error}"
