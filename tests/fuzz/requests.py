"""The target with a network: raw bytes sent to a whole gate, as no client would send them."""

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.conformance.catalogue import PLAIN
from tests.conformance.worlds import World, opened

_STATUS = re.compile(rb"^HTTP/1\.[01] (\d{3}) ")
_PATIENCE = 20.0
_FILE = f"/files/http/{{authority}}{PLAIN.files[0].path}"
_HEAD = "Host: localhost\r\nConnection: close\r\n"
_REQUESTS = (
    "GET /simple/plain/ HTTP/1.1\r\n" + _HEAD + "Accept: text/html, */*;q=0.1\r\n\r\n",
    "GET /simple//Pl.ain?format=application/vnd.pypi.simple.v1+json HTTP/1.1\r\n" + _HEAD + "\r\n",
    "HEAD /simple/ HTTP/1.1\r\n" + _HEAD + 'If-None-Match: W/"a", "b"\r\n\r\n',
    f"GET {_FILE} HTTP/1.1\r\n" + _HEAD + "Range: bytes=0-3,5-\r\nIf-Range: x\r\n\r\n",
    f"GET {_FILE}.metadata HTTP/1.1\r\n" + _HEAD + "Accept-Encoding: gzip;q=0\r\n\r\n",
    "GET /blocked/plain/9.0/some-reason?file=plain-9.0.tar.gz HTTP/1.1\r\n" + _HEAD + "\r\n",
    "GET /pypi/plain/9.0/json HTTP/1.1\r\n" + _HEAD + "\r\n",
    "GET /-/health HTTP/1.1\r\n" + _HEAD + "X-Request-Id: abc\r\n\r\n",
    "GET /-/metrics HTTP/1.1\r\n" + _HEAD + "\r\n",
    "POST /osv/v1/querybatch HTTP/1.1\r\n"
    + _HEAD
    + "Content-Length: 69\r\n\r\n"
    '{"queries":[{"package":{"name":"plain","ecosystem":"PyPI"},"version":"9.0"}]}'[:69],
    "POST /simple/ HTTP/1.1\r\n"
    + _HEAD
    + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
)
TOKENS = [
    b"\r\n", b"\n", b"\r", b"\x00", b"Host: evil.example.test\r\n",
    b"Transfer-Encoding: chunked\r\n", b"Content-Length: 5\r\n", b"../", b"%2e%2e%2f", b"%00",
    b"//", b"?", b"#", b"GET / HTTP/1.1\r\n", b"Range: bytes=-1\r\n", b"Range: bytes=9-1\r\n",
    b"Authorization: Basic cnVuLQ==\r\n", b"\xff",
    b"Expect: 100-continue\r\n", b"Upgrade: h2c\r\n", b"HTTP/2.0", b"User-Agent: uv/0.1 {\r\n",
    b"Accept: a/b;q=\r\n", b"Via: 1.1 indexgate-x\r\n", b"9" * 40, b"a" * 9000,
]  # fmt: skip


class Requests:
    """A running gate that takes one raw request after the other."""

    def __init__(self, world: World) -> None:
        self._world = world
        authority = world.upstream.origin.removeprefix("http://")
        self.seeds = [text.replace("{authority}", authority).encode() for text in _REQUESTS]

    async def take(self, data: bytes) -> None:
        """Send *data*; AssertionError when the gate faults, leaks, or keeps the line open."""
        port = self._world.gate.client.port or 0
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(data)
            writer.write_eof()
            async with asyncio.timeout(_PATIENCE):
                answer = await reader.read(1 << 20)
        except ConnectionError:
            answer = b""  # hung up, which is an answer too
        except TimeoutError:
            raise AssertionError("the gate left the line open") from None
        finally:
            writer.close()
        status = _STATUS.match(answer)
        assert status or not answer, answer[:100]
        assert status is None or int(status[1]) != 500, answer[:600]
        assert b"Traceback" not in answer
        assert b"root:x:0" not in answer
        for file in PLAIN.files:
            refused = "-9.0" in file.filename
            assert not (refused and file.body in answer), "a refused file was given out"

    async def settle(self) -> None:
        """Raise AssertionError unless the gate is as well as before."""
        assert not any(index.gate.faults.count for index in self._world.gate.parts.indexes.all)
        assert (await self._world.ask("/simple/plain/")).status == 200
        for asked in self._world.upstream.log:
            assert asked.path.startswith(("/simple/", "/pypi/", "/packages/")), asked.path


@asynccontextmanager
async def requests() -> AsyncIterator[Requests]:
    """Run a gate that refuses some files, for raw requests."""
    with tempfile.TemporaryDirectory() as folder:
        async with opened("json", "explain", Path(folder)) as world:
            yield Requests(world)
