"""Asking foreign services: one client, and everything that can go wrong as `SourceFailed`.

An answer is bounded in time as a whole, in size as sent and as decompressed, and in redirects, each
of which must be allowed before it is followed. Proxies come from the environment (`HTTPS_PROXY`,
`NO_PROXY`); `SSL_CERT_FILE` and `SSL_CERT_DIR` are honoured where no bundle is set.
"""

import asyncio
import logging
import socket
import ssl
import zlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from email.message import Message
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from importlib import metadata
from pathlib import Path
from typing import NoReturn

import httpx

from indexgate.redact import redact
from indexgate.sources.protocol import SourceFailed

MOST_REDIRECTS = 5
LONGEST_WAIT = 86_400
"""No wish for patience is taken for longer than this many seconds."""

_CHUNK = 64 * 1024
_REDIRECTS = {301, 302, 303, 307, 308}


def user_agent(described: Message | None = None) -> str:
    """Return `indexgate/<version>`, with the first address that the package's metadata gives.

    *described* is core metadata; that of the installed distribution by default.
    """
    found = described if described is not None else metadata.metadata("indexgate")
    agent = f"indexgate/{found['Version']}"
    for stated in found.get_all("Project-URL") or ():
        address = str(stated).rpartition(",")[2].strip()
        return f"{agent} (+{address})"
    return agent


def keep_credentials_out_of_logs() -> None:
    """Have httpx write down the addresses that it asks without the credentials in them."""
    logging.getLogger("httpx").addFilter(_WITHOUT_CREDENTIALS)


def client(
    *,
    ca_bundle: Path | None = None,
    certificate: Path | None = None,
    proxy: str | None = None,
    timeout: float = 10.0,
    connections: int = 10,
) -> httpx.AsyncClient:
    """Return the client that all sources share; the caller closes it.

    *ca_bundle* is a PEM file that takes the place of the default authorities, *certificate* a PEM
    file with a client certificate and its key; *proxy* takes the place of the environment's proxy
    variables; *timeout* counts seconds for each single step (a whole answer has its own limit, see
    `answer`). Raises OSError or ssl.SSLError for bad files.
    """
    if ca_bundle is None:
        context = httpx.create_ssl_context()
    else:
        context = ssl.create_default_context(cafile=str(ca_bundle))
    if certificate is not None:
        context.load_cert_chain(str(certificate))
    keep_credentials_out_of_logs()
    return httpx.AsyncClient(
        verify=context,
        headers={"User-Agent": user_agent(), "Accept-Encoding": "gzip"},
        timeout=timeout,
        follow_redirects=False,
        trust_env=True,
        proxy=proxy,
        limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
    )


def same_host(base: str) -> Callable[[httpx.URL], bool]:
    """Return a rule that allows addresses of *base*'s host and port, and no step down from TLS."""
    home = httpx.URL(base)

    def allowed(url: httpx.URL) -> bool:
        return (url.scheme, url.host, url.port) == (home.scheme, home.host, home.port)

    return allowed


@asynccontextmanager
async def answer(
    asking: httpx.AsyncClient,
    url: str,
    *,
    source: str,
    allowed: Callable[[httpx.URL], bool],
    headers: Mapping[str, str] | None = None,
    accept: frozenset[int] = frozenset({200}),
    within: float = 30.0,
    question: bytes | None = None,
    patience: Callable[[Mapping[str, str]], int | None] | None = None,
) -> AsyncIterator[httpx.Response]:
    """Ask for *url*; the body is still to be read (`read_bounded`, `chunks`) inside the context.

    *allowed* says which addresses may be asked, the first one and every redirect; *accept* are the
    statuses that the caller understands; *within* is the limit in seconds for everything up to the
    end of the context. With a *question* that is posted, to nowhere but *url* itself. *patience*
    reads the service's wish to be left alone from its headers (`retry_after` by default). Raises
    SourceFailed, also for what goes wrong while the body is read.
    """
    try:
        async with asyncio.timeout(within):
            response = await _follow(
                asking, url, source, allowed, headers=headers or {}, question=question
            )
            try:
                if response.status_code not in accept:
                    raise _refused(source, response, patience or retry_after)
                yield response
            finally:
                await response.aclose()
    except TimeoutError as error:
        reason = f"did not finish within {within:g} s"
        raise SourceFailed(source, "timeout", reason) from error
    except _Undecodable as error:
        raise SourceFailed(source, error.kind, error.reason) from error
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
        kind, reason = explain(error)
        raise SourceFailed(source, kind, reason) from error


async def read_bounded(response: httpx.Response, limit: int) -> bytes:
    """Return the whole decompressed body of at most *limit* bytes. Only inside `answer`."""
    body = bytearray()
    async for chunk in chunks(response, limit):
        body += chunk
    return bytes(body)


async def chunks(response: httpx.Response, limit: int) -> AsyncIterator[bytes]:
    """Yield the decompressed body in pieces of at most 64 KiB, failing beyond *limit* bytes.

    Decompression is bounded step by step, so that a small answer cannot fill the memory. Only
    inside `answer`.
    """
    coding = response.headers.get("Content-Encoding", "identity").lower()
    if coding not in {"gzip", "x-gzip", "identity", ""}:
        raise _Undecodable("garbage", "answered in a coding that was not asked for")
    stated = response.headers.get("Content-Length", "")
    if stated.isdecimal() and int(stated) > limit:
        _too_large(limit)
    unzip = zlib.decompressobj(wbits=31) if "gzip" in coding else None
    length = 0
    async for raw in response.aiter_raw(_CHUNK):
        for piece in (raw,) if unzip is None else _unzipped(unzip, raw):
            length += len(piece)
            if length > limit:
                _too_large(limit)
            yield piece
    if unzip is not None and not unzip.eof:
        raise _Undecodable("cut-off", "broke off in the middle of the answer")


