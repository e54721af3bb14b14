"""A simple index on loopback that behaves like PyPI, or misbehaves as a test asks.

On the test's own loop::

    async with Upstream(project("demo", wheel("demo", "1.0"))) as upstream:
        upstream.url                              # "http://127.0.0.1:PORT/simple/"
        upstream.fault("/simple/demo/", too_many_requests())

For tests that start other processes the same class runs in a thread: `with Upstream(...) as ...`.
Projects, faults and the log may be used from any thread. Leaving the block stops the server (so
that connections are refused); entering it again takes the same port.
"""

import asyncio
import gzip
import hashlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from fnmatch import fnmatchcase
from ssl import SSLContext
from types import TracebackType
from typing import Literal, Self
from urllib.parse import unquote

from aiohttp import web
from multidict import CIMultiDictProxy
from packaging.utils import canonicalize_name

from tests.standins.faults import Fault, Hold, bytes_of
from tests.standins.packages import IndexedFile, IndexedProject
from tests.standins.pages import (
    HTML_TYPE,
    JSON_TYPE,
    project_json,
    project_list_html,
    project_list_json,
    project_page_html,
    project_page_json,
)

_OCTETS = "application/octet-stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request as it came; `path` is undecoded and without the query.

    `status` is what it was answered, 0 if the asker hung up before.
    """

    method: str
    path: str
    query: str
    headers: CIMultiDictProxy[str]
    status: int


@dataclass(slots=True)
class _Switch:
    pattern: str
    fault: Fault
    left: int | None


class Upstream:
    """The stand-in. `forms` is what it can answer, `links` how its pages write file addresses.

    `compress` is whether pages travel as gzip to those who take it; `clock_skew` is added to the
    `Date` of every answer; `cache_control` is said of pages, as PyPI says it by default; with `tls`
    it speaks nothing else.
    """

    def __init__(
        self,
        *projects: IndexedProject,
        forms: Literal["both", "json", "html"] = "both",
        links: Literal["absolute", "rooted", "relative"] = "absolute",
        compress: bool = True,
        clock_skew: timedelta = timedelta(0),
        cache_control: str = "max-age=600, public",
        tls: SSLContext | None = None,
    ) -> None:
        self.projects = {project.normalized: project for project in projects}
        self.forms = forms
        self.links = links
        self.compress = compress
        self.clock_skew = clock_skew
        self.cache_control = cache_control
        self.tls = tls
        self.port = 0
        self.log: list[Asked] = []
        self._switches: list[_Switch] = []
        self._holds: list[Hold] = []
        self._runner: web.AppRunner | None = None
        self._listener: socket.socket | None = None
        self._thread: _Thread | None = None

    # Addresses

    @property
    def origin(self) -> str:
        """Scheme and authority, without a slash at the end."""
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """The address of the simple index, with a slash at the end."""
        return f"{self.origin}/simple/"

    def page_url(self, name: str) -> str:
        """Return the address of a project's page."""
        return f"{self.url}{canonicalize_name(name)}/"

    def file_url(self, file: IndexedFile) -> str:
        """Return the absolute address of a file."""
        return self.origin + file.path

    # What it serves

    def add(self, *projects: IndexedProject) -> None:
        """Serve these projects too, in place of those of the same name."""
        for project in projects:
            self.projects[project.normalized] = project

    def remove(self, name: str) -> None:
        """Forget a project: 404 from now on."""
        del self.projects[canonicalize_name(name)]

    # How it fails

    def fault(self, pattern: str, fault: Fault, *, times: int | None = None) -> None:
        """Answer paths that match the glob *pattern* wrongly, for ever or so many *times*.

        The latest matching fault counts. Paths are matched as they travel, undecoded.
        """
        self._switches.append(_Switch(pattern, fault, times))
        if isinstance(fault, Hold):
            self._holds.append(fault)

    def hold(self, pattern: str) -> Hold:
        """Keep the answers to *pattern* back until the returned hold is released."""
        hold = Hold()
        self.fault(pattern, hold)
        return hold

    def heal(self, pattern: str | None = None) -> None:
        """Drop the faults that were set for exactly *pattern*, or all of them."""
        self._switches = [s for s in self._switches if pattern not in (None, s.pattern)]

    # What it was asked

    def asked(self, pattern: str = "*", *, method: str | None = None) -> list[Asked]:
        """Return the answered requests whose path matches the glob *pattern*, oldest first."""
        return [
            entry
            for entry in list(self.log)
            if fnmatchcase(entry.path, pattern) and method in (None, entry.method)
        ]

    def count(self, pattern: str = "*", *, method: str | None = None) -> int:
        """Return how many requests matched, see `asked`."""
        return len(self.asked(pattern, method=method))

    # Running

    async def start(self) -> None:
        """Listen on loopback; on the port of last time if there was one."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._serve)
        app.on_response_prepare.append(self._set_date)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        self._listener = socket.create_server(("127.0.0.1", self.port))
        await web.SockSite(self._runner, self._listener, ssl_context=self.tls).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Release what is held and stop listening; from now on connections are refused."""
        for hold in self._holds:
            hold.release()
        if self._runner is not None and self._listener is not None:
            await _closed(self._runner, self._listener)
            self._runner = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.stop()

    def __enter__(self) -> Self:
        self._thread = _Thread(self)
        self._thread.begin()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._thread is not None:
            self._thread.end()
            self._thread = None

    @contextmanager
    def down(self) -> Iterator[None]:
        """Refuse connections within the block (only while running in a thread)."""
        self.__exit__(None, None, None)
        try:
            yield
        finally:
            self.__enter__()

    # Answering

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        status = 0
        try:
            response = await self._answer(request)
            status = response.status
        finally:
            self.log.append(
                Asked(
                    method=request.method,
                    path=request.rel_url.raw_path,
                    query=request.rel_url.raw_query_string,
                    headers=request.headers,
                    status=status,
                )
            )
        return response

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        async def honest() -> web.Response:
            if request.method not in ("GET", "HEAD"):
                return web.Response(status=405, headers={"Allow": "GET, HEAD"})
            return self._honest(request)

        fault = self._fault_for(request.rel_url.raw_path)
        response = await (fault.answer(request, honest) if fault else honest())
        if not isinstance(response, web.Response) or response.status != 200:
            return response
        if fault is not None and not bytes_of(response):
            return response
        return _finished(request, response, compress=self.compress)

    def _fault_for(self, path: str) -> Fault | None:
        for switch in reversed(self._switches):
            if switch.left != 0 and fnmatchcase(path, switch.pattern):
                if switch.left is not None:
                    switch.left -= 1
                return switch.fault
        return None

    def _honest(self, request: web.Request) -> web.Response:
        match unquote(request.rel_url.raw_path).removeprefix("/").split("/"):
            case ["simple"]:
                return web.Response(status=301, headers={"Location": "/simple/"})
            case ["simple", ""]:
                return self._list(request)
            case ["simple", name] | ["simple", name, ""]:
                return self._page(request, name)
            case ["pypi", name, "json"]:
                return self._project_json(name)
            case ["pypi", name, version, "json"]:
                return self._project_json(name, version)
            case ["packages", *_]:
                return self._file(unquote(request.rel_url.raw_path))
        return _not_found()

    def _list(self, request: web.Request) -> web.Response:
        projects = list(self.projects.values())
        if (form := self._form(request)) == JSON_TYPE:
            return self._typed(project_list_json(projects), form)
        return self._typed(project_list_html(projects), form)

    def _page(self, request: web.Request, name: str) -> web.Response:
        project = self.projects.get(canonicalize_name(name))
        if project is None:
            return _not_found()
        right = f"/simple/{project.normalized}/"
        if request.rel_url.raw_path != right:
            return web.Response(status=301, headers={"Location": right})
        if (form := self._form(request)) == JSON_TYPE:
            return self._typed(project_page_json(project, self._link), form)
        return self._typed(project_page_html(project, self._link), form)

    def _project_json(self, name: str, version: str | None = None) -> web.Response:
        project = self.projects.get(canonicalize_name(name))
        if project is None or not (version is None or version in project.versions):
            return _not_found()
        body = project_json(project, self.file_url, version)
        return self._typed(body, "application/json")

    def _file(self, path: str) -> web.Response:
        for project in self.projects.values():
            for file in project.files:
                if path == file.path:
                    headers = {"Content-Type": _OCTETS, "Accept-Ranges": "bytes"}
                    headers["Cache-Control"] = "max-age=365000000, immutable, public"
                    return web.Response(body=file.content, headers=headers)
                if path == f"{file.path}.metadata" and file.metadata and file.core_metadata:
                    return web.Response(body=file.metadata, headers={"Content-Type": _OCTETS})
        return _not_found()

    def _link(self, file: IndexedFile) -> str:
        match self.links:
            case "absolute":
                return self.file_url(file)
            case "rooted":
                return file.path
            case "relative":
                return f"../..{file.path}"

    def _form(self, request: web.Request) -> str:
        """Choose as PyPI does for installers: JSON for those who name it, else HTML."""
        accept = request.headers.get("Accept", "*/*")
        if self.forms == "json" or (self.forms == "both" and "+json" in accept):
            return JSON_TYPE
        return HTML_TYPE if "v1+html" in accept and self.forms == "both" else "text/html"

    def _typed(self, body: bytes, form: str) -> web.Response:
        headers = {
            "Content-Type": form,
            "Cache-Control": self.cache_control,
            "Vary": "Accept, Accept-Encoding",
            "X-PyPI-Last-Serial": "1",
        }
        return web.Response(body=body, headers=headers)

    async def _set_date(self, request: web.Request, response: web.StreamResponse) -> None:
        told = datetime.now(UTC) + self.clock_skew
        response.headers["Date"] = format_datetime(told, usegmt=True)


