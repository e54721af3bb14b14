"""The first sight of a project: its index is asked for the page and the JSON at the same time."""

import asyncio
from datetime import timedelta
from pathlib import Path

from packaging.utils import NormalizedName

from indexgate_policy.signals import Signals
from tests.proxy.web.running import JSON, running
from tests.standins.packages import project, wheel
from tests.standins.upstream import Upstream

DEMO = NormalizedName("demo")
PROJECT = project("demo", wheel("demo", "1.0"))


async def test_page_and_json_are_asked_for_at_once_and_each_once(tmp_path: Path) -> None:
    async with Upstream(PROJECT) as upstream, running(upstream, tmp_path) as gate:
        page, told = upstream.hold("/simple/demo/"), upstream.hold("/pypi/demo/json")
        asks = [asyncio.create_task(gate.json("/simple/demo/")) for _ in range(5)]
        await page.reached()
        await told.reached()
        told.release()
        page.release()
        await asyncio.gather(*asks)
        known = gate.parts.gate.facts.known(DEMO)
        assert known is not None
        assert Signals(known.inputs).value("release_count") == 1
        assert upstream.count("/simple/demo/") == upstream.count("/pypi/demo/json") == 1


async def test_what_was_asked_for_early_is_forgotten_where_there_is_no_page(tmp_path: Path) -> None:
    async with Upstream() as upstream, running(upstream, tmp_path) as gate:
        upstream.hold("/pypi/demo/json")
        assert await gate.status("/simple/demo/", **JSON) == 404
        upstream.heal()
        assert gate.parts.gate.facts.observer.failures.total() == 0
        assert gate.parts.gate.facts.known(DEMO) is None
        upstream.add(PROJECT)
        gate.clock.turn(timedelta(minutes=1))
        await gate.json("/simple/demo/")
        known = gate.parts.gate.facts.known(DEMO)
        assert known is not None
        assert Signals(known.inputs).value("release_count") == 1
