"""What a gate counts of its clients, and of names that they asked for before they existed."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from packaging.utils import NormalizedName
from sqlalchemy import event

from indexgate_policy.signals import Signals, Value
from tests.proxy.web.running import Clock, Running, running
from tests.standins.packages import project, wheel
from tests.standins.upstream import Upstream

DEMO, WANTED = NormalizedName("demo"), NormalizedName("wanted")
PERSON = 'pip/26.1 {"ci":null,"system":{"name":"Darwin","release":"24.6.0"}}'
IN_CI = 'uv/0.9.18 {"ci":true,"system":{"name":"Linux","release":"6.8.0"}}'
HOUR = timedelta(hours=1)


async def asked(gate: Running, name: str, agent: str = PERSON, times: int = 1) -> set[int]:
    headers = {"User-Agent": agent}
    return {await gate.status(f"/simple/{name}/", **headers) for _ in range(times)}


async def assessed(gate: Running, name: NormalizedName) -> dict[str, Value | Any]:
    renewed = await gate.parts.gate.facts.renew(name)
    signals = Signals(renewed.assessment.inputs)
    return {one: signals.value(one) for one in signals}


async def test_pages_are_counted_by_the_kind_of_client(tmp_path: Path) -> None:
    async with Upstream(project("demo", wheel("demo", "1.0"))) as upstream:
        async with running(upstream, tmp_path) as gate:
            await asked(gate, "demo", PERSON, times=3)
            await asked(gate, "demo", IN_CI, times=2)
            await asked(gate, "demo", "curl/8.5.0", times=7)
            signals = await assessed(gate, DEMO)
            assert signals["asked_here_by_people"] == 3
            assert signals["asked_here_by_ci"] == 2
            gate.clock.turn(timedelta(days=30))
            assert (await assessed(gate, DEMO))["asked_here_by_ci"] == 0


async def test_no_request_writes_its_count(tmp_path: Path) -> None:
    async with Upstream(project("demo", wheel("demo", "1.0"))) as upstream:
        async with running(upstream, tmp_path) as gate:
            writer = gate.parts.store.writer
            await asked(gate, "demo")
            await asked(gate, "nothing")
            await gate.parts.gate.facts.settled()
            writer.wait(lambda _connection: None)  # what the first sight writes is written
            begun: list[object] = []
            event.listen(writer._engine, "begin", begun.append)
            assert await asked(gate, "demo", times=50) == {200}
            assert await asked(gate, "nothing", times=50) == {404}
            assert begun == []


async def test_counts_outlive_a_restart(tmp_path: Path) -> None:
    async with Upstream(project("demo", wheel("demo", "1.0"))) as upstream:
        for expected in (2, 4):
            async with running(upstream, tmp_path) as gate:
                await asked(gate, "demo", times=2)
                assert (await assessed(gate, DEMO))["asked_here_by_people"] == expected


async def test_a_name_that_was_asked_for_before_it_existed_says_so_once_it_does(
    tmp_path: Path,
) -> None:
    clock = Clock()
    async with Upstream() as upstream:
        async with running(upstream, tmp_path, clock=clock, upstream_public="yes") as gate:
            for _ in range(3):
                assert await asked(gate, "wanted", times=4) == {404}
                clock.turn(HOUR)
        upstream.add(project("wanted", wheel("wanted", "1.0", upload_time=clock())))
        clock.turn(HOUR)
        async with running(upstream, tmp_path, clock=clock, upstream_public="yes") as gate:
            assert await asked(gate, "wanted") == {200}
            signals = await assessed(gate, WANTED)
            assert signals["asked_before_it_existed"] == 3
            assessment = gate.parts.gate.facts.known(WANTED)
            assert assessment is not None
            flag = assessment.flag("phantom-name")
            assert flag is not None
            assert "asked for it 3 times before it existed" in flag.evidence


async def test_what_a_private_index_does_not_have_is_not_kept(tmp_path: Path) -> None:
    async with Upstream() as upstream, running(upstream, tmp_path) as gate:
        assert await asked(gate, "wanted") == {404}
        assert await gate.parts.store.asked.flush()
        assert gate.parts.store.asked.waited_for(gate.parts.gate.index_id, WANTED) is None


async def test_nobody_is_told_a_name_that_does_not_exist_but_the_index(tmp_path: Path) -> None:
    async with Upstream() as upstream:
        async with running(upstream, tmp_path, upstream_public="yes") as gate:
            await asked(gate, "wanted")
            # The index itself is asked about the project at the same time as for its page.
            asked_for = {request.path for request in upstream.log}
            assert "/simple/wanted/" in asked_for <= {"/simple/wanted/", "/pypi/wanted/json"}
            assert gate.parts.gate.facts.known(WANTED) is None
