"""A gate on uvloop serves what one on Python's own event loop serves."""

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from tests.end_to_end.clients import Scratch
from tests.end_to_end.gate import Gate, serving
from tests.end_to_end.test_workers import workers_of
from tests.standins.packages import project, wheel
from tests.standins.pages import JSON_TYPE
from tests.standins.upstream import Upstream

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif(sys.platform == "win32", reason="uvloop is not for Windows"),
]

BIG = wheel("demo", "1.0", padding=3_000_000)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream(project("demo", BIG)) as running:
        yield running


@pytest.fixture(params=[1, 2])
def gate(
    allowing: Path, tmp_path: Path, upstream: Upstream, request: pytest.FixtureRequest
) -> Iterator[Gate]:
    with serving(
        state=tmp_path / "state",
        policy=allowing,
        upstream=upstream.url,
        environment=Scratch(tmp_path / "user").environment(),
        options=("--event-loop", "uvloop", "--workers", str(request.param)),
    ) as running:
        yield running


async def test_pages_and_files_come_whole(gate: Gate) -> None:
    async with aiohttp.ClientSession(headers={"Accept": JSON_TYPE}) as session:
        for _ in range(3):  # fetched, kept, and as it was given before
            async with session.get(f"{gate.url}demo/") as page:
                listed = (await page.json(content_type=None))["files"][0]
                url = page.url.join(URL(listed["url"]))
            async with session.get(url) as file:
                assert hashlib.sha256(await file.read()).hexdigest() == BIG.sha256
            async with session.get(url, headers={"Range": "bytes=1000000-2999999"}) as part:
                assert await part.read() == BIG.content[1_000_000:3_000_000]


@pytest.mark.skipif(sys.platform != "linux", reason="reads what a process has loaded")
def test_who_serves_runs_on_it(gate: Gate) -> None:
    processes = workers_of(gate) or [gate.pid]
    assert all("uvloop" in Path(f"/proc/{pid}/maps").read_text() for pid in processes)
