"""Upstream in trouble: a clear answer, never a wrong one."""

import asyncio
import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.conformance.catalogue import JSON_TYPE, PLAIN, SIGNED, Sent, SentProject, tar
from tests.conformance.requirements import holds
from tests.conformance.worlds import Spoken, World, opened, serve
from tests.proxy.web.running import running
from tests.standins.faults import (
    CutOff,
    Fault,
    Huge,
    Status,
    captive_portal,
    garbage,
    redirect,
    tampered,
    too_many_requests,
)
from tests.standins.packages import IndexedFile, project, wheel
from tests.standins.upstream import Upstream

pytestmark = pytest.mark.asyncio(loop_scope="session")

both_forms = pytest.mark.parametrize("spoken", ["json", "html"])
PAGE = "/simple/plain/"
DEEP = b'{"meta":{"api-version":"1.0"},"name":"plain","files":' + b"[" * 200_000
MAJOR_2 = b'{"meta":{"api-version":"2.0"},"name":"plain","files":[],"things":[]}'
HTML_2 = b'<!DOCTYPE html><meta name="pypi:repository-version" content="2.0"><a href="x">x</a>'
V2 = "application/vnd.pypi.simple.v2+json"

FAULTS: dict[str, Fault] = {
    "500": Status(status=500),
    "503": Status(status=503),
    "401": Status(status=401),
    "403": Status(status=403),
    "418": Status(status=418),
    "429": too_many_requests(7),
    "204": Status(status=204),
    "206": Status(status=206, body=b"{}", content_type=JSON_TYPE),
    "broken-json": garbage(),
    "no-type": garbage(b"{}", "application/json"),
    "an-image": garbage(b"PNG", "image/png"),
    "empty": garbage(b"", JSON_TYPE),
    "a-list": garbage(b"[]", JSON_TYPE),
    "empty-html": garbage(b"", "text/html"),
    "deep": garbage(DEEP, JSON_TYPE),
    "major-2": garbage(MAJOR_2, JSON_TYPE),
    "major-2-as-if-it-were-1": garbage(MAJOR_2.replace(b"things", b"versions"), JSON_TYPE),
    "major-2-in-html": garbage(HTML_2, "text/html"),
    "type-v2": garbage(MAJOR_2, V2),
    "cut-off": CutOff(after=40),
    "captive-portal": captive_portal(),
    "bomb": Huge(size=200_000_000, compressed=True),
    "too-large": Huge(size=200_000_000),
    "not-gzip": Status(
        status=200, body=b"", content_type=JSON_TYPE, headers={"Content-Encoding": "zstd"}
    ),
    "redirects": redirect("."),
    "elsewhere": redirect("gopher://a.example.test/"),
    "nowhere": redirect(""),
}
AGENTS: dict[str, set[int]] = {
    "": {502, 503, 504},
    "uv/0.13.9": {424},
    "poetry/2.5.1": {424},
    "pdm/2.29": {424},
}


def serve_honestly(upstream: Upstream, padding: int = 0) -> IndexedFile:
    """Have *upstream* serve a project by itself, so that a fault may spoil its answers."""
    file = wheel("plain", "1.0", padding=padding)
    upstream.add(project("plain", file))
    return file


@holds("O124", "O125", "O128", "O129", "D52", "Q141", "T144")
@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault_of_upstream_is_told_and_never_an_empty_page(
    one_world: World, name: str
) -> None:
    fault, upstream = FAULTS[name], one_world.upstream
    file = wheel(f"faulty-{name}", "1.0")
    upstream.add(project(f"faulty-{name}", file))
    page = f"/simple/faulty-{name}/"
    upstream.fault(page, fault)
    for agent, statuses in AGENTS.items():
        answer = await one_world.ask(page, Accept=JSON_TYPE, User_Agent=agent)
        assert answer.status in statuses
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.reason.startswith("indexgate: upstream ")
        assert answer.json()["detail"]
        assert len(answer.sent) < 2000
        if isinstance(fault, Huge):
            return  # each ask reads it anew, up to the bound
    pip = await one_world.ask(page, Accept=JSON_TYPE, User_Agent="pip/26.3 {}")
    assert pip.headers["Content-Type"].startswith("text/plain; indexgate: upstream ")
    authority = upstream.origin.removeprefix("http://")
    assert (await one_world.ask(f"/files/http/{authority}{file.path}")).status == 424


