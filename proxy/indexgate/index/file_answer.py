"""A file as an answer to HTTP: HEAD, ranges, conditions, and an end that is only there if true."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, aclosing, contextmanager
from typing import TypeVar

from aiohttp import hdrs, web
from msgspec import Struct, field

from indexgate.index.byte_range import ByteRange, RangeNotSatisfiable, asked_range
from indexgate.index.file_cache import FileCache
from indexgate.index.files import SMALL_FILE, Fetch, FetchRange, FileBody, Wanted
from indexgate.index.protocol import UpstreamFailed
from indexgate.index.trace import broke_off, met_file, waiting_for_upstream

T = TypeVar("T")

PASSED_THROUGH = 1024 * 1024
"""The longest range of a file not in the cache that is asked of upstream by itself, in bytes."""

BEGINS_WITHIN = 11.0
"""Seconds in which a file begins to arrive, or it is told why not: pip stops reading at 15."""


class FileSource(Struct, frozen=True, kw_only=True):
    """Where the bytes of one wanted file may come from.

    `broken` is told when a fetch fails after a part of the answer has left. `headers` are sent
    with every answer beside the file's own. `begins_within` is in seconds, counted from
    `asked_at` by the loop's clock.
    """

    cache: FileCache
    fetch: Fetch
    fetch_range: FetchRange | None = None
    broken: Callable[[Exception], None] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    begins_within: float = BEGINS_WITHIN
    asked_at: float = field(default_factory=lambda: asyncio.get_running_loop().time())


async def respond(request: web.Request, wanted: Wanted, source: FileSource) -> web.StreamResponse:
    """Answer *request* (GET or HEAD) with a file that the caller has judged and lets pass.

    Upstream is asked only for what the answer needs: a 304, and a HEAD of a file whose size is
    listed, need nothing. A failure before the answer begins is raised as UpstreamFailed; after
    that the connection is aborted, so that no client takes a part for the whole.
    """
    headers = _headers(wanted, source.headers)
    if _not_modified(request, wanted.etag):
        headers.pop(hdrs.CONTENT_TYPE)
        return web.Response(status=304, headers=headers)
    if request.method == hdrs.METH_HEAD:
        return await _head(wanted, source, headers)
    try:
        body: FileBody | None = await source.cache.open_kept(wanted)
        if body is None:
            passed = await _pass_range(request, wanted, source, headers)
            if passed is not None:
                return passed
            met_file("miss")
            with waiting_for_upstream():
                body = await _in_time(source.cache.open(wanted, source.fetch), source)
        else:
            met_file("hit")
        return await _get(request, body, wanted, source, headers)
    except RangeNotSatisfiable as error:
        headers[hdrs.CONTENT_RANGE] = error.content_range
        headers.pop(hdrs.CONTENT_TYPE)
        return web.Response(status=416, headers=headers)


async def _get(
    request: web.Request,
    body: FileBody,
    wanted: Wanted,
    source: FileSource,
    headers: dict[str, str],
) -> web.StreamResponse:
    try:
        part = None if body.size is None else _asked(request, wanted, body.size)
        if body.at_hand is not None:
            return at_once(body.at_hand, part, headers)
        start, stop = (part.start, part.stop) if part else (0, body.size)
        response = _response(part, body.size, headers)
        if body.kept is not None and stop is not None and stop - start > SMALL_FILE:
            return await _send_kept(request, response, body, (start, stop), source)
        return await _send(request, response, body.read(start, stop), source)
    finally:
        body.close()


def at_once(data: bytes, part: ByteRange | None, headers: Mapping[str, str]) -> web.Response:
    """Return the answer with a file that is all there, or with *part* of it."""
    if part is None:
        return web.Response(body=data, headers=headers)
    response = web.Response(status=206, body=data[part.start : part.stop], headers=headers)
    response.headers[hdrs.CONTENT_RANGE] = part.content_range
    return response


async def _pass_range(
    request: web.Request, wanted: Wanted, source: FileSource, headers: dict[str, str]
) -> web.StreamResponse | None:
    """Answer with a short range of a long file, or return None when all of it is to be fetched.

    A short file is fetched whole whatever part of it is asked for: only so it can be checked.
    """
    if wanted.size is None or source.fetch_range is None:
        return None
    part = _asked(request, wanted, wanted.size)
    if part is None or part.length > PASSED_THROUGH or part.size <= PASSED_THROUGH:
        return None
    async with AsyncExitStack() as stack:
        asking = stack.enter_async_context(source.fetch_range(part.start, part.stop))
        upstream = await _in_time(asking, source)
        meant = part.is_meant_by(upstream.headers.get(hdrs.CONTENT_RANGE))
        if not meant or upstream.length != part.length:
            return None  # upstream knows no ranges, or gives another than it was asked for
        met_file("passed")
        pieces = _exactly(part.length, upstream.chunks())
        return await _send(request, _response(part, wanted.size, headers), pieces, source)


async def _head(wanted: Wanted, source: FileSource, headers: dict[str, str]) -> web.Response:
    size = wanted.size
    if size is None and (body := await source.cache.open_kept(wanted)):
        size = body.size
        body.close()
    if size is None:
        async with AsyncExitStack() as stack:
            size = (await _in_time(stack.enter_async_context(source.fetch()), source)).length
    if size is not None:
        headers[hdrs.CONTENT_LENGTH] = str(size)
    return web.Response(headers=headers)


async def _send(
    request: web.Request,
    response: web.StreamResponse,
    pieces: AsyncGenerator[bytes, None],
    source: FileSource,
) -> web.StreamResponse:
    """Send *pieces*. Nothing is sent before the first is there, so that its failure can be told."""
    async with aclosing(pieces):
        first = await _in_time(anext(pieces, b""), source)
        with _whole_or_aborted(request, source):
            await response.prepare(request)
            await response.write(first)
            async for piece in pieces:
                await response.write(piece)
            await response.write_eof()
    return response


async def _in_time(step: Awaitable[T], source: FileSource) -> T:
    """Wait for a step towards the first bytes. Raises UpstreamFailed when there are none in time.

    The fetch of a whole file goes on all the same, so that a later request finds what a slow
    upstream sends.
    """
    try:
        async with asyncio.timeout_at(source.asked_at + source.begins_within):
            return await step
    except TimeoutError as error:
        late = f"has not sent the beginning of the file within {source.begins_within:g} s"
        raise UpstreamFailed("timeout", late) from error


async def _send_kept(
    request: web.Request,
    response: web.StreamResponse,
    body: FileBody,
    span: tuple[int, int],
    source: FileSource,
) -> web.StreamResponse:
    """Send a finished file by the system's own copy, where the loop has it."""
    start, stop = span
    transport = request.transport
    if body.kept is None or transport is None:
        return response
    with _whole_or_aborted(request, source):
        await response.prepare(request)
        try:
            loop = asyncio.get_running_loop()
            sent = await loop.sendfile(transport, body.kept, start, stop - start)
        except NotImplementedError:  # uvloop
            async with aclosing(body.read(start, stop)) as pieces:
                async for piece in pieces:
                    await response.write(piece)
        else:
            if sent < stop - start:
                raise UpstreamFailed("hash", "the kept file became shorter while it was sent")
        await response.write_eof()
    return response


