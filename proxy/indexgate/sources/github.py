"""GitHub: what the source repository that a project claims looks like now.

Source: GitHub's GraphQL and REST references and its rate limits (5,000 an hour with a token, 60
without; conditional requests that find nothing new are free). With a token many repositories are
asked about in one question; without one REST tells less, a few projects an hour. Times of single
stars are told to a repository's admins only since July 2026; the total is what is left.

A project claims its repository, nobody checks the claim: what is said here is about the
repository, and `repository_proven`, `repository_names` and `repository_moved_to` about the claim.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TypeAlias, TypeVar

import httpx
import msgspec
from packaging.utils import NormalizedName

from indexgate.sources import github_query, github_rest
from indexgate.sources.budgets import Budget
from indexgate.sources.github_limits import Points, patience
from indexgate.sources.github_openings import YEAR, people_by_day
from indexgate.sources.protocol import About, Asked, SourceFailed
from indexgate.sources.service import NOT_IN_FORM, Reply, Service, part
from indexgate.sources.told import lines, signals
from indexgate.sources.validators import Answers
from indexgate_policy.signals import Signal, Unknown, Value

BASE = "https://api.github.com"
ABOUT = About(
    name="github",
    title="GitHub",
    by="GitHub",
    documented_at="https://docs.github.com/en/graphql",
    gives=(
        "stars",
        "forks",
        "contributors",
        "organizations",
        "bus_factor",
        "people_in_issues",
        "median_answer_days",
        "issues_updated",
        "commits_a_week",
        "last_commit_on",
        "tags",
        "security_policy",
        "repository_archived",
        "repository_moved_to",
        "repository_names",
    ),
    needs=("repository",),
    third_party=True,
    fresh_for=timedelta(hours=24),
    key="better with: a token without any rights",
)

_HOST = "https://github.com/"
_UNTIL_RENEWED = 900
"""Seconds to leave it alone when an hour's points are used up and it does not tell until when."""

_ONE = {"per_page": "1"}
_FOUND = frozenset({200})
# An empty repository is 204, one with too many contributors to list 403.
_COUNTED = frozenset({200, 204, 403})

_UNTOLD: dict[str, Value | Unknown] = dict.fromkeys(
    ABOUT.gives, Unknown(reason=f"{ABOUT.name} could not tell of the repository this time")
)

T = TypeVar("T")
Told = dict[str, Value | Unknown]


People: TypeAlias = Callable[[NormalizedName, Mapping[date, int]], Awaitable[None]]
"""Takes how many people opened something, by project and day (see `github_openings`)."""


class _Error(msgspec.Struct):
    type: str = ""
    path: list[str | int] | None = None


class _Answer(msgspec.Struct):
    data: dict[str, msgspec.Raw] | None = None
    errors: list[_Error] | None = None


