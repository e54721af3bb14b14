"""Fetching ahead: the pages and the core metadata that follow from what clients were given.

All goes through the gate, the caches and the breakers, as if it was asked for; but it counts as
nobody's request. What is given out in the end is judged then, as ever. A client's own requests go
first: little is under way at once, and upstream is left alone for a while when it is in trouble.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import aclosing
from contextvars import Context
from functools import partial

from cachetools import LRUCache
from msgspec.structs import replace
from packaging.utils import NormalizedName

from indexgate.finished_page import FinishedPage, Variant
from indexgate.index.addresses import address_of, canonical, side_url
from indexgate.index.file_cache import FileCache
from indexgate.index.files import Wanted
from indexgate.index.protocol import NoSuchProject, UpstreamFailed
from indexgate.index.trace import Trace, follow
from indexgate.index.upstream import Upstream
from indexgate.indexes import Indexes
from indexgate.judged_files import JudgedFile
from indexgate.prefetch.asker import Asker
from indexgate.prefetch.candidate import candidate
from indexgate.prefetch.counts import PrefetchCounts
from indexgate.prefetch.environment import Environment, environment_of
from indexgate.prefetch.line import Line, Step
from indexgate.prefetch.requirements import needs, requirements
from indexgate.simple.model import PageFile

AT_ONCE = 8
REST = 30.0
"""Seconds for which nothing is fetched ahead after upstream failed, at least."""

_CLIENTS = 64
_LARGEST = 1_000_000  # bytes of metadata
_OF_ONE_THING = frozenset({"missing", "hash", "garbage", "version", "too-large"})


class _Client:
    """A client that is fetched ahead for: what it installs for, how it asks, and its line."""

    def __init__(self, asker: Asker, environment: Environment, now: float) -> None:
        self.asker = asker
        self.environment = environment
        self.variant = asker.usual
        self.line = Line(now)


class Prefetching:
    """Fetches ahead for the latest clients. *private* tells names that are never asked for.

    `upstreams` are by index id, None when offline; *now* gives seconds that only grow.
    """

    def __init__(
        self,
        indexes: Indexes,
        upstreams: Mapping[str, Upstream | None],
        cache: FileCache,
        *,
        private: Callable[[NormalizedName], bool],
        counts: PrefetchCounts,
        now: Callable[[], float],
        log: Callable[[str, str], None],
    ) -> None:
        self._indexes = indexes
        self._upstreams = upstreams
        self._cache = cache
        self._private = private
        self._counts = counts
        self._now = now
        self._log = log
        self._clients: LRUCache[Asker, _Client] = LRUCache(_CLIENTS)
        self._tasks: set[asyncio.Task[None]] = set()
        self._rest_until = 0.0

    def page_given(self, asker: Asker, page: FinishedPage, variant: Variant, *, cold: bool) -> None:
        """Take note of a page that a client was given, and of whether it had to be fetched."""
        client = self._client(asker, cold=cold)
        if client is not None:
            project = page.snapshot.project
            client.variant = variant
            client.line.asked(project, self._now())
            step = self._leading_on(client, page, depth=0) if cold else None
            if step is not None and step.chosen is not None:
                # The client goes first, and the page would have to be read again for its turn.
                self._spawn(self._judge_soon(client, step))
                # Judged by then: what waits in the line need not hold what the page lists.
                client.line.add(replace(step, listed=None))
            self._go_on()

    def metadata_given(self, asker: Asker, judged: JudgedFile, *, cold: bool) -> None:
        """Take note of core metadata that a client was given, of a file that it has chosen."""
        client = self._client(asker, cold=cold)
        if client is not None and judged.listed is not None:
            project = judged.subject.project.name
            client.line.asked(project, self._now())
            if cold:
                chosen, of = judged.listed, judged.index_id
                client.line.add(Step(project=project, chosen=chosen, index_id=of))
            self._go_on()

    async def settle(self) -> None:
        """Wait until nothing is under way."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def close(self) -> None:
        """End what is under way, and begin nothing more."""
        self._rest_until = float("inf")
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _client(self, asker: Asker, *, cold: bool) -> _Client | None:
        client = self._clients.get(asker)
        if client is not None and not client.line.is_idle(self._now()):
            return client
        environment = environment_of(asker.agent) if cold else None
        if environment is None:
            return None
        if client is not None:
            self._drop(client)
        client = self._clients[asker] = _Client(asker, environment, self._now())
        return client

    def _go_on(self) -> None:
        """Begin as much as may be under way, for each client in turn."""
        now = self._now()
        clients = list(self._clients.values())
        while clients and now >= self._rest_until:
            for client in tuple(clients):
                step = client.line.next(now) if len(self._tasks) < AT_ONCE else None
                if step is None:
                    clients.remove(client)
                    if client.line.is_idle(now):
                        self._drop(client)
                else:
                    self._begin(client, step)

    def _begin(self, client: _Client, step: Step) -> None:
        self._spawn(self._look(client, step))

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        # In a context of its own: what it meets on its way is not the request's.
        task = asyncio.create_task(work, context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            self._go_on()

    async def _look(self, client: _Client, step: Step) -> None:
        line = client.line
        try:
            if step.chosen is not None:
                await self._follow(client, step)
            elif self._private(step.project) or self._is_settled(client, step.project):
                line.useless(step.project)
            elif (page := await self._page(client, step.project)) is not None:
                await self._follow(client, self._leading_on(client, page, step.depth))
        except NoSuchProject:
            self._counts.dropped["missing"] += 1
            line.useless(step.project)
        except UpstreamFailed as error:
            line.useless(step.project)
            self._failed(error)
        except Exception as error:
            # Whatever it is, nobody asked for it: whoever does is told what there is to tell.
            line.useless(step.project)
            self._log("prefetch-failed", f"{step.project}: {error!r}")

    def _is_settled(self, client: _Client, project: NormalizedName) -> bool:
        """Tell whether the page is at hand, and so is what it leads to.

        It was looked at before if the client asked for it; now it is only if more is wanted of it.
        """
        return self._indexes.is_fresh(project) and not client.line.was_followed(project)

    async def _page(self, client: _Client, project: NormalizedName) -> FinishedPage | None:
        """Have the page made as the client asks for it; None if it was on the disk."""
        trace, fetched = Trace(""), False
        follow(trace)
        self._counts.begin("page", project)
        try:
            asker, variant = client.asker, client.variant
            page = await self._indexes.page(
                project, variant, asker.client, run=asker.run, asked=False
            )
            fetched = trace.upstream > 0
        finally:
            self._counts.end("page", project, fetched=fetched)
        if fetched:
            return page
        client.line.useless(project)
        return page if client.line.was_followed(project) else None

    def _leading_on(self, client: _Client, page: FinishedPage, depth: int) -> Step:
        """Return the step from *page* to the file that will be chosen of it, if there is one."""
        project, chosen = page.snapshot.project, None
        listed = self._indexes.gate(page.index_id).listings.at_hand(page)
        if listed is not None and page.refused is None:
            versions = client.line.versions(project)
            chosen = candidate(listed, page.passing(), versions, client.environment)
        return Step(
            project=project, depth=depth, chosen=chosen, index_id=page.index_id, listed=listed
        )

    async def _follow(self, client: _Client, step: Step) -> None:
        """Have the metadata of the file fetched, and put what it needs in the line."""
        promised = None if step.chosen is None else step.chosen.core_metadata
        if step.chosen is None or not isinstance(promised, dict) or "sha256" not in promised:
            return
        if client.line.follow(step.project, step.chosen.filename):
            await self._judge(client, step)
            extras = client.line.extras(step.project)
            metadata = await self._metadata(step.chosen, promised, step.index_id)
            found = needs(requirements(metadata), client.environment, extras)
            client.line.needed(step, found)

    async def _judge(self, client: _Client, step: Step) -> None:
        """Have the file of *step* judged for its metadata while what lists it is at hand."""
        if step.listed is not None and step.chosen is not None:
            gate, asker = self._indexes.gate(step.index_id), client.asker
            await gate.files.foresee(step.listed, step.chosen, asker.client, asker.run)

    async def _judge_soon(self, client: _Client, step: Step) -> None:
        try:
            await self._judge(client, step)
        except Exception as error:  # it is judged when it is asked for
            self._log("prefetch-failed", f"{step.project}: {error!r}")

    async def _metadata(self, chosen: PageFile, hashes: Mapping[str, str], index_id: str) -> bytes:
        path = canonical(address_of(chosen.url, chosen.filename))
        wanted = Wanted.listed(f"{index_id}/{path}.metadata", hashes)
        upstream = self._upstreams[index_id]
        if upstream is None:
            return b""
        self._counts.begin("metadata", path)
        kept = await self._cache.open_kept(wanted)
        try:
            url = side_url(chosen.url, ".metadata")
            body = kept or await self._cache.open(wanted, partial(upstream.file, url))
            try:
                async with aclosing(body.read(0, _LARGEST)) as pieces:
                    return b"".join([piece async for piece in pieces])
            finally:
                body.close()
        finally:
            self._counts.end("metadata", path, fetched=kept is None)

    def _failed(self, error: UpstreamFailed) -> None:
        self._counts.dropped["upstream"] += 1
        if error.kind not in _OF_ONE_THING:
            self._rest_until = self._now() + max(REST, float(error.retry_after or 0))
            for client in self._clients.values():
                self._counts.dropped["upstream"] += client.line.clear()

    def _drop(self, client: _Client) -> None:
        self._counts.dropped["idle"] += client.line.clear()
