"""Files over HTTP: what clients see of good files, of parts of them, and of wrong ones."""

import asyncio
import hashlib
import os
from collections.abc import AsyncGenerator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest
from aiohttp import ClientResponse, ClientSession, web
from aiohttp.test_utils import TestServer

from indexgate.index.file_answer import PASSED_THROUGH, FileSource, respond
from indexgate.index.file_cache import FileCache
from indexgate.index.files import HELD_BACK, Wanted
from indexgate.index.protocol import UpstreamFailed
from tests.proxy.index.file_upstream import FileUpstream, Given

# None begins or ends with `!`, which makes it another.
SMALL = Random(1).randbytes(1_000)
MIDDLE = Random(2).randbytes(300_000)
BIG = Random(3).randbytes(PASSED_THROUGH + 500_000)


@dataclass(kw_only=True)
class Gate:
    """A server on loopback that answers for the file `f`, as `wanted` has it."""

    upstream: FileUpstream
    cache: FileCache
    session: ClientSession
    wanted: Wanted = field(default_factory=lambda: Wanted(key="f"))
    ranges: bool = True
    begins_within: float = 30.0
    broken: list[Exception] = field(default_factory=list)
    server: TestServer = field(init=False)

    def __post_init__(self) -> None:
        app = web.Application()
        app.router.add_get("/f", self._answer)
        self.server = TestServer(app)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        source = FileSource(
            cache=self.cache,
            fetch=self.upstream.fetch("f"),
            fetch_range=self.upstream.fetch_range("f") if self.ranges else None,
            broken=self.broken.append,
            headers={"X-Extra": "kept"},
            begins_within=self.begins_within,
        )
        try:
            return await respond(request, self.wanted, source)
        except UpstreamFailed as failure:
            raise web.HTTPFailedDependency(text=failure.reason) from failure

    def want(self, data: bytes, given: Given | None = None, *, size: bool = True) -> None:
        sha256 = hashlib.sha256(data).hexdigest()
        self.wanted = Wanted(key="f", sha256=sha256, size=len(data) if size else None)
        self.upstream.files["f"] = given or Given(data=data)

    async def ask(self, method: str = "GET", **headers: str) -> tuple[ClientResponse, bytes]:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        url = self.server.make_url("/f")
        async with self.session.request(method, url, headers=names) as answer:
            return answer, await answer.read()

    async def warm(self) -> None:
        body = await self.cache.open(self.wanted, self.upstream.fetch("f"))
        body.close()
        await self.cache.settle()

    async def raw(self) -> tuple[bytes, bytes]:
        """Return head and body of all bytes that leave the gate, as a client without rules."""
        reader, writer = await asyncio.open_connection(self.server.host, self.server.port)
        with closing(writer):
            writer.write(b"GET /f HTTP/1.1\r\nHost: localhost\r\n\r\n")
            received = bytearray()
            with suppress(ConnectionError):
                async with asyncio.timeout(30):  # instead of a hang, if nobody ends the answer
                    while piece := await reader.read(65536):
                        received += piece
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)
        head, _, body = bytes(received).partition(b"\r\n\r\n")
        return head, body


@pytest.fixture
async def gate(tmp_path: Path) -> AsyncGenerator[Gate, None]:
    upstream = FileUpstream()
    await upstream.start()
    cache = FileCache(tmp_path, 100_000_000)
    async with ClientSession(auto_decompress=False) as session:
        served = Gate(upstream=upstream, cache=cache, session=session)
        await served.server.start_server()
        yield served
        await served.server.close()
    await cache.close()
    await upstream.close()