def retry_after(headers: Mapping[str, str]) -> int | None:
    """Return the seconds that `Retry-After` asks for (RFC 9110, 10.2.3), None when it asks nothing.

    A date is counted from the answer's own `Date`, so that clocks need not agree.
    """
    wish = headers.get("Retry-After", "").strip()
    if wish.isdecimal():
        return min(int(wish[:9]), LONGEST_WAIT)
    try:
        until, sent = (parsedate_to_datetime(text) for text in (wish, headers.get("Date", "")))
        seconds = (until - sent).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(0, int(seconds)), LONGEST_WAIT)


def explain(error: Exception) -> tuple[str, str]:
    """Return the kind and the reason that stand for a failure of httpx."""
    causes = list(_causes(error))
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return "certificate", "has a certificate that is not trusted"
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return "certificate", "could not agree on an encrypted connection"
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return "dns", "has a host name that could not be resolved"
    told: tuple[tuple[type[Exception], str, str], ...] = (
        (httpx.ConnectTimeout, "timeout", "could not be connected in time"),
        (httpx.TimeoutException, "timeout", "did not answer in time"),
        (httpx.ProxyError, "refused", "could not be reached through the proxy"),
        (httpx.ConnectError, "refused", "refused the connection"),
        (httpx.RemoteProtocolError, "cut-off", "broke off in the middle of the answer"),
        (httpx.NetworkError, "cut-off", "broke off in the middle of the answer"),
        (httpx.UnsupportedProtocol, "redirect", "has an address that is neither http nor https"),
        (httpx.InvalidURL, "redirect", "has an address that cannot be read"),
    )
    for family, kind, reason in told:
        if isinstance(error, family):
            return kind, reason
    return "garbage", "answered what is not HTTP"


class _WithoutCredentials(logging.Filter):
    """httpx logs the address of every request, and some services want their key in it."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                redact(str(told)) if isinstance(told, httpx.URL) else told for told in record.args
            )
        return True


_WITHOUT_CREDENTIALS = _WithoutCredentials()


class _Undecodable(Exception):
    """A body that cannot be taken; `answer` knows whose it is and makes it `SourceFailed`."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(kind, reason)
        self.kind = kind
        self.reason = reason


async def _follow(
    asking: httpx.AsyncClient,
    url: str,
    source: str,
    allowed: Callable[[httpx.URL], bool],
    *,
    headers: Mapping[str, str],
    question: bytes | None,
) -> httpx.Response:
    # Credentials are taken out of the address, because httpx logs addresses, and go to its own host
    # only, wherever a redirect leads.
    first = httpx.URL(url)
    login = httpx.BasicAuth(first.username, first.password) if first.userinfo else None
    at_home = same_host(url)
    target = first.copy_with(userinfo=b"")
    for _ in range(MOST_REDIRECTS + 1):
        if not allowed(target):
            where = target.host.encode("ascii", "replace").decode()[:80]
            raise SourceFailed(source, "redirect", f"leads to `{where}`, which is not allowed")
        method = "GET" if question is None else "POST"
        request = asking.build_request(method, target, headers=dict(headers), content=question)
        auth = login if at_home(target) else None
        response = await asking.send(request, stream=True, auth=auth)
        if response.status_code not in _REDIRECTS or question is not None:
            return response
        await response.aclose()
        location = response.headers.get("Location", "")
        if not location:
            raise SourceFailed(source, "redirect", "redirects without saying where to")
        target = target.join(location).copy_with(userinfo=b"")
    raise SourceFailed(source, "redirect", f"redirects more than {MOST_REDIRECTS} times")


def _refused(
    source: str, response: httpx.Response, patience: Callable[[Mapping[str, str]], int | None]
) -> SourceFailed:
    status = response.status_code
    try:
        phrase = f" {HTTPStatus(status).phrase}"
    except ValueError:
        phrase = ""
    return SourceFailed(
        source,
        "status",
        f"answered {status}{phrase}",
        status=status,
        retry_after=patience(response.headers),
    )


def _too_large(limit: int) -> NoReturn:
    raise _Undecodable("too-large", f"answered more than {limit:,} bytes")


def _unzipped(unzip: "zlib._Decompress", raw: bytes) -> Iterator[bytes]:
    try:
        piece = unzip.decompress(raw, _CHUNK)
        while piece:
            yield piece
            piece = unzip.decompress(unzip.unconsumed_tail, _CHUNK)
        if unzip.unused_data:
            raise _Undecodable("garbage", "answered more than the one body that was asked for")
    except zlib.error as error:
        raise _Undecodable("garbage", "answered a body that does not decompress") from error


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield *error* and everything it came from."""
    waiting: list[BaseException] = [error]
    while waiting:
        current = waiting.pop()
        yield current
        waiting += [c for c in (current.__cause__, current.__context__) if c is not None]
        if isinstance(current, BaseExceptionGroup):
            waiting += current.exceptions
