"""The parts of a gate put together: the one place that knows what stands behind each interface."""

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, TypeAlias

from cachetools import LRUCache
from packaging.utils import NormalizedName

from indexgate import granted_file, state_folder
from indexgate.config import Settings
from indexgate.day_reading import DayReader
from indexgate.fellows import ALONE, Fellows
from indexgate.gate import Gate
from indexgate.index.cached import Freshness
from indexgate.index.file_cache import FileCache
from indexgate.index.files import Pin
from indexgate.index.once import EACH_ALONE, Once
from indexgate.index.project_list import ListSource, ProjectLists
from indexgate.index.union_list import ListPart, UnionList
from indexgate.index.upstream import Upstream
from indexgate.index.whole_files import WholeFiles
from indexgate.indexes import Indexes
from indexgate.leases import Leases
from indexgate.logs import say
from indexgate.namespaces import Namespaces
from indexgate.owner_folder import OwnerFolder
from indexgate.owners import Owners
from indexgate.policy_file import PolicyInForce
from indexgate.prefetch.counts import PrefetchCounts
from indexgate.record import Recorder
from indexgate.refresh import Refresh
from indexgate.sources import popular
from indexgate.store.database import Store, open_store
from indexgate.store.engines import StoreFailed
from indexgate.upstream_choice import UpstreamChoice
from indexgate.web.background import Surrounding, further_background, open_background
from indexgate.web.file_routes import Remembered
from indexgate.web.index_parts import PAGES_SHARE, IndexParts, Shared, open_index
from indexgate.web.prefetch import Prefetch
from indexgate.web.request_counts import RequestCounts
from indexgate.web.sources import Sources, open_sources, private
from indexgate_policy.lookalike import PopularNameList

if TYPE_CHECKING:
    from indexgate.prefetch.prefetching import Prefetching

Clock: TypeAlias = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the time, aware, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """A gate that is ready to be served, or to be asked.

    `each` is all there is of each index, in their order, and `indexes` answers for all of them.
    `gate` and `upstream` (None when offline) are those of the main index, most often the only one:
    the first that is public, else the first. `refresh` is its background work, with all feeds, and
    `further` that of the others.
    """

    gate: Gate
    upstream: Upstream | None
    each: tuple[IndexParts, ...]
    indexes: Indexes
    lists: ProjectLists
    files: FileCache
    whole_files: WholeFiles
    prefetch: Prefetch
    store: Store
    recorder: Recorder
    refresh: Refresh
    further: tuple[Refresh, ...]
    sources: Sources
    days: tuple[DayReader, ...]
    popular: PopularNameList
    gate_id: str
    secret: str = field(repr=False)
    clock: Clock
    fellows: Fellows = ALONE
    requests: RequestCounts = field(default_factory=RequestCounts)

    def about(self, gate: Gate) -> "Parts":
        """Return the parts with *gate*, that of one of the indexes, in place of the main one."""
        names = self.popular if gate.public else PopularNameList(tuple)
        return replace(self, gate=gate, popular=names)

    def known_by(self, name: NormalizedName) -> Gate:
        """Return the gate of the index that *name* is known of, without asking any.

        That is the one it belongs to, the first that it was ever asked of, else the main one.
        Raises StoreFailed.
        """
        gates = [index.gate for index in self.indexes.may_own(name)]
        if len(gates) == 1:
            return gates[0]
        seen = self.store.projects.first_seen
        return next((gate for gate in gates if seen(gate.index_id, name)), self.gate)


