"""Credentials and addresses: what of a client goes no further, and what of upstream stays."""

from pathlib import Path

import pytest

from tests.conformance.catalogue import JSON_TYPE
from tests.conformance.requirements import holds
from tests.conformance.worlds import World
from tests.proxy.web.running import running
from tests.standins.faults import redirect
from tests.standins.packages import project, wheel
from tests.standins.upstream import Upstream

pytestmark = pytest.mark.asyncio(loop_scope="session")

SECRETS = {
    "Authorization": "Basic bWU6cGFzc3dvcmQ=",
    "Cookie": "session=topsecret",
    "X-Forwarded-For": "10.1.2.3",
    "Forwarded": "for=10.1.2.3",
    "Proxy-Authorization": "Basic bWU6cGFzc3dvcmQ=",
    "X-Api-Key": "topsecret",
}


@holds("P132", "P133")
async def test_nothing_of_a_client_reaches_upstream(world: World) -> None:
    page = await world.ask("/simple/times/", *SECRETS.items(), Accept=JSON_TYPE)
    assert page.status == 200
    path = await world.path_of("times", "times-1.0.tar.gz")
    assert (await world.ask(path, *SECRETS.items())).status == 200
    assert (await world.ask("/simple/", *SECRETS.items())).status == 200
    assert world.upstream.log
    for asked in world.upstream.log:
        sent = " ".join(f"{name}: {value}" for name, value in asked.headers.items())
        for secret in ("bWU6", "topsecret", "10.1.2.3", "127.0.0.1, "):
            assert secret not in sent
        assert asked.headers["User-Agent"].startswith("indexgate/")


@holds("P133")
async def test_a_login_in_the_index_address_changes_nothing(world: World) -> None:
    login = {"Authorization": "Basic bWU6cGFzc3dvcmQ="}
    plain = await world.ask("/simple/plain/", Accept=JSON_TYPE)
    assert (await world.ask("/simple/plain/", *login.items(), Accept=JSON_TYPE)).sent == plain.sent
    assert "WWW-Authenticate" not in plain.headers


class WithLogin(Upstream):
    """An upstream whose configured address has a login in it."""

    @property
    def url(self) -> str:
        """The address of the simple index."""
        return f"http://me:password@127.0.0.1:{self.port}/simple/"


@holds("P135")
async def test_upstreams_login_goes_to_upstream_alone(tmp_path: Path) -> None:
    moved = project("plain", wheel("plain", "1.0"))
    own = project("own", wheel("own", "1.0"))
    async with Upstream(moved) as other, WithLogin(own) as upstream:
        async with running(upstream, tmp_path, "version = 1\n") as gate:
            upstream.fault("/simple/plain/", redirect(f"{other.url}plain/"))
            pages = [await gate.json("/simple/own/"), await gate.json("/simple/plain/")]
            assert await gate.status(await gate.file_path("own", own.files[0].filename)) == 200
            assert await gate.status(await gate.file_path("plain", moved.files[0].filename)) == 200
            async with gate.client.get("/-/health") as response:
                told = await response.text()
            assert "password" not in f"{pages} {told}"
        assert upstream.asked("/simple/own/")[0].headers["Authorization"].startswith("Basic ")
        assert [asked.path for asked in other.log if "Authorization" in asked.headers] == []
        assert other.count("/simple/plain/") == 1
