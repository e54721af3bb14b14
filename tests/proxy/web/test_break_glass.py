"""Breaking the glass for a run: who may, what it changes, and that it ends."""

import asyncio
from base64 import b64encode
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from indexgate.broken_glass import LONGEST
from indexgate.proving import glass_key, report_key
from tests.proxy.web.running import NOW, TOO_NEW, Running, running
from tests.standins.packages import project, wheel
from tests.standins.upstream import Upstream

RUN, OTHER = "run-0123456789abcdef", "run-fedcba9876543210"
SAID = {"by": "ann", "reason": "the site is down"}


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    fresh = NOW - timedelta(days=2)
    with Upstream(
        project("demo", wheel("demo", "1.0"), wheel("demo", "2.0", upload_time=fresh)),
        project("held", wheel("held", "1.0"), status="quarantined"),
    ) as server:
        yield server


def login(run: str) -> str:
    return f"Basic {b64encode(f'{run}:x'.encode()).decode()}"


async def ask(
    gate: Running, method: str = "POST", run: str = RUN, said: object = SAID, **headers: str
) -> tuple[int, dict[str, Any]]:
    headers = {"Authorization": f"Bearer {glass_key(gate.parts.secret, run)}", **headers}
    path = f"/-/runs/{run}/break-glass"
    async with gate.client.request(method, path, json=said, headers=headers) as response:
        return response.status, await response.json(content_type=None)


async def newest(gate: Running) -> str:
    return await gate.file_path("demo", "demo-2.0-py3-none-any.whl")


async def test_refusals_of_that_run_are_warnings_until_it_ends(
    upstream: Upstream, tmp_path: Path
) -> None:
    async with running(upstream, tmp_path) as gate:
        path = await newest(gate)
        status, _ = await ask(gate)
        assert status == 200
        assert await gate.status(path, Authorization=login(RUN)) == 200
        assert await gate.status(path, Authorization=login(OTHER)) == 302
        assert await gate.status(path) == 302
        mine = await gate.json("/simple/demo/", Authorization=login(RUN))
        other = await gate.json("/simple/demo/")
        assert [file.get("yanked", False) for file in mine["files"]] == [False, False]
        assert other["files"][1]["yanked"]
        assert await ask(gate, "DELETE") == (200, {"mended": True})
        assert await gate.status(path, Authorization=login(RUN)) == 302
        assert await ask(gate, "DELETE") == (200, {"mended": False})


async def test_all_that_answers_by_the_policy_knows_of_it(
    upstream: Upstream, tmp_path: Path
) -> None:
    question = {"package": {"name": "demo", "ecosystem": "PyPI"}, "version": "2.0"}

    async def answers(gate: Running, **headers: str) -> tuple[bool, bool]:
        document = await gate.json("/pypi/demo/2.0/json", **headers)
        async with gate.client.post("/osv/v1/query", json=question, headers=headers) as response:
            return document["urls"][0]["yanked"], bool(await response.json())

    async with running(upstream, tmp_path) as gate:
        await ask(gate)
        assert await answers(gate) == (True, True)
        assert await answers(gate, Authorization=login(RUN)) == (False, False)
        await ask(gate, "DELETE")
        assert await answers(gate, Authorization=login(RUN)) == (True, True)


async def test_malware_that_the_index_alone_reports_stays_refused(
    upstream: Upstream, tmp_path: Path
) -> None:
    taken = wheel("taken", "2.0", upload_time=NOW - timedelta(days=2))
    reported = project("taken", wheel("taken", "1.0"), taken)
    upstream.add(reported.changed(vulnerabilities=("MAL-2026-1",)))
    async with running(upstream, tmp_path) as gate:
        await ask(gate)
        await gate.json("/simple/taken/")  # by a policy that waives nothing, and reads no reports
        path = await gate.file_path("taken", taken.filename)
        gate.clock.turn(timedelta(seconds=1))
        assert await gate.status(path, Authorization=login(RUN)) == 302
        mine = await gate.json("/simple/taken/", Authorization=login(RUN))
        assert [file.get("yanked", False) is not False for file in mine["files"]] == [False, True]