@holds("O124", "O129", "Q141")
async def test_an_upstream_that_hangs_is_waited_for_no_longer_than_is_set(tmp_path: Path) -> None:
    async with (
        Upstream(project("plain", wheel("plain", "1.0"))) as upstream,
        running(upstream, tmp_path, "version = 1\n", upstream_timeout="100ms") as gate,
    ):
        upstream.hold(PAGE)
        async with gate.client.get(PAGE) as response:
            assert response.status == 504
            assert "did not answer within 0.1 s" in (response.reason or "")


@holds("O126")
@both_forms
async def test_gone_is_404_and_a_wish_to_wait_is_passed_on(spoken: Spoken, tmp_path: Path) -> None:
    async with opened(spoken, "open", tmp_path, projects=[PLAIN]) as world:
        world.upstream.fault(PAGE, Status(status=410))
        assert (await world.ask(PAGE)).status == 404
        for status in (429, 503):
            world.upstream.fault(
                "/simple/side/", Status(status=status, headers={"Retry-After": "7"})
            )
            answer = await world.ask("/simple/side/")
            assert (answer.status, answer.headers["Retry-After"]) == (503, "7")


@holds("O130", "I88")
@pytest.mark.parametrize("padding", [0, 300_000])
@pytest.mark.parametrize("fault", [tampered(), CutOff(after=10)], ids=["tampered", "cut off"])
async def test_wrong_bytes_are_never_whole_and_never_kept(
    fault: Fault, padding: int, tmp_path: Path
) -> None:
    async with opened("json", "open", tmp_path, projects=[]) as world:
        file = serve_honestly(world.upstream, padding)
        path = await world.path_of("plain", file.filename)
        world.upstream.fault(file.path, fault, times=1)
        try:
            answer = await world.ask(path)
        except aiohttp.ClientPayloadError:
            pass  # broken off: nobody takes a part for the whole
        else:
            assert answer.status == 424
        assert world.upstream.count(file.path) == 1
        assert (await world.ask(path)).sent == file.content
        assert world.upstream.count(file.path) == 2


@holds("O130", "I88", "J89")
async def test_a_file_of_another_size_than_listed_is_not_passed_on(tmp_path: Path) -> None:
    lying = replace(PLAIN.files[0], members={"size": 12})
    async with opened(
        "json", "open", tmp_path, projects=[SentProject(name="plain", files=(lying,))]
    ) as world:
        assert (await world.ask(await world.path_of("plain", lying.filename))).status == 424


@holds("F62")
@pytest.mark.parametrize("base", ["{origin}/elsewhere/", "/elsewhere/", "../../elsewhere/deep/.."])
async def test_addresses_are_seen_from_a_base(base: str, tmp_path: Path) -> None:
    file = Sent(filename="plain-1.0.tar.gz", url="plain-1.0.tar.gz")
    based = SentProject(name="plain", files=(file,), base=base)
    async with opened("html", "open", tmp_path, projects=[based]) as world:
        served = Status(status=200, body=file.body)
        world.upstream.fault("/elsewhere/plain-1.0.tar.gz", served)
        answer = await world.ask(await world.path_of("plain", file.filename))
        assert (answer.status, answer.sent) == (200, file.body)
        assert "base" not in (await world.html("plain")).tags


