"""The parts of a gate put together: the one place that knows what stands behind each interface."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from random import random
from secrets import token_hex
from typing import TypeAlias

from cachetools import LRUCache
from packaging.utils import NormalizedName

from indexgate import granted_file, state_folder
from indexgate.config import Settings
from indexgate.day_reading import DayReader
from indexgate.facts import Facts, Surroundings
from indexgate.formerly import Formerly
from indexgate.gate import Gate
from indexgate.index.addresses import FileAddress, address_of
from indexgate.index.cached import CachedIndex, Freshness
from indexgate.index.documents import Documents
from indexgate.index.file_cache import FileCache
from indexgate.index.files import Pin
from indexgate.index.listing import Listing
from indexgate.index.page_folder import PageFolder
from indexgate.index.presentation import Addresses
from indexgate.index.project_list import ProjectLists
from indexgate.index.upstream import Upstream
from indexgate.index.upstream_settings import UpstreamSettings
from indexgate.index.whole_files import WholeFiles
from indexgate.logs import say
from indexgate.observing import Observer, Surveyed
from indexgate.policy_file import PolicyInForce
from indexgate.record import Recorder
from indexgate.refresh import Refresh
from indexgate.simple.model import PageFile
from indexgate.sources import outbound, popular
from indexgate.sources.project_json import ProjectJson
from indexgate.store.database import Store, open_store
from indexgate.store.engines import StoreFailed
from indexgate.stored_past import StoredPast
from indexgate.upstream_choice import UpstreamChoice
from indexgate.web.background import Surrounding, open_background
from indexgate.web.file_routes import Remembered
from indexgate.web.refusal import blocked_path
from indexgate.web.request_counts import RequestCounts
from indexgate.web.sources import Sources, open_sources, private, proxy_to, with_login
from indexgate_policy.lookalike import PopularNameList
from indexgate_policy.rules.verdict import Verdict
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import File

_PAGES_SHARE = 0.1  # of the cache: pages are small beside files
_PACKED_PAGES = 16_000_000
_DOCUMENTS = 200_000_000  # bytes on the disk


Clock: TypeAlias = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the time, aware, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """A gate that is ready to be served, or to be asked. `upstream` is None when offline."""

    gate: Gate
    upstream: Upstream | None
    lists: ProjectLists
    documents: Documents
    files: FileCache
    whole_files: WholeFiles
    store: Store
    recorder: Recorder
    refresh: Refresh
    sources: Sources
    days: tuple[DayReader, ...]
    popular: PopularNameList
    gate_id: str
    secret: str = field(repr=False)
    clock: Clock
    requests: RequestCounts = field(default_factory=RequestCounts)


@asynccontextmanager
async def open_parts(
    settings: Settings,
    choice: UpstreamChoice,
    *,
    base: str,
    clock: Clock = utc_now,
    addresses: Mapping[str, str] | None = None,
) -> AsyncIterator[Parts]:
    """Open everything that the gate needs, and close it again.

    *base* is the gate's own address with a slash at the end, *clock* gives aware times in UTC,
    *addresses* other addresses of third parties than the documented ones, by source. Raises
    GateError, PolicyError.
    """
    state = state_folder.open_state(settings.state)
    policy = PolicyInForce(
        settings.policy, clock=clock, log=say("policy"), granted=state.path / granted_file.NAME
    )
    async with AsyncExitStack() as stack:
        store = open_store(state.path / "indexgate.sqlite3", clock)
        stack.callback(store.close)
        gate_id = store.kept.keep_first("gate_id", token_hex(6))
        upstream = None
        if not settings.offline:
            upstream = await stack.enter_async_context(
                Upstream(
                    _upstream_settings(settings, choice),
                    clock=clock,
                    gate_id=gate_id,
                    log=say("upstream"),
                )
            )
        files = FileCache(
            state.files,
            int(settings.cache_size * (1 - _PAGES_SHARE)),
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
        index = CachedIndex(
            upstream,
            PageFolder(state.pages, choice.index_id, int(settings.cache_size * _PAGES_SHARE)),
            freshness=freshness,
            clock=clock,
            max_bytes=_PACKED_PAGES,
            log=say("pages"),
        )
        stack.push_async_callback(index.close)
        lists = ProjectLists(
            upstream,
            state.pages / choice.index_id / "list",
            freshness=freshness,
            clock=clock,
            log=say("pages"),
        )
        stack.push_async_callback(lists.close)
        documents = Documents(
            upstream,
            choice.url,
            PageFolder(state.pages / "documents", choice.index_id, _DOCUMENTS),
            freshness=freshness,
            clock=clock,
            log=say("pages"),
        )
        stack.push_async_callback(documents.close)
        client = outbound.client(
            ca_bundle=choice.ca,
            certificate=choice.client_cert,
            proxy=proxy_to(choice.url, choice),
            timeout=settings.upstream_timeout.total_seconds(),
        )
        stack.push_async_callback(client.aclose)
        names = popular.load() if choice.public else PopularNameList(tuple)
        sources = open_sources(stack, settings, choice, store, clock=clock, addresses=addresses)
        gate = _gate(
            settings,
            choice,
            store=store,
            index=index,
            policy=policy,
            names=names,
            sources=sources,
            project_json=ProjectJson(client, index_url=with_login(choice)),
            base=base,
            clock=clock,
        )
        stack.push_async_callback(gate.facts.close)
        refresh, days = open_background(
            stack, settings, choice, Surrounding(gate, store, sources, client, state.run), clock
        )
        yield Parts(
            gate=gate,
            upstream=upstream,
            lists=lists,
            documents=documents,
            files=files,
            whole_files=whole_files,
            store=store,
            recorder=Recorder(store.decisions, clock),
            refresh=refresh,
            sources=sources,
            days=days,
            popular=names,
            gate_id=gate_id,
            secret=state.secret,
            clock=clock,
        )


def remembered(parts: Parts, index_id: str) -> Remembered:
    """Return the memory of served files, by their address."""
    projects = parts.store.projects
    recent: LRUCache[str, bool] = LRUCache(10_000)

    def remember(path: str, project: NormalizedName, sha256: str) -> None:
        if path in recent:
            return
        recent[path] = True
        projects.served(index_id, path, project, sha256, parts.clock())

    def pinned(path: str) -> str | None:
        try:
            return projects.pinned(index_id, path)
        except StoreFailed:
            return None

    return Remembered(remember=remember, pinned=pinned)


def _gate(
    settings: Settings,
    choice: UpstreamChoice,
    *,
    store: Store,
    index: CachedIndex,
    policy: PolicyInForce,
    names: PopularNameList,
    sources: Sources,
    project_json: ProjectJson,
    base: str,
    clock: Clock,
) -> Gate:
    async def listing(project: NormalizedName, asked: bool) -> Listing:
        return await gate.listing(project, asked=asked)

    past = StoredPast(store, choice.index_id, say("past"))
    facts = Facts(
        Surroundings(
            index_id=choice.index_id,
            public=choice.public,
            assessments=store.assessments,
            advisories=store.advisories,
            popular=names,
            observer=Observer(
                (*sources.per_project, project_json),
                offline=settings.offline,
                clock=clock,
                log=say("sources"),
                private=private(settings.private_names),
                chance=random,
                told=Surveyed(
                    succeeded=sources.book.succeeded,
                    failed=sources.book.failed,
                    counted=past.counted,
                ),
            ),
            past=past,
            listing=listing,
            clock=clock,
            log=say("facts"),
        )
    )
    gate = Gate(
        index,
        facts,
        policy,
        index_id=choice.index_id,
        public=choice.public,
        presentation=settings.presentation,
        addresses=_addresses(settings, base),
        first_seen=_first_seen(store, choice.index_id, clock),
        watched_since=store.created_at,
        former=_formerly(store, choice.index_id),
        remember=partial(store.projects.remember_address, choice.index_id),
        clock=clock,
        page_memory=settings.page_memory,
    )
    return gate


def _addresses(settings: Settings, base: str) -> Addresses:
    """Return how pages link: relative, or absolute from `--public-url`; Host is never reflected."""
    root = "../../" if settings.public_url is None else base

    def file(listed: PageFile) -> str:
        return root + address_of(listed.url, listed.filename)

    def blocked(subject: File, verdict: Verdict) -> str:
        return base + blocked_path(subject, verdict)

    return Addresses(file=file, blocked=blocked)


def _first_seen(
    store: Store, index_id: str, clock: Clock
) -> Callable[[NormalizedName, bool], datetime | Unknown]:
    def first_seen(project: NormalizedName, asked: bool) -> datetime | Unknown:
        try:
            if asked:
                store.projects.seen(index_id, project, clock())
            found = store.projects.first_seen(index_id, project)
        except StoreFailed as error:
            return Unknown(reason=f"the store cannot be read: {error.message}")
        return found or clock()

    return first_seen


def _pin(store: Store, clock: Clock) -> Pin:
    async def pin(key: str, sha256: str) -> str:
        index_id, _, address = key.partition("/")
        return await store.projects.pin(index_id, address, sha256, clock())

    return pin


def _formerly(store: Store, index_id: str) -> Callable[[FileAddress], Formerly | None]:
    def formerly(address: FileAddress) -> Formerly | None:
        try:
            project = store.projects.project_of_address(index_id, address.path)
        except StoreFailed:
            return None
        if project is None:
            return None
        return Formerly(project=project, filename=address.filename)

    return formerly


def _upstream_settings(settings: Settings, choice: UpstreamChoice) -> UpstreamSettings:
    login = choice.credentials
    return UpstreamSettings(
        index_id=choice.index_id,
        root=choice.url,
        public=choice.public,
        in_house=settings.upstream_public == "yes",
        timeout=settings.upstream_timeout.total_seconds(),
        credentials=None if login is None else (login.user, login.password),
        ca_file=None if choice.ca is None else str(choice.ca),
        client_certificate=None if choice.client_cert is None else str(choice.client_cert),
        proxy=choice.proxy,
    )
