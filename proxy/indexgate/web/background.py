"""The background work of a gate, put together: feeds, days of the log, what is forgotten."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeAlias

import httpx
from packaging.utils import NormalizedName

from indexgate.config import Settings
from indexgate.day_reading import DayReader
from indexgate.gate import Gate
from indexgate.index.listing import Listing
from indexgate.index.protocol import NoSuchProject, UpstreamFailed
from indexgate.logs import say
from indexgate.refresh import ASKED_SINCE, Refresh
from indexgate.sources import outbound, release_feed
from indexgate.sources.day_log import DayLog
from indexgate.sources.osv import OsvFeed
from indexgate.sources.protocol import SourceFailed
from indexgate.sources.release_feed import Released, ReleaseFeed
from indexgate.store.database import Store
from indexgate.store.source_book import SourceBook
from indexgate.surging_together import relate_surges
from indexgate.upstream_choice import UpstreamChoice
from indexgate.web.sources import Sources, asked_projects, private, proxy_to, with_login

Clock: TypeAlias = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Surrounding:
    """What the background works with; *client* asks upstream, *spool* is a folder for a while."""

    gate: Gate
    store: Store
    sources: Sources
    client: httpx.AsyncClient
    spool: Path


def open_background(
    stack: AsyncExitStack,
    settings: Settings,
    choice: UpstreamChoice,
    around: Surrounding,
    clock: Clock,
) -> tuple[Refresh, tuple[DayReader, ...]]:
    """Return the background work, and the readers of days in it; *stack* closes what they open."""
    store, gate, sources = around.store, around.gate, around.sources
    feed = None
    if settings.osv_url is not None and choice.public and not settings.offline:
        feeds = outbound.client(proxy=proxy_to(settings.osv_url, choice), timeout=30.0)
        stack.push_async_callback(feeds.aclose)
        feed = OsvFeed(feeds, store.advisories, base=settings.osv_url, spool=around.spool)
    is_private = private(settings.private_names)
    days = tuple(_day_reader(log, gate, store, clock, is_private) for log in sources.logs)
    refresh = Refresh(
        feed=feed,
        assessments=store.assessments,
        record=store.decisions,
        index_id=choice.index_id,
        queue=gate.facts.queue_due,
        releases=_release_feed(settings, choice, around.client, sources),
        days=days,
        others=(
            *(_OldHistory(store), store.asked, store.served, store.answers),
            *(store.exemption_requests, store.exemption_uses),
        ),
        relate=partial(relate_surges, store, choice.index_id),
        clock=clock,
        log=say("refresh"),
    )
    return refresh, days


def further_background(
    settings: Settings, choice: UpstreamChoice, around: Surrounding, clock: Clock
) -> Refresh:
    """Return the background work for an index beside the main one: its own projects, no feeds."""
    store, gate = around.store, around.gate
    return Refresh(
        feed=None,
        assessments=store.assessments,
        record=store.decisions,
        index_id=choice.index_id,
        queue=gate.facts.queue_due,
        releases=_release_feed(settings, choice, around.client, around.sources),
        relate=partial(relate_surges, store, choice.index_id),
        clock=clock,
        log=say("refresh"),
    )


def _release_feed(
    settings: Settings, choice: UpstreamChoice, client: httpx.AsyncClient, sources: Sources
) -> "_NotedFeed | None":
    """Return the feed of the public index; others are seldom so busy that it would tell much."""
    if settings.offline or not choice.public:
        return None
    budget = sources.budgets.of(release_feed.NAME)
    return _NotedFeed(ReleaseFeed(client, budget, index_url=with_login(choice)), sources.book)


@dataclass(frozen=True, slots=True)
class _NotedFeed:
    """The feed, each reading noted in the book of sources."""

    feed: ReleaseFeed
    book: SourceBook

    async def recent(self, now: datetime) -> tuple[Released, ...]:
        """Return what the feed holds. Raises SourceFailed."""
        try:
            released = await self.feed.recent(now)
        except SourceFailed as error:
            self.book.failed(release_feed.NAME, now, error.reason)
            raise
        self.book.succeeded(release_feed.NAME, now)
        return released


@dataclass(frozen=True, slots=True)
class _OldHistory:
    """The download history, as something that forgets what is too old."""

    store: Store

    async def prune(self, now: datetime) -> int:
        """Let go of what is too old at *now*, off the loop. Raises StoreFailed."""
        return await asyncio.to_thread(self.store.history.roll_over)


def _day_reader(
    log: DayLog,
    gate: Gate,
    store: Store,
    clock: Clock,
    is_private: Callable[[NormalizedName], bool],
) -> DayReader:
    """Return what reads days of *log*, from threads beside the running loop."""
    loop = asyncio.get_running_loop()
    index_id = gate.index_id

    def asked() -> frozenset[NormalizedName]:
        names = asked_projects(store, index_id, clock() - ASKED_SINCE)
        return frozenset(name for name in names if not is_private(name))

    def listing(project: NormalizedName) -> Listing | None:
        try:
            return asyncio.run_coroutine_threadsafe(
                gate.listing(project, asked=False), loop
            ).result()
        except (NoSuchProject, UpstreamFailed):
            return None

    return DayReader(
        log, store.history, index_id=index_id, projects=asked, listing=listing, clock=clock
    )
