"""The index upstream: pages, project lists and files over HTTP, with every failure told apart.

The gate follows redirects by itself, a few of them, and looks at each hop: credentials stay with
the index's own host, and a public index leads to no private address but its own. Answers are
bounded in time and size, also after decompression.
"""

import asyncio
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from hashlib import blake2b
from importlib.metadata import version
from urllib.parse import urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from multidict import CIMultiDictProxy
from packaging.utils import NormalizedName
from yarl import URL

from indexgate.index.counts import UpstreamCounts
from indexgate.index.network import PublicResolver, is_private, refuse_private
from indexgate.index.packing import pack
from indexgate.index.page_body import read_page_body
from indexgate.index.protocol import NoSuchProject, Snapshot, UpstreamFailed
from indexgate.index.trouble import bad_status, failure, timed_out

ACCEPT = (
    "application/vnd.pypi.simple.v1+json, "
    "application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
)
VIA_NAME = "indexgate"
_REDIRECTS = {301, 302, 303, 307, 308}
_MOST_HOPS = 5
_CHUNK = 1 << 18


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamSettings:
    """How to reach one index.

    `root` is the address of its project list, with a trailing slash and without credentials;
    `in_house` says that its name may lead to a private address though it is public; `timeout` is
    seconds for a whole page and for each step of a file; `page_limit` bytes of a page once
    decompressed; `ca_file` replaces the system's certificates.
    """

    index_id: str
    root: str
    public: bool
    in_house: bool = False
    timeout: float = 10.0
    page_limit: int = 100_000_000
    credentials: tuple[str, str] | None = None
    ca_file: str | None = None
    client_certificate: str | None = None
    proxy: str | None = None


class Body:
    """A file as it comes from upstream: its length where told, and its bytes, read once."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.length = response.content_length
        self.status = response.status
        self.headers: CIMultiDictProxy[str] = response.headers

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the bytes. Raises UpstreamFailed when they break off."""
        try:
            async for chunk in self._response.content.iter_chunked(_CHUNK):
                yield chunk
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise failure(error, "the file") from error


