"""Whose client asks: by its address and by its label, on pages, files, documents and refusals."""

from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import ClientSession, TCPConnector

from tests.proxy.web.running import JSON, NOW, TOO_NEW, Running, running
from tests.proxy.web.test_problems import held
from tests.standins.packages import project, wheel
from tests.standins.upstream import Upstream

NEW = wheel("demo", "2.0", upload_time=NOW - timedelta(days=2))
DEMO = project("demo", wheel("demo", "1.0"), NEW)
TEAMS = """\
[[team]]
name = "web"
label = "web"

[[team]]
name = "data"
networks = ["127.0.0.2"]

[[team]]
name = "ops"
label = "ops"
networks = ["127.0.0.3", "::1"]
"""
EXEMPTION = """
[[exemption]]
project = "demo"
rule = "too-new"
team = "TEAM"
reason = "they look after it"
owner = "me"
expires = 2026-12-31
"""


def exempted(*teams: str) -> str:
    return TOO_NEW + "".join(EXEMPTION.replace("TEAM", team) for team in teams)


def basic(user: str, password: str = "x") -> dict[str, str]:
    return {"Authorization": f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"}


@asynccontextmanager
async def gate_with(folder: Path, policy: str, teams: str = TEAMS) -> AsyncIterator[Running]:
    (folder / "gate.toml").write_text(teams, encoding="utf-8")
    async with (
        Upstream(DEMO) as upstream,
        running(upstream, folder, policy, config=str(folder / "gate.toml")) as gate,
    ):
        yield gate


async def file_status(gate: Running, address: str = "127.0.0.1", **headers: str) -> int:
    """Return what the new file answers to who asks from *address*."""
    path = await gate.file_path("demo", NEW.filename)
    async with (
        ClientSession(connector=TCPConnector(local_addr=(address, 0))) as session,
        session.get(gate.client.make_url(path), headers=headers, allow_redirects=False) as answer,
    ):
        return answer.status


async def listed(gate: Running, address: str = "127.0.0.1", **headers: str) -> tuple[bool, str]:
    """Return whether the page shows the new file as it is, and the page's Cache-Control."""
    url = gate.client.make_url("/simple/demo/")
    async with (
        ClientSession(connector=TCPConnector(local_addr=(address, 0))) as session,
        session.get(url, headers={**JSON, **headers}) as answer,
    ):
        page = await answer.json(content_type=None)
        [file] = [file for file in page["files"] if file["filename"] == NEW.filename]
        return not file.get("yanked"), answer.headers["Cache-Control"]


ASKERS = [
    ("127.0.0.1", {}, None),
    ("127.0.0.1", basic("web"), "web"),
    ("127.0.0.1", basic("web", "a long password that is nobody's business" * 3), "web"),
    ("127.0.0.1", basic("Web"), None),
    ("127.0.0.1", basic("data"), None),
    ("127.0.0.1", {"Authorization": "Bearer web"}, None),
    ("127.0.0.1", basic("ops"), "ops"),
    ("127.0.0.2", {}, "data"),
    ("127.0.0.2", basic("web"), "data"),
    ("127.0.0.3", {}, "ops"),
    ("127.0.0.4", {}, None),
    ("127.0.0.2", basic("run-0123456789abcdef"), "data"),
]


@pytest.mark.parametrize("team", ["web", "data", "ops"])
async def test_an_exemption_is_for_the_clients_of_its_team(team: str, tmp_path: Path) -> None:
    async with gate_with(tmp_path, exempted(team)) as gate:
        for _ in range(2):  # the second time from what is kept
            for address, headers, asker in ASKERS:
                passes = asker == team
                assert await listed(gate, address, **headers) == (passes, "private, no-cache")
                found = await file_status(gate, address, **headers)
                assert found == (200 if passes else 302), (address, headers)


async def test_who_was_let_in_opens_the_door_to_nobody_else(tmp_path: Path) -> None:
    async with gate_with(tmp_path, exempted("data")) as gate:
        assert await file_status(gate, "127.0.0.2") == 200
        assert await file_status(gate) == 302
        for form in ({}, {"Accept-Encoding": "identity"}, {"Accept": "text/html"}):
            async with gate.client.get("/simple/demo/", headers=form) as first:
                refused = await first.text()
            assert "blocked by indexgate" in refused


async def test_pages_are_for_everybody_until_a_team_is_named(tmp_path: Path) -> None:
    async with gate_with(tmp_path, TOO_NEW) as gate:
        assert await listed(gate, "127.0.0.2") == (False, "no-cache")
        assert await listed(gate) == (False, "no-cache")
        gate.policy.write_text(exempted("data"), encoding="utf-8")
        assert await listed(gate, "127.0.0.2") == (True, "private, no-cache")
        assert await listed(gate) == (False, "private, no-cache")
        gate.policy.write_text(TOO_NEW, encoding="utf-8")
        assert await listed(gate, "127.0.0.2") == (False, "no-cache")


async def test_a_rule_may_be_for_one_team(tmp_path: Path) -> None:
    only = TOO_NEW.replace(
        'when = { release_age = { below = "7d" } }',
        'when = { release_age = { below = "7d" }, client = { team = "data" } }',
    )
    async with gate_with(tmp_path, only) as gate:
        assert await file_status(gate, "127.0.0.2") == 302
        assert await file_status(gate, "127.0.0.3") == 200
        assert await file_status(gate) == 200
        gate.policy.write_text(only.replace('unknown = "allow"', 'unknown = "refuse"'))
        assert await file_status(gate, "127.0.0.3") == 200
        assert await file_status(gate) == 302


async def test_a_refusal_says_for_which_team_it_is(tmp_path: Path) -> None:
    async with gate_with(tmp_path, exempted("data")) as gate:
        path = f"/blocked/demo/2.0/x?file={NEW.filename}"
        for headers, team, why in (
            (basic("web"), "web", None),
            ({}, None, "the client asks from no team's network and gives no team's label"),
        ):
            async with gate.client.get(path, headers=headers) as answer:
                problem = await answer.json(content_type=None)
            held(problem)
            assert (problem["team"], problem.get("team_unknown")) == (team, why)
            async with gate.client.get(path, headers={**headers, "Accept": "text/html"}) as answer:
                assert f"<td>{team or 'not known: the client asks'}" in await answer.text()
        gate.policy.write_text(TOO_NEW, encoding="utf-8")
        async with gate.client.get(path) as answer:
            assert "team" not in await answer.json(content_type=None)


async def test_what_is_asked_before_a_frozen_install_is_answered_for_the_team(
    tmp_path: Path,
) -> None:
    query = {"queries": [{"package": {"name": "demo", "ecosystem": "PyPI"}, "version": "2.0"}]}
    async with gate_with(tmp_path, exempted("web")) as gate:
        for headers, passes in ((basic("web"), True), (basic("ops"), False), ({}, False)):
            async with gate.client.post("/v1/querybatch", json=query, headers=headers) as answer:
                [found] = (await answer.json())["results"]
            assert bool(found) is not passes


async def test_two_gates_of_other_settings_do_not_share_their_teams(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    async with (
        gate_with(one, exempted("data")) as first,
        gate_with(other, exempted("data"), TEAMS.replace("127.0.0.2", "127.0.0.9")) as second,
    ):
        assert await file_status(first, "127.0.0.2") == 200
        assert await file_status(second, "127.0.0.2") == 302


async def test_a_team_that_no_client_can_be_of_is_said_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[tuple[str, str]] = []
    monkeypatch.setattr(
        "indexgate.web.app.say", lambda _part: lambda event, text: said.append((event, text))
    )
    async with gate_with(tmp_path, exempted("data", "wbe")):
        assert said == [("team-unknown", "the policy names `wbe`, and no `[[team]]` does")]
