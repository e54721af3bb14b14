"""Every way in which an upstream can go wrong, as a switch to set on a path of the stand-in."""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Protocol

from aiohttp import web

from tests.standins.pages import JSON_TYPE

Honest = Callable[[], Awaitable[web.Response]]
"""Makes the answer that would have been given without the fault."""

_BLOCK = 64 * 1024


class Fault(Protocol):
    """A way to answer wrongly."""

    async def answer(self, request: web.Request, honest: Honest) -> web.StreamResponse:
        """Answer *request*; *honest* gives the right answer."""


@dataclass(frozen=True, kw_only=True)
class Status:
    """An error status (or any other), with an optional reason phrase, headers and body."""

    status: int
    reason: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    content_type: str = "text/plain"

    async def answer(self, request: web.Request, honest: Honest) -> web.StreamResponse:
        """Answer the status, whatever was asked."""
        headers = {"Content-Type": self.content_type, **self.headers}
        return web.Response(status=self.status, reason=self.reason, headers=headers, body=self.body)


def too_many_requests(retry_after: int = 1) -> Status:
    """Answer 429 with the wish to be asked again after so many seconds."""
    return Status(status=429, headers={"Retry-After": str(retry_after)})


def redirect(location: str, status: int = 302) -> Status:
    """Send the asker elsewhere."""
    return Status(status=status, headers={"Location": location})


def garbage(body: bytes = b'{"meta": {"api-', content_type: str = JSON_TYPE) -> Status:
    """Answer 200 with bytes that are not what the type claims."""
    return Status(status=200, body=body, content_type=content_type)


def captive_portal() -> Status:
    """Answer 200 with a log-in page, as the Wi-Fi of a hotel does."""
    page = b"<!DOCTYPE html><html><body><form>Please log in to the Wi-Fi</form></body></html>"
    return Status(status=200, body=page, content_type="text/html")


class Hold:
    """Keeps every answer back until `release`: a slow upstream, or a hanging one if never released.

    Works from any thread: `await hold.reached()` in a test on an event loop, `hold.wait_reached()`
    in a plain one. The stand-in releases every hold when it stops. `came` counts the requests.
    """

    def __init__(self) -> None:
        self.came = 0
        self._reached: Future[None] = Future()
        self._released: Future[None] = Future()

    async def answer(self, request: web.Request, honest: Honest) -> web.StreamResponse:
        """Wait for `release`, then answer rightly."""
        await self._until_released()
        return await honest()

    async def _until_released(self) -> None:
        self.came += 1
        _settle(self._reached)
        await asyncio.shield(asyncio.wrap_future(self._released))

    def release(self) -> None:
        """Let all answers go, now and from now on."""
        _settle(self._released)

    async def reached(self) -> None:
        """Return once a request is being held."""
        await asyncio.shield(asyncio.wrap_future(self._reached))

    def wait_reached(self, seconds: float = 30) -> None:
        """Return once a request is being held; raises TimeoutError."""
        self._reached.result(timeout=seconds)


class Stall(Hold):
    """Sends the first `after` bytes and keeps the rest back until `release`."""

    def __init__(self, *, after: int) -> None:
        super().__init__()
        self.after = after

    async def answer(self, request: web.Request, honest: Honest) -> web.StreamResponse:
        """Answer the beginning, wait for `release`, answer the rest."""
        whole = await honest()
        body = bytes_of(whole)
        response = web.StreamResponse(status=whole.status, headers=_without_length(whole))
        response.content_length = len(body)
        await response.prepare(request)
        await response.write(body[: self.after])
        await self._until_released()
        await response.write(body[self.after :])
        return response


class Drip(Hold):
    """Sends the right answer a byte at a time, so slowly that it never comes to an end."""

    async def answer(self, request: web.Request, honest: Honest) -> web.StreamResponse:
        """Answer a byte every twentieth of a second until `release`, then no more."""
        whole = await honest()
        response = web.StreamResponse(status=whole.status, headers=_without_length(whole))
        response.content_length = len(bytes_of(whole))
        response.force_close()
        await response.prepare(request)
        _settle(self._reached)
        try:
            for byte in bytes_of(whole):
                await response.write(bytes([byte]))
                await asyncio.wait([asyncio.wrap_future(self._released)], timeout=0.05)
                if self._released.done():
                    break
        except ConnectionError:
            pass  # the asker had enough, which is the point
        return response


@dataclass(frozen=True, kw_only=True)
class CutOff:
    """Announces the whole length, sends the first `after` bytes and closes the connection."""

    after: int

    async def answer(self, request: web.Request, honest: Honest) -> web.StreamResponse:
        """Answer the beginning only."""
        whole = await honest()
        body = bytes_of(whole)
        response = web.StreamResponse(status=whole.status, headers=_without_length(whole))
        response.content_length = len(body)
        response.force_close()
        await response.prepare(request)
        await response.write(body[: self.after])
        return response


@dataclass(frozen=True, kw_only=True)
class Edited:
    """Changes the bytes of the right answer (before they are compressed)."""

    edit: Callable[[bytes], bytes]

    async def answer(self, request: web.Request, honest: Honest) -> web.StreamResponse:
        """Answer the changed bytes."""
        response = await honest()
        if response.status == 200:
            response.body = self.edit(bytes_of(response))
        return response


def tampered() -> Edited:
    """Flip the last bit: the length stays, the hash does not."""
    return Edited(edit=lambda body: body[:-1] + bytes([body[-1] ^ 1]))


def api_version(claimed: str) -> Edited:
    """Claim another version of the Simple API, in either form of a page."""
    return Edited(edit=lambda body: body.replace(b'"1.4"', f'"{claimed}"'.encode()))


@dataclass(frozen=True, kw_only=True)
class Huge:
    """Streams a JSON page of `size` bytes: blanks, so that every prefix could still end well.

    With `compressed` the bytes travel as gzip: a bomb that is a thousand times smaller on the wire.
    """

    size: int = 200_000_000
    compressed: bool = False

    async def answer(self, request: web.Request, honest: Honest) -> web.StreamResponse:
        """Stream until the asker hangs up or all is sent."""
        response = web.StreamResponse(headers={"Content-Type": JSON_TYPE})
        response.force_close()
        if self.compressed:
            response.headers["Content-Encoding"] = "gzip"
        await response.prepare(request)
        blocks = _gzip(self._blocks()) if self.compressed else self._blocks()
        try:
            for block in blocks:
                await response.write(block)
        except ConnectionError:
            pass  # the asker had enough, which is the point
        return response

    def _blocks(self) -> Iterator[bytes]:
        yield b'{"meta": {"api-version": "1.4"}, "name": "huge", "versions": [], "files": ['
        for _ in range(self.size // _BLOCK):
            yield b" " * _BLOCK
        yield b"]}"


def bytes_of(response: web.Response) -> bytes:
    """Return the body of a response that is held in memory."""
    body = response.body
    return bytes(body) if isinstance(body, bytes | bytearray) else b""


def _without_length(response: web.Response) -> dict[str, str]:
    dropped = {"content-length", "etag"}
    return {name: value for name, value in response.headers.items() if name.lower() not in dropped}


def _gzip(blocks: Iterator[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(wbits=31)
    for block in blocks:
        if packed := packer.compress(block):
            yield packed
    yield packer.flush()


def _settle(future: Future[None]) -> None:
    if not future.done():
        future.set_result(None)
