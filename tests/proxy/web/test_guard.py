"""Who may talk to the gate, and what of a client goes no further."""

from datetime import timedelta
from pathlib import Path

import pytest

from indexgate.index.protocol import UpstreamFailed
from indexgate.web.client import named_by, run_of
from indexgate.web.guard import host_name, known_hosts
from indexgate.web.new_names import NewNames
from indexgate_policy.signals import Unknown
from tests.proxy.web.running import JSON, Clock, running
from tests.standins.packages import project, wheel
from tests.standins.upstream import Upstream

FILE = wheel("demo", "1.0")
DEMO = project("demo", FILE)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:8503", 200),
        ("127.0.0.1", 200),
        ("[::1]:8503", 200),
        ("LOCALHOST", 200),
        ("gate.corp.example.test", 200),
        ("evil.example.test", 421),
        ("127.0.0.1.evil.example.test", 421),
        ("", 421),
    ],
)
async def test_only_known_hosts_are_answered(tmp_path: Path, host: str, status: int) -> None:
    async with Upstream(DEMO) as upstream:
        async with running(upstream, tmp_path, allow_host=("gate.corp.example.test",)) as gate:
            assert await gate.status("/simple/demo/", Host=host) == status


async def test_a_request_that_comes_from_the_gate_itself_is_a_loop(tmp_path: Path) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        await gate.json("/simple/demo/")
        via = upstream.asked("/simple/demo/")[0].headers["Via"]
        assert await gate.status("/simple/demo/", Via=via) == 508
        assert await gate.status("/simple/demo/", Via="1.1 somebody-else", **JSON) == 200


async def test_nothing_of_a_clients_credentials_reaches_upstream(tmp_path: Path) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        secrets = {"Authorization": "Basic bWU6cGFzc3dvcmQ=", "Cookie": "session=1"}
        secrets["X-Forwarded-For"] = "10.1.2.3"
        await gate.json("/simple/demo/", **secrets)
        assert await gate.status(await gate.file_path("demo", FILE.filename), **secrets) == 200
        assert upstream.log
        for asked in upstream.log:
            sent = " ".join(f"{name}: {value}" for name, value in asked.headers.items())
            assert "bWU6" not in sent
            assert "session" not in sent
            assert "10.1.2.3" not in sent
            assert asked.headers["User-Agent"].startswith("indexgate/")


async def test_answers_name_the_request_and_nobody_else(tmp_path: Path) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        async with gate.client.get("/simple/demo/", headers=JSON) as response:
            assert response.headers["Server"] == "indexgate"
            assert len(response.headers["X-Request-Id"]) == 12
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize(
    ("host", "public", "allowed", "known"),
    [
        ("127.0.0.1", None, (), {"127.0.0.1", "localhost", "::1"}),
        ("0.0.0.0", None, (), {"127.0.0.1", "localhost", "::1"}),
        (
            "10.1.2.3",
            "PyPI.Corp",
            ("a",),
            {"127.0.0.1", "localhost", "::1", "10.1.2.3", "pypi.corp", "a"},
        ),
    ],
)
def test_known_hosts_are_loopback_and_what_settings_name(
    host: str, public: str | None, allowed: tuple[str, ...], known: set[str]
) -> None:
    assert known_hosts(host, public, allowed) == known


@pytest.mark.parametrize(
    ("header", "name"),
    [("A.b:80", "a.b"), ("[::1]:80", "::1"), ("[::1]", "::1"), ("a", "a"), ("", "")],
)
def test_the_name_of_a_host_header(header: str, name: str) -> None:
    assert host_name(header) == name


@pytest.mark.parametrize(
    ("agent", "family", "kind"),
    [
        ('pip/26.3 {"ci":true,"cpu":"x86_64"}', "pip", "ci"),
        ('pip/26.3 {"ci":null}', "pip", None),
        ('uv/0.13.9 {"installer":{"name":"uv"},"ci":true}', "uv", "ci"),
        ("poetry/2.5.1 CPython/3.12.1 Linux/6", "poetry", None),
        ("pdm/2.29.3 CPython/3.12.1", "pdm", None),
        ("Mozilla/5.0", "other", None),
        ("", "other", None),
    ],
)
def test_the_client_is_read_from_its_user_agent(agent: str, family: str, kind: str | None) -> None:
    client = named_by(agent)
    assert client.family == family
    assert client.kind == kind or (kind is None and isinstance(client.kind, Unknown))


@pytest.mark.parametrize(
    ("header", "run"),
    [
        ("Basic cnVuLTAxMjM0NTY3ODlhYmNkZWY6eA==", "run-0123456789abcdef"),
        (f"Basic cnVuLTAxMjM0NTY3ODlhYmNkZWY6{'eHh4' * 100}", "run-0123456789abcdef"),
        ("Basic bWU6cGFzc3dvcmQ=", None),
        ("Basic cnVuLTAxMjM=", None),
        ("Basic !!!", None),
        ("Bearer cnVuLTAxMjM0NTY3ODlhYmNkZWY6eA==", None),
        (None, None),
    ],
)
def test_only_a_run_token_is_read_of_credentials(header: str | None, run: str | None) -> None:
    assert run_of(header) == run


async def test_a_fault_of_the_gate_has_the_one_shape_and_an_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        monkeypatch.setattr(gate.parts.recorder, "page_served", None)
        async with gate.client.get("/simple/demo/", headers=JSON) as response:
            assert response.status == 500
            problem = await response.json(content_type=None)
            assert response.headers["X-Request-Id"] in problem["detail"]
        assert await gate.status("/-/health") == 200


def test_a_client_may_ask_for_so_many_new_names_a_minute() -> None:
    clock = Clock()
    names = NewNames(clock, a_minute=2)
    for client in ("a", "a", "b", "b"):
        names.count(client)
    with pytest.raises(UpstreamFailed) as caught:
        names.count("a")
    assert caught.value.retry_after == 60
    clock.turn(timedelta(minutes=1))
    names.count("a")


async def test_too_many_new_names_are_answered_with_the_wish_to_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexgate.web.new_names.NewNames.count", _too_many)
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        async with gate.client.get("/simple/demo/", headers=JSON) as response:
            assert response.status == 503
            assert response.headers["Retry-After"] == "60"
        assert upstream.count() == 0


def _too_many(_names: NewNames, _client: str) -> None:
    raise UpstreamFailed("too-many", "is not asked", status=429, retry_after=60)


async def test_a_public_url_with_a_port_is_known_by_its_name(tmp_path: Path) -> None:
    async with Upstream(DEMO) as upstream:
        async with running(
            upstream, tmp_path, public_url="http://gate.corp.example.test:8443/pypi/"
        ) as gate:
            assert await gate.status("/simple/demo/", Host="gate.corp.example.test:8443") == 200


@pytest.mark.parametrize(("host", "there"), [("127.0.0.1", 200), ("::1", 200), ("0.0.0.0", 404)])
async def test_beyond_this_machine_only_the_index_and_health_are_served(
    tmp_path: Path, host: str, there: int
) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path, host=host) as gate:
        assert await gate.status("/") == there
        assert await gate.status(f"/-/proof/{'a' * 32}") == there
        assert await gate.status("/-/health") == 200
        assert await gate.status("/simple/demo/", **JSON) == 200
