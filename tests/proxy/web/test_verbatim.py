"""What is asked again byte for byte: the same answers, as long as they hold, and no confusion."""

import asyncio
import gc
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from io import BytesIO, StringIO
from pathlib import Path
from unittest.mock import patch

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from indexgate import logs
from indexgate.finished_page import FinishedPage
from indexgate.repeated_line import Gathered, RepeatedLine
from indexgate.web import verbatim
from indexgate.web.large_bodies import LEAST
from indexgate.web.request_counts import RequestCounts
from indexgate.web.verbatim import AGAIN, LARGEST, MOST_BYTES, Again, Verbatim, is_entire
from indexgate.web.verbatim_server import VerbatimRunner
from tests.proxy.web.running import Running, running
from tests.standins.packages import project, wheel
from tests.standins.upstream import Upstream

DEMO = project("demo", wheel("demo", "1.0"))
HEAD = b"Host: 127.0.0.1\r\nUser-Agent: pip/26.3\r\nAccept: text/html\r\n"


def ask(path: str, *more: bytes, method: bytes = b"GET", version: bytes = b"1.1") -> bytes:
    lines = b"".join(line + b"\r\n" for line in more)
    return b"%b %b HTTP/%b\r\n%b%b\r\n" % (method, path.encode(), version, HEAD, lines)


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Connection:
    """A client that sends bytes as it is told, and takes the answers apart."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()
            for _ in range(5):  # the server, on the same loop, reads it by itself
                await asyncio.sleep(0)

    async def answer(self, *, bodiless: bool = False) -> Answer:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in head[1:-2])
        length = 0 if bodiless else int(headers.get("Content-Length", "0"))
        return Answer(int(head[0].split()[1]), headers, await self.reader.readexactly(length))

    async def ask(self, request: bytes, *, bodiless: bool = False) -> Answer:
        await self.send(request)
        return await self.answer(bodiless=bodiless)

    async def close(self) -> None:
        self.writer.close()
        await self.writer.wait_closed()


@dataclass
class Site:
    """A little application whose answers say how often they were made."""

    verbatim: Verbatim
    port: int
    holds: bool = True
    made: int = 0
    looked: int = 0
    noted: list[str] = field(default_factory=list)
    counts: RequestCounts = field(default_factory=RequestCounts)
    body: bytes = b""
    opened: list[Connection] = field(default_factory=list)

    def look(self) -> bool:
        self.looked += 1
        return self.holds

    async def serve(self, request: web.Request) -> web.StreamResponse:
        self.made += 1
        sent = await request.read()
        path = request.path
        if "keep" in path:
            request[AGAIN] = Again(
                kind="page", holds=self.look, note=lambda times: self.noted.extend([path] * times)
            )
        status = 304 if "unchanged" in path else 200
        return web.Response(
            status=status,
            body=self.body or f"{self.made} {path} {sent.decode()}".encode(),
            headers={"X-Thing": "kept"},
        )

    async def connect(self) -> Connection:
        self.opened.append(Connection(*await asyncio.open_connection("127.0.0.1", self.port)))
        return self.opened[-1]


@asynccontextmanager
async def site(write: list[str] | None = None) -> AsyncIterator[Site]:
    counts, lines = RequestCounts(), [] if write is None else write
    soon = asyncio.get_running_loop().call_soon
    made = Site(Verbatim(counts, lines.append, soon), 0, counts=counts)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made.serve)
    runner = VerbatimRunner(app, made.verbatim, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        made.port = runner.addresses[0][1]
        yield made
    finally:
        for connection in made.opened:
            await connection.close()
        await runner.cleanup()
        made.verbatim.close()


async def test_what_comes_again_is_answered_from_memory() -> None:
    async with site() as served:
        client = await served.connect()
        first = await client.ask(ask("/keep"))
        again = await client.ask(ask("/keep"))
        elsewhere = await (await served.connect()).ask(ask("/keep"))
        assert served.made == 1
        assert {first.body, again.body, elsewhere.body} == {b"1 /keep "}
        assert {first.status, again.status, elsewhere.status} == {200}
        assert again.headers["X-Thing"] == "kept"
        assert again.headers["Server-Timing"] == "cache;desc=hit, total;dur=0.0"
        assert again.headers["X-Request-Id"] != elsewhere.headers["X-Request-Id"]
        assert served.noted == ["/keep", "/keep"]
        assert served.counts.results["page", "ok"] == 2
        assert served.counts.pages["page", "hit"] == 2
        assert served.counts.sent["page"] == 2 * len(first.body)


async def test_of_what_comes_in_one_turn_it_is_looked_once_and_all_is_counted() -> None:
    lines: list[str] = []
    async with site(lines) as served:
        clients = [await served.connect() for _ in range(5)]
        whole = ask("/keep")
        await clients[0].ask(whole)
        await asyncio.gather(*(client.ask(whole) for client in clients))
        looked, served.looked = served.looked, 0
        bodies = set()
        for client in clients:
            client.writer.write(whole)  # all are there before the loop takes the first
        for client in clients:
            bodies.add((await client.answer()).body)
        assert bodies == {b"1 /keep "}
        assert (looked, served.looked) == (1, 1)
        assert served.noted == ["/keep"] * 10
        assert served.counts.results["page", "ok"] == 10
        assert served.counts.seconds["page"].counts[0] == 10
        assert len(lines) == len(set(lines)) == 10
        served.holds = False
        assert (await clients[0].ask(whole)).body == b"2 /keep "


async def test_what_could_not_be_counted_is_looked_at_again_all_the_same() -> None:
    failed: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, told: failed.append(told))
    async with site() as served:
        asked = [(await served.connect(), ask(f"/keep-{each}")) for each in "ab"]
        for client, whole in asked:
            await client.ask(whole)
        with patch.object(served.counts, "again", side_effect=ValueError):
            for client, whole in asked:
                client.writer.write(whole)  # both are there before the loop takes the first
            bodies = [(await client.answer()).body for client, _ in asked]
        assert bodies == [b"1 /keep-a ", b"2 /keep-b "]
        assert len(failed) == 1
        served.holds = False
        bodies = [(await client.ask(whole)).body for client, whole in asked]
        assert bodies == [b"3 /keep-a ", b"4 /keep-b "]


async def test_what_no_longer_holds_is_made_anew() -> None:
    async with site() as served:
        client = await served.connect()
        assert (await client.ask(ask("/keep"))).body == b"1 /keep "
        served.holds = False
        assert (await client.ask(ask("/keep"))).body == b"2 /keep "
        served.holds = True
        assert (await client.ask(ask("/keep"))).body == b"2 /keep "


@pytest.mark.parametrize(
    "request_",
    [
        ask("/other"),
        ask("/keep", b"Connection: close"),
        ask("/keep", version=b"1.0"),
        ask("/keep", b"Content-Length: 2") + b"ab",
        ask("/keep", b"Content-Length: 0"),
        ask("/keep", b"Transfer-Encoding: chunked") + b"0\r\n\r\n",
        ask("/keep", b"X-Long: " + b"a" * 5000),
        ask("/keep", method=b"POST"),
    ],
)
async def test_nothing_else_is_kept(request_: bytes) -> None:
    async with site() as served:
        for made in (1, 2):
            client = await served.connect()
            answer = await client.ask(request_)
            assert answer.body.startswith(str(made).encode())
        assert len(served.verbatim) == 0


async def test_requests_that_come_together_are_not_taken_for_one_another() -> None:
    async with site() as served:
        client = await served.connect()
        await client.send(ask("/keep-a") + ask("/keep-b"))
        assert [(await client.answer()).body for _ in "ab"] == [b"1 /keep-a ", b"2 /keep-b "]
        await client.send(ask("/keep-c"), ask("/keep-d"), ask("/keep-c"))
        bodies = [(await client.answer()).body.split()[1] for _ in "cdc"]
        assert bodies == [b"/keep-c", b"/keep-d", b"/keep-c"]
        assert len(served.verbatim) == 0  # such a connection is left to the parser for good


async def test_a_body_that_looks_like_a_request_is_a_body() -> None:
    async with site() as served:
        await (await served.connect()).ask(ask("/keep"))
        inner = ask("/keep")
        client = await served.connect()
        length = b"Content-Length: %d" % len(inner)
        await client.send(ask("/post", length, method=b"POST"), inner)
        assert (await client.answer()).body == b"2 /post " + inner
        assert served.noted == []


async def test_a_request_in_two_pieces_is_whole_all_the_same() -> None:
    async with site() as served:
        whole = ask("/keep")
        await (await served.connect()).ask(whole)
        client = await served.connect()
        await client.send(whole[:30], whole[30:])
        assert (await client.answer()).body == b"2 /keep "
        assert (await client.ask(whole)).body == b"3 /keep "


async def test_what_cannot_be_given_again_is_made_anew() -> None:
    async with site() as served:
        client = await served.connect()
        await client.ask(ask("/keep"))
        with patch.object(Site, "holds", new=property(lambda _: 1 / 0)):
            assert (await client.ask(ask("/keep"))).body == b"2 /keep "


async def test_head_and_not_modified_have_no_body() -> None:
    async with site() as served:
        client = await served.connect()
        for _ in range(2):
            head = await client.ask(ask("/keep", method=b"HEAD"), bodiless=True)
            assert (head.status, head.headers["Content-Length"]) == (200, "8")
            unchanged = await client.ask(ask("/keep-unchanged"), bodiless=True)
            assert unchanged.status == 304
        assert served.made == 2
        assert served.counts.results["page", "not-modified"] == 1


async def test_what_is_kept_is_bounded() -> None:
    async with site() as served:
        served.body = bytes(LARGEST)
        client = await served.connect()
        for number in range(MOST_BYTES // LARGEST + 3):
            await client.ask(ask(f"/keep-{number}"))
        assert len(served.verbatim) == MOST_BYTES // LARGEST
        served.body = bytes(LARGEST + 1)
        await client.ask(ask("/keep-huge"))
        made = served.made
        await client.ask(ask("/keep-huge"))
        assert served.made == made + 1


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere all is copied")
async def test_a_large_answer_holds_a_file_for_as_long_as_it_is_kept() -> None:
    async with site() as served:
        served.body = bytes(LEAST)
        client = await served.connect()
        for given in range(3):
            assert (await client.ask(ask("/keep"))).body == served.body
            assert len(served.verbatim.large) == min(given, 1)
        served.holds = False
        await client.ask(ask("/keep"))
        assert len(served.verbatim.large) == 0


async def test_an_answer_without_its_body_takes_no_room() -> None:
    async with site() as served:
        served.body = bytes(LARGEST)
        client = await served.connect()
        asked = MOST_BYTES // LARGEST + 3
        for number in range(asked):
            await client.ask(ask(f"/keep-{number}", method=b"HEAD"), bodiless=True)
        assert len(served.verbatim) == asked


@pytest.mark.parametrize("many", ["FEW_ANSWERS", "FEW_BYTES"])
async def test_what_holds_no_more_is_let_go_of_though_nobody_asks_for_it(
    many: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verbatim, many, 0)
    async with site() as served:
        client = await served.connect()
        for number in range(20):
            await client.ask(ask(f"/keep-{number}"))
        assert len(served.verbatim) == 20
        served.holds = False
        for number in range(20):
            await client.ask(ask(f"/keep-other-{number}"))
        served.holds = True
        assert len(served.verbatim) < 25


async def test_a_few_are_not_looked_through_for_what_holds_no_more() -> None:
    async with site() as served:
        client = await served.connect()
        await client.ask(ask("/keep-old"))
        served.holds = False
        for number in range(20):
            await client.ask(ask(f"/keep-{number}"))
        assert len(served.verbatim) == 21
        await client.ask(ask("/keep-old"))
        assert served.made == 22  # though it is there, it is not given


async def test_what_is_not_at_hand_as_bytes_is_not_kept_without_them() -> None:
    verbatim = Verbatim(RequestCounts(), lambda _line: None, lambda _do: None)
    again = Again(kind="page", holds=lambda: True, note=lambda _times: None)
    verbatim.keep(ask("/keep"), again, web.Response(body=BytesIO(b"elsewhere")))
    assert len(verbatim) == 0


async def test_a_client_that_does_not_read_is_not_given_ever_more() -> None:
    async with site() as served:
        served.body = bytes(LARGEST)
        client = await served.connect()
        await client.ask(ask("/keep"))
        await client.send(*[ask("/keep")] * 5)
        assert [len((await client.answer()).body) for _ in range(5)] == [LARGEST] * 5


async def test_a_large_answer_is_whole_whatever_is_asked_behind_it() -> None:
    async with site() as served:
        served.body = bytes(range(256)) * (LARGEST // 256)
        await (await served.connect()).ask(ask("/keep"))
        client = await served.connect()
        await client.send(ask("/keep"), ask("/other", method=b"POST"))
        assert [(await client.answer()).body == served.body for _ in range(2)] == [True, True]


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=6), st.data())
def test_however_the_bytes_come_each_request_gets_its_answer(
    paths: list[str], data: st.DataObject
) -> None:
    stream = b"".join(ask(f"/keep-{path}") for path in paths)
    cuts = data.draw(st.lists(st.integers(1, len(stream) - 1), max_size=5, unique=True).map(sorted))

    async def ask_all() -> list[bytes]:
        async with site() as served:
            before = await served.connect()
            for path in "ab":
                await before.ask(ask(f"/keep-{path}"))
            client = await served.connect()
            pieces = zip([0, *cuts], [*cuts, len(stream)], strict=True)
            sending = asyncio.create_task(client.send(*[stream[a:b] for a, b in pieces]))
            bodies = [(await client.answer()).body for _ in paths]
            await sending
            return [body.split()[1] for body in bodies]

    assert asyncio.run(ask_all()) == [f"/keep-{path}".encode() for path in paths]


@pytest.mark.parametrize(
    ("data", "entire"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", True),
        (b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", True),
        (b"GET / HTTP/1.1\r\nHost: a\r\n", False),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\nG", False),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n\r\n", False),
        (b"GET / HTTP/1.1\nHost: a\n\nGET / HTTP/1.1\r\n\r\n", False),
        (b"GET / HTTP/1.1\r\nCONTENT-LENGTH: 1\r\n\r\n", False),
        (b"GET / HTTP/1.1\r\nExpect: 100-continue\r\n\r\n", False),
        (b"POST / HTTP/1.1\r\nHost: a\r\n\r\n", False),
        (b"", False),
    ],
)
def test_a_request_is_entire_when_nothing_can_belong_to_it_or_follow(
    data: bytes, entire: bool
) -> None:
    assert is_entire(data) is entire


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_repeated_line_reads_like_any_other(form: str) -> None:
    written = StringIO()
    logs.configure(
        form="json" if form == "json" else "text", level="info", stream=written, environ={}
    )
    told = {"method": "GET", "path": "/simple/a%20b/", "ms": 0.5, "id": "first-id", "cache": "hit"}
    logs.logger().info("request", **told)
    line = RepeatedLine.of("request", told)
    assert line is not None
    [usual] = written.getvalue().splitlines()
    again = line.filled(1_700_000_000.25, "other-id", 0.5)
    assert "2023-11-14T22:13:20.250000Z" in again
    if form == "json":
        expected = json.loads(usual) | {
            "id": "other-id",
            "timestamp": "2023-11-14T22:13:20.250000Z",
        }
        assert json.loads(again) == {**expected, "ms": 0.5}
    else:
        assert (
            again.split()[1:]
            == usual.replace("first-id", "other-id").replace("ms=0.5", "ms=0.50").split()[1:]
        )


def test_nothing_that_a_client_says_is_taken_for_a_place_in_the_line() -> None:
    logs.configure(form="json", level="info", stream=StringIO(), environ={})
    told = {"client": "70361984.53125 %s %"}
    line = RepeatedLine.of("request", told)
    assert line is not None
    assert json.loads(line.filled(1.0, "other-id", 0.5))["client"] == told["client"]


def test_a_log_that_does_not_take_the_line_gets_none() -> None:
    logs.configure(form="json", level="warning", stream=StringIO(), environ={})
    assert RepeatedLine.of("request", {}) is None


def test_lines_are_written_together() -> None:
    written, scheduled = StringIO(), []
    logs.configure(form="json", level="info", stream=written, environ={})
    gathered = Gathered(lambda _seconds, flush: scheduled.append(flush))
    gathered.write("one")
    gathered.write("two")
    assert (written.getvalue(), len(scheduled)) == ("", 1)
    scheduled[0]()
    assert written.getvalue() == "one\ntwo\n"
    gathered.flush()
    assert written.getvalue() == "one\ntwo\n"


@asynccontextmanager
async def at_gate(folder: Path) -> AsyncIterator[tuple[Upstream, Running, Connection]]:
    async with (
        Upstream(DEMO) as upstream,
        running(upstream, folder) as gate,
        connected(gate) as client,
    ):
        yield upstream, gate, client


@asynccontextmanager
async def connected(gate: Running) -> AsyncIterator[Connection]:
    port = gate.client.server.port
    client = Connection(*await asyncio.open_connection("127.0.0.1", port))
    try:
        yield client
    finally:
        await client.close()


async def test_an_edit_of_the_policy_holds_from_the_next_request_on(tmp_path: Path) -> None:
    async with at_gate(tmp_path) as (_, gate, client):
        page = ask("/simple/demo/")
        before = [await client.ask(page) for _ in range(3)]
        assert len({answer.body for answer in before}) == 1
        gate.policy.write_text(
            'version = 1\n[[rule]]\nid = "no"\naction = "refuse"\nwhen = { project = ["demo"] }\n'
        )
        after = [await client.ask(page) for _ in range(2)]
        assert len({answer.body for answer in after}) == 1
        assert after[0].headers["Etag"] != before[0].headers["Etag"]


async def test_a_page_that_has_aged_is_asked_for_anew(tmp_path: Path) -> None:
    async with at_gate(tmp_path) as (upstream, gate, client):
        page = ask("/simple/demo/")
        for _ in range(3):
            await client.ask(page)
        assert len(gate.verbatim) == 1
        assert upstream.count("/simple/demo/") == 1
        gate.clock.turn(timedelta(minutes=11))
        await client.ask(page)
        assert upstream.count("/simple/demo/") == 2


async def test_what_is_unchanged_keeps_no_page_in_memory(tmp_path: Path) -> None:
    async with at_gate(tmp_path) as (_, gate, client):
        etag = (await client.ask(ask("/simple/demo/"))).headers["Etag"].encode()
        for _ in range(2):
            unchanged = ask("/simple/demo/", b"If-None-Match: " + etag)
            assert (await client.ask(unchanged, bodiless=True)).status == 304
        assert len(gate.verbatim) == 2
        gate.parts.gate._finished.clear()  # as if it had to make room
        gc.collect()
        policy = gate.parts.gate.policy.current()
        kept = [each for each in gc.get_objects() if isinstance(each, FinishedPage)]
        assert {page.body for page in kept if page.judged_by.policy is policy} == {b""}


@pytest.mark.parametrize(
    "more",
    [
        b"Cache-Control: no-cache",
        b"Authorization: Basic cnVuLTAxMjM0NTY3ODlhYmNkZWY6eA==",
        b"X-Request-Id: given-by-the-client",
    ],
)
async def test_what_may_differ_from_time_to_time_is_not_kept(tmp_path: Path, more: bytes) -> None:
    async with at_gate(tmp_path) as (_, gate, client):
        for _ in range(2):
            await client.ask(ask("/simple/demo/", more))
        assert len(gate.verbatim) == 0


async def test_metadata_is_given_again_while_its_verdict_stands(tmp_path: Path) -> None:
    async with at_gate(tmp_path) as (upstream, gate, client):
        [file] = DEMO.files
        path = await gate.file_path("demo", file.filename) + ".metadata"
        answers = [await client.ask(ask(path)) for _ in range(4)]
        assert {answer.body for answer in answers} == {file.metadata}
        assert answers[-1].headers["Server-Timing"] == "cache;desc=hit, total;dur=0.0"
        assert gate.parts.requests.files["metadata", "hit"] >= 2
        assert upstream.count("*.metadata") == 1
        gate.policy.write_text(
            'version = 1\n[[rule]]\nid = "no"\naction = "refuse"\nwhen = { project = ["demo"] }\n'
        )
        assert (await client.ask(ask(path), bodiless=True)).status == 302
