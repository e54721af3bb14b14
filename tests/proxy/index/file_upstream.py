"""An upstream on loopback that gives files well or badly, and the fetch that asks it."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import ClientError, ClientSession, web
from aiohttp.test_utils import TestServer

from indexgate.index.files import Fetch, FetchRange, UpstreamBody
from indexgate.index.protocol import UpstreamFailed


@dataclass(kw_only=True)
class Given:
    """What upstream does when it is asked for a file.

    It waits for `go` after `pause_at` bytes, and before it says anything when `silent`, breaks the
    connection after `cut_at`, announces no length when `chunked`, and answers the n-th request with
    the n-th of `later`, if there is one. A part is said to be what `content_range` makes of its
    first and last byte and the size.
    """

    data: bytes
    pause_at: int | None = None
    silent: bool = False
    cut_at: int | None = None
    chunked: bool = False
    status: int = 200
    later: list[bytes] = field(default_factory=list)
    content_range: str = "bytes {}-{}/{}"
    paused: asyncio.Event = field(default_factory=asyncio.Event)
    go: asyncio.Event = field(default_factory=asyncio.Event)


class FileUpstream:
    """A server on loopback; `asked` counts the requests for each name."""

    def __init__(self) -> None:
        self.files: dict[str, Given] = {}
        self.asked: Counter[str] = Counter()
        self.ranges: list[str] = []
        app = web.Application()
        app.router.add_get("/{name}", self._answer)
        self._server = TestServer(app)
        self._session: ClientSession | None = None

    async def start(self) -> None:
        await self._server.start_server()
        self._session = ClientSession(auto_decompress=False)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
        await self._server.close()

    def fetch(self, name: str) -> Fetch:
        return lambda: self._ask(name, {})

    def fetch_range(self, name: str) -> FetchRange:
        return lambda start, stop: self._ask(name, {"Range": f"bytes={start}-{stop - 1}"})

    @asynccontextmanager
    async def _ask(self, name: str, headers: dict[str, str]) -> AsyncGenerator[UpstreamBody, None]:
        assert self._session is not None
        async with self._session.get(self._server.make_url(f"/{name}"), headers=headers) as answer:
            if answer.status >= 400:
                raise UpstreamFailed("status", f"answered {answer.status}", status=answer.status)
            chunks = answer.content.iter_chunked(64 * 1024)
            yield _Body(answer.headers, answer.content_length, chunks)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        given = self.files[name]
        data = ([given.data, *given.later])[min(self.asked[name], len(given.later))]
        self.asked[name] += 1
        if given.silent:
            await given.go.wait()
        if (part := request.http_range) != slice(None, None, 1):
            self.ranges.append(request.headers["Range"])
            first, stop, _ = part.indices(len(data))
            told = given.content_range.format(first, stop - 1, len(data))
            return web.Response(status=206, body=data[part], headers={"Content-Range": told})
        response = web.StreamResponse(status=given.status)
        if not given.chunked:
            response.content_length = len(data)
        await response.prepare(request)
        await self._send(request, response, given, data)
        return response

    async def _send(
        self, request: web.Request, response: web.StreamResponse, given: Given, data: bytes
    ) -> None:
        stop = len(data) if given.cut_at is None else given.cut_at
        pause = stop if given.pause_at is None else given.pause_at
        await response.write(data[:pause])
        if given.pause_at is not None:
            given.paused.set()
            await given.go.wait()
        await response.write(data[pause:stop])
        if given.cut_at is not None:
            assert request.transport is not None
            request.transport.close()


class _Body:
    def __init__(
        self, headers: Mapping[str, str], length: int | None, chunks: AsyncIterator[bytes]
    ) -> None:
        self.headers = headers
        self.length = length
        self._chunks = chunks

    async def chunks(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._chunks:
                yield chunk
        except ClientError as error:
            raise UpstreamFailed("garbage", "broke off the file") from error