class GitHub:
    """The service, as a source that answers in batches.

    *base* is the address of its API, *token* one that need not have any rights; None for none, and
    then *budget* has to be that of `github-without-token`. *answers* keeps answers for asking
    again; *people* takes the people of each day, which are told with a token only, and must not
    raise. `most_at_once` shrinks when GitHub could not answer so much in time.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        budget: Budget,
        *,
        token: str | None = None,
        answers: Answers | None = None,
        people: People | None = None,
        base: str = BASE,
        within: float = 30.0,
    ) -> None:
        headers = {
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        if token:
            headers["Authorization"] = f"Bearer {token}"
        self._service = Service(
            ABOUT,
            client,
            budget,
            base=base,
            within=within,
            most=24_000_000,
            headers=headers,
            keyed=bool(token),
            answers=answers,
            patience=patience,
        )
        self._token = bool(token)
        self._people = people
        self.most_at_once = 50 if token else 1

    @property
    def about(self) -> About:
        """What the source is."""
        return ABOUT

    async def signals(self, asked: Asked, now: datetime) -> tuple[Signal, ...]:
        """Return the signals of the repository that the project claims. Raises SourceFailed."""
        return (await self.many((asked,), now))[asked.project]

    async def many(
        self, asked: Sequence[Asked], now: datetime
    ) -> Mapping[NormalizedName, tuple[Signal, ...]]:
        """Return the signals of each project; with a token, by one question for all.

        Raises SourceFailed.
        """
        claimed = {a.project: _name(a) for a in asked}
        names = sorted({name for name in claimed.values() if isinstance(name, str)})
        if self._token:
            told, people = await self._by_question(names, now) if names else ({}, {})
            for project, name in claimed.items():
                if self._people is not None and isinstance(name, str) and people.get(name):
                    await self._people(project, people[name])
        else:
            told = {name: await self._by_rest(name, now) for name in names}
        return {
            project: tuple(
                signals(
                    ABOUT,
                    dict.fromkeys(ABOUT.gives, name) if isinstance(name, Unknown) else told[name],
                    now,
                )
            )
            for project, name in claimed.items()
        }

    async def _by_question(
        self, names: Sequence[str], now: datetime
    ) -> tuple[dict[str, Told], dict[str, dict[date, int]]]:
        """Return the values and the people of each day, by repository. Raises SourceFailed."""
        try:
            answer = await self._service.json(
                _Answer, "graphql", question={"query": github_query.question(names, now)}
            )
        except SourceFailed as failed:
            if failed.kind == "timeout" or failed.status in {502, 504}:
                self.most_at_once = max(1, self.most_at_once // 2)  # it was too much at once
            raise
        data = self._data(answer, now)
        gone = {str(e.path[0]) for e in answer.errors or () if e.type == "NOT_FOUND" and e.path}
        told: dict[str, Told] = {}
        there: list[str] = []
        people: dict[str, dict[date, int]] = {}
        failures: list[SourceFailed] = []
        for number, name in enumerate(names):
            alias = f"r{number}"
            try:
                repository = self._repository(data, alias)
            except SourceFailed as failed:
                failures.append(failed)
                told[name] = dict.fromkeys(ABOUT.gives, Unknown(reason=str(failed)))
                continue
            if repository is not None:
                # Off the loop: the files of fifty repositories take a while to read.
                told[name] = await asyncio.to_thread(github_query.values, repository, name, now)
                people[name] = people_by_day(github_query.opened(repository), now)
                there.append(name)
            else:
                told[name] = _gone(name) if alias in gone else _UNTOLD.copy()
        if len(failures) == len(names):
            raise failures[0]
        counts = await asyncio.gather(*(self._contributors(name) for name in there))
        for name, contributors in zip(there, counts, strict=True):
            told[name]["contributors"] = contributors
        return told, people

    def _data(self, answer: _Answer, now: datetime) -> Mapping[str, msgspec.Raw]:
        """Return the repositories by alias; note how much of the hour's points is left."""
        limit, wait = (answer.data or {}).get("rateLimit"), None
        if limit is not None and bytes(limit) != b"null":
            wait = self._decoded(Points, bytes(limit)).wait(now)
            if wait is not None:
                self._service.budget.pause(wait)
        if any(error.type == "RATE_LIMITED" for error in answer.errors or ()):
            if wait is None:
                self._service.budget.pause(_UNTIL_RENEWED)
            raise SourceFailed(ABOUT.name, "status", "has answered enough for this hour")
        if answer.data is None:
            broken = "did not understand the question" if answer.errors else NOT_IN_FORM
            raise self._service.garbage(broken)
        return answer.data

    def _repository(
        self, data: Mapping[str, msgspec.Raw], alias: str
    ) -> github_query.Repository | None:
        """Return the repository behind *alias*, None for null. Raises SourceFailed."""
        raw = data.get(alias)
        if raw is None:
            raise self._service.garbage("left out a repository that it was asked for")
        if bytes(raw) == b"null":
            return None
        return self._decoded(github_query.Repository, bytes(raw))

    def _decoded(self, kind: type[T], raw: bytes) -> T:
        try:
            return msgspec.json.decode(raw, type=kind)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise self._service.garbage(NOT_IN_FORM) from error

    async def _contributors(self, name: str) -> int | Unknown:
        """Return how many ever committed; GraphQL does not tell it."""
        try:
            reply = await self._list(name, "contributors", {"anon": "1"}, accept=_COUNTED)
            if reply.status == 204:
                return 0
            if reply.status == 403:
                return Unknown(reason="GitHub does not count so many")
            entries = await self._service.decoded(list[msgspec.Raw], reply.body)
        except SourceFailed as failed:
            return Unknown(reason=str(failed))
        return github_rest.length(reply.link, len(entries))

    async def _by_rest(self, name: str, now: datetime) -> Told:
        repository = await self._service.found(github_rest.Repository, _path(name))
        if repository is None:
            return _gone(name)
        told: Told = dict.fromkeys(ABOUT.gives, Unknown(reason="GitHub tells it with a token only"))
        told |= github_rest.of_the_repository(repository, name)
        told["contributors"] = await self._contributors(name)
        since = github_rest.stamp((now - YEAR).replace(hour=0, minute=0, second=0))
        try:
            reply = await self._list(name, "commits", {"since": since})
            commits = await self._service.decoded(list[github_rest.Listed], reply.body)
            told |= github_rest.of_commits(commits, reply.link, repository.pushed_at)
            tags = await self._service.json(
                list[github_rest.Tag], f"{_path(name)}/tags", query={"per_page": "50"}
            )
            told["tags"] = lines(tag.name for tag in tags)
        except SourceFailed as failed:
            if not failed.lasting:
                raise
            rest = ("last_commit_on", "commits_a_week", "tags")
            told |= {n: Unknown(reason=str(failed)) for n in rest if isinstance(told[n], Unknown)}
        return told

    async def _list(
        self, name: str, what: str, query: Mapping[str, str], accept: frozenset[int] = _FOUND
    ) -> Reply:
        path = f"{_path(name)}/{what}"
        return await self._service.reply(path, query={**_ONE, **query}, accept=accept)


def _name(asked: Asked) -> str | Unknown:
    """Return `owner/name` of the repository that the project claims."""
    claimed = asked.known.value("repository")
    if isinstance(claimed, Unknown):
        return claimed
    address = str(claimed)
    if not address:
        return Unknown(reason="the project claims no repository")
    if not address.startswith(_HOST) or address.count("/") != 4:
        return Unknown(reason="the repository is not on GitHub")
    return address.removeprefix(_HOST)


def _path(name: str) -> str:
    owner, _, repository = name.partition("/")
    return f"repos/{part(owner)}/{part(repository)}"


def _gone(name: str) -> Told:
    return dict.fromkeys(ABOUT.gives, Unknown(reason=f"GitHub has no repository `{name}`"))
