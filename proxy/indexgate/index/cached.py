"""Pages from memory or disk while they are fresh, from upstream when they are not.

One flight a project: whoever asks while a page is being fetched waits for the same answer, and a
client that goes away does not end it. A known page is never kept waiting for a slow upstream: after
a short patience the stored one is served, marked stale, while the refresh goes on.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from cachetools import LRUCache, TTLCache
from msgspec import Struct
from msgspec.structs import replace
from packaging.utils import NormalizedName

from indexgate.index.in_turn import Place, join, my_place
from indexgate.index.once import EACH_ALONE, Once
from indexgate.index.page_folder import PageFolder
from indexgate.index.page_saver import PageSaver
from indexgate.index.protocol import NoSuchProject, Snapshot, UpstreamFailed
from indexgate.index.trace import met_page, waiting_for_upstream
from indexgate.simple.model import NEWEST

_MOST_BARE = 20_000
_CLOCK_MAY_STEP_BACK = 60.0  # seconds


class PageSource(Protocol):
    """Where fresh pages come from."""

    async def page(self, project: NormalizedName, known: Snapshot | None) -> Snapshot:
        """Fetch a page; *known* makes it conditional. Raises NoSuchProject, UpstreamFailed."""


class Freshness(Struct, frozen=True, kw_only=True):
    """How long pages are good, in seconds.

    `ttl`: served without asking upstream. `patience`: how long a client waits for the refresh of a
    page that is stored. `max_stale`: how old a stored page may be when upstream fails. `missing`:
    how long "no such project" is remembered. `breather`: pause between tries of a failing upstream.
    """

    ttl: float = 600.0
    patience: float = 0.15
    max_stale: float = 30 * 86400.0
    missing: float = 10.0
    breather: float = 2.0


class CachedIndex:
    """The pages of one index, kept in memory (*max_bytes*, packed) and on disk.

    `source` None means offline: only what is stored is served. `joined` counts those who found the
    page they wanted being fetched for somebody else. Other workers over the same folder fetch a
    page *once* with this one, and *learned* tells them whether upstream has a page; see `hear`.
    """

    def __init__(
        self,
        source: PageSource | None,
        folder: PageFolder,
        *,
        freshness: Freshness,
        clock: Callable[[], datetime],
        max_bytes: int,
        log: Callable[[str, str], None] = lambda _event, _text: None,
        once: Once = EACH_ALONE,
        learned: Callable[[NormalizedName, bool], None] = lambda _project, _there: None,
    ) -> None:
        self._source = source
        self._folder = folder
        self._saver = PageSaver(folder, log)
        self._freshness = freshness
        self._clock = clock
        self._log = log
        self._once = once
        self._learned = learned
        self._memory: LRUCache[NormalizedName, Snapshot] = LRUCache(
            max_bytes, getsizeof=lambda snapshot: len(snapshot.packed) + 500
        )
        # What is known of pages outlives their bytes: what was made of them is still good.
        self._bare: LRUCache[NormalizedName, Snapshot] = LRUCache(_MOST_BARE)
        self._missing: TTLCache[NormalizedName, bool] = TTLCache(
            10_000, freshness.missing, timer=lambda: clock().timestamp()
        )
        # With their places in the line of those who take in large pages.
        self._flights: dict[NormalizedName, tuple[asyncio.Future[Snapshot], Place | None]] = {}
        self._work: set[asyncio.Task[Snapshot]] = set()  # of fetching pages, and keeping them
        self._failures: OrderedDict[NormalizedName, tuple[datetime, UpstreamFailed]] = OrderedDict()
        self._newest_api = NEWEST
        self.joined = 0

    async def snapshot(
        self, project: NormalizedName, *, max_age: float | None = None, stand_in: bool = True
    ) -> Snapshot:
        """Return the page of *project*, confirmed at most *max_age* seconds ago if that can be.

        Without *stand_in* an older page does not do: upstream is waited for. Raises NoSuchProject,
        UpstreamFailed.
        """
        stored = self._memory.get(project)
        ttl = self._freshness.ttl if max_age is None else min(max_age, self._freshness.ttl)
        met_page("hit")
        if stored is not None and self._is_fresh(stored, ttl):
            return stored
        if project in self._missing:
            raise NoSuchProject(project)
        if stored is None:
            stored = await self._kept_longer(project)
            if stored is not None and self._is_fresh(stored, ttl):
                return stored
        return await self._refreshed(project, stored, stand_in=stand_in)

    def holds(self, project: NormalizedName) -> bool:
        """Tell whether the page of *project* is at hand without asking disk or upstream."""
        return project in self._bare

    def at_hand(self, project: NormalizedName) -> Snapshot | None:
        """Return the page of *project*, bare, if upstream need not be asked for it."""
        stored = self._bare.get(project)
        fresh = stored is not None and self._is_fresh(stored, self._freshness.ttl)
        return stored if fresh else None

    def _let_go(self, project: NormalizedName) -> None:
        """Forget the page in memory: it is not upstream's any more."""
        self._memory.pop(project, None)
        self._bare.pop(project, None)

    @property
    def bytes_in_memory(self) -> int:
        """The packed bytes of the pages in memory."""
        return int(self._memory.currsize)

    def hear(self, project: NormalizedName, there: bool) -> None:
        """Take in what another worker learned: upstream gave a page of *project*, or has none."""
        self._let_go(project)
        if there:
            self._missing.pop(project, None)
            self._failures.pop(project, None)
        else:
            self._missing[project] = True

    def stored_at(self, project: NormalizedName) -> datetime | None:
        """Return when upstream confirmed the page of *project* that is kept; None: none is."""
        kept = self._memory.get(project) or self._saver.waiting(project)
        kept = kept or self._folder.load(project)
        return None if kept is None else kept.fetched_at

    async def close(self) -> None:
        """End the fetches under way, and write what is not on the disk yet."""
        under_way = list(self._work)
        for work in under_way:
            work.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        await self._saver.written()

    async def _kept_longer(self, project: NormalizedName) -> Snapshot | None:
        """Return the page of *project* that is no longer in memory."""
        kept = self._saver.waiting(project)
        if kept is None and self._folder.holds(project):
            loaded = await asyncio.to_thread(self._folder.load, project)
            # Meanwhile a flight may have landed, or the page may be gone.
            kept = self._memory.get(project) or (None if project in self._missing else loaded)
        if kept is not None:
            self._keep(project, kept)
        return kept

    async def _refreshed(
        self, project: NormalizedName, stored: Snapshot | None, *, stand_in: bool
    ) -> Snapshot:
        fallback = (
            stored if stand_in and stored is not None and self._may_stand_in(stored) else None
        )
        if self._source is None:
            offline = UpstreamFailed("offline", "is not asked: the gate is offline")
            return self._stand_in(fallback, offline)
        recent = self._recent_failure(project)
        if recent is not None and fallback is not None:
            return self._stand_in(fallback, recent)
        flight = self._flight(self._source, project, stored)
        try:
            met_page("miss")
            with waiting_for_upstream():
                if fallback is None:
                    return await asyncio.shield(flight)
                return await asyncio.wait_for(asyncio.shield(flight), self._freshness.patience)
        except TimeoutError:
            return self._stand_in(fallback, UpstreamFailed("timeout", "is slow to answer"))
        except UpstreamFailed as error:
            return self._stand_in(fallback, error)

    def _stand_in(self, stored: Snapshot | None, error: UpstreamFailed) -> Snapshot:
        """Return the stored page marked stale, or raise *error* when there is none."""
        if stored is None:
            raise error
        met_page("stale")
        return replace(stored, stale=error.reason)

    def _flight(
        self, source: PageSource, project: NormalizedName, stored: Snapshot | None
    ) -> asyncio.Future[Snapshot]:
        under_way = self._flights.get(project)
        if under_way is not None:
            page, place = under_way
            self.joined += 1
            join(place)
            return page
        page = asyncio.get_running_loop().create_future()
        self._flights[project] = page, my_place()
        page.add_done_callback(lambda _: self._flights.pop(project))
        work = asyncio.create_task(self._fetch(source, project, stored, page))
        self._work.add(work)
        work.add_done_callback(partial(self._landed, page))
        return page

    def _landed(self, page: asyncio.Future[Snapshot], work: asyncio.Task[Snapshot]) -> None:
        self._work.discard(work)
        error = None if work.cancelled() else work.exception()
        if page.done():
            return
        if work.cancelled():
            page.cancel()
        elif error is not None:
            page.set_exception(error)
            page.exception()  # somebody may have stopped waiting: the failure is kept, not lost
        else:
            page.set_result(work.result())

    async def _fetch(
        self,
        source: PageSource,
        project: NormalizedName,
        stored: Snapshot | None,
        page: asyncio.Future[Snapshot],
    ) -> Snapshot:
        try:
            snapshot = await self._once.once(
                f"page {self._folder.index_id} {project}",
                lambda: self._fetch_and_save(source, project, stored, page),
                lambda: self._saved_since(project, stored),
            )
        except NoSuchProject:
            self._missing[project] = True
            self._let_go(project)
            await self._saver.forget(project)
            raise
        except UpstreamFailed as error:
            self._remember_failure(project, error, stored)
            raise
        except Exception as error:
            # Whatever an index can send, a stored page must be able to stand in for it.
            self._log("page-fault", f"{project}: {error!r}")
            fault = UpstreamFailed("garbage", "sent what the gate cannot take in")
            self._remember_failure(project, fault, stored)
            raise fault from error
        self._failures.pop(project, None)
        return snapshot

    async def _fetch_and_save(
        self,
        source: PageSource,
        project: NormalizedName,
        stored: Snapshot | None,
        page: asyncio.Future[Snapshot],
    ) -> Snapshot:
        """Fetch the page and keep it; who waits has it in *page* before it is on the disk."""
        try:
            snapshot = await source.page(project, stored)
        except NoSuchProject:
            self._learned(project, False)
            raise
        bare = snapshot.put_away()
        self._keep(project, bare)
        self._note_version(snapshot)
        page.set_result(snapshot)
        self._saver.save(bare)
        if self._once is not EACH_ALONE:
            await self._saver.written(project)  # the other workers look there
        if not self._saver.unkept(project):  # else what they have themselves is all they can have
            self._learned(project, True)
        return snapshot

    async def _saved_since(
        self, project: NormalizedName, known: Snapshot | None
    ) -> Snapshot | None:
        """Return the page that another worker saved after *known*, if one did."""
        if not self._folder.holds(project):
            return None
        saved = await asyncio.to_thread(self._folder.load, project)
        if saved is None or (known is not None and saved.fetched_at <= known.fetched_at):
            return None
        self._keep(project, saved)
        return saved

    def _note_version(self, snapshot: Snapshot) -> None:
        """Tell once of each API version that is newer than what is understood (PEP 629)."""
        version = snapshot.api_version
        if version is not None and version > self._newest_api:
            self._newest_api = version
            theirs, ours = (f"{major}.{minor}" for major, minor in (version, NEWEST))
            self._log(
                "newer-api", f"{snapshot.project}: upstream speaks {theirs}, newer than {ours}"
            )

    def _keep(self, project: NormalizedName, snapshot: Snapshot) -> None:
        self._bare[project] = snapshot.bare()
        try:
            self._memory[project] = snapshot
        except ValueError:  # larger than all of the memory: the disk has it
            self._memory.pop(project, None)

    def _age(self, snapshot: Snapshot) -> float:
        return (self._clock() - snapshot.fetched_at).total_seconds()

    def _is_fresh(self, snapshot: Snapshot, ttl: float) -> bool:
        """Tell whether upstream need not be asked; one from the future dates from a wrong clock."""
        return -_CLOCK_MAY_STEP_BACK <= self._age(snapshot) < ttl

    def _may_stand_in(self, stored: Snapshot | None) -> bool:
        return stored is not None and self._age(stored) <= self._freshness.max_stale

    def _recent_failure(self, project: NormalizedName) -> UpstreamFailed | None:
        failed = self._failures.get(project)
        if failed is None:
            return None
        at, error = failed
        fresh = self._clock() - at < timedelta(seconds=self._freshness.breather)
        return error if fresh else None

    def _remember_failure(
        self, project: NormalizedName, error: UpstreamFailed, stored: Snapshot | None
    ) -> None:
        rest = "a stored page stands in" if self._may_stand_in(stored) else "no page stands in"
        self._log("page-failed", f"{project}: upstream {error.reason}; {rest}")
        self._failures[project] = (self._clock(), error)
        while len(self._failures) > 1000:
            self._failures.popitem(last=False)
