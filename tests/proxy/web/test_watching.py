"""The second listener: what is watched, under names that can be trusted, and nothing else."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession, web

from indexgate import config
from indexgate.errors import GateError
from indexgate.web.app import _health, _metrics
from indexgate.web.watching import listening_to_watchers, watching_application
from tests.proxy.web.running import JSON, running
from tests.standins.packages import project, wheel
from tests.standins.upstream import Upstream

DEMO = project("demo", wheel("demo", "1.0"))


@asynccontextmanager
async def watched(folder: Path) -> AsyncIterator[web.Application]:
    async with Upstream(DEMO) as upstream, running(upstream, folder, host="0.0.0.0") as gate:
        await gate.json("/simple/demo/")
        assert await gate.status("/-/metrics") == 404
        yield watching_application(
            _metrics(gate.parts),
            _health(gate.parts),
            hosts=frozenset({"gate.example.test"}),
            gate_id="x",
        )


def _free() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


async def test_metrics_and_health_alone_are_served_there(tmp_path: Path) -> None:
    at = f"127.0.0.1:{_free()}"
    async with watched(tmp_path) as app, listening_to_watchers(app, at, None):
        async with ClientSession(f"http://{at}") as session:
            async with session.get("/-/metrics") as response:
                assert 'indexgate_requests_total{kind="page",result="ok"} 1.0' in (
                    await response.text()
                )
            async with session.get("/-/health") as response:
                assert (await response.json())["live"] is True
            for path in ("/", "/simple/", "/simple/demo/", "/blocked/a/1/b", "/-/proof/x"):
                async with session.get(path, headers=JSON) as response:
                    assert response.status == 404


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("gate.example.test", 200),
        ("10.1.2.3:9503", 200),
        ("[2001:db8::1]:9503", 200),
        ("evil.example.test", 421),
        ("10.1.2.3.evil.example.test", 421),
        ("", 421),
    ],
)
async def test_a_scraper_comes_by_address_or_by_the_gates_name(
    tmp_path: Path, host: str, status: int
) -> None:
    at = f"127.0.0.1:{_free()}"
    async with watched(tmp_path) as app, listening_to_watchers(app, at, None):
        async with ClientSession(f"http://{at}") as session:
            async with session.get("/-/health", headers={"Host": host}) as response:
                assert response.status == status


async def test_an_address_that_is_taken_is_told_with_its_setting() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        at = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(GateError) as caught:
            async with listening_to_watchers(web.Application(), at, None):
                pytest.fail("it listens where another does")
        assert at in caught.value.message
        assert "--metrics-listen" in caught.value.hint


async def test_without_the_setting_nothing_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[web.AppRunner] = []

    async def setup(runner: web.AppRunner) -> None:
        begun.append(runner)

    monkeypatch.setattr(web.AppRunner, "setup", setup)
    async with listening_to_watchers(web.Application(), None, None):
        assert begun == []


@pytest.mark.parametrize(
    ("text", "read"), [("127.0.0.1:9503", "127.0.0.1:9503"), ("[::1]:0", "[::1]:0")]
)
def test_the_setting_is_a_host_and_a_port(tmp_path: Path, text: str, read: str) -> None:
    assert _settings(tmp_path, text).metrics_listen == read


@pytest.mark.parametrize("text", ["9503", ":9503", "127.0.0.1", "a b:1", "h:70000", "h:", "::1"])
def test_what_is_no_host_and_port_is_an_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(GateError):
        _settings(tmp_path, text)


def _settings(folder: Path, text: str) -> config.Settings:
    return config.load(
        {"metrics_listen": text}, {}, config.read_bounded, default_state=folder / "state"
    )
