"""GitHub's REST answers, for those without a token, and the number of contributors for all. Pure.

Source: GitHub's REST reference. Lists are asked for with one entry a page: the number of the last
page in the `Link` header is the length.
"""

import re
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import msgspec

from indexgate.sources.github_query import moved_to
from indexgate.sources.told import count, day
from indexgate_policy.signals import Unknown, Value

_LAST = re.compile(r'<([^<>]{1,2000})>\s*;\s*rel="last"')
_WEEKS = 52


class Repository(msgspec.Struct):
    """A repository as REST tells it."""

    full_name: str
    archived: bool | None = None
    stargazers_count: int | None = None
    forks_count: int | None = None
    pushed_at: str | None = None


class _Signature(msgspec.Struct):
    date: str | None = None


class _Commit(msgspec.Struct):
    committer: _Signature | None = None


class Listed(msgspec.Struct):
    """A commit in a list."""

    commit: _Commit | None = None


class Tag(msgspec.Struct):
    """A tag in a list."""

    name: str


def length(link: str, entries: int) -> int | Unknown:
    """Return the length of a list asked for with one entry a page, of which *entries* came."""
    if not link:
        return entries
    found = _LAST.search(link)
    pages = parse_qs(urlsplit(found[1]).query).get("page", []) if found else []
    number = int(pages[0]) if pages and pages[0].isascii() and pages[0].isdecimal() else None
    return count(number, "GitHub does not tell how long the list is")


def of_the_repository(told: Repository, asked: str) -> dict[str, Value | Unknown]:
    """Return the signals of the repository that was *asked* for as `owner/name`."""
    archived = Unknown(reason="GitHub does not tell whether the repository is archived")
    return {
        "stars": count(told.stargazers_count, "GitHub does not tell stars"),
        "forks": count(told.forks_count, "GitHub does not tell forks"),
        "repository_archived": archived if told.archived is None else told.archived,
        "repository_moved_to": moved_to(told.full_name, asked),
    }


def of_commits(
    commits: list[Listed], link: str, pushed_at: str | None
) -> dict[str, Value | Unknown]:
    """Return the signals of a year's commits; *pushed_at* stands in where there are none.

    A push to any branch is no earlier than the newest commit on the main one was seen.
    """
    newest = commits[0].commit if commits else None
    date = newest.committer.date if newest and newest.committer else None
    a_year = length(link, len(commits))
    return {
        "last_commit_on": day(date if commits else pushed_at, "GitHub does not tell commits"),
        "commits_a_week": a_year if isinstance(a_year, Unknown) else round(a_year / _WEEKS, 2),
    }


def stamp(time: datetime) -> str:
    """Write *time* as GitHub reads it."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
