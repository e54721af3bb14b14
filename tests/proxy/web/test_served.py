"""What a gate counts of the files that it serves."""

from datetime import timedelta
from pathlib import Path

from packaging.utils import NormalizedName
from sqlalchemy import event

from tests.proxy.web.running import NOW, Running, running
from tests.standins.packages import project, wheel
from tests.standins.upstream import Upstream

DEMO = NormalizedName("demo")
OLD = NOW - timedelta(days=100)
CI = 'uv/0.9.18 {"ci":true}'


async def served(gate: Running) -> list[tuple[str, str, bool, int]]:
    assert await gate.parts.store.served.flush()
    found = gate.parts.store.served.of(
        gate.parts.gate.index_id, DEMO, NOW - timedelta(days=1), NOW + timedelta(days=1)
    )
    return [(one.filename, one.family, one.ci, one.count) for one in found]


async def test_whole_files_are_counted_by_the_kind_of_client(tmp_path: Path) -> None:
    made = wheel("demo", "1.0", upload_time=OLD)
    async with Upstream(project("demo", made)) as upstream, running(upstream, tmp_path) as gate:
        path = await gate.file_path("demo", made.filename)
        assert await gate.status(path, **{"User-Agent": "pip/26.1"}) == 200
        assert await gate.status(path, **{"User-Agent": "pip/26.1"}) == 200
        assert await gate.status(path, **{"User-Agent": CI}) == 200
        assert await gate.status(path, **{"User-Agent": "curl/8"}) == 200
        # A part of a file, and what stands beside it, is no install.
        assert await gate.status(path, Range="bytes=0-9") == 206
        assert await gate.status(path + ".metadata") == 200
        async with gate.client.head(path) as response:
            assert response.status == 200
        assert await served(gate) == [
            (made.filename, "other", False, 1),
            (made.filename, "pip", False, 2),
            (made.filename, "uv", True, 1),
        ]


async def test_a_refused_file_is_not_served_but_its_facts_are_kept(tmp_path: Path) -> None:
    made = wheel("demo", "1.0", upload_time=NOW - timedelta(days=1))
    async with Upstream(project("demo", made)) as upstream, running(upstream, tmp_path) as gate:
        path = await gate.file_path("demo", made.filename)
        assert await gate.status(path) == 302
        assert await served(gate) == []
        assert len(gate.parts.store.facts_then.of(gate.parts.gate.index_id, DEMO)) == 1


async def test_no_request_writes_its_count(tmp_path: Path) -> None:
    made = wheel("demo", "1.0", upload_time=OLD)
    async with Upstream(project("demo", made)) as upstream, running(upstream, tmp_path) as gate:
        path = await gate.file_path("demo", made.filename)
        assert await gate.status(path) == 200
        await gate.parts.gate.facts.settled()
        gate.parts.store.writer.wait(lambda _connection: None)
        begun: list[object] = []
        event.listen(gate.parts.store.writer._engine, "begin", begun.append)
        for _ in range(50):
            assert await gate.status(path) == 200
        assert begun == []
        assert await served(gate) == [(made.filename, "other", False, 51)]


async def test_health_tells_what_waits_and_what_was_lost(tmp_path: Path) -> None:
    made = wheel("demo", "1.0", upload_time=OLD)
    async with Upstream(project("demo", made)) as upstream, running(upstream, tmp_path) as gate:
        assert await gate.status(await gate.file_path("demo", made.filename)) == 200
        async with gate.client.get("/-/health") as response:
            told = (await response.json())["served_files"]
        assert told == {"kept": True, "reason": None, "waiting": 2, "dropped": 0}
