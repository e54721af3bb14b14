"""What goes on in the background: the advisory feed, old assessments, and what is kept too long."""

import asyncio
from collections.abc import Callable
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
ASKED_SINCE = timedelta(days=30)
"""Projects that nobody asked for in this time are not kept up to date."""

_DUE_AT_ONCE = 200
_TIDY_EVERY = timedelta(hours=6)


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
        self, now: datetime, limit: int, *, asked_since: datetime | None = None
    ) -> list[tuple[str, NormalizedName]]:
        """Return the assessments to make anew."""


@dataclass(slots=True)
class Refresh:
    """The background work of one gate. `feed` is None when no advisories are wanted, or offline."""

    feed: Feed | None
    assessments: Due
    record: Pruned
    index_id: str
    queue: Callable[[NormalizedName], None]
    clock: Callable[[], datetime]
    log: Callable[[str, str], None]
    feed_failure: str | None = field(default=None, init=False)

    async def for_ever(self) -> None:
        """Do all of it until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._feed_for_ever())
            tasks.create_task(self._due_for_ever())
            tasks.create_task(self._tidy_for_ever())

    async def _feed_for_ever(self) -> None:
        while self.feed is not None:
            wait = FEED_EVERY
            try:
                state = await self.feed.refresh(self.clock())
            except SourceFailed as error:
                self.feed_failure = str(error)
                self.log("feed-failed", f"{error}; advisories stay as they were read last")
                wait = max(FEED_RETRY, timedelta(seconds=min(error.retry_after or 0, 3600)))
            except StoreFailed as error:
                self.feed_failure = error.message
                self.log("feed-failed", error.message)
                wait = FEED_RETRY
            else:
                self.feed_failure = None
                self.log("feed-read", f"osv: {state.records} records")
            await asyncio.sleep(wait.total_seconds())

    async def _due_for_ever(self) -> None:
        while True:
            await asyncio.sleep(DUE_EVERY.total_seconds())
            now = self.clock()
            try:
                due = self.assessments.due(now, _DUE_AT_ONCE, asked_since=now - ASKED_SINCE)
            except StoreFailed as error:
                self.log("refresh-failed", error.message)
                continue
            for index_id, project in due:
                if index_id == self.index_id:
                    self.queue(project)

    async def _tidy_for_ever(self) -> None:
        while True:
            try:
                await self.assessments.prune(self.clock())
                await self.record.prune(self.clock())
            except StoreFailed as error:
                self.log("tidy-failed", error.message)
            await asyncio.sleep(_TIDY_EVERY.total_seconds())
