"""A public index leads to no private address, but for the one where it is itself."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name

from indexgate.index.network import PublicResolver, is_private, refuse_private
from indexgate.index.protocol import UpstreamFailed
from indexgate.index.upstream import Upstream
from indexgate.index.upstream_settings import UpstreamSettings
from tests.standins.faults import redirect
from tests.standins.packages import project, wheel
from tests.standins.upstream import Upstream as StandIn

DEMO = wheel("demo", "1.0")
NAME = canonicalize_name("demo")


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.9.9.9",
        "10.1.2.3",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "::1",
        "::",
        "[::1]",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::7f00:1",
        "2002:a00:1::",
        "fec0::1",
        "localhost",
        "LOCALHOST.",
    ],
)
def test_a_local_or_private_address_is_private_however_it_is_written(host: str) -> None:
    assert is_private(host)
    with pytest.raises(UpstreamFailed, match="private address"):
        refuse_private(host)


@pytest.mark.parametrize(
    "host", ["index.example.test", "8.8.8.8", "172.32.0.1", "2606:4700::1", "64:ff9b::808:808", ""]
)
def test_a_public_address_and_a_name_are_not_private_by_themselves(host: str) -> None:
    assert not is_private(host)
    refuse_private(host)


@given(st.text())
def test_any_text_is_judged_without_a_fault(host: str) -> None:
    assert is_private(host) in {True, False}


class Told(AbstractResolver):
    """A resolver that answers the same address for every name."""

    def __init__(self, address: str) -> None:
        self._address = address

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host, host=self._address, port=port, family=family, proto=0, flags=0
            )
        ]

    async def close(self) -> None:
        return


@pytest.mark.parametrize("named", ["proxy.example.test", "127.0.0.1"])
async def test_a_name_that_resolves_to_a_private_address_is_refused(named: str) -> None:
    resolver = PublicResolver(Told("127.0.0.1"), may_be_private={named})
    for host in ("index.example.test", "files.example.test", "localhost"):
        with pytest.raises(UpstreamFailed, match="private address"):
            await resolver.resolve(host)


async def test_localhost_resolves_when_it_is_the_index_itself() -> None:
    resolver = PublicResolver(Told("127.0.0.1"), may_be_private={"localhost"})
    assert [found["host"] for found in await resolver.resolve("localhost")] == ["127.0.0.1"]
    with pytest.raises(UpstreamFailed, match="private address"):
        await resolver.resolve("files.example.test")


async def test_names_with_public_addresses_resolve() -> None:
    resolver = PublicResolver(Told("8.8.8.8"), may_be_private=())
    assert [found["host"] for found in await resolver.resolve("files.example.test")] == ["8.8.8.8"]


@asynccontextmanager
async def public(root: str) -> AsyncIterator[Upstream]:
    """Ask the index at *root* as a public one."""
    settings = UpstreamSettings(index_id="0", root=root, public=True, timeout=5)
    async with Upstream(settings, clock=lambda: datetime.now(UTC), gate_id="0") as upstream:
        yield upstream


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_public_index_that_is_configured_on_loopback_serves_pages_and_files(
    host: str,
) -> None:
    async with StandIn(project("demo", DEMO)) as index:
        root = index.url.replace("127.0.0.1", host)
        async with public(root) as upstream:
            page = (await upstream.page(NAME, None)).page()
            assert [file.filename for file in page.files] == [DEMO.filename]
            own = root.removesuffix("/simple/") + DEMO.path
            async with upstream.file(own) as body:
                assert b"".join([chunk async for chunk in body.chunks()]) == DEMO.content


@pytest.mark.parametrize("host", ["127.0.0.2", "localhost", "10.0.0.1", "[::1]"])
async def test_another_private_host_is_refused_in_a_redirect_and_in_a_file_address(
    host: str,
) -> None:
    async with StandIn(project("demo", DEMO)) as index, public(index.url) as upstream:
        elsewhere = f"http://{host}:{index.port}"
        index.fault("/simple/demo/", redirect(f"{elsewhere}/simple/demo/"))
        with pytest.raises(UpstreamFailed, match="private address"):
            await upstream.page(NAME, None)
        with pytest.raises(UpstreamFailed, match="private address"):
            async with upstream.file(elsewhere + DEMO.path):
                pass
        index.heal()
        assert (await upstream.page(NAME, None)).project == NAME
        assert index.count(DEMO.path) == 0