@pytest.mark.parametrize("data", [b"", SMALL, MIDDLE, BIG], ids=len)
@pytest.mark.parametrize("size_listed", [True, False])
async def test_cold_and_warm_answers_are_the_file_and_say_the_same_of_it(
    gate: Gate, data: bytes, size_listed: bool
) -> None:
    gate.want(data, size=size_listed)
    for _ in range(2):
        answer, body = await gate.ask(Accept_Encoding="gzip, zstd, br")
        assert (answer.status, body) == (200, data)
        assert answer.headers["Content-Length"] == str(len(data))
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert answer.headers["ETag"] == f'"sha256-{hashlib.sha256(data).hexdigest()}"'
        assert answer.headers["Cache-Control"] == "no-cache"
        assert answer.headers["Accept-Ranges"] == "bytes"
        assert answer.headers["X-Extra"] == "kept"
        assert {"Content-Encoding", "Last-Modified"}.isdisjoint(answer.headers)
        await gate.cache.settle()
    assert gate.upstream.asked["f"] == 1


async def test_a_file_of_unknown_length_comes_in_chunks(gate: Gate) -> None:
    gate.want(MIDDLE, Given(data=MIDDLE, chunked=True), size=False)
    answer, body = await gate.ask()
    assert (answer.headers["Transfer-Encoding"], body) == ("chunked", MIDDLE)


@pytest.mark.parametrize(
    "told",
    [
        "",
        "bytes 500-599/{2}",
        "bytes 500-599/9",
        "bytes {0}-{1}/9",
        "bytes {0}-{1}",
        "items {0}-{1}/{2}",
    ],
)
async def test_a_part_that_is_not_the_one_asked_for_is_never_passed_on(
    gate: Gate, told: str
) -> None:
    gate.want(BIG, Given(data=BIG, content_range=told))
    answer, body = await gate.ask(Range="bytes=0-99")
    assert (answer.status, body) == (206, BIG[:100])
    assert answer.headers["Content-Range"] == f"bytes 0-99/{len(BIG)}"
    assert gate.upstream.asked["f"] == 2  # the part, then the whole file, which can be checked


@pytest.mark.parametrize("told", ["bytes {0}-{1}/{2}", "bytes {0}-{1}/*", "Bytes  {0}-{1}/{2}"])
async def test_the_part_that_was_asked_for_is_passed_on(gate: Gate, told: str) -> None:
    gate.want(BIG, Given(data=BIG, content_range=told))
    answer, body = await gate.ask(Range="bytes=7-99")
    assert (answer.status, body) == (206, BIG[7:100])
    assert gate.upstream.asked["f"] == 1


RANGES = [
    ("bytes=0-0", 206, slice(0, 1)),
    ("bytes=10-19", 206, slice(10, 20)),
    ("bytes=-7", 206, slice(-7, None)),
    ("bytes=100-", 206, slice(100, None)),
    ("bytes=0-", 206, slice(None)),
    ("bytes=0-99999999", 206, slice(None)),
    ("bytes=0-1,5-6", 200, slice(None)),
    ("bytes=5-1", 200, slice(None)),
    ("bytes=99999999-", 416, slice(0, 0)),
    ("bytes=-0", 416, slice(0, 0)),
]


@pytest.mark.parametrize(("header", "status", "part"), RANGES)
@pytest.mark.parametrize("warm", [True, False])
@pytest.mark.parametrize("data", [SMALL, MIDDLE, BIG], ids=len)
@pytest.mark.parametrize("ranges", [True, False])
async def test_a_range_is_answered_the_same_cold_and_warm(
    gate: Gate, *, header: str, status: int, part: slice, warm: bool, data: bytes, ranges: bool
) -> None:
    gate.want(data)
    gate.ranges = ranges
    if warm:
        await gate.warm()
    answer, body = await gate.ask(Range=header)
    assert (answer.status, body) == (status, data[part])
    if status == 206:
        start, stop, _ = part.indices(len(data))
        assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{len(data)}"
    if status == 416:
        assert answer.headers["Content-Range"] == f"bytes */{len(data)}"


async def test_a_short_range_of_a_long_cold_file_is_passed_through_and_not_kept(gate: Gate) -> None:
    gate.want(BIG)
    await gate.ask(Range="bytes=-1000")
    await gate.cache.settle()
    assert gate.upstream.ranges == [f"bytes={len(BIG) - 1000}-{len(BIG) - 1}"]
    assert await gate.cache.open_kept(gate.wanted) is None