@holds("F62", "C41")
@both_forms
async def test_addresses_are_seen_from_behind_a_redirect(spoken: Spoken, tmp_path: Path) -> None:
    file = Sent(filename="plain-1.0.tar.gz", url="plain-1.0.tar.gz")
    moved = SentProject(name="plain", files=(file,))
    async with opened(spoken, "open", tmp_path, projects=[moved]) as world:
        body, kind = moved.json(world.upstream.origin), JSON_TYPE
        if spoken == "html":
            body, kind = moved.html(world.upstream.origin), "text/html"
        world.upstream.fault("/moved/here/", Status(status=200, body=body, content_type=kind))
        world.upstream.fault(PAGE, redirect("../../moved/here/"))
        world.upstream.fault("/moved/here/plain-1.0.tar.gz", Status(status=200, body=file.body))
        answer = await world.ask(await world.path_of("plain", file.filename))
        assert (answer.status, answer.sent) == (200, file.body)


@holds("T147", "Q141")
async def test_pages_of_upstream_may_be_packed(tmp_path: Path) -> None:
    async with opened("json", "open", tmp_path, projects=[]) as world:
        world.upstream.compress = False
        whole = gzip.compress(PLAIN.json(world.upstream.origin))
        for name, coding in (("plain", "gzip"), ("Plain.2", "x-gzip"), ("plain-3", "GZIP")):
            sent = replace(PLAIN, name=name, files=(tar(name, "1.0"),))
            packed = Status(
                status=200,
                body=gzip.compress(sent.json(world.upstream.origin)),
                content_type=JSON_TYPE,
                headers={"Content-Encoding": coding},
            )
            world.upstream.fault(f"/simple/{sent.normalized}/", packed)
            assert len((await world.json(sent.normalized))["files"]) == 1
            cut = replace(packed, body=whole[:-20])
            world.upstream.fault("/simple/cut/", cut)
            assert (await world.ask("/simple/cut/")).status == 502


@holds("T143", "T144", "T145")
@both_forms
async def test_how_it_asks_upstream(spoken: Spoken, tmp_path: Path) -> None:
    async with opened(spoken, "open", tmp_path) as world:
        hold = world.upstream.hold(PAGE)
        asks = [
            asyncio.create_task(world.ask(PAGE, Accept=accept))
            for accept in (JSON_TYPE, "text/html") * 10
        ]
        await hold.reached()
        world.upstream.heal(PAGE)
        serve(world.upstream, spoken, [PLAIN])
        hold.release()
        assert {answer.status for answer in await asyncio.gather(*asks)} <= {200, 404}
        assert world.upstream.count(PAGE) == 1
        assert (await world.ask("/simple/Odd.Names__Pkg/")).status == 301
        await world.json("odd-names-pkg")
        [asked] = world.upstream.asked("/simple/odd-names-pkg/")
        assert world.upstream.count("/simple/Odd*") == 0
        liked = [part.strip() for part in asked.headers["Accept"].split(",")]
        assert liked[0] == JSON_TYPE
        assert any(part.startswith("text/html;q=") for part in liked)
        assert asked.headers["User-Agent"].startswith("indexgate/")


MESSY = """\
<HTML><HEAD><TITLE>Index of /simple/plain</TITLE></HEAD><BODY>
<A HREF="../">Parent Directory</A>
<A HREF="?C=N;O=D">Name</A> <a href="mailto:a@b.example.test">who</a>
<A   HREF='plain-1.0.tar.gz#sha256={digest}'
     DATA-YANKED   DATA-REQUIRES-PYTHON="&gt;=3.8">
   plain-1.0.tar.gz   </A> 2020-01-02 03:04  1K
<a href="plain-1.1.tar.gz" data-size="12"
 data-upload-time="2020-01-02T03:04:05.678901Z" data-yanked="a &amp;amp; b">plain-1.1.tar.gz
<a href="other-1.0.tar.gz">other-1.0.tar.gz</a>
</BODY>
"""


