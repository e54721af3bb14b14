"""The index upstream: pages, project lists and files over HTTP, with every failure told apart.

Answers are bounded in time and size, also after decompression. A page is asked for a second time
where that may help, and never a third; a host in trouble is left alone for a while (`breaker`).
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache, partial
from typing import TypeAlias
from urllib.parse import urljoin, urlsplit

import aiohttp
from msgspec import Struct
from msgspec.structs import replace
from multidict import CIMultiDictProxy
from packaging.utils import NormalizedName

from indexgate.index.breaker import Breaker
from indexgate.index.connection import Connection, Origin, origin_of
from indexgate.index.counts import UpstreamCounts
from indexgate.index.in_turn import in_turn
from indexgate.index.packing import digest_of, pack
from indexgate.index.page_body import CODINGS, PageBody, read_page_body
from indexgate.index.protocol import NoSuchProject, Snapshot, UpstreamFailed
from indexgate.index.trouble import bad_status, failure, timed_out
from indexgate.index.upstream_settings import UpstreamSettings
from indexgate.index.watched_host import WatchedHost
from indexgate.simple.model import Unreadable
from indexgate.simple.ordinary_files import OrdinaryFiles
from indexgate.simple.project_document import described
from indexgate.simple.projects import valid_name

ACCEPT = (
    "application/vnd.pypi.simple.v1+json, "
    "application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
)
_CHUNK = 1 << 18
_Reading: TypeAlias = Callable[[Snapshot, PageBody], Snapshot]
_LARGE = 300_000  # bytes of a page that is taken in off the event loop: there and back costs too
_HUGE = 12_000_000
_BREATH = 0.3
_SHORT_WISH = 3  # seconds of a Retry-After that a page waits for, rather than fail
_LIST_SECONDS = 60.0
_MOST_FILE_HOSTS = 100


class _Question(Struct, frozen=True):
    """What upstream is asked for; *known* makes it conditional, *reading* takes the body in."""

    project: NormalizedName
    url: str
    accept: str
    known: Snapshot | None
    reading: _Reading

    def headers(self) -> dict[str, str]:
        """Return the headers to ask with."""
        headers = {"Accept": self.accept, "Accept-Encoding": CODINGS}
        if self.known is not None and self.known.etag:
            headers["If-None-Match"] = self.known.etag
        elif self.known is not None and self.known.last_modified:
            headers["If-Modified-Since"] = self.known.last_modified
        return headers


class Body:
    """A file as it comes from upstream: its length where told, and its bytes, read once.

    More of it comes within *seconds*, or it is given up.
    """

    def __init__(self, response: aiohttp.ClientResponse, seconds: float) -> None:
        self._response = response
        self._seconds = seconds
        self.length = response.content_length
        self.status = response.status
        self.headers: CIMultiDictProxy[str] = response.headers

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the bytes. Raises UpstreamFailed when they break off."""
        try:
            while chunk := await self._next():
                yield chunk
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise failure(error, "the file") from error

    async def _next(self) -> bytes:
        async with asyncio.timeout(self._seconds):
            return await self._response.content.read(_CHUNK)


