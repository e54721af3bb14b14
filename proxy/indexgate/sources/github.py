"""GitHub: what the source repository that a project claims looks like now.

Source: GitHub's GraphQL and REST references and its rate limits (5,000 an hour with a token, 60
without; conditional requests that find nothing new are free). With a token many repositories are
asked about in one question; without one REST tells less, a few projects an hour. Times of single
stars are told to a repository's admins only since July 2026; the total is what is left.

A project claims its repository, nobody checks the claim: what is said here is about the
repository, and `repository_proven`, `repository_names` and `repository_moved_to` about the claim.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TypeVar

import httpx
import msgspec
from packaging.utils import NormalizedName

from indexgate.sources import github_query, github_rest
from indexgate.sources.budgets import Budget
from indexgate.sources.outbound import LONGEST_WAIT, retry_after
from indexgate.sources.protocol import About, Asked, SourceFailed
from indexgate.sources.service import NOT_IN_FORM, Reply, Service, part
from indexgate.sources.told import lines, moment, signals
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
_FEW_POINTS = 100
_ONE = {"per_page": "1"}

_UNTOLD: dict[str, Value | Unknown] = dict.fromkeys(
    ABOUT.gives, Unknown(reason="GitHub could not tell of the repository this time")
)

T = TypeVar("T")
Told = dict[str, Value | Unknown]


class _RateLimit(msgspec.Struct, rename="camel"):
    remaining: int = 5_000
    reset_at: str = ""


class _Error(msgspec.Struct):
    type: str = ""
    path: list[str | int] | None = None


class _Answer(msgspec.Struct):
    data: dict[str, msgspec.Raw] | None = None
    errors: list[_Error] | None = None


class GitHub:
    """The service, as a source that answers in batches.

    *base* is the address of its API, *token* one that need not have any rights; None for none, and
    then *budget* has to be that of `github-without-token`.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        budget: Budget,
        *,
        token: str | None = None,
        answers: Answers | None = None,
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
            told = await self._by_question(names, now) if names else {}
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

    async def _by_question(self, names: Sequence[str], now: datetime) -> dict[str, Told]:
        answer = await self._service.json(
            _Answer, "graphql", question={"query": github_query.question(names, now)}
        )
        data = self._data(answer, now)
        gone = {str(e.path[0]) for e in answer.errors or () if e.type == "NOT_FOUND" and e.path}
        told: dict[str, Told] = {}
        there: list[str] = []
        for number, name in enumerate(names):
            raw = data.get(f"r{number}")
            if raw is None:
                raise self._service.garbage("left out repositories that it was asked for")
            if bytes(raw) == b"null":
                told[name] = _gone(name) if f"r{number}" in gone else _UNTOLD.copy()
            else:
                repository = self._decoded(github_query.Repository, bytes(raw))
                told[name] = github_query.values(repository, name, now)
                there.append(name)
        counts = await asyncio.gather(*(self._contributors(name) for name in there))
        for name, contributors in zip(there, counts, strict=True):
            told[name]["contributors"] = contributors
        return told

    def _data(self, answer: _Answer, now: datetime) -> Mapping[str, msgspec.Raw]:
        """Return the repositories by alias; note how much of the hour's points is left."""
        limit = (answer.data or {}).get("rateLimit")
        if limit is not None and bytes(limit) != b"null":
            rate = self._decoded(_RateLimit, bytes(limit))
            if rate.remaining < _FEW_POINTS and (end := moment(rate.reset_at)) is not None:
                self._service.budget.pause(_until(end, now))
        if any(error.type == "RATE_LIMITED" for error in answer.errors or ()):
            raise SourceFailed(ABOUT.name, "status", "has answered enough for this hour")
        if answer.data is None:
            broken = "did not understand the question" if answer.errors else NOT_IN_FORM
            raise self._service.garbage(broken)
        return answer.data

    def _decoded(self, kind: type[T], raw: bytes) -> T:
        try:
            return msgspec.json.decode(raw, type=kind)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise self._service.garbage(NOT_IN_FORM) from error

    async def _contributors(self, name: str) -> int | Unknown:
        """Return how many ever committed; GraphQL does not tell it."""
        try:
            reply = await self._list(name, "contributors", {"anon": "1"})
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
        since = github_rest.stamp((now - github_query.YEAR).replace(hour=0, minute=0, second=0))
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

    async def _list(self, name: str, what: str, query: Mapping[str, str]) -> Reply:
        return await self._service.reply(f"{_path(name)}/{what}", query={**_ONE, **query})


def patience(headers: Mapping[str, str]) -> int | None:
    """Return the seconds for which GitHub wishes to be left alone; None when it does not say.

    A used-up limit is a 403 or 429 whose `X-RateLimit-Remaining` is 0; `X-RateLimit-Reset` is the
    end of it in seconds since 1970, counted from the answer's own `Date`.
    """
    wish = retry_after(headers)
    if wish is not None or headers.get("X-RateLimit-Remaining") != "0":
        return wish
    reset = headers.get("X-RateLimit-Reset", "")
    try:
        sent = parsedate_to_datetime(headers.get("Date", ""))
    except (ValueError, TypeError):
        return None
    if not (reset.isascii() and reset.isdecimal()):
        return None
    return max(1, min(int(reset[:12]) - int(sent.timestamp()), LONGEST_WAIT))


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


def _until(end: datetime, now: datetime) -> int:
    return max(1, min(int((end - now.astimezone(UTC)).total_seconds()), LONGEST_WAIT))