@holds("T146", "H83", "C41", "C42", "J90", "Q142")
async def test_a_directory_listing_is_read(tmp_path: Path) -> None:
    async with opened("html", "open", tmp_path, projects=[PLAIN]) as world:
        page = MESSY.replace("{digest}", "0" * 64).encode()
        world.upstream.fault(PAGE, Status(status=200, body=page, content_type="text/html"))
        files = await world.files("plain")
        assert list(files) == ["plain-1.0.tar.gz", "plain-1.1.tar.gz"]
        assert files["plain-1.0.tar.gz"]["yanked"] is True
        assert files["plain-1.0.tar.gz"]["requires-python"] == ">=3.8"
        assert files["plain-1.0.tar.gz"]["hashes"] == {"sha256": "0" * 64}
        assert files["plain-1.1.tar.gz"]["yanked"] == "a &amp; b"
        assert files["plain-1.1.tar.gz"]["size"] == 12
        assert files["plain-1.1.tar.gz"]["upload-time"] == "2020-01-02T03:04:05.678901Z"
        assert not {"size", "upload-time"} & files["plain-1.0.tar.gz"].keys()


@holds("F67", "B27", "Q141")
@both_forms
async def test_a_page_of_very_many_files_works_in_both_forms(
    spoken: Spoken, tmp_path: Path
) -> None:
    count = 20_001 if spoken == "json" else 2_001
    async with opened(spoken, "open", tmp_path, projects=[PLAIN]) as world:
        entry: dict[str, Any] = {"hashes": {}, "size": 1}
        names = [f"plain-{n // 250}.{n % 250}-py3-none-any.whl" for n in range(count)]
        files = [
            {**entry, "filename": name, "url": f"https://f.example.test/f/{name}"} for name in names
        ]
        page = {"meta": {"api-version": "1.1"}, "name": "plain", "versions": [], "files": files}
        body, kind = json.dumps(page).encode(), JSON_TYPE
        if spoken == "html":
            anchors = "".join(f'<a href="../../f/{name}">{name}</a>\n' for name in names)
            body, kind = f"<title>Links for plain</title>{anchors}".encode(), "text/html"
        world.upstream.fault(PAGE, Status(status=200, body=body, content_type=kind))
        packed = await world.ask(PAGE, Accept=JSON_TYPE, Accept_Encoding="gzip")
        assert packed.status == 200
        assert len(packed.json()["files"]) == count
        assert len(packed.sent) * 5 < len(packed.body)
        html = await world.ask(PAGE, Accept="text/html")
        assert html.body.count(b"<a href=") == count
        again = await world.ask(PAGE, Accept="text/html", If_None_Match=html.headers["ETag"])
        assert again.status == 304
        assert world.upstream.count(PAGE) == 1


@holds("G75", "M112", "O126")
async def test_a_side_file_that_upstream_lost_is_told(tmp_path: Path) -> None:
    async with opened("json", "open", tmp_path) as world:
        name = "plain-1.0-py3-none-any.whl"
        path = await world.path_of("plain", name)
        sent = next(file for file in PLAIN.files if file.filename == name)
        world.upstream.fault(f"{sent.path}.metadata", Status(status=404))
        assert (await world.ask(f"{path}.metadata")).status == 424
        world.upstream.fault(f"{sent.path}.metadata", Status(status=200, body=b"tampered"))
        assert (await world.ask(f"{path}.metadata")).status == 424
        signed = SIGNED.files[0]
        world.upstream.fault(f"{signed.path}.asc", Status(status=404))
        asked = await world.ask(f"{await world.path_of('signed', signed.filename)}.asc")
        assert asked.status == 404


@holds("N115", "T145")
async def test_an_unchanged_page_costs_upstream_a_304(tmp_path: Path) -> None:
    async with opened("json", "open", tmp_path, projects=[PLAIN]) as world:
        first = await world.ask(PAGE, Accept=JSON_TYPE)
        world.gate.clock.now = world.gate.clock.now.replace(hour=23)
        assert (await world.ask(PAGE, Accept=JSON_TYPE)).sent == first.sent
        assert [asked.status for asked in world.upstream.asked(PAGE)] == [200, 304]
