"""A loopback service that answers fixed documents, and fails where a test asks it to."""

import hashlib
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Self

from aiohttp import web

from tests.standins.faults import Fault, Hold


class Documents:
    """Answers `files[path]` with an ETag, 304 when asked with it, 404 for all else.

    What is posted to a path of `posted` goes through its function. `more` are headers that go with
    the answer of a path. `log` holds every path asked for, `headers` and `queries` what came with
    it the last time. Use as an async context manager; leaving it releases what is held and refuses
    connections.
    """

    def __init__(self, files: dict[str, bytes] | None = None) -> None:
        self.files = files if files is not None else {}
        self.port = 0
        self.log: list[str] = []
        self.headers: dict[str, dict[str, str]] = {}
        self.queries: dict[str, dict[str, str]] = {}
        self.posted: dict[str, Callable[[bytes], bytes]] = {}
        self.more: dict[str, dict[str, str]] = {}
        self._faults: list[tuple[str, Fault]] = []
        self._runner: web.AppRunner | None = None

    @property
    def origin(self) -> str:
        """Scheme and authority, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    def fault(self, pattern: str, fault: Fault) -> None:
        """Answer paths that match the glob *pattern* wrongly from now on; the latest counts."""
        self._faults.append((pattern, fault))

    def heal(self) -> None:
        """Drop all faults."""
        self._faults.clear()

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        for _, fault in self._faults:
            if isinstance(fault, Hold):
                fault.release()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        path = request.rel_url.raw_path
        self.log.append(path)
        self.headers[path] = dict(request.headers)
        self.queries[path] = dict(request.query)
        question = await request.read()

        async def honest() -> web.Response:
            if request.method == "POST" and path in self.posted:
                return web.Response(body=self.posted[path](question))
            return self._honest(request, path)

        for pattern, fault in reversed(self._faults):
            if fnmatchcase(path, pattern):
                return await fault.answer(request, honest)
        return await honest()

    def _honest(self, request: web.Request, path: str) -> web.Response:
        body = self.files.get(path)
        if body is None:
            return web.Response(status=404)
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        if request.headers.get("If-None-Match") == etag:
            return web.Response(status=304, headers={"ETag": etag})
        return web.Response(body=body, headers={"ETag": etag, **self.more.get(path, {})})
