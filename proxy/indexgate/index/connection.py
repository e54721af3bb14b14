"""The HTTP under an index: one session, redirects followed with care, failures told apart.

The gate follows redirects by itself, a few of them, and looks at each hop: credentials stay with
the index's own host, and a public index leads to no private address but its own.
"""

import asyncio
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Literal, TypeAlias, get_args
from urllib.parse import urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from cachetools import LRUCache
from yarl import URL

from indexgate.index.network import PublicResolver, is_private, refuse_private
from indexgate.index.protocol import UpstreamFailed
from indexgate.index.trouble import failure
from indexgate.index.upstream_settings import UpstreamSettings
from indexgate.own_version import own_version

VIA_NAME = "indexgate"
_REDIRECTS = {301, 302, 303, 307, 308}
_MOST_HOPS = 5
AT_ONCE = 64
"""Requests under way for each purpose: no page waits for files that take long."""

Purpose: TypeAlias = Literal["page", "file", "beside"]

_NO_TIMERS = aiohttp.ClientTimeout(total=None)

Origin: TypeAlias = tuple[str, str | None, int | None]
"""Scheme, host and port."""

_Proxy: TypeAlias = tuple[URL | None, dict[str, str]]
"""A proxy, None where none is used, and its login."""


class Connection:
    """The connection to one index. Open it with `async with`."""

    def __init__(self, settings: UpstreamSettings, *, gate_id: str) -> None:
        self.settings = settings
        self._gate_id = gate_id
        self._session: aiohttp.ClientSession | None = None
        self._turns = {purpose: asyncio.Semaphore(AT_ONCE) for purpose in get_args(Purpose)}
        self._host = urlsplit(settings.root).hostname
        self._home = origin_of(settings.root)
        self._at_home = urljoin(settings.root, "/")
        self._proxies: LRUCache[Origin, _Proxy] = LRUCache(1000)
        self._trust: asyncio.Task[ssl.SSLContext] | None = None

    async def __aenter__(self) -> "Connection":
        resolver = aiohttp.DefaultResolver()
        connector = aiohttp.TCPConnector(
            limit=0,  # who waits for a turn is not yet waiting for upstream
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
                "User-Agent": f"indexgate/{own_version()}",
                "Via": f"1.1 {VIA_NAME}-{self._gate_id}",
            },
        )
        # All authorities take a while to read. An index without TLS may lead to one that has it.
        self._trust = asyncio.create_task(asyncio.to_thread(_tls, self.settings))
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()
        if self._trust is not None:
            await asyncio.gather(self._trust, return_exceptions=True)

    @asynccontextmanager
    async def get(
        self, url: str, headers: Mapping[str, str], *, purpose: Purpose = "page"
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Ask for *url*, and for what it redirects to. Raises UpstreamFailed.

        An answer begins in time or is given up. How long its body may take is the caller's to say.
        What is beside the pages only the index's own host may say.
        """
        async with self._turns[purpose]:
            for _ in range(_MOST_HOPS + 1):
                if purpose == "beside":
                    self._check_home(url)
                response = await self._asked(url, headers)
                if response.status not in _REDIRECTS:
                    try:
                        yield response
                    finally:
                        response.release()
                    return
                response.release()
                url = _next_hop(url, response.headers.get("Location", ""))
        raise UpstreamFailed("redirect", f"redirected more than {_MOST_HOPS} times")

    async def _asked(self, url: str, headers: Mapping[str, str]) -> aiohttp.ClientResponse:
        """Ask for *url* alone. Raises UpstreamFailed."""
        session = self._session
        if session is None:
            raise RuntimeError("the upstream was not opened with `async with`")
        origin = self._origin_checked(url)
        try:
            if origin not in self._proxies:  # the environment's are looked up in all of it
                self._proxies[origin] = self._proxy_for(url)
            proxy, proxy_login = self._proxies[origin]
            tls = await self._tls_for(url, proxy)
            # Not by aiohttp's `sock_read`: its timer may go on in a connection that lies in the
            # pool, and then fails the next request at once (aio-libs/aiohttp#12953).
            async with asyncio.timeout(self.settings.timeout):
                return await session.get(
                    URL(url, encoded=True),
                    headers={
                        **headers,
                        **self._login_for(origin),
                        **(proxy_login if url.startswith("http:") else {}),
                    },
                    allow_redirects=False,
                    timeout=_NO_TIMERS,
                    ssl=tls,
                    proxy=proxy,
                    proxy_headers=proxy_login or None,
                )
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise failure(error, "the index", self.settings.timeout) from error

    async def _tls_for(self, url: str, proxy: URL | None) -> ssl.SSLContext | bool:
        """Return what TLS on the way to *url* goes by; True where there is none of it.

        Raises UpstreamFailed.
        """
        if self._trust is None or (url.startswith("http:") and proxy is None):
            return True
        try:
            return await asyncio.shield(self._trust)
        except (OSError, ValueError) as error:  # it was well when the gate was started
            reason = "is not asked: the gate cannot read a certificate file that it is to use"
            raise UpstreamFailed("certificate", reason) from error

    def _check_home(self, url: str) -> None:
        if origin_of(url) != self._home:
            where = (urlsplit(url).hostname or "").encode("ascii", "replace").decode()[:80]
            raise UpstreamFailed("redirect", f"leads to `{where}`, which is not allowed")

    def _origin_checked(self, url: str) -> Origin:
        """Return the origin of *url*, which may be asked. Raises UpstreamFailed."""
        if url.startswith(self._at_home):  # as nearly all: nothing to take apart
            return self._home
        try:
            parts = urlsplit(url)
            host, origin = parts.hostname, origin_of(url)
        except ValueError as error:
            raise UpstreamFailed("redirect", "led to an address that is none") from error
        if parts.scheme not in {"http", "https"} or not host:
            raise UpstreamFailed("redirect", "led to an address that is not http or https")
        if self.settings.public and host != self._host:
            refuse_private(host)
        return origin

    def _login_for(self, origin: Origin) -> dict[str, str]:
        if self.settings.credentials is None or origin != self._home:
            return {}
        return {"Authorization": _basic(*self.settings.credentials)}

    def _named_hosts(self) -> frozenset[str]:
        """Return the hosts that the operator named: they may be in the house."""
        proxies = [self.settings.proxy or "", *getproxies().values()]
        named = {urlsplit(proxy if "://" in proxy else f"//{proxy}").hostname for proxy in proxies}
        if self._host is not None and (self.settings.in_house or is_private(self._host)):
            named.add(self._host)
        return frozenset(host for host in named if host)

    def _proxy_for(self, url: str) -> _Proxy:
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


def _basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


def _next_hop(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError as error:
        raise UpstreamFailed("redirect", "led to an address that is none") from error


def origin_of(url: str) -> Origin:
    """Return scheme, host and port of *url*."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