class _Thread:
    """Runs a stand-in on an event loop of its own."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def begin(self) -> None:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._upstream.start(), self._loop).result(30)

    def end(self) -> None:
        asyncio.run_coroutine_threadsafe(self._upstream.stop(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _closed(runner: web.AppRunner, listener: socket.socket) -> None:
    """Stop *runner* and end all its connections, those too that nobody reads to the end."""
    # asyncio leaks who is just being accepted by a server that closes: they are known in 3 turns.
    asyncio.get_running_loop().remove_reader(listener)
    for _ in range(3):
        await asyncio.sleep(0)
    connections = runner.server.connections if runner.server is not None else []
    transports = [connection.transport for connection in connections]
    await runner.cleanup()
    for transport in transports:
        if transport is not None:
            transport.abort()  # to close it would wait for its reader
    await asyncio.sleep(0)


def _not_found() -> web.Response:
    return web.Response(status=404, text="404 Not Found")


def _finished(request: web.Request, response: web.Response, *, compress: bool) -> web.Response:
    """Add what every whole answer has: ETag and 304, a part if asked for, or gzip."""
    body = bytes_of(response)
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    if request.headers.get("If-None-Match") == etag:
        kept = {k: v for k, v in response.headers.items() if k in ("Cache-Control", "Vary")}
        return web.Response(status=304, headers={**kept, "ETag": etag})
    response.headers["ETag"] = etag
    if "Accept-Ranges" in response.headers:
        return _part(request, response, body, etag)
    if compress and "gzip" in request.headers.get("Accept-Encoding", ""):
        response.body = gzip.compress(body, compresslevel=1, mtime=0)
        response.headers["Content-Encoding"] = "gzip"
    return response


def _part(request: web.Request, whole: web.Response, body: bytes, etag: str) -> web.Response:
    if "Range" not in request.headers or request.headers.get("If-Range", etag) != etag:
        return whole
    total = len(body)
    try:
        wanted = request.http_range
        start, stop, _ = slice(wanted.start, wanted.stop).indices(total)
    except ValueError:
        start, stop = total, total
    if start >= stop:
        return web.Response(status=416, headers={"Content-Range": f"bytes */{total}"})
    headers = {k: v for k, v in whole.headers.items() if k != "Content-Length"}
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{total}"
    return web.Response(status=206, headers=headers, body=body[start:stop])
