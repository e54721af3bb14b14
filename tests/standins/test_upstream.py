"""The stand-in itself: what other tests lean on."""

import asyncio
import gzip
import hashlib
import json
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from io import BytesIO

import aiohttp
import pytest

from tests.standins.faults import (
    CutOff,
    Huge,
    Stall,
    api_version,
    captive_portal,
    garbage,
    redirect,
    tampered,
    too_many_requests,
)
from tests.standins.packages import project, sdist, wheel
from tests.standins.pages import HTML_TYPE, JSON_TYPE
from tests.standins.upstream import Upstream

OLD = wheel("demo", "1.0")
NEW = wheel("demo", "2.0", requires=["other>=1"], requires_python=">=3.9", yanked="bad & <old>")
DEMO = project("Demo", OLD, NEW, sdist("demo", "2.0"))
PAGE = "/simple/demo/"


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    async with Upstream(DEMO) as running:
        yield running


@pytest.fixture
async def web(upstream: Upstream) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(upstream.origin, auto_decompress=False) as session:
        yield session


async def test_a_wheel_is_whole_and_is_the_same_every_time() -> None:
    assert wheel("demo", "1.0") == OLD
    with zipfile.ZipFile(BytesIO(OLD.content)) as archive:
        assert archive.testzip() is None
        assert archive.read("demo-1.0.dist-info/METADATA") == OLD.metadata


@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        (JSON_TYPE, JSON_TYPE),
        (f"{JSON_TYPE}, {HTML_TYPE};q=0.2, text/html;q=0.01", JSON_TYPE),
        (HTML_TYPE, HTML_TYPE),
        ("text/html", "text/html"),
        ("*/*", "text/html"),
    ],
)
async def test_a_page_comes_in_the_form_that_was_asked_for(
    web: aiohttp.ClientSession, accept: str, answered: str
) -> None:
    async with web.get(PAGE, headers={"Accept": accept}) as response:
        assert response.headers["Content-Type"] == answered


async def test_both_forms_list_the_same_files(
    web: aiohttp.ClientSession, upstream: Upstream
) -> None:
    page = json.loads(await get(web, PAGE, Accept=JSON_TYPE))
    text = (await get(web, PAGE, Accept=HTML_TYPE)).decode()
    assert [file["filename"] for file in page["files"]] == [file.filename for file in DEMO.files]
    for file in DEMO.files:
        assert f'{upstream.file_url(file)}#sha256={file.sha256}"' in text
    assert 'data-yanked="bad &amp; &lt;old&gt;"' in text
    assert page["versions"] == ["1.0", "2.0"]


async def test_an_unchanged_page_is_304_and_a_changed_one_is_not(
    web: aiohttp.ClientSession, upstream: Upstream
) -> None:
    async with web.get(PAGE) as first:
        etag = first.headers["ETag"]
    async with web.get(PAGE, headers={"If-None-Match": etag}) as second:
        assert (second.status, second.headers["ETag"]) == (304, etag)
    upstream.add(project("demo", OLD))
    async with web.get(PAGE, headers={"If-None-Match": etag}) as third:
        assert third.status == 200


async def test_pages_travel_as_gzip_and_files_never_do(web: aiohttp.ClientSession) -> None:
    async with web.get(PAGE, headers={"Accept-Encoding": "gzip"}) as response:
        assert response.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(await response.read()).startswith(b"<!DOCTYPE html>")
    assert await get(web, OLD.path, **{"Accept-Encoding": "gzip"}) == OLD.content


async def test_metadata_is_beside_the_wheel_and_not_beside_the_sdist(
    web: aiohttp.ClientSession,
) -> None:
    assert await get(web, f"{NEW.path}.metadata") == NEW.metadata
    async with web.get(f"{DEMO.files[2].path}.metadata") as response:
        assert response.status == 404


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        ("bytes=0-9", 206, OLD.content[:10]),
        ("bytes=-10", 206, OLD.content[-10:]),
        ("bytes=100-", 206, OLD.content[100:]),
        (f"bytes={len(OLD.content)}-", 416, b""),
    ],
)
async def test_a_part_of_a_file_can_be_asked_for(
    web: aiohttp.ClientSession, asked: str, status: int, part: bytes
) -> None:
    async with web.get(OLD.path, headers={"Range": asked}) as response:
        assert (response.status, await response.read()) == (status, part)


async def test_head_tells_the_length_and_sends_nothing(web: aiohttp.ClientSession) -> None:
    async with web.head(OLD.path) as response:
        assert response.content_length == len(OLD.content)
        assert await response.read() == b""


async def test_the_project_json_tells_the_owners(web: aiohttp.ClientSession) -> None:
    told = json.loads(await get(web, "/pypi/demo/json"))
    assert told["ownership"]["roles"] == [{"role": "Owner", "user": "somebody"}]