class Upstream:
    """One index upstream. Open it with `async with`.

    `breaker` guards the index itself; each other host that files lie on has one of its own.
    """

    def __init__(
        self,
        settings: UpstreamSettings,
        *,
        clock: Callable[[], datetime],
        gate_id: str,
        monotonic: Callable[[], float] = time.monotonic,
        log: Callable[[str, str], None] = lambda _event, _text: None,
    ) -> None:
        self.settings = settings
        self._clock = clock
        self._monotonic = monotonic
        self._log = log
        self._connection = Connection(settings, gate_id=gate_id)
        self._pages = urljoin(settings.root, "./")  # a project's name changes nothing in joining
        self._index = self._watched(settings.root)
        self._file_hosts: OrderedDict[Origin, WatchedHost] = OrderedDict()
        self.last_success: datetime | None = None
        self.last_failure: tuple[datetime, str] | None = None
        self.clock_ahead = 0.0
        self.counts = UpstreamCounts()

    @property
    def breaker(self) -> Breaker:
        """The breaker of the index."""
        return self._index.breaker

    async def __aenter__(self) -> "Upstream":
        await self._connection.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        for host in (self._index, *self._file_hosts.values()):
            await host.close()
        await self._connection.__aexit__()

    async def page(self, project: NormalizedName, known: Snapshot | None) -> Snapshot:
        """Fetch the page of *project*; *known* makes it a conditional request.

        Raises NoSuchProject, UpstreamFailed.
        """
        url = f"{self._pages}{project}/"
        return await self._current(_Question(project, url, ACCEPT, known, _with_page))

    async def document(self, key: NormalizedName, url: str, known: Snapshot | None) -> Snapshot:
        """Fetch the JSON document of a project at *url*, of which *key* is the name it is kept by.

        Raises NoSuchProject, UpstreamFailed.
        """
        return await self._current(_Question(key, url, "application/json", known, _with_document))

    async def beside(self, url: str, *, limit: int, seconds: float) -> bytes:
        """Return the JSON of at most *limit* bytes that the index has at *url*, beside its pages.

        It is asked for once. An index that is left alone is not asked, and one that fails here is
        not left alone for it: its pages may be well. Raises UpstreamFailed.
        """
        self._index.check(url)
        headers = {"Accept": "application/json", "Accept-Encoding": CODINGS}
        try:
            async with (
                asyncio.timeout(seconds),
                self._connection.get(url, headers, purpose="beside") as response,
            ):
                if response.status != 200:
                    raise bad_status(response)
                return (await read_page_body(response, limit)).plain
        except TimeoutError as error:
            raise timed_out(seconds) from error

    async def _current(self, question: "_Question") -> Snapshot:
        """Return what is there now: what is known, if it still is. It is asked for twice at most.

        Raises NoSuchProject, UpstreamFailed.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.settings.timeout
        try:
            return await self._taken_by(deadline, question)
        except UpstreamFailed as error:
            pause = _pause_before_another_try(error, reachable=self.breaker.closed)
            if pause is None or loop.time() + pause >= deadline:
                raise
        await asyncio.sleep(pause)
        return await self._taken_by(deadline, question)

    async def _taken_by(self, deadline: float, question: "_Question") -> Snapshot:
        with self._index.asking(question.url), self.counts.asking("page") as asking:
            try:
                async with asyncio.timeout_at(deadline):
                    head, body = await self._answer(question)
                asking.is_answered()
                if body is None:
                    asking.result = "not-modified"
                snapshot = await _taken_in(head, body, question.reading)
            except NoSuchProject:
                self.last_success = self._clock()
                raise
            except TimeoutError as error:
                late = timed_out(self.settings.timeout)
                self.last_failure = (self._clock(), late.reason)
                raise late from error
            except UpstreamFailed as error:
                self.last_failure = (self._clock(), error.reason)
                raise
        self.last_success = self._clock()
        return snapshot

    async def _answer(self, question: "_Question") -> tuple[Snapshot, PageBody | None]:
        """Return what the index says of the page, and the page; None when *known* is still good."""
        async with self._connection.get(question.url, question.headers()) as response:
            now = self._clock()
            ahead = self.clock_ahead = _clock_ahead(response.headers.get("Date"), now)
            if response.status == 304 and question.known is not None:
                return replace(question.known, fetched_at=now, clock_ahead=ahead, stale=None), None
            if response.status in {404, 410}:
                raise NoSuchProject(question.project)
            if response.status != 200:
                raise bad_status(response)
            head = Snapshot(
                project=question.project,
                packed=b"",
                content_type=response.headers.get("Content-Type", ""),
                url=str(response.url),
                digest="",
                fetched_at=now,
                etag=_repeatable(response.headers.get("ETag")),
                last_modified=_repeatable(response.headers.get("Last-Modified")),
                serial=_serial(response.headers.get("X-PyPI-Last-Serial")),
                clock_ahead=ahead,
            )
            return head, await read_page_body(response, self.settings.page_limit)

    async def project_list(self, accept: str) -> tuple[bytes, str, str]:
        """Return the project list in the form *accept* asks for: body, content type, final address.

        Raises UpstreamFailed.
        """
        headers = {"Accept": accept, "Accept-Encoding": CODINGS}
        seconds = max(_LIST_SECONDS, self.settings.timeout)
        with self._index.asking(self.settings.root), self.counts.asking("list"):
            try:
                async with (
                    asyncio.timeout(seconds),
                    self._connection.get(self.settings.root, headers) as response,
                ):
                    if response.status != 200:
                        raise bad_status(response)
                    body = await read_page_body(response, 4 * self.settings.page_limit)
                    return body.plain, response.headers.get("Content-Type", ""), str(response.url)
            except TimeoutError as error:
                raise timed_out(seconds) from error

    @asynccontextmanager
    async def file(self, url: str, byte_range: str | None = None) -> AsyncIterator[Body]:
        """Open the file at *url*, or the part of it that *byte_range* (a Range header) names.

        Raises UpstreamFailed.
        """
        headers = {"Accept": "*/*", "Accept-Encoding": "identity"}
        if byte_range is not None:
            headers["Range"] = byte_range
        async with AsyncExitStack() as stack:
            with self._host_of(url).asking(url), self.counts.asking("file"):
                asking = self._connection.get(url, headers, purpose="file")
                response = await stack.enter_async_context(asking)
                _check_file(response, in_part=byte_range is not None)
            yield Body(response, self.settings.timeout)

    async def _probe(self, url: str, seconds: float) -> None:
        """Find out whether the host of *url* answers, and not only with a head."""
        patience = min(seconds, self.settings.timeout)
        headers = {"Accept": ACCEPT, "Accept-Encoding": CODINGS}
        try:
            async with asyncio.timeout(patience), self._connection.get(url, headers) as response:
                if response.status >= 400:
                    raise bad_status(response)
                await response.content.readany()
        except TimeoutError as error:
            raise timed_out(patience) from error
        except (aiohttp.ClientError, OSError) as error:
            raise failure(error, "an answer", patience) from error

    def _host_of(self, url: str) -> WatchedHost:
        """Return the host of *url*; of the hosts that files lie on, the latest are kept."""
        origin = origin_of(url)
        if origin == origin_of(self.settings.root):
            return self._index
        host = self._file_hosts.pop(origin, None) or self._watched(url)
        self._file_hosts[origin] = host
        while len(self._file_hosts) > _MOST_FILE_HOSTS:
            self._file_hosts.popitem(last=False)[1].let_go()
        return host

    def _watched(self, url: str) -> WatchedHost:
        name = f"`{urlsplit(url).hostname}`"
        return WatchedHost(name, Breaker(self._monotonic), self._probe, self._log)


def _check_file(response: aiohttp.ClientResponse, *, in_part: bool) -> None:
    """Raise UpstreamFailed unless *response* brings the file, or the part that was asked for."""
    if response.status in {404, 410}:
        reason = "no longer has the file that it lists"
        raise UpstreamFailed("missing", reason, status=response.status)
    if response.status not in ({200, 206} if in_part else {200}):
        raise bad_status(response)
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UpstreamFailed("garbage", "sent the file in an encoding nobody asked for")


def _pause_before_another_try(error: UpstreamFailed, *, reachable: bool) -> float | None:
    """Return the seconds after which a page is asked for once more, None when it is not."""
    if error.retry_after:
        return float(error.retry_after) if error.retry_after <= _SHORT_WISH else None
    soon = error.kind in {"cut-off", "refused"} or error.status in {502, 503, 504}
    return _BREATH if soon and reachable else None


async def _taken_in(head: Snapshot, body: PageBody | None, reading: _Reading) -> Snapshot:
    """Return the snapshot with its body, which *reading* can read. Raises UpstreamFailed."""
    if body is None:
        return head
    taking = partial(reading, head, body)
    size = len(body.plain)
    return await in_turn(taking, huge=size > _HUGE) if size > _LARGE else taking()


def _with_page(head: Snapshot, body: PageBody) -> Snapshot:
    page = head.read(body.plain)
    return replace(
        head,
        packed=body.gzip or pack(body.plain),
        digest=digest_of(body.plain),
        api_version=page.api_version,
        ordinary=isinstance(page.files, OrdinaryFiles),
        at_hand=page,
    )


def _with_document(head: Snapshot, body: PageBody) -> Snapshot:
    try:
        name, _ = described(body.plain)
    except Unreadable as error:
        raise UpstreamFailed(error.kind, error.reason) from error
    if valid_name(name) != head.project.partition("/")[0]:
        raise UpstreamFailed("garbage", "sent the document of another project")
    return replace(head, packed=body.gzip or pack(body.plain), digest=digest_of(body.plain))


def _repeatable(header: str | None) -> str | None:
    """Return a validator that can be sent back; one with odd bytes in it is worth nothing."""
    return header if header and header.isascii() and header.isprintable() else None


def _serial(header: str | None) -> str | None:
    return header if header and header.isascii() and header.isdigit() else None


def _clock_ahead(date: str | None, now: datetime) -> float:
    try:
        return (_moment(date) - now).total_seconds() if date else 0.0
    except (ValueError, TypeError, OverflowError):
        return 0.0


@lru_cache(maxsize=8)  # all answers of a second say the same
def _moment(date: str) -> datetime:
    return parsedate_to_datetime(date)
