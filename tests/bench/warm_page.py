"""Measure what following and counting requests costs a page that is at hand, in one run.

`python -m tests.bench.warm_page` serves one gate twice in one process: as it is, and with a guard
that only looks at Host and Via and writes the log line of path, status, time and client. It asks
both by turns, a few requests at a time, and prints the processor time of a request in the server's
thread (POSIX) and the ratio.
"""

import argparse
import asyncio
import socket
import statistics
import tempfile
import threading
import time
from pathlib import Path
from unittest import mock

from aiohttp import hdrs, web
from aiohttp.test_utils import TestServer
from aiohttp.typedefs import Handler, Middleware

from indexgate import config, logs
from indexgate.web import app
from indexgate.web.guard import host_name
from indexgate.web.request_counts import RequestCounts
from indexgate.web.request_id import request_id
from tests.proxy.web.running import BASE, running
from tests.standins.packages import project, wheel
from tests.standins.upstream import Upstream

ASK = (
    b"GET /simple/demo/ HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: pip/26.3\r\n"
    b"Accept: application/vnd.pypi.simple.v1+json\r\nAccept-Encoding: gzip\r\n\r\n"
)
AT_ONCE = 2
_ID = web.RequestKey("identity", str)


def bare(hosts: frozenset[str], gate_id: str, _counts: RequestCounts) -> Middleware:
    """Return the guard that requests are compared with."""
    log = logs.logger()

    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        started = time.perf_counter()
        identity = request[_ID] = request_id([])
        if host_name(request.headers.get(hdrs.HOST, "")) not in hosts:
            raise web.HTTPMisdirectedRequest
        if gate_id in request.headers.get("Via", ""):
            raise web.HTTPBadRequest
        response = await handler(request)
        log.info(
            "request",
            method=request.method,
            path=request.rel_url.raw_path,
            status=response.status,
            ms=round((time.perf_counter() - started) * 1000, 2),
            client=request.headers.get(hdrs.USER_AGENT, "").partition(" ")[0][:60],
            id=identity,
        )
        return response

    return guarded


async def bare_sign(request: web.Request, response: web.StreamResponse) -> None:
    """Put on an answer what it is compared with has."""
    response.headers["Server"] = "indexgate"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["X-Request-Id"] = request.get(_ID, "")


class Asking:
    """A connection that asks for the page; *clock* is that of the server's thread."""

    def __init__(self, port: int, clock: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._clock = clock

    def cost(self, times: int) -> float:
        """Return the processor time of one request, in microseconds."""
        before = time.clock_gettime(self._clock)
        for _ in range(times):
            self._ask()
        return (time.clock_gettime(self._clock) - before) / times * 1e6

    def _ask(self) -> None:
        self._socket.sendall(ASK)
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._socket.recv(65536)
        head, _, body = received.partition(b"\r\n\r\n")
        told = {line.partition(b":")[0].lower(): line for line in head.split(b"\r\n")}
        length = int(told[b"content-length"].partition(b":")[2])
        while len(body) < length:
            body += self._socket.recv(65536)


def measured(ports: tuple[int, int], clock: int, turns: int) -> tuple[float, float]:
    """Return what a request costs at each port in the cheapest tenth of the turns.

    On a machine that does other things too, the rest measures those.
    """
    asking = [Asking(port, clock) for port in ports]
    for one in asking:
        one.cost(500)
    costs: tuple[list[float], list[float]] = ([], [])
    for turn in range(turns):
        for which in (0, 1) if turn % 2 else (1, 0):
            costs[which].append(asking[which].cost(AT_ONCE))
    bare_cost, cost = (statistics.quantiles(those, n=10)[0] for those in costs)
    return bare_cost, cost


async def compare(folder: Path, turns: int) -> None:
    """Serve both, and print what each costs."""
    files = [wheel("demo", f"1.{number}") for number in range(20)]
    async with Upstream(project("demo", *files)) as upstream, running(upstream, folder) as gate:
        settings = config.load({}, {}, config.read_bounded, default_state=folder)
        with mock.patch.object(app, "guard", bare):
            plain = app.application(gate.parts, settings, base=BASE)
        plain.on_response_prepare[:] = [bare_sign]
        full = app.application(gate.parts, settings, base=BASE)
        async with TestServer(plain) as before, TestServer(full) as now:
            ports = (before.port or 0, now.port or 0)
            clock = time.pthread_getcpuclockid(threading.get_ident())
            bare_cost, cost = await asyncio.to_thread(measured, ports, clock, turns)
    print(f"{bare_cost:.0f} us bare, {cost:.0f} us followed, ratio {cost / bare_cost:.3f}")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--turns", type=int, default=3000)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "log").open("w") as log:
        logs.configure(form="json", level="info", stream=log, environ={})
        asyncio.run(compare(Path(folder), given.turns))


if __name__ == "__main__":
    main()
