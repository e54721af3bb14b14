"""The index's own feed of new releases: what came out in the last quarter of an hour or so.

Source: the index's RSS `updates`, which holds the last 100 releases; asked every few minutes, or
some are missed. It stands beside the simple index, as the project JSON does, and is asked of that
index only: an index that has none is not asked elsewhere. It is a hint what to look at first, never
a fact to judge by.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit, urlunsplit
from xml.etree import ElementTree

import httpx
from msgspec import Struct
from packaging.utils import InvalidName, NormalizedName, canonicalize_name
from packaging.version import InvalidVersion, Version

from indexgate.sources.budgets import Budget
from indexgate.sources.outbound import answer, read_bounded, same_host
from indexgate.sources.protocol import SourceFailed

NAME = "release-feed"
MOST = 2_000_000
"""A larger feed is not read (bytes, decompressed)."""

_MOST_RELEASES = 1_000
_DECLARATION = re.compile(r"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)


class Released(Struct, frozen=True, kw_only=True):
    """A version that came out at an aware UTC time."""

    project: NormalizedName
    version: str
    at: datetime


def address(index_url: str) -> str | None:
    """Return where the index at *index_url* has its feed; None where none is known."""
    parts = urlsplit(index_url)
    root, found, rest = parts.path.rstrip("/").rpartition("/simple")
    if not found or rest:
        return None
    return urlunsplit((parts.scheme, parts.netloc, f"{root}/rss/updates.xml", "", ""))


class ReleaseFeed:
    """The feed of the index whose simple index is at *index_url*; *within* is in seconds."""

    def __init__(
        self, client: httpx.AsyncClient, budget: Budget, *, index_url: str, within: float = 15.0
    ) -> None:
        self._client = client
        self._budget = budget
        self._index_url = index_url
        self._within = within

    async def recent(self, now: datetime) -> tuple[Released, ...]:
        """Return what the feed holds, newest first, nothing still to come. Raises SourceFailed."""
        url = address(self._index_url)
        if url is None:
            reason = "is not known for an index whose address does not end in `/simple/`"
            raise SourceFailed(NAME, "status", reason)
        async with (
            self._budget.turn(NAME),
            answer(
                self._client,
                url,
                source=NAME,
                allowed=same_host(self._index_url),
                headers={"Accept": "application/rss+xml, application/xml, text/xml"},
                within=self._within,
            ) as response,
        ):
            body = await read_bounded(response, MOST)
        found = [released for released in read(body) if released.at <= now]
        return tuple(sorted(found, key=lambda released: released.at, reverse=True))


def read(body: bytes) -> Iterator[Released]:
    """Yield the releases of a feed; entries that are none are left out. Raises SourceFailed.

    A document that declares anything of its own is not read: a feed has no need to, and
    declarations are how XML grows in memory or reaches for files.
    """
    try:
        text = body.decode()  # as text, so that no stated encoding can hide a declaration
        if _DECLARATION.search(text):
            raise SourceFailed(NAME, "garbage", "answered a feed with declarations of its own")
        root = ElementTree.fromstring(text)  # noqa: S314 - no declarations, bounded size
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise SourceFailed(NAME, "garbage", "answered what is not a feed") from error
    if root.tag != "rss":
        raise SourceFailed(NAME, "garbage", "answered what is not a feed")
    for item in root.findall("channel/item")[:_MOST_RELEASES]:
        name, _, version = (item.findtext("title") or "").strip().rpartition(" ")
        try:
            Version(version)
            yield Released(
                project=canonicalize_name(name, validate=True),
                version=version,
                at=_time(item.findtext("pubDate") or ""),
            )
        except (InvalidName, InvalidVersion, ValueError, TypeError, OverflowError):
            continue


def _time(text: str) -> datetime:
    """Return the UTC time of *text* (RFC 5322). Raises ValueError or OverflowError."""
    time = parsedate_to_datetime(text)
    return time.astimezone(UTC) if time.tzinfo is not None else time.replace(tzinfo=UTC)
