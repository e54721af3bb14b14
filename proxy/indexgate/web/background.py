"""The background work of a gate, put together: feeds, days of the log, what is forgotten."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct
from packaging.utils import NormalizedName

from indexgate.config import Settings
from indexgate.day_reading import DayReader
from indexgate.gate import Gate
from indexgate.index.listing import Listing
from indexgate.index.protocol import NoSuchProject, UpstreamFailed
from indexgate.logs import say
from indexgate.refresh import ASKED_SINCE, Refresh
from indexgate.sources.day_log import DayLog
from indexgate.sources.osv_records import FeedState
from indexgate.sources.protocol import SourceFailed
from indexgate.store.database import Store
from indexgate.store.source_book import SourceBook
from indexgate.surging_together import relate_surges
from indexgate.upstream_choice import UpstreamChoice
from indexgate.web.late import Late
from indexgate.web.sources import Sources, asked_projects, private, proxy_to, with_login

if TYPE_CHECKING:
    import httpx

    from indexgate.sources.osv import OsvFeed
    from indexgate.sources.release_feed import Released, ReleaseFeed

Clock: TypeAlias = Callable[[], datetime]


class Surrounding(Struct, frozen=True):
    """What the background works with; *spool* is a folder for a while."""

    gate: Gate
    store: Store
    sources: Sources
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
        feed = _Advisories(Late(stack, partial(_osv_feed, settings.osv_url, choice, around)))
    is_private = private(settings.private_names)
    days = tuple(_day_reader(log, gate, store, clock, is_private) for log in sources.logs)
    refresh = Refresh(
        feed=feed,
        assessments=store.assessments,
        record=store.decisions,
        index_id=choice.index_id,
        queue=gate.facts.queue_due,
        releases=_releases(stack, settings, choice, sources),
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
    stack: AsyncExitStack,
    settings: Settings,
    choice: UpstreamChoice,
    around: Surrounding,
    clock: Clock,
) -> Refresh:
    """Return the background work for an index beside the main one: its own projects, no feeds."""
    store, gate = around.store, around.gate
    return Refresh(
        feed=None,
        assessments=store.assessments,
        record=store.decisions,
        index_id=choice.index_id,
        queue=gate.facts.queue_due,
        releases=_releases(stack, settings, choice, around.sources),
        relate=partial(relate_surges, store, choice.index_id),
        clock=clock,
        log=say("refresh"),
    )


class _Advisories(Struct, frozen=True):
    """OSV's feed."""

    late: "Late[OsvFeed]"

    async def refresh(self, now: datetime) -> FeedState:
        """Bring the local copy up to date. Raises SourceFailed."""
        return await (await self.late.opened()).refresh(now)


def _osv_feed(
    base: str, choice: UpstreamChoice, around: Surrounding
) -> "tuple[OsvFeed, httpx.AsyncClient]":
    from indexgate.sources import outbound
    from indexgate.sources.osv import OsvFeed

    client = outbound.client(proxy=proxy_to(base, choice), timeout=30.0)
    return OsvFeed(client, around.store.advisories, base=base, spool=around.spool), client


def _releases(
    stack: AsyncExitStack, settings: Settings, choice: UpstreamChoice, sources: Sources
) -> "_Releases | None":
    """Return the feed of the public index; others are seldom so busy that it would tell much."""
    if settings.offline or not choice.public:
        return None
    return _Releases(Late(stack, partial(_release_feed, settings, choice, sources)), sources.book)


class _Releases(Struct, frozen=True):
    """The index's feed of new releases, each reading noted in the book of sources."""

    late: "Late[ReleaseFeed]"
    book: SourceBook

    async def recent(self, now: datetime) -> "tuple[Released, ...]":
        """Return what the feed holds. Raises SourceFailed."""
        feed = await self.late.opened()
        from indexgate.sources.release_feed import NAME  # is there by now

        try:
            released = await feed.recent(now)
        except SourceFailed as error:
            self.book.failed(NAME, now, error.reason)
            raise
        self.book.succeeded(NAME, now)
        return released


def _release_feed(
    settings: Settings, choice: UpstreamChoice, sources: Sources
) -> "tuple[ReleaseFeed, httpx.AsyncClient]":
    from indexgate.sources import outbound
    from indexgate.sources.release_feed import NAME, ReleaseFeed

    client = outbound.client(
        ca_bundle=choice.ca,
        certificate=choice.client_cert,
        proxy=proxy_to(choice.url, choice),
        timeout=(choice.timeout or settings.upstream_timeout).total_seconds(),
    )
    budget = sources.budgets.of(NAME)
    return ReleaseFeed(client, budget, index_url=with_login(choice)), client


class _OldHistory(Struct, frozen=True):
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
                gate.listings.of(project, asked=False), loop
            ).result()
        except (NoSuchProject, UpstreamFailed):
            return None

    return DayReader(
        log, store.history, index_id=index_id, projects=asked, listing=listing, clock=clock
    )
