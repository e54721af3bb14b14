"""The index upstream, asked as it is: odd headers, redirects, and whose credentials go where."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from packaging.utils import NormalizedName

from indexgate.index.protocol import UpstreamFailed
from indexgate.index.upstream import Upstream, UpstreamSettings
from tests.standins.faults import Status, redirect
from tests.standins.packages import project, wheel
from tests.standins.upstream import Upstream as StandIn

DEMO = project("demo", wheel("demo", "1.0"))
NAME = NormalizedName("demo")
SECRET = ("me", "pass")


@asynccontextmanager
async def asking(root: str, **more: object) -> AsyncIterator[Upstream]:
    settings = UpstreamSettings(
        index_id="0",
        root=root,
        public=False,
        timeout=5,
        **more,  # type: ignore[arg-type]
    )
    async with Upstream(settings, clock=lambda: datetime.now(UTC), gate_id="g") as upstream:
        yield upstream


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
