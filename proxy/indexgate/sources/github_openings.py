"""Who opens issues, requests and discussions of a repository, and how long an answer takes. Pure.

Only the newest hundred of each are known: what lies before the oldest of them is not known, so
people of a year are a floor, and days before it are left out.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta

import msgspec

from indexgate.sources.told import moment
from indexgate_policy.signals import Unknown

YEAR = timedelta(days=365)
MOST = 100
"""So many of each are asked for."""

_DAY = timedelta(days=1)


class _Login(msgspec.Struct, gc=False):
    login: str = ""


class _Time(msgspec.Struct, rename="camel"):
    created_at: str = ""


class _Times(msgspec.Struct):
    nodes: list[_Time | None] | None = None


class Opened(msgspec.Struct, rename="camel"):
    """Something that somebody opened; `author` is None when the account is gone."""

    created_at: str = ""
    author: _Login | None = None
    first_comments: _Times | None = None


class Openings(msgspec.Struct):
    """A list of them, newest first."""

    nodes: list[Opened | None] | None = None


def people(lists: Iterable[Openings | None], now: datetime) -> int | Unknown:
    """Return how many different people opened anything in the year before *now*."""
    told = _told(lists)
    if not told:
        return Unknown(reason="GitHub does not tell issues")
    return len({login for one in told for login, at in _authors(one) if at >= now - YEAR})


def people_by_day(lists: Iterable[Openings | None], now: datetime) -> dict[date, int]:
    """Return how many different people opened anything on each whole day that is known.

    Days in UTC, oldest first, up to yesterday and at most a year; nobody is 0.
    """
    told = _told(lists)
    if not told:
        return {}
    today = now.astimezone(UTC).date()
    first = max(today - YEAR, *(_known_from(one) for one in told))
    found: dict[date, set[str]] = defaultdict(set)
    for one in told:
        for login, at in _authors(one):
            found[at.date()].add(login)
    days = (first + _DAY * number for number in range((today - first).days))
    return {day: len(found.get(day, ())) for day in days}


def median_answer(issues: Openings | None, now: datetime) -> float | Unknown:
    """Return the median days until the first comment; one that waits counts until *now*."""
    waits = []
    for node in (issues.nodes or ()) if issues else ():
        opened = moment(node.created_at) if node is not None else None
        if node is None or opened is None or opened < now - YEAR:
            continue
        comments = (node.first_comments.nodes or ()) if node.first_comments else ()
        answered = next((moment(c.created_at) for c in comments if c is not None), None)
        waits.append(max(0.0, ((answered or now) - opened) / _DAY))
    if not waits:
        return Unknown(reason="the repository had no issues in the last year")
    return round(sorted(waits)[len(waits) // 2], 2)


def _told(lists: Iterable[Openings | None]) -> list[Openings]:
    return [one for one in lists if one is not None and one.nodes is not None]


def _authors(one: Openings) -> Iterator[tuple[str, datetime]]:
    for node in one.nodes or ():
        if node is not None and node.author is not None:
            at = moment(node.created_at)
            if at is not None:
                yield node.author.login, at


def _known_from(one: Openings) -> date:
    """Return the first whole day of which all that was opened is in the list."""
    times = [moment(node.created_at) for node in one.nodes or () if node is not None]
    known = [time.date() for time in times if time is not None]
    if len(one.nodes or ()) < MOST or not known:
        return date.min
    return min(known) + _DAY
