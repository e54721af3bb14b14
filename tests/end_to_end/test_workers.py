"""Several workers are one gate: upstream is asked once, and all of them say the same."""

import asyncio
import hashlib
import os
import select
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from tests.end_to_end.clients import Scratch
from tests.end_to_end.gate import Gate, command, serving
from tests.standins.packages import project, wheel
from tests.standins.pages import JSON_TYPE
from tests.standins.upstream import Upstream

pytestmark = pytest.mark.end_to_end

ASKERS = 64
BIG = wheel("demo", "1.0", padding=3_000_000)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream(project("demo", BIG)) as running:
        yield running


@pytest.fixture
def gate(allowing: Path, tmp_path: Path, upstream: Upstream) -> Iterator[Gate]:
    with serving(
        state=tmp_path / "state",
        policy=allowing,
        upstream=upstream.url,
        environment=Scratch(tmp_path / "user").environment(),
        options=("--workers", "2"),
    ) as running:
        yield running


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(headers={"Accept": JSON_TYPE}) as opened:
        yield opened


async def ask(session: aiohttp.ClientSession, url: str) -> str:
    async with session.get(url) as response:
        assert response.status == 200, await response.text()
        return hashlib.sha256(await response.read()).hexdigest()


async def test_all_workers_together_ask_upstream_once(
    gate: Gate, upstream: Upstream, session: aiohttp.ClientSession
) -> None:
    page_hold = upstream.hold("/simple/demo/")
    file_hold = upstream.hold(f"{BIG.path}*")
    document_hold = upstream.hold("/pypi/demo/json")
    pages = [asyncio.create_task(ask(session, f"{gate.url}demo/")) for _ in range(ASKERS)]
    await page_hold.reached()
    page_hold.release()
    assert len(set(await asyncio.gather(*pages))) == 1

    async with session.get(f"{gate.url}demo/") as response:
        listed = (await response.json(content_type=None))["files"][0]
        url = str(response.url.join(URL(listed["url"])))
    asked = [url, f"{url}.metadata"]
    files = [asyncio.create_task(ask(session, one)) for one in asked for _ in range(ASKERS)]
    await file_hold.reached()
    file_hold.release()
    assert set(await asyncio.gather(*files)) == {
        BIG.sha256,
        hashlib.sha256(BIG.metadata or b"").hexdigest(),
    }
    paths = ("/simple/demo/", BIG.path, f"{BIG.path}.metadata")
    assert [upstream.count(path) for path in paths] == [1, 1, 1]
    await document_hold.reached()  # it is asked for in the background, when all have their answers
    assert document_hold.came == 1


async def test_an_edit_of_the_policy_holds_for_pages_and_files_of_all_workers(
    tmp_path: Path, upstream: Upstream
) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text("version = 1\n", encoding="utf-8")
    with serving(
        state=tmp_path / "state",
        policy=policy,
        upstream=upstream.url,
        environment=Scratch(tmp_path / "user").environment(),
        options=("--workers", "2", "--presentation", "hide"),
    ) as gate:
        path = BIG.path.removeprefix("/")
        file = f"{gate.origin}/files/http/127.0.0.1:{upstream.port}/{path}"
        assert await answers(f"{gate.url}demo/") == {200}
        assert await answers(file) == {200}
        policy.write_text(
            'version = 1\n[[rule]]\nid = "no"\naction = "refuse"\nwhen = { project = "demo" }\n',
            encoding="utf-8",
        )
        assert await answers(f"{gate.url}demo/") == {451}
        assert await answers(file) == {403}


async def test_a_killed_worker_comes_back_and_the_other_answers_meanwhile(gate: Gate) -> None:
    before = workers_of(gate)
    assert len(before) == 2
    os.kill(before[0], signal.SIGKILL)
    gate.await_line("worker-ended")
    assert 200 in await answers(f"{gate.url}demo/", tries=1)
    gate.await_line("worker-back")
    after = workers_of(gate)
    assert len(after) == 2
    assert before[1] in after
    assert before[0] not in after
    assert await answers(f"{gate.url}demo/") == {200}
    assert gate.health()["workers"] == {"wanted": 2, "serving": 2}


async def test_all_requests_are_counted_whichever_worker_is_asked(gate: Gate) -> None:
    assert await answers(f"{gate.url}demo/", tries=32) == {200}
    for _ in range(4):
        counted = await text(f"{gate.origin}/-/metrics")
        assert 'indexgate_requests_total{kind="page",result="ok"} 32.0' in counted
        assert "indexgate_workers 2.0" in counted


def test_nothing_is_left_once_it_is_told_to_stop(gate: Gate) -> None:
    workers = workers_of(gate)
    assert gate.tell(signal.SIGTERM) == 0
    assert [worker for worker in workers if Path(f"/proc/{worker}").exists()] == []


async def test_workers_do_not_outlive_the_process_that_started_them(gate: Gate) -> None:
    workers = workers_of(gate)
    watched = [os.pidfd_open(worker) for worker in workers]
    gate.kill()
    for worker in watched:
        ended, _, _ = await asyncio.to_thread(select.select, [worker], [], [], 30)
        os.close(worker)
        assert ended


def test_a_port_that_another_gate_with_workers_has_is_not_shared(
    gate: Gate, allowing: Path, tmp_path: Path
) -> None:
    second = subprocess.run(
        (*command(state=tmp_path / "other", policy=allowing, port=gate.port), "--workers", "2"),
        env=Scratch(tmp_path / "user").environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert second.returncode == 2
    assert "error: port-in-use" in second.stderr


def workers_of(gate: Gate) -> list[int]:
    """Return the processes that serve."""
    children = Path(f"/proc/{gate.process}/task/{gate.process}/children")
    return [int(child) for child in children.read_text().split()]


async def answers(url: str, *, tries: int = 16) -> set[int]:
    """Return the statuses that *tries* new connections get, so that each worker has its share."""

    async def status(_: int) -> int:
        async with aiohttp.ClientSession(headers={"Accept": JSON_TYPE}) as session:
            async with session.get(url, allow_redirects=False) as response:
                await response.read()
                return response.status

    return set(await asyncio.gather(*map(status, range(tries))))


async def text(url: str) -> str:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        assert response.status == 200
        return await response.text()
