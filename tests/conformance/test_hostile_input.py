"""What nobody should send: odd requests, and pages that mean harm."""

import asyncio
import re
from pathlib import Path

import pytest

from tests.conformance import catalogue
from tests.conformance.catalogue import JSON_TYPE
from tests.conformance.requirements import holds
from tests.conformance.worlds import Spoken, World, opened
from tests.standins.faults import Status, redirect

pytestmark = pytest.mark.asyncio(loop_scope="session")

OURS = b"Host: localhost\r\nConnection: close\r\n"
GET = b"GET /simple/plain/ HTTP/1.1\r\n"
SMUGGLED = b"0\r\n\r\nGET /simple/side/ HTTP/1.1\r\nHost: localhost\r\n\r\n"

ANSWERS = re.compile(rb"HTTP/[0-9.]+ \d{3} ")

REQUESTS = {
    "two lengths": GET + OURS + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n123456",
    "length and chunks": GET
    + OURS
    + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
    + SMUGGLED,
    "odd coding": GET + OURS + b"Transfer-Encoding: xchunked\r\n\r\n" + SMUGGLED,
    "length that is none": GET + OURS + b"Content-Length: +5\r\n\r\n12345",
    "two hosts": GET + OURS + b"Host: evil.example.test\r\n\r\n",
    "no host": GET + b"Connection: close\r\n\r\n",
    "blank before the colon": GET + OURS + b"X-A : b\r\n\r\n",
    "folded header": GET + OURS + b"X-A: b\r\n c\r\n\r\n",
    "NUL in a header": GET + OURS + b"X-A: b\0c\r\n\r\n",
    "bare line feeds": GET.replace(b"\r", b"") + b"Host: localhost\nX: \r y\n\n",
    "a very long header": GET + OURS + b"X-A: " + b"a" * 100_000 + b"\r\n\r\n",
    "a very long path": b"GET /simple/" + b"a" * 100_000 + b"/ HTTP/1.1\r\n" + OURS + b"\r\n",
    "a blank in the path": b"GET /simple/pl ain/ HTTP/1.1\r\n" + OURS + b"\r\n",
    "very many headers": GET + OURS + b"".join(b"X-%d: a\r\n" % n for n in range(20_000)) + b"\r\n",
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "another address": b"GET http://evil.example.test/simple/plain/ HTTP/1.1\r\n"
    b"Connection: close\r\nHost: evil.example.test\r\n\r\n",
    "a tunnel": b"CONNECT evil.example.test:443 HTTP/1.1\r\n" + OURS + b"\r\n",
    "a climb": b"GET /simple/../../etc/passwd HTTP/1.1\r\n" + OURS + b"\r\n",
    "an escaped climb": b"GET /files/%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\n" + OURS + b"\r\n",
    "a version that is none": b"GET /simple/plain/ HTTP/9.9\r\n" + OURS + b"\r\n",
}


@holds("Q139", "Q140", "O131", "A9")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("name", REQUESTS)
async def test_an_odd_request_is_turned_away_alone(one_world: World, name: str) -> None:
    before = len(one_world.upstream.log)
    reader, writer = await asyncio.open_connection("127.0.0.1", one_world.gate.client.port or 0)
    try:
        writer.write(REQUESTS[name])
        answer = await reader.read()
    except ConnectionError:
        answer = b""  # hung up in the middle, which is an answer too
    finally:
        writer.close()
    status = int(answer.split(b" ", 2)[1]) if answer else 400
    assert 400 <= status < 500, answer[:200]
    assert len(ANSWERS.findall(answer)) <= 1
    assert b"Traceback" not in answer
    assert b"root:" not in answer
    assert len(answer) < 2000
    assert len(one_world.upstream.log) == before
    assert (await one_world.ask("/simple/plain/")).status == 200


@holds("Q138", "Q142", "D55", "Q137", "Q139")
async def test_what_means_harm_is_left_out_and_its_neighbours_stay(world: World) -> None:
    good = ["hostile-1.0.tar.gz", "hostile-2.0.tar.gz"]
    files = list(await world.files("hostile"))
    if world.spoken == "html":  # where a file's name is the last part of its address
        files = [name for name in files if name not in {"hostile-1.3.tar.gz", "hostile-1.4.tar.gz"}]
    assert files == good
    html = await world.html("hostile")
    assert {anchor.last for anchor in html.anchors} == set(await world.files("hostile"))
    for filename in good:
        answer = await world.ask(await world.path_of("hostile", filename))
        assert answer.status == 200
        assert "X-Injected" not in answer.headers


@holds("Q140", "Q141")
@pytest.mark.parametrize("spoken", ["json", "html"])
async def test_a_public_index_leads_to_no_private_address(spoken: Spoken, tmp_path: Path) -> None:
    inward = catalogue.SentProject(
        name="plain",
        files=(
            catalogue.Sent(filename="plain-1.0.tar.gz", url="http://10.0.0.1/plain-1.0.tar.gz"),
            catalogue.Sent(filename="plain-1.1.tar.gz", url="http://[::1]/plain-1.1.tar.gz"),
        ),
    )
    async with opened(spoken, "open", tmp_path, projects=[inward], upstream_public="yes") as world:
        for path in ("10.0.0.1/plain-1.0.tar.gz", "[::1]/plain-1.1.tar.gz"):
            answer = await world.ask(f"/files/http/{path}")
            assert answer.status in {404, 424}
            assert answer.status == 404 or "private" in answer.reason
        world.upstream.fault("/simple/side/", redirect("http://192.168.0.1/simple/side/"))
        answer = await world.ask("/simple/side/")
        assert answer.status == 502
        assert "private" in answer.reason


@holds("D55", "D49", "D48")
@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("twice", '{"filename":"plain-1.0.tar.gz","url":"a/plain-1.0.tar.gz","hashes":{}},' * 2),
        ("two members", '{"filename":"x","filename":"plain-1.0.tar.gz","url":"a","hashes":{}},'),
        ("huge numbers", '{"filename":"plain-1.0.tar.gz","url":"a","hashes":{},"size":1e400},'),
        (
            "odd text",
            '{"filename":"plain-1.0.tar.gz","url":"a","hashes":{},"yanked":"\\u0000\\ud800"},',
        ),
        ("odd shapes", '{"filename":"plain-1.0.tar.gz","url":"a","hashes":[1]},null,7,"x",[],{},'),
    ],
)
async def test_odd_entries_do_no_harm(name: str, files: str, tmp_path: Path) -> None:
    async with opened("json", "open", tmp_path, projects=[]) as world:
        body = f'{{"meta":{{}},"name":"plain","files":[{files.rstrip(",")}]}}'.encode()
        world.upstream.fault(
            "/simple/plain/", Status(status=200, body=body, content_type=JSON_TYPE)
        )
        answer = await world.ask("/simple/plain/", Accept=JSON_TYPE)
        if answer.status == 200:
            assert [file["filename"] for file in answer.json()["files"]] == ["plain-1.0.tar.gz"]
            assert (await world.ask("/simple/plain/", Accept="text/html")).status == 200
        else:
            assert answer.status == 502