@pytest.mark.parametrize(
    ("data", "header"), [(BIG, "bytes=5-1200000"), (MIDDLE, "bytes=0-9"), (SMALL, "bytes=0-")]
)
async def test_other_ranges_fetch_and_check_the_whole_file(
    gate: Gate, data: bytes, header: str
) -> None:
    gate.want(data)
    await gate.ask(Range=header)
    await gate.cache.settle()
    assert gate.upstream.ranges == []
    kept = await gate.cache.open_kept(gate.wanted)
    assert kept is not None
    kept.close()


@pytest.mark.parametrize(("same", "status"), [(True, 206), (False, 200)])
async def test_if_range_decides_between_part_and_whole(gate: Gate, same: bool, status: int) -> None:
    gate.want(MIDDLE)
    etag = gate.wanted.etag or ""
    answer, body = await gate.ask(Range="bytes=5-9", If_Range=etag if same else '"other"')
    assert (answer.status, body) == (status, MIDDLE[5:10] if same else MIDDLE)


@pytest.mark.parametrize("size_listed", [True, False])
@pytest.mark.parametrize("warm", [True, False])
async def test_head_says_what_get_would_without_a_body(
    gate: Gate, size_listed: bool, warm: bool
) -> None:
    gate.want(MIDDLE, size=size_listed)
    if warm:
        await gate.warm()
    answer, body = await gate.ask("HEAD", Range="bytes=0-1")  # Range is for GET
    assert (answer.status, body) == (200, b"")
    assert answer.headers["Content-Length"] == str(len(MIDDLE))
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["ETag"] == gate.wanted.etag
    assert gate.upstream.asked["f"] == int(warm or not size_listed)


@pytest.mark.parametrize(
    ("given", "status"),
    [("{}", 304), ("W/{}", 304), ('"a", {}', 304), ("*", 304), ('"a"', 200)],
)
async def test_a_client_that_has_the_file_gets_304_without_any_fetch(
    gate: Gate, given: str, status: int
) -> None:
    gate.want(SMALL)
    answer, body = await gate.ask(If_None_Match=given.format(gate.wanted.etag))
    assert (answer.status, body) == (status, b"" if status == 304 else SMALL)
    assert answer.headers["ETag"] == gate.wanted.etag
    assert answer.headers["Cache-Control"] == "no-cache"
    assert gate.upstream.asked["f"] == int(status == 200)


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(Given(data=BIG[:-1] + b"!"), id="wrong at the end"),
        pytest.param(Given(data=b"!" + BIG[1:]), id="wrong at the start"),
        pytest.param(Given(data=BIG, cut_at=1_000_000), id="cut off"),
        pytest.param(Given(data=BIG, cut_at=len(BIG) - 1), id="cut off before the last byte"),
        pytest.param(Given(data=BIG + b"!", chunked=True), id="too long"),
        pytest.param(Given(data=BIG[:-1], chunked=True), id="too short"),
    ],
)
@pytest.mark.parametrize("size_listed", [True, False])
async def test_no_byte_of_the_last_block_of_a_wrong_file_reaches_a_client(
    gate: Gate, given: Given, size_listed: bool
) -> None:
    gate.want(BIG, given, size=size_listed)
    head, body = await gate.raw()
    assert head.startswith(b"HTTP/1.1 200")
    if b"chunked" in head:
        assert not body.endswith(b"0\r\n\r\n")  # the proper end of a chunked answer
    chunk_frames = 4096
    assert len(body) <= len(BIG) - HELD_BACK + chunk_frames
    assert [isinstance(failure, UpstreamFailed) for failure in gate.broken] == [True]
    await gate.cache.settle()
    assert await gate.cache.open_kept(gate.wanted) is None


@pytest.mark.parametrize(
    "given", [Given(data=SMALL[:-1] + b"!"), Given(data=SMALL[:-1]), Given(data=SMALL, status=404)]
)
async def test_a_small_wrong_file_is_a_clear_answer_since_nothing_was_sent(
    gate: Gate, given: Given
) -> None:
    gate.want(SMALL, given)
    answer, body = await gate.ask()
    assert answer.status == 424
    assert body.startswith((b"sent a file", b"answered 404"))


