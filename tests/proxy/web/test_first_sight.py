"""The first sight of a project: what its index is asked for, and what its page waits for."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from packaging.utils import NormalizedName

from indexgate import assessor, first_sight
from indexgate.finished_page import Variant
from indexgate.simple.accept import Coding, Form
from indexgate.sources import project_json
from indexgate_policy.assessment import Assessment
from indexgate_policy.health.result import HealthScore
from indexgate_policy.signals import Signals, Unknown
from indexgate_policy.subject import Client
from tests.proxy.web.running import JSON, Clock, running
from tests.standins.packages import project, wheel
from tests.standins.upstream import Upstream

DEMO = NormalizedName("demo")
PROJECT = project("demo", wheel("demo", "1.0"))
PLAIN = Variant(form=Form.JSON, coding=Coding.IDENTITY)
READS_JSON = """\
version = 1

[[rule]]
id = "reported-as-malware"
action = "refuse"
when = { flag = { id = "malware" } }
unknown = "allow"
"""
MINDS = READS_JSON.replace('unknown = "allow"', 'unknown = "refuse"')
READS_ALL = (
    READS_JSON
    + """
[[rule]]
id = "low-health"
action = "refuse"
when = { health = { below = 30 } }
unknown = "allow"
"""
)


async def test_page_and_json_are_asked_for_at_once_and_each_once(tmp_path: Path) -> None:
    async with Upstream(PROJECT) as upstream, running(upstream, tmp_path, READS_ALL) as gate:
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
    async with Upstream() as upstream, running(upstream, tmp_path, READS_ALL) as gate:
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


async def test_the_json_that_no_rule_reads_is_asked_for_later(tmp_path: Path) -> None:
    async with Upstream(PROJECT) as upstream, running(upstream, tmp_path) as gate:
        await gate.json("/simple/demo/")
        facts = gate.parts.gate.facts
        assert facts.is_early(DEMO)
        assert upstream.count("/pypi/demo/json") == 0
        assert facts.waiting == 1
        await facts.refresh(DEMO)
        assert not facts.is_early(DEMO)
        assert upstream.count("/pypi/demo/json") == 1


async def test_what_a_page_was_judged_by_early_is_made_whole_with_the_same_json(
    tmp_path: Path,
) -> None:
    async with Upstream(PROJECT) as upstream, running(upstream, tmp_path, READS_JSON) as gate:
        facts = gate.parts.gate.facts
        first = await gate.parts.gate.page(DEMO, PLAIN, Client())
        assert facts.is_early(DEMO)
        gate.clock.turn(timedelta(seconds=1))
        await facts.refresh(DEMO)
        known = facts.known(DEMO)
        assert known is not None
        assert Signals(known.inputs).value("release_count") == 1
        assert known.assessed_at == gate.clock.now
        assert upstream.count("/pypi/demo/json") == 1
        assert gate.parts.gate.still(first, DEMO)


async def test_who_needs_more_than_the_policy_reads_has_it_at_once(tmp_path: Path) -> None:
    async with Upstream(PROJECT) as upstream, running(upstream, tmp_path, READS_JSON) as gate:
        await gate.json("/simple/demo/")
        facts = gate.parts.gate.facts
        assert facts.is_early(DEMO)
        known = (await facts.of(await gate.parts.gate.listings.of(DEMO))).assessment
        assert isinstance(known, Assessment)
        assert isinstance(known.score, HealthScore)
        assert not facts.is_early(DEMO)


async def test_nobody_is_asked_any_more_once_the_looks_are_ended(tmp_path: Path) -> None:
    async with Upstream(PROJECT) as upstream, running(upstream, tmp_path) as gate:
        facts, told = gate.parts.gate.facts, upstream.hold("/pypi/demo/json")
        asked = asyncio.create_task(facts.of(await gate.parts.gate.listings.of(DEMO)))
        await told.reached()
        asking = [task for task in asyncio.all_tasks() if "Observer.observe" in repr(task)]
        await facts.close()
        assert len(asking) == 1
        await asyncio.wait(asking)
        assert asking[0].cancelled()
        await asyncio.wait({asked})
        assert asked.cancelled()


async def test_a_policy_that_reads_more_is_served_by_a_whole_assessment(tmp_path: Path) -> None:
    async with Upstream(PROJECT) as upstream, running(upstream, tmp_path, READS_JSON) as gate:
        await gate.json("/simple/demo/")
        facts = gate.parts.gate.facts
        assert facts.is_early(DEMO)
        gate.policy.write_text(READS_ALL, encoding="utf-8")
        await gate.json("/simple/demo/")
        assert not facts.is_early(DEMO)


async def test_a_report_that_the_index_alone_has_refuses_the_very_first_file(
    tmp_path: Path,
) -> None:
    reported = replace(PROJECT, vulnerabilities=("MAL-2026-1",))
    async with Upstream(reported) as upstream, running(upstream, tmp_path, READS_JSON) as gate:
        told = upstream.hold("/pypi/demo/json")
        path = await gate.file_path("demo", "demo-1.0-py3-none-any.whl")
        assert await gate.status(f"{path}.metadata") == 200
        asked = asyncio.create_task(gate.status(path))
        await told.reached()  # neither the page nor the metadata asked for it
        assert not asked.done()
        told.release()
        assert await asked == 302
        assert await gate.status(f"{path}.metadata") == 302
        page = await gate.parts.gate.page(DEMO, PLAIN, Client())
        assert page.withheld is not None
        assert [each.rule for each in page.withheld.reasons] == ["reported-as-malware"]
        assert upstream.count("/pypi/demo/json") == 1


async def test_a_page_waits_for_a_report_where_the_policy_minds_that_it_is_unknown(
    tmp_path: Path,
) -> None:
    reported = replace(PROJECT, vulnerabilities=("MAL-2026-1",))
    async with Upstream(reported) as upstream, running(upstream, tmp_path, MINDS) as gate:
        page = await gate.parts.gate.page(DEMO, PLAIN, Client())
        assert page.withheld is not None
        assert [each.rule for each in page.withheld.reasons] == ["reported-as-malware"]


class Watched(Clock):
    """A clock that tells whenever it is looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.looked = asyncio.Event()

    def __call__(self) -> datetime:
        self.looked.set()
        return super().__call__()