async def test_odd_spellings_lead_to_the_page_and_unknown_names_to_404(
    web: aiohttp.ClientSession,
) -> None:
    async with web.get("/simple/DEMO", allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (301, PAGE)
    async with web.get("/simple/nobody/") as response:
        assert response.status == 404


async def test_a_fault_is_counted_down_and_the_log_knows_every_answer(
    web: aiohttp.ClientSession, upstream: Upstream
) -> None:
    upstream.fault(PAGE, too_many_requests(7), times=1)
    async with web.get(PAGE) as response:
        assert (response.status, response.headers["Retry-After"]) == (429, "7")
    await get(web, PAGE)
    assert [asked.status for asked in upstream.asked("/simple/*")] == [429, 200]
    assert upstream.count(PAGE, method="HEAD") == 0


async def test_a_held_answer_waits_for_its_release(
    web: aiohttp.ClientSession, upstream: Upstream
) -> None:
    hold = upstream.hold(PAGE)
    task = asyncio.create_task(get(web, PAGE))
    await hold.reached()
    assert not task.done()
    hold.release()
    assert (await task).startswith(b"<!DOCTYPE html>")


async def test_a_stalled_answer_has_begun(web: aiohttp.ClientSession, upstream: Upstream) -> None:
    stall = Stall(after=10)
    upstream.fault(OLD.path, stall)
    async with web.get(OLD.path) as response:
        assert await response.content.readexactly(10) == OLD.content[:10]
        await stall.reached()
        stall.release()
        assert await response.read() == OLD.content[10:]


async def test_a_cut_off_answer_ends_before_its_length(
    web: aiohttp.ClientSession, upstream: Upstream
) -> None:
    upstream.fault(OLD.path, CutOff(after=10))
    async with web.get(OLD.path) as response:
        assert response.content_length == len(OLD.content)
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()


async def test_tampered_bytes_keep_the_length_and_lose_the_hash(
    web: aiohttp.ClientSession, upstream: Upstream
) -> None:
    upstream.fault("/packages/*", tampered())
    received = await get(web, OLD.path)
    assert len(received) == len(OLD.content)
    assert hashlib.sha256(received).hexdigest() != OLD.sha256


@pytest.mark.parametrize("accept", [JSON_TYPE, HTML_TYPE])
async def test_another_api_version_can_be_claimed_in_either_form(
    web: aiohttp.ClientSession, upstream: Upstream, accept: str
) -> None:
    upstream.fault(PAGE, api_version("2.0"))
    assert b'"2.0"' in await get(web, PAGE, Accept=accept)


@pytest.mark.parametrize("compressed", [False, True])
async def test_a_huge_page_streams_to_its_end(
    web: aiohttp.ClientSession, upstream: Upstream, compressed: bool
) -> None:
    upstream.fault(PAGE, Huge(size=1_000_000, compressed=compressed))
    body = await get(web, PAGE)
    plain = gzip.decompress(body) if compressed else body
    assert json.loads(plain)["files"] == []
    assert (len(body) < 10_000) is compressed


async def test_garbage_portals_and_redirects_answer_as_told(
    web: aiohttp.ClientSession, upstream: Upstream
) -> None:
    upstream.fault("/simple/a/", garbage())
    upstream.fault("/simple/b/", captive_portal())
    upstream.fault("/simple/c/", redirect("http://elsewhere.example.test/"))
    with pytest.raises(json.JSONDecodeError):
        json.loads(await get(web, "/simple/a/"))
    async with web.get("/simple/b/") as response:
        assert (response.status, response.content_type) == (200, "text/html")
    async with web.get("/simple/c/", allow_redirects=False) as response:
        assert response.headers["Location"] == "http://elsewhere.example.test/"


async def test_the_clock_can_be_off() -> None:
    async with (
        Upstream(DEMO, clock_skew=timedelta(hours=3)) as upstream,
        aiohttp.ClientSession() as session,
        session.get(upstream.url) as response,
    ):
        told = parsedate_to_datetime(response.headers["Date"])
    assert told - datetime.now(UTC) > timedelta(hours=2)


async def test_a_stopped_upstream_refuses_and_comes_back_on_its_port(upstream: Upstream) -> None:
    port = upstream.port
    await upstream.stop()
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(upstream.url)
        await upstream.start()
        async with session.get(upstream.url) as response:
            assert (response.status, upstream.port) == (200, port)


def test_it_runs_in_a_thread_and_can_be_down_for_a_while() -> None:
    with Upstream(DEMO) as upstream:
        port = upstream.port
        hold = upstream.hold(PAGE)

        async def ask() -> int:
            async with aiohttp.ClientSession() as session, session.get(upstream.url) as response:
                return response.status

        assert asyncio.run(ask()) == 200
        with upstream.down(), pytest.raises(aiohttp.ClientConnectorError):
            asyncio.run(ask())
        assert (asyncio.run(ask()), upstream.port) == (200, port)
        hold.release()


async def get(web: aiohttp.ClientSession, path: str, **headers: str) -> bytes:
    async with web.get(path, headers={"Accept-Encoding": "identity", **headers}) as response:
        assert response.status == 200
        return await response.read()