async def test_it_is_in_the_book_and_each_warning_tells_of_it(
    upstream: Upstream, tmp_path: Path
) -> None:
    async with running(upstream, tmp_path) as gate:
        await ask(gate)
        await gate.json("/simple/demo/", Authorization=login(RUN))
        [kept] = gate.parts.store.exemption_requests.all()
        assert (kept.id, kept.state, kept.decided_by) == (RUN, "break-glass", "ann")
        assert kept.wish.reason == "the site is down"
        decisions = gate.parts.store.decisions
        await decisions.flush()
        found = decisions.query(since=NOW - timedelta(hours=2), run=RUN)
        [warned] = [line for line in found if line.kind == "warned"]
        assert warned.reason.startswith("break-glass by ann (the site is down): demo 2.0 ")


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": ""},
        {"Authorization": "Bearer " + 64 * "0"},
        {"Authorization": "Bearer \u00e9"},
        {"Origin": "http://127.0.0.1"},
    ],
    ids=["no key", "another key", "no ascii", "a page"],
)
async def test_nobody_else_breaks_it(
    upstream: Upstream, tmp_path: Path, headers: dict[str, str]
) -> None:
    async with running(upstream, tmp_path) as gate:
        for method in ("POST", "DELETE"):
            status, _ = await ask(gate, method, **headers)
            assert status == 404
        assert await gate.status(await newest(gate), Authorization=login(RUN)) == 302


@pytest.mark.parametrize("path", [f"/-/runs/{RUN}/break-glass", f"/-/runs/{RUN}"])
async def test_a_key_that_is_no_text_is_no_key(
    upstream: Upstream, tmp_path: Path, path: str
) -> None:
    method = "DELETE" if path.endswith("glass") else "GET"
    async with running(upstream, tmp_path) as gate:
        reader, writer = await asyncio.open_connection(gate.client.host, gate.client.port)
        host = f"{gate.client.host}:{gate.client.port}"
        head = f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer "
        writer.write(head.encode() + b"\xff\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 404 ")
        writer.close()
        await writer.wait_closed()


async def test_the_token_and_the_key_to_the_report_do_not_break_it(
    upstream: Upstream, tmp_path: Path
) -> None:
    async with running(upstream, tmp_path) as gate:
        report = f"Bearer {report_key(gate.parts.secret, RUN)}"
        other = f"Bearer {glass_key(gate.parts.secret, OTHER)}"
        for key in (login(RUN), report, other):
            status, _ = await ask(gate, Authorization=key)
            assert status == 404


@pytest.mark.parametrize(
    "said", [{}, [], {"by": "ann"}, {**SAID, "reason": " "}, {**SAID, "reason": 5_000 * "x"}]
)
async def test_who_and_why_must_be_said(upstream: Upstream, tmp_path: Path, said: object) -> None:
    async with running(upstream, tmp_path) as gate:
        status, answer = await ask(gate, said=said)
        assert status == 400
        assert "who breaks it and why" in answer["error"]


async def test_a_policy_that_forbids_it_wins_at_once(upstream: Upstream, tmp_path: Path) -> None:
    async with running(upstream, tmp_path) as gate:
        path = await newest(gate)
        await ask(gate)
        forbidding = TOO_NEW.replace("\n", '\nbreak_glass = "refuse"\n', 1)
        gate.policy.write_text(forbidding)
        assert await gate.status(path, Authorization=login(RUN)) == 302
        status, answer = await ask(gate, run=OTHER)
        assert status == 403
        assert 'break_glass = "refuse"' in answer["error"]


async def test_it_ends_by_itself_if_the_run_is_killed(upstream: Upstream, tmp_path: Path) -> None:
    async with running(upstream, tmp_path) as gate:
        gate.clock.turn(-timedelta(days=1))  # so that the release stays too new
        path = await newest(gate)
        await ask(gate)
        gate.clock.turn(LONGEST - timedelta(seconds=1))
        assert await gate.status(path, Authorization=login(RUN)) == 200
        gate.clock.turn(timedelta(seconds=1) + timedelta(minutes=10))
        assert await gate.status(path, Authorization=login(RUN)) == 302


async def test_what_is_quarantined_stays_so(upstream: Upstream, tmp_path: Path) -> None:
    async with running(upstream, tmp_path) as gate:
        await ask(gate)
        page = await gate.json("/simple/held/", Authorization=login(RUN))
        assert page["files"] == []


async def test_beyond_this_machine_there_is_no_glass(upstream: Upstream, tmp_path: Path) -> None:
    async with running(upstream, tmp_path, host="0.0.0.0") as gate:
        status, _ = await ask(gate)
        assert status == 404