async def test_who_needs_more_just_as_a_first_look_ends_has_it(tmp_path: Path) -> None:
    clock = Watched()
    async with (
        Upstream(PROJECT) as upstream,
        running(upstream, tmp_path, READS_JSON, clock=clock) as gate,
    ):
        facts = gate.parts.gate.facts
        listing = await gate.parts.gate.listings.of(DEMO)

        async def at_once() -> Assessment | Unknown:
            while not facts.is_early(DEMO):  # woken in the very turn in which the look ends
                clock.looked.clear()
                await clock.looked.wait()
            return (await facts.of(listing)).assessment

        whole = asyncio.create_task(at_once())
        await gate.parts.gate.page(DEMO, PLAIN, Client())
        assert isinstance(await whole, Assessment)
        assert not facts.is_early(DEMO)


async def test_a_report_that_came_in_time_counts_however_long_the_look_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def in_turn(work: Callable[[], object], *, huge: bool = False) -> object:
        await asyncio.sleep(first_sight.PATIENCE)  # others are before it
        return work()

    monkeypatch.setattr(assessor, "_MANY_RELEASES", 0)
    monkeypatch.setattr(assessor, "in_turn", in_turn)
    monkeypatch.setattr(project_json, "_OFF_THE_LOOP", 0)
    reported = replace(PROJECT, vulnerabilities=("MAL-2026-1",))
    async with Upstream(reported) as upstream, running(upstream, tmp_path, MINDS) as gate:
        assert await gate.parts.gate.facts.observer.glance(DEMO) is not None
        page = await gate.parts.gate.page(DEMO, PLAIN, Client())
        assert page.withheld is not None


async def test_a_page_asked_for_again_has_what_the_background_failed_to_find_out_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Upstream(PROJECT) as upstream, running(upstream, tmp_path, READS_JSON) as gate:
        facts, failed = gate.parts.gate.facts, asyncio.Event()

        async def failing(_project: NormalizedName) -> None:
            failed.set()

        await gate.json("/simple/demo/")
        with monkeypatch.context() as upset:
            upset.setattr(facts, "refresh", failing)
            background = asyncio.create_task(facts.refresh_for_ever())
            await failed.wait()
            background.cancel()
            await asyncio.wait({background})
        waiting = []
        for later in (timedelta(0), first_sight.INTERIM + timedelta(seconds=1)):
            gate.clock.turn(later)
            await gate.json("/simple/demo/")
            waiting.append(facts.waiting)
        assert facts.is_early(DEMO)
        assert waiting == [0, 1]
