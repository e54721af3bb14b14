"""The sources of facts put together: those that are on, with their budgets and keys."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, date, datetime
from fnmatch import fnmatchcase
from random import random
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit
from urllib.request import proxy_bypass

from msgspec import Struct
from packaging.utils import NormalizedName

from indexgate.config import Settings
from indexgate.gathering import Gathered
from indexgate.logs import say
from indexgate.source_choice import Standing, choose_sources
from indexgate.source_offers import Offer
from indexgate.sources.budgets import Budgets
from indexgate.sources.limits import LIMITS
from indexgate.sources.protocol import Source
from indexgate.sources.spending import Budget, in_units
from indexgate.store.database import Store
from indexgate.store.engines import StoreFailed
from indexgate.store.source_book import SourceBook
from indexgate.store.spending import StoredLedger
from indexgate.upstream_choice import UpstreamChoice

if TYPE_CHECKING:
    import httpx

    from indexgate.sources.day_log import DayLog


class Sources(Struct, frozen=True, kw_only=True):
    """The sources: how each stands, and those that are on.

    `per_project` are asked about single projects, in the order of rising trust; the index's own is
    not among them. They write down what they find for the main index; `made_for` makes them for
    another public one. `logs` are read by days. `book` keeps what each was asked, `spending` what
    BigQuery billed. `github_token` tells whether there is one.
    """

    standings: tuple[Standing, ...]
    per_project: tuple[Source, ...]
    logs: "tuple[DayLog, ...]"
    book: SourceBook
    budgets: Budgets
    spending: Budget
    github_token: bool
    made_for: Callable[[str], tuple[Source, ...]]


def open_sources(
    stack: AsyncExitStack,
    settings: Settings,
    choice: UpstreamChoice,
    store: Store,
    *,
    clock: Callable[[], datetime],
    addresses: Mapping[str, str] | None = None,
) -> Sources:
    """Return the sources for *settings*; *stack* closes what they opened.

    *addresses* has other addresses than the documented ones, by source.
    """
    book = SourceBook(store.kept, clock)
    stack.callback(book.flush)
    budgets = Budgets(book, clock=clock, chance=random)
    spending = Budget(
        StoredLedger(store.reader, store.writer),
        source="bigquery",
        monthly=settings.bigquery_budget,
    )
    standings = choose_sources(settings, choice)
    on = {standing.offer.name: standing for standing in standings if standing.third_party}
    elsewhere = addresses or {}
    services = [name for name, standing in on.items() if not standing.offer.daily]
    client = None
    if services:
        client = _client(settings, choice)
        stack.push_async_callback(client.aclose)

    def made_for(index_id: str) -> tuple[Source, ...]:
        if client is None:
            return ()
        making = _Making(settings, client, budgets, store, index_id, elsewhere)
        return tuple(making.source(name) for name in _RISING_TRUST if name in services)

    logs = tuple(_logs(on, settings, spending, elsewhere))
    for log in logs:
        stack.callback(log.close)
    return Sources(
        standings=standings,
        per_project=made_for(choice.main.index_id),
        logs=logs,
        book=book,
        budgets=budgets,
        spending=spending,
        github_token=settings.github_token is not None,
        made_for=made_for,
    )


def private(patterns: tuple[str, ...]) -> Callable[[NormalizedName], bool]:
    """Return what tells whether a name is one that no third party may be told."""

    def is_private(name: NormalizedName) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in patterns)

    return is_private


def asked_projects(
    store: Store, index_id: str, since: datetime | None
) -> frozenset[NormalizedName]:
    """Return the projects that clients asked for *since* (None: ever). Raises StoreFailed."""
    return frozenset(store.assessments.due(index_id, _EVER, _MOST_ASKED, asked_since=since))


def left_of(sources: Sources, offer: Offer, now: datetime) -> str:
    """Return in words what the limits of a source allow at *now*, empty where there are none."""
    if offer.name == sources.spending.source:
        left, monthly = sources.spending.left(now), sources.spending.monthly
        return f"{in_units(left)} of {in_units(monthly)} this month"
    name = offer.name
    if name == "github" and not sources.github_token:
        name = "github-without-token"
    if name not in LIMITS:
        return ""
    budget = sources.budgets.of(name)
    paused = budget.spent.paused_until
    if paused is not None and paused > now:
        return f"left alone until {paused:%Y-%m-%d %H:%M} UTC"
    return ", ".join(f"{left:,} of {limit}" for limit, left in budget.left)


_EVER = datetime(9999, 1, 1, tzinfo=UTC)
_MOST_ASKED = 1_000_000

_RISING_TRUST = (
    "libraries-io",
    "ecosystems",
    "pepy",
    "pypistats",
    "deps-dev",
    "scorecard",
    "github",
)
"""Where two know the same, the later is asked at the origin or counts more carefully."""


class _Making(Struct, frozen=True):
    """What a source is made of."""

    settings: Settings
    client: "httpx.AsyncClient"
    budgets: Budgets
    store: Store
    index_id: str
    addresses: Mapping[str, str]

    def source(self, name: str) -> Source:
        """Return the source *name*, at its documented address unless another is given."""
        # Imported where they are used: a gate without third parties starts without them.
        from indexgate.sources import (
            deps_dev,
            ecosystems,
            github,
            libraries_io,
            pepy,
            pypistats,
            scorecard,
        )

        client, settings = self.client, self.settings
        match name:
            case "deps-dev":
                base = self._base(name, deps_dev.BASE)
                return deps_dev.DepsDev(client, self.budgets.of(name), base=base)
            case "scorecard":
                base = self._base(name, scorecard.BASE)
                return scorecard.Scorecard(client, self.budgets.of(name), base=base)
            case "pypistats":
                base = self._base(name, pypistats.BASE)
                return pypistats.Pypistats(client, self.budgets.of(name), base=base)
            case "pepy":
                base, key = self._base(name, pepy.BASE), settings.pepy_key or ""
                return pepy.Pepy(client, self.budgets.of(name), key=key, base=base)
            case "ecosystems":
                return ecosystems.Ecosystems(
                    client,
                    self.budgets.of(name),
                    contact=settings.contact or "",
                    base=self._base(name, ecosystems.BASE),
                )
            case "libraries-io":
                return libraries_io.LibrariesIo(
                    client,
                    self.budgets.of(name),
                    key=settings.libraries_io_key or "",
                    base=self._base(name, libraries_io.BASE),
                )
            case "github":
                token = settings.github_token
                return Gathered(
                    github.GitHub(
                        client,
                        self.budgets.of(name if token else "github-without-token"),
                        token=token,
                        answers=self.store.answers,
                        people=self._opened,
                        base=self._base(name, github.BASE),
                    )
                )
        raise KeyError(name)

    async def _opened(self, project: NormalizedName, days: Mapping[date, int]) -> None:
        """Keep how many people opened something in a repository, day by day."""
        try:
            await self.store.history.note_activity(self.index_id, project, "people", days)
        except StoreFailed as error:
            say("sources")("store-failed", error.message)

    def _base(self, name: str, documented: str) -> str:
        return self.addresses.get(name, documented)


def _logs(
    on: Mapping[str, Standing], settings: Settings, spending: Budget, addresses: Mapping[str, str]
) -> "Iterator[DayLog]":
    if "bigquery" in on:
        from indexgate.sources.bigquery import BigQueryLog

        yield BigQueryLog(
            project=settings.bigquery_project, budget=spending, endpoint=addresses.get("bigquery")
        )
    if "clickhouse" in on:
        from indexgate.sources import clickhouse

        yield clickhouse.ClickHouseLog(address=addresses.get("clickhouse", clickhouse.ADDRESS))


def _client(settings: Settings, choice: UpstreamChoice) -> "httpx.AsyncClient":
    """Return the client of all third parties, which are told who asks if that is set."""
    from indexgate.sources import outbound
    from indexgate.sources.deps_dev import BASE

    client = outbound.client(proxy=proxy_to(BASE, choice), timeout=20.0)
    if settings.contact:
        client.headers["User-Agent"] = f"{outbound.user_agent()} ({settings.contact})"
    return client


def proxy_to(url: str, choice: UpstreamChoice) -> str | None:
    """Return the configured proxy, unless the environment says that *url* needs none."""
    return None if proxy_bypass(urlsplit(url).hostname or "") else choice.proxy


def with_login(choice: UpstreamChoice) -> str:
    """Return the index's address with its credentials, for the sources that are the index."""
    if choice.credentials is None:
        return choice.url
    login = (
        f"{quote(choice.credentials.user, safe='')}:{quote(choice.credentials.password, safe='')}"
    )
    scheme, _, rest = choice.url.partition("://")
    return f"{scheme}://{login}@{rest}"