@contextmanager
def _whole_or_aborted(request: web.Request, source: FileSource) -> Iterator[None]:
    """Abort the connection if the answer does not come to its end, whatever the cause.

    A proper end after a failure would show the client a part as the whole.
    """
    try:
        yield
    except BaseException as failure:
        transport = request.transport
        gone = transport is None or transport.is_closing()
        if transport is not None:
            transport.abort()
        broke_off("the client went away" if gone else f"{type(failure).__name__}: {failure}")
        if not isinstance(failure, Exception):
            raise
        if not gone and source.broken is not None:
            source.broken(failure)


def _response(
    part: ByteRange | None, size: int | None, headers: Mapping[str, str]
) -> web.StreamResponse:
    response = web.StreamResponse(status=206 if part else 200, headers=headers)
    response.content_length = part.length if part else size
    if part:
        response.headers[hdrs.CONTENT_RANGE] = part.content_range
    return response


def _headers(wanted: Wanted, others: Mapping[str, str]) -> dict[str, str]:
    headers = {
        **others,
        hdrs.ACCEPT_RANGES: "bytes",
        hdrs.CACHE_CONTROL: "no-cache",  # a later refusal must be seen: ask again each time
        hdrs.CONTENT_TYPE: "application/octet-stream",
        "X-Content-Type-Options": "nosniff",
    }
    if wanted.etag is not None:
        headers[hdrs.ETAG] = wanted.etag
    return headers


def _not_modified(request: web.Request, etag: str | None) -> bool:
    asked = request.if_none_match or ()
    return etag is not None and any(tag.value in (etag.strip('"'), "*") for tag in asked)


def _asked(request: web.Request, wanted: Wanted, size: int) -> ByteRange | None:
    """Return the range asked for. Raises RangeNotSatisfiable."""
    return asked_range(
        request.headers.get(hdrs.RANGE),
        request.headers.get(hdrs.IF_RANGE),
        size=size,
        etag=wanted.etag,
    )


async def _exactly(length: int, chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """Yield *chunks*. Raises UpstreamFailed before there are more or fewer than *length* bytes."""
    received = 0
    async for chunk in chunks:
        received += len(chunk)
        if received > length:
            raise UpstreamFailed("hash", f"sent more than the {length} bytes it was asked for")
        yield chunk
    if received < length:
        raise UpstreamFailed("hash", f"ended after {received} of {length} bytes")
