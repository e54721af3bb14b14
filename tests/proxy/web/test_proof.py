"""A gate proves that it is ours to this machine, and tells a run what it decided."""

import secrets
from base64 import b64encode
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from indexgate.proving import proof, report_key
from tests.proxy.web.running import NOW, TOO_NEW, Running, running
from tests.standins.packages import project, wheel
from tests.standins.upstream import Upstream

RUN = "run-0123456789abcdef"
NONCE = secrets.token_hex(32)
WARNING = TOO_NEW + '\n[[rule]]\nid = "old"\naction = "warn"\nwhen = { project = ["old-*"] }\n'


async def _get(gate: Running, path: str, **headers: str) -> tuple[int, dict[str, object]]:
    async with gate.client.get(path, headers=headers) as response:
        body = await response.json(content_type=None) if response.status == 200 else {}
        return response.status, body


def _login(user: str) -> str:
    return f"Basic {b64encode(f'{user}:x'.encode()).decode()}"


async def test_the_proof_is_for_this_port_and_this_secret(tmp_path: Path) -> None:
    async with Upstream() as upstream, running(upstream, tmp_path) as gate:
        status, answer = await _get(gate, f"/-/proof/{NONCE}")
        port = gate.client.server.port
        secret = gate.parts.secret
    assert status == 200
    assert port is not None
    assert answer == {"proof": proof(secret, NONCE, "127.0.0.1", port)}
    others = {
        proof(secret, NONCE, "127.0.0.1", port + 1),
        proof(secret, NONCE, "127.0.0.2", port),
        proof(secret, "0" * 64, "127.0.0.1", port),
        proof("0" * 64, NONCE, "127.0.0.1", port),
        report_key(secret, NONCE),
    }
    assert len(others) == 5
    assert answer["proof"] not in others


async def test_a_relay_on_another_port_proves_nothing(tmp_path: Path) -> None:
    async with Upstream() as upstream, running(upstream, tmp_path) as gate:

        async def relay(request: web.Request) -> web.Response:
            async with gate.client.get(request.rel_url) as answer:
                return web.Response(body=await answer.read())

        app = web.Application()
        app.router.add_get("/{path:.*}", relay)
        async with TestServer(app) as relaying, ClientSession() as session:
            async with session.get(relaying.make_url(f"/-/proof/{NONCE}")) as response:
                answer = await response.json(content_type=None)
            port = relaying.port
        assert port is not None
        assert answer["proof"] != proof(gate.parts.secret, NONCE, "127.0.0.1", port)


@pytest.mark.parametrize("nonce", ["", "0" * 31, "0" * 129, "G" * 64, "0" * 64 + "%0A"])
async def test_only_a_nonce_is_answered(tmp_path: Path, nonce: str) -> None:
    async with Upstream() as upstream, running(upstream, tmp_path) as gate:
        assert (await _get(gate, f"/-/proof/{nonce}"))[0] == 404


async def test_a_run_is_told_what_was_decided_and_served_in_it(tmp_path: Path) -> None:
    demo = project("demo", wheel("demo", "1.0"), wheel("demo", "2.0", upload_time=NOW))
    old = project("old-demo", wheel("old-demo", "1.0"))
    login = _login(RUN)
    async with Upstream(demo, old) as upstream, running(upstream, tmp_path, WARNING) as gate:
        first = await gate.file_path("demo", "demo-1.0-py3-none-any.whl")
        second = await gate.file_path("demo", "demo-2.0-py3-none-any.whl")
        for path in ("/simple/demo/", "/simple/old-demo/"):
            await gate.json(path, Authorization=login)
        assert await gate.status(first, Authorization=login) == 200
        assert await gate.status(f"{first}.metadata", Authorization=login) == 200
        assert await gate.status(second, Authorization=login) == 302
        key = report_key(gate.parts.secret, RUN)
        status, report = await _get(gate, f"/-/runs/{RUN}", Authorization=f"Bearer {key}")
    assert status == 200
    assert report["trouble"] is None
    assert report["seen"] == {
        "demo": {"newest": "1.0", "served": {"1.0": True}},
        "old-demo": {"newest": "1.0", "served": {}},
    }
    assert isinstance(report["decisions"], list)
    assert {(line["kind"], line["project"], *line["versions"]) for line in report["decisions"]} == {
        ("refused", "demo", "2.0"),
        ("withheld", "demo", "2.0"),
        ("warned", "old-demo", "1.0"),
    }


@pytest.mark.parametrize("page_before", [False, True])
async def test_a_run_is_told_at_first_sight_of_what_only_warns(
    tmp_path: Path, *, page_before: bool
) -> None:
    policy = (
        'version = 1\n[[rule]]\nid = "reported"\naction = "warn"\n'
        'when.flag = { id = "malware" }\nunknown = "allow"\n'
    )
    reported = project("demo", wheel("demo", "1.0")).changed(vulnerabilities=("MAL-2026-1",))
    async with Upstream(reported) as upstream, running(upstream, tmp_path, policy) as gate:
        if page_before:  # for somebody else, who is told of no warnings
            await gate.json("/simple/demo/")
            gate.clock.turn(timedelta(seconds=1))
        await gate.json("/simple/demo/", Authorization=_login(RUN))
        key = report_key(gate.parts.secret, RUN)
        _, report = await _get(gate, f"/-/runs/{RUN}", Authorization=f"Bearer {key}")
    assert isinstance(report["decisions"], list)
    assert [(line["kind"], line["rule"]) for line in report["decisions"]] == [
        ("warned", "reported")
    ]


async def test_no_run_is_told_to_who_lacks_its_key(tmp_path: Path) -> None:
    async with Upstream() as upstream, running(upstream, tmp_path) as gate:
        another = report_key(gate.parts.secret, "run-fedcba9876543210")
        for given in ("", f"Bearer {another}", "Bearer é", f"Basic {RUN}"):
            headers = {"Authorization": given} if given else {}
            assert (await _get(gate, f"/-/runs/{RUN}", **headers))[0] == 404


async def test_who_gives_no_token_is_remembered_nowhere(tmp_path: Path) -> None:
    demo = project("demo", wheel("demo", "1.0"))
    async with Upstream(demo) as upstream, running(upstream, tmp_path) as gate:
        path = await gate.file_path("demo", "demo-1.0-py3-none-any.whl")
        assert await gate.status(path, Authorization=_login("me")) == 200
        assert gate.parts.recorder.runs.of("me") == {}
        assert urlsplit(path).path.startswith("/files/")