async def test_a_range_of_other_length_than_asked_for_is_broken_off(gate: Gate) -> None:
    gate.want(BIG, Given(data=BIG[:-1000]))
    answer, _ = await gate.ask(Range=f"bytes={len(BIG) - 2000}-")
    assert answer.status == 424  # the whole file was asked for then, and is too short


async def test_a_client_that_goes_away_leaves_the_fetch_to_the_others(gate: Gate) -> None:
    given = Given(data=BIG, pause_at=1_000_000)
    gate.want(BIG, given)
    async with gate.session.get(gate.server.make_url("/f")) as leaving:
        await leaving.content.readexactly(1000)
        staying = asyncio.create_task(gate.ask())
        await given.paused.wait()
        leaving.close()
    given.go.set()
    _, body = await staying
    assert body == BIG
    assert gate.upstream.asked["f"] == 1
    assert gate.broken == []


@pytest.mark.parametrize("data", [SMALL, BIG], ids=len)
@pytest.mark.parametrize("pause_at", [0, 10])
async def test_a_file_that_does_not_begin_in_time_is_told_and_fetched_all_the_same(
    gate: Gate, data: bytes, pause_at: int
) -> None:
    given = Given(data=data, pause_at=pause_at)
    gate.want(data, given)
    gate.begins_within = 0.0
    late, told = await gate.ask()
    assert (late.status, told) == (424, b"has not sent the beginning of the file within 0 s")
    given.go.set()
    await gate.cache.settle()
    gate.begins_within = 30.0
    answer, body = await gate.ask()
    assert (answer.status, body) == (200, data)
    assert gate.upstream.asked["f"] == 1


@pytest.mark.parametrize("method", ["HEAD", "GET"])
async def test_a_size_or_a_part_that_is_not_told_in_time_fails_in_time_too(
    gate: Gate, method: str
) -> None:
    given = Given(data=BIG, silent=True)
    gate.want(BIG, given, size=method == "GET")
    gate.begins_within = 0.0
    async with asyncio.timeout(10):
        late, _ = await gate.ask(method, Range="bytes=0-99")
    given.go.set()
    assert late.status == 424


async def test_a_kept_file_that_is_cut_while_it_is_sent_is_broken_off(
    gate: Gate, tmp_path: Path
) -> None:
    gate.want(MIDDLE)
    await gate.warm()
    digest = gate.wanted.sha256 or ""
    body = await gate.cache.open_kept(gate.wanted)
    assert body is not None
    os.truncate(tmp_path / digest[:2] / digest, 10)
    with pytest.raises(OSError, match="became shorter"):
        [piece async for piece in body.read()]
    body.close()


async def test_the_connection_is_kept_for_the_next_file(gate: Gate) -> None:
    gate.want(MIDDLE)
    await gate.warm()
    reader, writer = await asyncio.open_connection(gate.server.host, gate.server.port)
    for _ in range(3):
        writer.write(b"GET /f HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        assert await reader.readexactly(len(MIDDLE)) == MIDDLE
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize("header", ["bytes=0-", "bytes=100000-299000"])
async def test_a_loop_without_sendfile_sends_the_same(
    gate: Gate, header: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def missing(*_args: object) -> int:
        raise NotImplementedError

    gate.want(MIDDLE)
    await gate.warm()
    _, by_sendfile = await gate.ask(Range=header)
    monkeypatch.setattr(asyncio.get_running_loop(), "sendfile", missing)
    _, by_hand = await gate.ask(Range=header)
    assert by_hand == by_sendfile


async def test_a_kept_file_that_sendfile_finds_too_short_is_broken_off(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def short(*_args: object) -> int:
        return 10

    gate.want(MIDDLE)
    await gate.warm()
    monkeypatch.setattr(asyncio.get_running_loop(), "sendfile", short)
    _, body = await gate.raw()
    assert body == b""
    assert [str(failure) for failure in gate.broken] == [
        "the kept file became shorter while it was sent"
    ]
