"""The parts of one index put together: its upstream, its pages, its facts, its gate."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import datetime
from functools import partial
from pathlib import Path
from random import random

from msgspec import Struct
from packaging.utils import NormalizedName

from indexgate.config import Settings
from indexgate.facts import Facts
from indexgate.fellows import Fellows
from indexgate.formerly import Formerly
from indexgate.gate import Gate
from indexgate.index.addresses import FileAddress
from indexgate.index.cached import CachedIndex, Freshness
from indexgate.index.documents import Documents
from indexgate.index.foreseen import Foreseen
from indexgate.index.listing import Listing
from indexgate.index.once import Once
from indexgate.index.one_of_several import OneOfSeveral
from indexgate.index.page_folder import PageFolder
from indexgate.index.presentation import Addresses
from indexgate.index.protocol import Index
from indexgate.index.upstream import Upstream
from indexgate.index.upstream_settings import UpstreamSettings
from indexgate.listed_index import ListedIndex
from indexgate.logs import say
from indexgate.namespaces import Namespaces
from indexgate.observing import Observer, Surveyed
from indexgate.owners import Behind
from indexgate.policy_file import PolicyInForce
from indexgate.sources.project_json import ProjectJson
from indexgate.sources.protocol import Source
from indexgate.store.database import Store
from indexgate.store.engines import StoreFailed
from indexgate.stored_past import StoredPast
from indexgate.surroundings import Surroundings
from indexgate.upstream_choice import UpstreamChoice
from indexgate.web.refusal import blocked_path
from indexgate.web.sources import Sources, private
from indexgate_policy.lookalike import PopularNameList
from indexgate_policy.rules.verdict import Verdict
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import File

PAGES_SHARE = 0.1  # of the cache: pages are small beside files
_PACKED_PAGES = 8_000_000
_DOCUMENTS = 200_000_000  # bytes on the disk


class Shared(Struct, frozen=True, kw_only=True):
    """What all indexes share; *choice* is the first of them, which knows the others."""

    settings: Settings
    choice: UpstreamChoice
    namespaces: Namespaces
    freshness: Freshness
    pages: Path
    store: Store
    policy: PolicyInForce
    sources: Sources
    popular: PopularNameList
    gate_id: str
    base: str
    clock: Callable[[], datetime]
    fellows: Fellows
    once: Once


class IndexParts(Struct, frozen=True, kw_only=True):
    """What there is of one index: `upstream` is None when offline."""

    choice: UpstreamChoice
    behind: Behind
    upstream: Upstream | None
    documents: Documents

    @property
    def gate(self) -> Gate:
        """The gate in front of it."""
        return self.behind.gate


async def open_index(stack: AsyncExitStack, shared: Shared, choice: UpstreamChoice) -> IndexParts:
    """Return the parts of the index *choice*; *stack* closes them."""
    settings, clock = shared.settings, shared.clock
    upstream = None
    if not settings.offline:
        upstream = await stack.enter_async_context(
            Upstream(
                _upstream_settings(settings, choice),
                clock=clock,
                gate_id=shared.gate_id,
                log=say("upstream"),
            )
        )
    several = len(shared.choice.all)
    folder = PageFolder(
        shared.pages, choice.index_id, int(settings.cache_size * PAGES_SHARE / several)
    )
    cached = CachedIndex(
        None if upstream is None else _foreseen(upstream, lambda: gate.facts),
        folder,
        freshness=shared.freshness,
        clock=clock,
        max_bytes=_PACKED_PAGES // several,
        log=say("pages"),
        once=shared.once,
        learned=partial(shared.fellows.tell, f"page {choice.index_id}"),
    )
    shared.fellows.hear(f"page {choice.index_id}", cached.hear)
    stack.push_async_callback(cached.close)
    index: Index = cached
    if several > 1:
        elsewhere = shared.namespaces.elsewhere(choice.index_id)
        index = OneOfSeveral(index=cached, name=choice.name, elsewhere=elsewhere)
    documents = Documents(
        upstream,
        choice.url,
        PageFolder(shared.pages / "documents", choice.index_id, _DOCUMENTS // several),
        freshness=shared.freshness,
        clock=clock,
        log=say("pages"),
    )
    stack.push_async_callback(documents.close)
    gate = _gate(shared, choice, index, ProjectJson(upstream, index_url=choice.url))
    stack.push_async_callback(gate.facts.close)

    behind = Behind(name=choice.name, url=choice.url, gate=gate, stored=cached.stored_at)
    return IndexParts(choice=choice, behind=behind, upstream=upstream, documents=documents)


def _foreseen(upstream: Upstream, facts: Callable[[], Facts]) -> Foreseen:
    """Return the pages of *upstream*; with a new page the facts are asked for that judge it."""
    return Foreseen(
        upstream,
        begun=lambda project: facts().foresee(project),
        failed=lambda project: facts().forgo(project),
    )


def _gate(shared: Shared, choice: UpstreamChoice, index: Index, project_json: ProjectJson) -> Gate:
    settings, store, clock = shared.settings, shared.store, shared.clock

    listings = ListedIndex(
        index,
        index_id=choice.index_id,
        public=choice.public,
        first_seen=_first_seen(store, choice.index_id, clock),
        watched_since=store.created_at,
        remember=partial(store.projects.remember_address, choice.index_id),
    )

    async def listing(project: NormalizedName, asked: bool) -> Listing:
        return await listings.of(project, asked=asked, patient=True)

    past = StoredPast(store, choice.index_id, say("past"))
    facts = Facts(
        Surroundings(
            index_id=choice.index_id,
            public=choice.public,
            assessments=store.assessments,
            advisories=store.advisories,
            popular=shared.popular if choice.public else PopularNameList(tuple),
            observer=Observer(
                (*_third_parties(shared, choice), project_json),
                offline=settings.offline,
                clock=clock,
                log=say("sources"),
                private=private(settings.private_names),
                chance=random,
                told=Surveyed(
                    succeeded=shared.sources.book.succeeded,
                    failed=shared.sources.book.failed,
                    counted=past.counted,
                ),
            ),
            past=past,
            listing=listing,
            clock=clock,
            log=say("facts"),
            fellows=shared.fellows,
            once=shared.once,
            page_reads=lambda: shared.policy.current().page_reads,
        )
    )
    return Gate(
        index,
        listings,
        facts,
        shared.policy,
        index_id=choice.index_id,
        public=choice.public,
        presentation=settings.presentation,
        addresses=_addresses(settings, shared.base),
        former=_formerly(store, choice.index_id),
        clock=clock,
        page_memory=settings.page_memory // len(shared.choice.all),
    )


def _third_parties(shared: Shared, choice: UpstreamChoice) -> tuple[Source, ...]:
    """Return who is asked about projects of the index: nobody, unless it is public."""
    if not choice.public:
        return ()
    if choice.index_id == shared.choice.main.index_id:
        return shared.sources.per_project
    return shared.sources.made_for(choice.index_id)


def _addresses(settings: Settings, base: str) -> Addresses:
    """Return how pages link: relative, or absolute from `--public-url`; Host is never reflected."""
    root = "../../" if settings.public_url is None else base

    def blocked(subject: File, verdict: Verdict) -> str:
        return base + blocked_path(subject, verdict)

    return Addresses(root=root, blocked=blocked)


def _first_seen(
    store: Store, index_id: str, clock: Callable[[], datetime]
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
        in_house=choice.named_public,
        timeout=(choice.timeout or settings.upstream_timeout).total_seconds(),
        credentials=None if login is None else (login.user, login.password),
        ca_file=None if choice.ca is None else str(choice.ca),
        client_certificate=None if choice.client_cert is None else str(choice.client_cert),
        proxy=choice.proxy,
    )
