"""Several workers are one gate: upstream is asked once, and all of them say the same."""

import asyncio
import hashlib
import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from tests.end_to_end.clients import Scratch
from tests.end_to_end.gate import Gate, serving
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
    paths = ("/simple/demo/", BIG.path, f"{BIG.path}.metadata", "/pypi/demo/json")
    assert [upstream.count(path) for path in paths] == [1, 1, 1, 1]