@asynccontextmanager
async def open_parts(
    settings: Settings,
    choice: UpstreamChoice,
    *,
    base: str,
    clock: Clock = utc_now,
    addresses: Mapping[str, str] | None = None,
    fellows: Fellows = ALONE,
) -> AsyncIterator[Parts]:
    """Open everything that the gate needs, and close it again.

    *base* is the gate's own address with a slash at the end, *clock* gives aware times in UTC,
    *addresses* other addresses of third parties than the documented ones, by source, *fellows* the
    other workers over the same state. Raises GateError, PolicyError.
    """
    settings = replace(
        settings, private_names=(*settings.private_names, *choice.private_namespaces)
    )
    state = state_folder.open_state(settings.state)
    policy = PolicyInForce(
        settings.policy, clock=clock, log=say("policy"), granted=state.path / granted_file.NAME
    )
    async with AsyncExitStack() as stack:
        store = open_store(state.path / "indexgate.sqlite3", clock)
        stack.callback(store.close)
        once: Once = EACH_ALONE
        if fellows.count > 1:
            once = leases = Leases(state.run / "fetches.lock", fellows)
            stack.callback(leases.close)
        gate_id = store.kept.keep_first("gate_id", token_hex(6))
        files = FileCache(
            state.files,
            int(settings.cache_size * (1 - PAGES_SHARE)),
            pin=_pin(store, clock),
            warn=lambda text: say("files")("cache-trouble", text),
        )
        files.start()
        stack.push_async_callback(files.close)
        whole_files = WholeFiles(files, say("files"))
        stack.push_async_callback(whole_files.close)
        freshness = Freshness(
            ttl=settings.page_ttl.total_seconds(), max_stale=settings.max_stale.total_seconds()
        )
        names = popular.load() if choice.public_one else PopularNameList(tuple)
        sources = open_sources(stack, settings, choice, store, clock=clock, addresses=addresses)
        shared = Shared(
            settings=settings,
            choice=choice,
            namespaces=Namespaces.of(choice),
            freshness=freshness,
            pages=state.pages,
            store=store,
            policy=policy,
            sources=sources,
            popular=names,
            gate_id=gate_id,
            base=base,
            clock=clock,
            fellows=fellows,
            once=once,
        )
        each = [await open_index(stack, shared, index) for index in choice.all]
        lists = _lists(shared, each)
        stack.push_async_callback(lists.close)
        indexes = _indexes(shared, each)
        if indexes.owners is not None:
            stack.push_async_callback(indexes.owners.close)
        prefetch = _prefetch(shared, each, indexes, files)
        stack.push_async_callback(prefetch.close)
        [main] = [index for index in each if index.choice.index_id == choice.main.index_id]
        around = _surrounding(main, shared, state.run)
        refresh, days = open_background(stack, settings, main.choice, around, clock)
        further = tuple(
            further_background(
                stack, settings, index.choice, _surrounding(index, shared, state.run), clock
            )
            for index in each
            if index is not main
        )
        yield Parts(
            gate=main.gate,
            upstream=main.upstream,
            each=tuple(each),
            indexes=indexes,
            lists=lists,
            files=files,
            whole_files=whole_files,
            prefetch=prefetch,
            store=store,
            recorder=Recorder(store.decisions, clock),
            refresh=refresh,
            further=further,
            sources=sources,
            days=days,
            popular=names,
            gate_id=gate_id,
            secret=state.secret,
            clock=clock,
            fellows=fellows,
        )


def remembered(parts: Parts) -> Remembered:
    """Return the memory of served files, by index and address."""
    projects = parts.store.projects
    recent: LRUCache[tuple[str, str], bool] = LRUCache(10_000)

    def remember(index_id: str, path: str, project: NormalizedName, sha256: str) -> None:
        if (index_id, path) in recent:
            return
        recent[index_id, path] = True
        projects.served(index_id, path, project, sha256, parts.clock())

    def pinned(index_id: str, path: str) -> str | None:
        try:
            return projects.pinned(index_id, path)
        except StoreFailed:
            return None

    return Remembered(remember=remember, pinned=pinned)


def _surrounding(index: IndexParts, shared: Shared, spool: Path) -> Surrounding:
    return Surrounding(index.gate, shared.store, shared.sources, spool)


def _lists(shared: Shared, each: Sequence[IndexParts]) -> ProjectLists:
    """Return the list of the index, or the union of several, kept apart from those of each."""
    first = each[0]
    source: ListSource | None = first.upstream
    folder = first.choice.index_id
    if len(each) > 1:
        parts = [
            ListPart(
                name=index.choice.name,
                source=index.upstream,
                elsewhere=shared.namespaces.elsewhere(index.choice.index_id),
            )
            for index in each
            if index.upstream is not None
        ]
        source = UnionList(parts) if parts else None
        folder = f"union-{_digest(shared.choice)}"
    return ProjectLists(
        source,
        shared.pages / folder / "list",
        freshness=shared.freshness,
        clock=shared.clock,
        log=say("pages"),
    )


def _indexes(shared: Shared, each: Sequence[IndexParts]) -> Indexes:
    behind = [index.behind for index in each]
    if len(behind) == 1:
        return Indexes(behind, None)
    return Indexes(
        behind,
        Owners(
            behind,
            shared.namespaces,
            kept=OwnerFolder(shared.pages / f"owners-{_digest(shared.choice)}"),
            freshness=shared.freshness,
            clock=shared.clock,
            log=say("indexes"),
            fellows=shared.fellows,
        ),
    )


def _prefetch(
    shared: Shared, each: Sequence[IndexParts], indexes: Indexes, files: FileCache
) -> Prefetch:
    counts = PrefetchCounts(shared.freshness.ttl, time.monotonic)

    def begin() -> "Prefetching":
        from indexgate.prefetch.prefetching import Prefetching

        return Prefetching(
            indexes,
            {index.gate.index_id: index.upstream for index in each},
            files,
            private=private(shared.settings.private_names),
            counts=counts,
            now=time.monotonic,
            log=say("prefetch"),
        )

    # A page that is asked for anew each time would be fetched ahead in vain.
    lasting = shared.freshness.ttl > 0
    wanted = shared.settings.prefetch and lasting and not shared.settings.offline
    return Prefetch(begin if wanted else None, counts)


def _digest(choice: UpstreamChoice) -> str:
    """Return what tells one choice of several indexes from another: which, their order, names."""
    parts = (" ".join((index.index_id, *index.namespaces)) for index in choice.all)
    return blake2b("\n".join(parts).encode(), digest_size=8).hexdigest()


def _pin(store: Store, clock: Clock) -> Pin:
    async def pin(key: str, sha256: str) -> str:
        index_id, _, address = key.partition("/")
        return await store.projects.pin(index_id, address, sha256, clock())

    return pin
