"""However many ask at once, upstream is asked once; a killed gate leaves nothing half there."""

import asyncio
import hashlib
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from tests.end_to_end.clients import Scratch
from tests.end_to_end.gate import serving
from tests.standins.faults import Stall
from tests.standins.packages import project, wheel
from tests.standins.pages import JSON_TYPE
from tests.standins.upstream import Upstream

pytestmark = pytest.mark.end_to_end

ASKERS = 64
BIG = wheel("demo", "1.0", padding=3_000_000)


async def test_upstream_is_asked_once_for_a_page_its_metadata_and_its_file(
    allowing: Path, tmp_path: Path
) -> None:
    with (
        Upstream(project("demo", BIG)) as upstream,
        serving(
            state=tmp_path / "state",
            policy=allowing,
            upstream=upstream.url,
            environment=Scratch(tmp_path / "user").environment(),
        ) as gate,
    ):
        page_hold = upstream.hold("/simple/demo/")
        file_hold = upstream.hold(f"{BIG.path}*")
        async with aiohttp.ClientSession(headers={"Accept": JSON_TYPE}) as session:

            async def ask(url: str) -> str:
                async with session.get(url) as response:
                    assert response.status == 200, await response.text()
                    return hashlib.sha256(await response.read()).hexdigest()

            pages = [asyncio.create_task(ask(f"{gate.url}demo/")) for _ in range(ASKERS)]
            await page_hold.reached()
            page_hold.release()
            assert len(set(await asyncio.gather(*pages))) == 1

            async with session.get(f"{gate.url}demo/") as response:
                listed = (await response.json(content_type=None))["files"][0]
                url = str(response.url.join(URL(listed["url"])))
            asked = [url, f"{url}.metadata"]
            files = [asyncio.create_task(ask(one)) for one in asked for _ in range(ASKERS)]
            await file_hold.reached()
            file_hold.release()
            assert set(await asyncio.gather(*files)) == {
                BIG.sha256,
                hashlib.sha256(BIG.metadata or b"").hexdigest(),
            }
        counted = [upstream.count(path) for path in ("/simple/demo/", BIG.path)]
        assert [*counted, upstream.count(f"{BIG.path}.metadata")] == [1, 1, 1]


async def test_a_gate_killed_in_the_middle_of_a_file_serves_it_whole_after_its_restart(
    allowing: Path, tmp_path: Path
) -> None:
    environment = Scratch(tmp_path / "user").environment()
    with Upstream(project("demo", BIG)) as upstream:
        upstream.fault(BIG.path, Stall(after=1_500_000))
        path = BIG.path.removeprefix("/")
        address = f"files/http/127.0.0.1:{upstream.port}/{path}"
        async with aiohttp.ClientSession() as session:
            with serving(
                state=tmp_path / "state",
                policy=allowing,
                upstream=upstream.url,
                environment=environment,
            ) as gate:
                async with session.get(f"{gate.origin}/{address}") as response:
                    assert response.status == 200
                    await response.content.readexactly(1000)
                    gate.kill()
                    with pytest.raises(aiohttp.ClientError):
                        await response.read()
            upstream.heal()
            with serving(
                state=tmp_path / "state",
                policy=allowing,
                upstream=upstream.url,
                environment=environment,
            ) as gate:
                async with session.get(f"{gate.origin}/{address}") as response:
                    assert hashlib.sha256(await response.read()).hexdigest() == BIG.sha256