class Upstream:
    """One index upstream. Open it with `async with`."""

    def __init__(
        self, settings: UpstreamSettings, *, clock: Callable[[], datetime], gate_id: str
    ) -> None:
        self.settings = settings
        self._clock = clock
        self._gate_id = gate_id
        self._session: aiohttp.ClientSession | None = None
        self._host = urlsplit(settings.root).hostname
        self.last_success: datetime | None = None
        self.last_failure: tuple[datetime, str] | None = None
        self.clock_ahead = 0.0
        self.counts = UpstreamCounts()

    async def __aenter__(self) -> "Upstream":
        resolver = aiohttp.DefaultResolver()
        connector = aiohttp.TCPConnector(
            limit=64,
            ssl=_tls(self.settings),
            resolver=(
                PublicResolver(resolver, may_be_private=self._named_hosts())
                if self.settings.public
                else resolver
            ),
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={
                "User-Agent": f"indexgate/{version('indexgate')}",
                "Via": f"1.1 {VIA_NAME}-{self._gate_id}",
            },
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def page(self, project: NormalizedName, known: Snapshot | None) -> Snapshot:
        """Fetch the page of *project*; *known* makes it a conditional request.

        Raises NoSuchProject, UpstreamFailed.
        """
        with self.counts.asking("page") as asking:
            snapshot = await self._page(project, known)
            if known is not None and snapshot.packed is known.packed:
                asking.result = "not-modified"
        return snapshot

    async def _page(self, project: NormalizedName, known: Snapshot | None) -> Snapshot:
        url = urljoin(self.settings.root, f"{project}/")
        headers = {"Accept": ACCEPT, "Accept-Encoding": "gzip"}
        if known is not None and known.etag:
            headers["If-None-Match"] = known.etag
        elif known is not None and known.last_modified:
            headers["If-Modified-Since"] = known.last_modified
        try:
            async with asyncio.timeout(self.settings.timeout):
                snapshot = await self._page_with_retry(project, url, headers, known)
        except TimeoutError as error:
            late = timed_out(self.settings.timeout)
            self.last_failure = (self._clock(), late.reason)
            raise late from error
        except UpstreamFailed as error:
            self.last_failure = (self._clock(), error.reason)
            raise
        self.last_success = self._clock()
        return snapshot

    async def _page_with_retry(
        self,
        project: NormalizedName,
        url: str,
        headers: Mapping[str, str],
        known: Snapshot | None,
    ) -> Snapshot:
        try:
            return await self._page_once(project, url, headers, known)
        except UpstreamFailed as error:
            if error.kind not in {"cut-off", "refused"} and error.status not in {502, 503, 504}:
                raise
            if error.retry_after:
                raise
        await asyncio.sleep(0.3)
        return await self._page_once(project, url, headers, known)

    async def _page_once(
        self,
        project: NormalizedName,
        url: str,
        headers: Mapping[str, str],
        known: Snapshot | None,
    ) -> Snapshot:
        async with self._get(url, headers) as response:
            now = self._clock()
            ahead = self.clock_ahead = _clock_ahead(response.headers.get("Date"), now)
            if response.status == 304 and known is not None:
                return _confirmed(known, now, ahead)
            if response.status in {404, 410}:
                raise NoSuchProject(project)
            if response.status != 200:
                raise bad_status(response)
            body = await read_page_body(response, self.settings.page_limit)
            snapshot = Snapshot(
                project=project,
                packed=pack(body),
                content_type=response.headers.get("Content-Type", ""),
                url=str(response.url),
                digest=digest_of(body),
                fetched_at=now,
                etag=_repeatable(response.headers.get("ETag")),
                last_modified=_repeatable(response.headers.get("Last-Modified")),
                serial=_serial(response.headers.get("X-PyPI-Last-Serial")),
                clock_ahead=ahead,
            )
        large = len(body) > 200_000
        page = await asyncio.to_thread(snapshot.page) if large else snapshot.page()
        return replace(snapshot, api_version=page.api_version)

    async def project_list(self, accept: str) -> tuple[bytes, str, str]:
        """Return the project list in the form *accept* asks for: body, content type, final address.

        Raises UpstreamFailed.
        """
        with self.counts.asking("list"):
            return await self._project_list(accept)

    async def _project_list(self, accept: str) -> tuple[bytes, str, str]:
        headers = {"Accept": accept, "Accept-Encoding": "gzip"}
        try:
            async with (
                asyncio.timeout(max(60.0, self.settings.timeout)),
                self._get(self.settings.root, headers) as response,
            ):
                if response.status != 200:
                    raise bad_status(response)
                body = await read_page_body(response, 4 * self.settings.page_limit)
                return body, response.headers.get("Content-Type", ""), str(response.url)
        except TimeoutError as error:
            raise timed_out(max(60.0, self.settings.timeout)) from error

    @asynccontextmanager
    async def file(self, url: str, byte_range: str | None = None) -> AsyncIterator[Body]:
        """Open the file at *url*, or the part of it that *byte_range* (a Range header) names.

        Raises UpstreamFailed.
        """
        headers = {"Accept": "*/*", "Accept-Encoding": "identity"}
        if byte_range is not None:
            headers["Range"] = byte_range
        with self.counts.asking("file") as asking:
            async with self._opened_file(url, headers, byte_range) as body:
                asking.is_answered()
                yield body

    @asynccontextmanager
    async def _opened_file(
        self, url: str, headers: Mapping[str, str], byte_range: str | None
    ) -> AsyncIterator[Body]:
        async with self._get(url, headers) as response:
            if response.status not in ({200, 206} if byte_range else {200}):
                if response.status in {404, 410}:
                    raise UpstreamFailed(
                        "missing", "no longer has the file that it lists", status=response.status
                    )
                raise bad_status(response)
            if response.headers.get("Content-Encoding", "identity").lower() != "identity":
                raise UpstreamFailed("garbage", "sent the file in an encoding nobody asked for")
            yield Body(response)

    @asynccontextmanager
    async def _get(
        self, url: str, headers: Mapping[str, str]
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        session = self._session
        if session is None:
            raise RuntimeError("the upstream was not opened with `async with`")
        wait = self.settings.timeout
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=wait, sock_read=wait)
        for _ in range(_MOST_HOPS + 1):
            self._check_hop(url)
            try:
                proxy, proxy_login = self._proxy_for(url)
                response = await session.get(
                    URL(url, encoded=True),
                    headers={
                        **headers,
                        **self._login_for(url),
                        **(proxy_login if url.startswith("http:") else {}),
                    },
                    allow_redirects=False,
                    timeout=timeout,
                    proxy=proxy,
                    proxy_headers=proxy_login or None,
                )
            except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
                raise failure(error, "the index", self.settings.timeout) from error
            if response.status not in _REDIRECTS:
                try:
                    yield response
                finally:
                    response.release()
                return
            response.release()
            url = _next_hop(url, response.headers.get("Location", ""))
        raise UpstreamFailed("redirect", f"redirected more than {_MOST_HOPS} times")

    def _check_hop(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            host = parts.hostname
        except ValueError as error:
            raise UpstreamFailed("redirect", "led to an address that is none") from error
        if parts.scheme not in {"http", "https"} or not host:
            raise UpstreamFailed("redirect", "led to an address that is not http or https")
        if self.settings.public and host != self._host:
            refuse_private(host)

    def _login_for(self, url: str) -> dict[str, str]:
        if self.settings.credentials is None or _origin(url) != _origin(self.settings.root):
            return {}
        return {"Authorization": _basic(*self.settings.credentials)}

    def _named_hosts(self) -> frozenset[str]:
        """Return the hosts that the operator named: they may be in the house."""
        proxies = [self.settings.proxy or "", *getproxies().values()]
        named = {urlsplit(proxy if "://" in proxy else f"//{proxy}").hostname for proxy in proxies}
        if self._host is not None and (self.settings.in_house or is_private(self._host)):
            named.add(self._host)
        return frozenset(host for host in named if host)

    def _proxy_for(self, url: str) -> tuple[URL | None, dict[str, str]]:
        """Return the proxy for *url* and its login: the configured one, else the environment's.

        aiohttp would read the environment by itself, but then netrc too, for any host at all.
        """
        parts = urlsplit(url)
        proxy = self.settings.proxy or getproxies().get(parts.scheme)
        if not proxy or proxy_bypass(parts.hostname or ""):
            return None, {}
        address = URL(proxy if "://" in proxy else f"http://{proxy}")
        if address.user is None:
            return address, {}
        login = _basic(address.user, address.password or "")
        return address.with_user(None), {"Proxy-Authorization": login}


def _tls(settings: UpstreamSettings) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=settings.ca_file)
    if settings.client_certificate is not None:
        context.load_cert_chain(settings.client_certificate)
    return context


def _confirmed(known: Snapshot, now: datetime, ahead: float) -> Snapshot:
    return replace(known, fetched_at=now, clock_ahead=ahead, stale=None)


def digest_of(body: bytes) -> str:
    """Return what tells two contents of a page apart."""
    return blake2b(body, digest_size=16).hexdigest()


def _repeatable(header: str | None) -> str | None:
    """Return a validator that can be sent back; one with odd bytes in it is worth nothing."""
    return header if header and header.isascii() and header.isprintable() else None


def _serial(header: str | None) -> str | None:
    return header if header and header.isascii() and header.isdigit() else None


def _basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


def _next_hop(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError as error:
        raise UpstreamFailed("redirect", "led to an address that is none") from error


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _clock_ahead(date: str | None, now: datetime) -> float:
    try:
        return (parsedate_to_datetime(date) - now).total_seconds() if date else 0.0
    except (ValueError, TypeError):
        return 0.0
