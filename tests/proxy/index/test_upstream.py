"""The index upstream, asked as it is: odd headers, redirects, and whose credentials go where."""

import asyncio
import gzip
import sys
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from aiohttp import web
from packaging.utils import NormalizedName

from indexgate.index import page_body
from indexgate.index.connection import AT_ONCE
from indexgate.index.packing import digest_of, unpack
from indexgate.index.protocol import UpstreamFailed
from indexgate.index.upstream import Upstream
from indexgate.index.upstream_settings import UpstreamSettings
from tests.standins.faults import Status, redirect, too_many_requests
from tests.standins.packages import project, wheel
from tests.standins.pages import JSON_TYPE, project_page_html, project_page_json
from tests.standins.upstream import Upstream as StandIn

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

DEMO = project("demo", wheel("demo", "1.0"))
NAME = NormalizedName("demo")
SECRET = ("me", "pass")


@pytest.fixture(params=["on the event loop", "in a thread", "in a thread, part by part"])
def unpacking(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have pages unpacked in the one place, and then in the others."""
    if request.param != "on the event loop":
        monkeypatch.setattr(page_body, "_MUCH", 10)
    if request.param == "in a thread, part by part":
        monkeypatch.setattr(page_body, "_TOO_MUCH", 10)
        monkeypatch.setattr(page_body, "_LARGE_PIECE", 100)


@asynccontextmanager
async def asking(
    root: str,
    *,
    said: asyncio.Queue[str] | None = None,
    timeout: float = 5,  # noqa: ASYNC109 - a setting
    **more: object,
) -> AsyncIterator[Upstream]:
    settings = UpstreamSettings(
        index_id="0",
        root=root,
        public=False,
        timeout=timeout,
        **more,  # type: ignore[arg-type]
    )
    events: asyncio.Queue[str] = said or asyncio.Queue()
    async with Upstream(
        settings,
        clock=lambda: datetime.now(UTC),
        gate_id="g",
        log=lambda event, _text: events.put_nowait(event),
    ) as upstream:
        yield upstream


async def test_no_page_waits_for_files_that_take_long() -> None:
    async with StandIn(DEMO) as index, asking(index.url, timeout=2) as upstream:
        async with AsyncExitStack() as files:
            for _ in range(AT_ONCE):
                await files.enter_async_context(upstream.file(index.file_url(DEMO.files[0])))
            assert (await upstream.page(NAME, None)).project == NAME


async def test_credentials_go_to_the_index_and_to_nobody_it_leads_to() -> None:
    async with StandIn(DEMO) as home, StandIn(DEMO) as away:
        async with asking(home.url, credentials=SECRET) as upstream:
            await upstream.page(NAME, None)
            home.fault("/simple/demo/", redirect(away.page_url("demo")))
            snapshot = await upstream.page(NAME, None)
        assert snapshot.url == away.page_url("demo")
        assert all("Authorization" in asked.headers for asked in home.log)
        assert [asked.headers.get("Authorization") for asked in away.log] == [None]


async def test_netrc_is_read_for_nobody(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    netrc = tmp_path_factory.mktemp("home") / "netrc"
    netrc.write_text("default login me password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    async with StandIn(DEMO) as home, asking(home.url) as upstream:
        await upstream.page(NAME, None)
        assert "Authorization" not in home.log[0].headers


async def test_the_environments_proxy_is_used_unless_it_is_told_not_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with StandIn(DEMO) as home, StandIn() as proxy:
        monkeypatch.setenv("http_proxy", proxy.origin.replace("//", "//me:pass@"))
        monkeypatch.setenv("no_proxy", "")
        async with asking(home.url) as upstream:
            with pytest.raises(Exception, match="demo"):
                await upstream.page(NAME, None)  # the stand-in is no proxy: 404
        assert proxy.log[0].headers["Proxy-Authorization"].startswith("Basic ")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        async with asking(home.url) as upstream:
            assert (await upstream.page(NAME, None)).page().files


@pytest.mark.parametrize("location", ["http://[bad/", "//", "ftp://x.example.test/", ""])
async def test_a_redirect_to_nowhere_is_told(location: str) -> None:
    async with StandIn(DEMO) as home, asking(home.url) as upstream:
        home.fault("/simple/demo/", Status(status=302, headers={"Location": location}))
        with pytest.raises(UpstreamFailed) as caught:
            await upstream.page(NAME, None)
        assert caught.value.kind == "redirect"


async def test_validators_with_odd_bytes_are_not_kept() -> None:
    async with StandIn(DEMO) as home, asking(home.url) as upstream:
        odd = {"ETag": '"caf\xe9"', "Last-Modified": "caf\xe9", "X-PyPI-Last-Serial": "7\x01"}
        page = (await upstream.page(NAME, None)).page()
        assert page.files
        home.fault("/simple/demo/", Status(status=200, headers=odd, body=b"", content_type="x"))
        with pytest.raises(UpstreamFailed):
            await upstream.page(NAME, None)


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "zstd", "identity", None])
async def test_a_page_may_come_packed(coding: str | None) -> None:
    async with StandIn(DEMO, compress=False) as home, asking(home.url) as upstream:
        plain = project_page_json(DEMO, home.file_url)
        home.fault("/simple/demo/", packed(plain, coding))
        assert (await upstream.page(NAME, None)).digest == digest_of(plain)
    assert "zstd" in home.log[0].headers["Accept-Encoding"]


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
async def test_a_packed_page_that_breaks_off_is_never_taken_for_whole(coding: str) -> None:
    async with StandIn(DEMO, compress=False) as home, asking(home.url) as upstream:
        whole = packed(project_page_json(DEMO, home.file_url), coding)
        home.fault("/simple/demo/", replace(whole, body=whole.body[:-4]))
        with pytest.raises(UpstreamFailed) as caught:
            await upstream.page(NAME, None)
        assert caught.value.kind == "cut-off"
        home.fault("/simple/demo/", replace(whole, body=b"no such thing"))
        with pytest.raises(UpstreamFailed) as caught:
            await upstream.page(NAME, None)
        assert caught.value.kind == "garbage"


@pytest.mark.usefixtures("unpacking")
@pytest.mark.parametrize("coding", ["gzip", "zstd"])
async def test_a_page_may_be_packed_in_several_parts(coding: str) -> None:
    async with StandIn(DEMO, compress=False) as home, asking(home.url) as upstream:
        plain = project_page_html(DEMO, home.file_url)
        middle = len(plain) // 2
        first, second = (packed(part, coding) for part in (plain[:middle], plain[middle:]))
        both = replace(first, body=first.body + second.body, content_type="text/html")
        home.fault("/simple/demo/", both)
        assert (await upstream.page(NAME, None)).digest == digest_of(plain)
        home.fault("/simple/demo/", replace(both, body=both.body[:-4]))
        with pytest.raises(UpstreamFailed) as caught:
            await upstream.page(NAME, None)
        assert caught.value.kind == "cut-off"
        home.fault("/simple/demo/", replace(first, body=first.body + b"no such thing"))
        with pytest.raises(UpstreamFailed) as caught:
            await upstream.page(NAME, None)
        assert caught.value.kind == "garbage"


@pytest.mark.parametrize("form", ["ordinary", "odd", "HTML"])
async def test_a_page_reads_the_same_again_and_again(form: str) -> None:
    async with StandIn(DEMO) as home, asking(home.url) as upstream:
        plain, kind = project_page_json(DEMO, home.file_url), JSON_TYPE
        if form == "HTML":
            plain, kind = project_page_html(DEMO, home.file_url), "text/html"
        if form == "odd":
            plain = plain.replace(b"sha256", b"SHA256")
        home.fault("/simple/demo/", Status(status=200, body=plain, content_type=kind))
        first = await upstream.page(NAME, None)
        assert first.ordinary is (form == "ordinary")
        assert first.put_away().at_hand is None
        assert first.put_away().page() == first.page()
        assert first.page().files[0].hashes


async def test_a_page_is_kept_as_the_gzip_that_it_came_as_if_that_is_as_good_as_ours() -> None:
    async with StandIn(DEMO, compress=False) as home, asking(home.url) as upstream:
        plain = project_page_json(DEMO, home.file_url).ljust(5000)
        whole = packed(plain, "gzip")
        named = b"\x1f\x8b\x08\x08" + whole.body[4:10] + b"demo\0" + whole.body[10:]
        in_two = gzip.compress(plain[:100]) + gzip.compress(plain[100:])
        for body in (whole.body, named, in_two, gzip.compress(plain, 0)):
            home.fault("/simple/demo/", replace(whole, body=body))
            snapshot = await upstream.page(NAME, None)
            assert (snapshot.packed == body) is (body == whole.body)
            assert unpack(snapshot.packed) == plain
            assert snapshot.digest == digest_of(plain)


@pytest.mark.usefixtures("unpacking")
@pytest.mark.parametrize("coding", ["gzip", "zstd"])
async def test_a_page_that_unpacks_to_too_much_is_left_off(coding: str) -> None:
    async with (
        StandIn(DEMO, compress=False) as home,
        asking(home.url, page_limit=2_000_000) as upstream,
    ):
        home.fault("/simple/demo/", packed(b" " * 5_000_000, coding))
        with pytest.raises(UpstreamFailed) as caught:
            await upstream.page(NAME, None)
        assert caught.value.kind == "too-large"


async def test_a_page_that_comes_as_too_much_is_left_off_though_it_holds_little() -> None:
    async with (
        StandIn(DEMO, compress=False) as home,
        asking(home.url, page_limit=2_000_000) as upstream,
    ):
        plain = project_page_json(DEMO, home.file_url)
        packer = zlib.compressobj(wbits=31)
        begun = packer.compress(plain) + packer.flush(zlib.Z_FULL_FLUSH)
        nothing, end = b"\0\0\0\xff\xff", packer.flush()
        whole = replace(packed(plain, "gzip"), body=begun + nothing * 50 + end)
        home.fault("/simple/demo/", whole)
        assert (await upstream.page(NAME, None)).digest == digest_of(plain)
        home.fault("/simple/demo/", replace(whole, body=begun + nothing * 500_000 + end))
        with pytest.raises(UpstreamFailed) as caught:
            await upstream.page(NAME, None)
        assert caught.value.kind == "too-large"


async def test_a_zstd_page_that_asks_for_too_much_memory_is_left_off() -> None:
    greedy = {int(zstd.CompressionParameter.window_log): 27}
    packer = zstd.ZstdCompressor(options=greedy)
    body = packer.compress(b"abc" * 1000) + packer.flush()
    async with StandIn(DEMO, compress=False) as home, asking(home.url) as upstream:
        headers = {"Content-Encoding": "zstd"}
        home.fault("/simple/demo/", Status(status=200, body=body, headers=headers))
        with pytest.raises(UpstreamFailed) as caught:
            await upstream.page(NAME, None)
        assert caught.value.kind == "garbage"


async def test_a_short_wish_to_wait_is_waited_for() -> None:
    async with StandIn(DEMO) as home, asking(home.url) as upstream:
        home.fault("/simple/demo/", too_many_requests(1), times=1)
        assert (await upstream.page(NAME, None)).page().files
    assert [asked.status for asked in home.log] == [429, 200]


async def test_a_page_is_asked_for_twice_and_never_a_third_time() -> None:
    async with StandIn(DEMO) as home, asking(home.url) as upstream:
        home.fault("/simple/demo/", Status(status=503))
        with pytest.raises(UpstreamFailed):
            await upstream.page(NAME, None)
        assert home.count() == 2
        home.fault("/simple/demo/", too_many_requests(60))
        for _ in range(3):
            with pytest.raises(UpstreamFailed) as caught:
                await upstream.page(NAME, None)
            assert caught.value.retry_after == 60
        assert home.count() == 3


@pytest.mark.parametrize(
    ("wish", "seconds"),
    [
        ("7", 7),
        ("99999", 3600),
        ("Sun, 22 Nov 2026 00:00:09 GMT", 9),
        ("Sat, 21 Nov 2026 00:00:00 GMT", 0),
        ("Sun, 22 Nov 2027 00:00:09 GMT", 3600),
        ("Sun, 22 Nov 2026 00:00:09 +99999999999999", None),
        ("soon", None),
        ("-1", None),
        ("1e3", None),
    ],
)
async def test_a_wish_to_wait_is_a_number_or_a_moment_by_upstreams_clock(
    wish: str, seconds: int | None
) -> None:
    async with StandIn(DEMO) as home, asking(home.url) as upstream:
        home.clock_skew = datetime(2026, 11, 22, tzinfo=UTC) - datetime.now(UTC)
        home.fault("/simple/demo/", Status(status=429, headers={"Retry-After": wish}))
        with pytest.raises(UpstreamFailed) as caught:
            await upstream.page(NAME, None)
        told = caught.value.retry_after
        assert told == seconds or (told and seconds and abs(told - seconds) <= 1)


class WithoutTime(StandIn):
    async def _set_date(self, _request: web.Request, response: web.StreamResponse) -> None:
        response.headers["Date"] = "Sun, 22 Nov 2026 00:00:09 +99999999999999"


async def test_a_date_that_is_no_time_is_no_reason_to_do_without_the_page() -> None:
    async with WithoutTime(DEMO) as home, asking(home.url) as upstream:
        found = await upstream.page(NAME, None)
        assert (found.clock_ahead, len(found.page().files)) == (0.0, len(DEMO.files))


async def test_an_upstream_in_trouble_is_left_alone_until_a_probe_finds_it_back() -> None:
    said: asyncio.Queue[str] = asyncio.Queue()
    async with StandIn(DEMO) as home, asking(home.url, said=said) as upstream:
        home.fault("*", Status(status=503))
        for name in ("a", "b", "c"):
            with pytest.raises(UpstreamFailed, match="status 503"):
                await upstream.page(NormalizedName(name), None)
        assert upstream.breaker.state == "open"
        asked = home.count()
        with (
            never_sleeping(),
            pytest.raises(UpstreamFailed, match="tried again every few seconds"),
        ):
            await upstream.page(NAME, None)
        with pytest.raises(UpstreamFailed, match="tried again every few seconds"):
            async with upstream.file(home.file_url(DEMO.files[0])):
                pass
        assert home.count() == asked
        home.heal()
        assert await said.get() == "upstream-left-alone"
        async with asyncio.timeout(20):
            assert await said.get() == "upstream-back"
        assert (await upstream.page(NAME, None)).page().files


async def test_files_on_a_host_that_fails_leave_the_index_alone() -> None:
    async with StandIn(DEMO) as home, StandIn(DEMO) as away, asking(home.url) as upstream:
        away.fault("*", Status(status=500))
        for number in range(4):
            with pytest.raises(UpstreamFailed, match="status 500"):
                async with upstream.file(f"{away.origin}/packages/{number}"):
                    pass
        assert away.count("/packages/*") == 3
        assert upstream.breaker.closed
        assert (await upstream.page(NAME, None)).page().files


async def test_a_connection_is_as_good_as_new_however_long_it_was_not_used() -> None:
    """The reader is slow, so that the end of the file lies waiting in the connection."""
    given = [wheel("demo", f"{number}.0", padding=580_000 + number * 30_000) for number in range(6)]
    async with StandIn(project("demo", *given)) as home, asking(home.url, timeout=3) as upstream:

        async def length_of(url: str) -> int:
            async with upstream.file(url) as body:
                await asyncio.sleep(0.3)
                return sum([len(chunk) async for chunk in body.chunks()])

        urls = [home.file_url(file) for file in given]
        earlier = await asyncio.gather(*map(length_of, urls))
        await asyncio.sleep(3.1)  # longer than an answer may take
        assert await asyncio.gather(*map(length_of, urls)) == earlier


async def test_of_the_hosts_of_files_the_latest_are_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("indexgate.index.upstream._MOST_FILE_HOSTS", 1)
    reasons: list[str] = []
    async with StandIn(DEMO) as home, asking(home.url) as upstream:
        for port in (1, 1, 1, 1, 2, 1):
            with pytest.raises(UpstreamFailed) as caught:
                async with upstream.file(f"http://127.0.0.1:{port}/demo-1.0.tar.gz"):
                    pytest.fail("nobody listens there")
            reasons.append(caught.value.reason)
    left_alone = ["tried again" in reason for reason in reasons]
    assert left_alone == [False, False, False, True, False, False]


@contextmanager
def never_sleeping() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("indexgate.index.upstream.asyncio.sleep", None)
        yield


def packed(plain: bytes, coding: str | None) -> Status:
    body = plain
    if coding in {"gzip", "x-gzip"}:
        body = gzip.compress(plain)
    elif coding == "zstd":
        body = zstd.compress(plain)
    headers = {"Content-Encoding": coding} if coding else {}
    return Status(status=200, body=body, content_type=JSON_TYPE, headers=headers)
