"""What changes while the gate serves: the policy, the time, the facts; page and file together."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
from packaging.utils import NormalizedName, canonicalize_name

from indexgate.sources.osv_records import FeedState
from indexgate_policy.health.result import HealthScore
from tests.proxy.web.running import JSON, NOW, TOO_NEW, Clock, Running, running
from tests.proxy.web.test_files import advised, path_of
from tests.standins.faults import Status
from tests.standins.packages import IndexedProject, project, wheel
from tests.standins.upstream import Upstream

NEW = wheel("demo", "2.0", upload_time=NOW - timedelta(days=2))
DEMO = project("demo", wheel("demo", "1.0"), NEW)

ONE_OWNER = """\
version = 1

[[rule]]
id = "one-owner"
action = "refuse"
when = { owners = { below = 2 } }
unknown = "allow"
"""


async def test_an_edited_policy_holds_from_the_next_request_on(tmp_path: Path) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        path = path_of(upstream, NEW)
        async with gate.client.get("/simple/demo/", headers=JSON) as response:
            etag = response.headers["ETag"]
        assert await gate.status(path) == 302
        gate.policy.write_text("version = 1\n", encoding="utf-8")
        assert await gate.status(path) == 200
        assert await gate.status("/simple/demo/", **JSON, **{"If-None-Match": etag}) == 200
        gate.policy.write_text(TOO_NEW.replace("7d", "8d"), encoding="utf-8")
        assert await gate.status(path) == 302


async def test_a_broken_edit_keeps_the_old_policy_and_says_so(tmp_path: Path) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        gate.policy.write_text(TOO_NEW.replace("refuse", "refuze"), encoding="utf-8")
        assert await gate.status(path_of(upstream, NEW)) == 302
        health = await health_of(gate)
        assert any("refuze" in text for text in health["degraded"]), health
        gate.policy.unlink()
        assert await gate.status(path_of(upstream, NEW)) == 302
        assert any("cannot be read" in text for text in (await health_of(gate))["degraded"])
        gate.policy.write_text("version = 1\n", encoding="utf-8")
        assert await gate.status(path_of(upstream, NEW)) == 200
        assert not any("policy" in text for text in (await health_of(gate))["degraded"])


async def test_a_condition_across_the_end_of_a_verdict_gets_the_new_page(tmp_path: Path) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        async with gate.client.get("/simple/demo/", headers=JSON) as response:
            etag = response.headers["ETag"]
        asked = {**JSON, "If-None-Match": etag}
        gate.clock.turn(timedelta(days=5) - timedelta(seconds=1))
        assert await gate.status("/simple/demo/", **asked) == 304
        assert await gate.status(path_of(upstream, NEW)) == 302
        gate.clock.turn(timedelta(seconds=2))
        assert await gate.status("/simple/demo/", **asked) == 200
        assert await gate.status(path_of(upstream, NEW)) == 200


def owned(*owners: str) -> IndexedProject:
    return DEMO.changed(owners=tuple((owner, "Owner") for owner in owners))


async def refreshed(gate: Running) -> None:
    """Assess `demo` again, its index asked anew."""
    await gate.parts.gate.facts.renew(NormalizedName("demo"))


async def test_what_tightens_by_itself_holds_for_files_ten_minutes_later(tmp_path: Path) -> None:
    async with Upstream(owned("ann", "bob")) as upstream:
        async with running(upstream, tmp_path, ONE_OWNER) as gate:
            path = path_of(upstream, NEW)
            assert await page_passes(gate)
            assert await gate.status(path) == 200
            gate.clock.turn(timedelta(hours=1))
            upstream.add(owned("bob"))
            await refreshed(gate)
            assert not await page_passes(gate)
            gate.clock.turn(timedelta(minutes=9))
            assert await gate.status(path) == 200
            gate.clock.turn(timedelta(minutes=2))
            assert await gate.status(path) == 302


async def test_what_loosens_holds_at_once(tmp_path: Path) -> None:
    async with Upstream(owned("bob")) as upstream:
        async with running(upstream, tmp_path, ONE_OWNER) as gate:
            assert await gate.status(path_of(upstream, NEW)) == 302
            upstream.add(owned("ann", "bob"))
            gate.clock.turn(timedelta(minutes=1))
            await refreshed(gate)
            assert await page_passes(gate)
            assert await gate.status(path_of(upstream, NEW)) == 200


async def test_facts_of_the_first_sight_give_no_grace(tmp_path: Path) -> None:
    async with Upstream(owned("bob")) as upstream:
        async with running(upstream, tmp_path, ONE_OWNER) as gate:
            assert await gate.status(path_of(upstream, NEW)) == 302


async def test_an_index_that_fails_does_not_make_known_facts_unknown(tmp_path: Path) -> None:
    async with Upstream(owned("bob")) as upstream:
        async with running(upstream, tmp_path, ONE_OWNER) as gate:
            assert not await page_passes(gate)
            upstream.remove("demo")
            gate.clock.turn(timedelta(minutes=1))
            await refreshed(gate)
            upstream.add(owned("bob"))
            assert not await page_passes(gate)


async def test_assessments_outlive_the_gate(tmp_path: Path) -> None:
    clock = Clock()
    async with Upstream(owned("bob")) as upstream:
        async with running(upstream, tmp_path, ONE_OWNER, clock=clock) as gate:
            assert not await page_passes(gate)
        clock.turn(timedelta(minutes=1))
        async with running(upstream, tmp_path, ONE_OWNER, clock=clock) as gate:
            assert not await page_passes(gate)
            assert upstream.count("/pypi/demo/json") == 1


VULNERABLE = """\
version = 1

[[rule]]
id = "vulnerable"
action = "refuse"
when = { advisory = { kind = "vulnerability" } }
unknown = "allow"

[[rule]]
id = "malware"
action = "refuse"
when = { advisory = "malware" }
unknown = "allow"

[[rule]]
id = "retired"
action = "refuse"
when = { status = "archived" }
"""


@pytest.mark.parametrize("kind", ["vulnerability", "malware"])
async def test_a_new_advisory_holds_for_files_later_but_malware_at_once(
    tmp_path: Path, kind: Literal["malware", "vulnerability"]
) -> None:
    old = DEMO.files[0]
    async with Upstream(DEMO) as upstream:
        async with running(upstream, tmp_path, VULNERABLE, upstream_public="yes") as gate:
            await gate.json("/simple/demo/")
            gate.clock.turn(timedelta(hours=1))
            await gate.json("/simple/demo/")
            await advised(gate, kind)
            gate.clock.turn(timedelta(seconds=1))
            assert "blocked by indexgate" in str(await gate.json("/simple/demo/"))
            assert await gate.status(path_of(upstream, old)) == (302 if kind == "malware" else 200)
            gate.clock.turn(timedelta(minutes=11))
            assert await gate.status(path_of(upstream, old)) == 302


async def test_what_upstream_says_anew_holds_for_files_ten_minutes_later(tmp_path: Path) -> None:
    async with Upstream(DEMO) as upstream:
        async with running(upstream, tmp_path, VULNERABLE) as gate:
            assert await page_passes(gate)
            gate.clock.turn(timedelta(hours=1))
            upstream.add(DEMO.changed(status="archived"))
            assert "blocked by indexgate" in str(
                await gate.json("/simple/demo/", **{"User-Agent": "uv/1"})
            )
            assert await gate.status(path_of(upstream, NEW)) == 200
            gate.clock.turn(timedelta(minutes=11))
            assert await gate.status(path_of(upstream, NEW)) == 302


async def test_pages_that_differ_by_client_are_private(tmp_path: Path) -> None:
    by_client = (
        VULNERABLE
        + """
[[rule]]
id = "not-in-ci"
action = "refuse"
when = { client = { kind = "ci" } }
unknown = "allow"
"""
    )
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path, by_client) as gate:
        async with gate.client.get("/simple/demo/", headers=JSON) as response:
            assert response.headers["Cache-Control"] == "private, no-cache"
        ci = {**JSON, "User-Agent": 'pip/26.3 {"ci":true}'}
        async with gate.client.get("/simple/demo/", headers=ci) as response:
            assert "core-metadata" not in await response.text()


async def page_passes(gate: Running) -> bool:
    page = await gate.json("/simple/demo/")
    return "blocked by indexgate" not in str(page) and all(
        "core-metadata" in file for file in page["files"]
    )


async def health_of(gate: Running) -> dict[str, list[str]]:
    async with gate.client.get("/-/health") as response:
        assert response.status == 200
        return dict(await response.json())


async def test_an_advisory_lowers_the_health_before_the_next_assessment(tmp_path: Path) -> None:
    async with Upstream(project("demo", wheel("demo", "1.0"))) as upstream:
        async with running(upstream, tmp_path, upstream_public="yes", sources="none") as gate:
            facts = gate.parts.gate.facts
            await facts.renew(NormalizedName("demo"))
            before = facts.known(NormalizedName("demo"))
            await advised(gate, "malware")
            after = facts.known(NormalizedName("demo"))
            assert before is not None
            assert after is not None
            assert after.assessed_at == before.assessed_at
            assert isinstance(before.score, HealthScore)
            assert isinstance(after.score, HealthScore)
            assert after.score.value < before.score.value


async def test_the_background_does_not_keep_a_project_that_nobody_asks_for(
    tmp_path: Path,
) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        demo, store = NormalizedName("demo"), gate.parts.store
        await gate.json("/simple/demo/")
        gate.clock.turn(timedelta(days=40))
        await gate.parts.gate.facts.refresh(demo)
        store.writer.wait(lambda _: None)
        index_id, now = gate.parts.gate.index_id, gate.clock()
        ever = now + timedelta(days=9)
        lately = now - timedelta(days=30)
        assert store.assessments.due(index_id, ever, 9, asked_since=lately) == []
        assert store.assessments.due(index_id, ever, 9) == [demo]
        await gate.json("/simple/demo/")
        store.writer.wait(lambda _: None)
        assert store.assessments.due(index_id, ever, 9, asked_since=lately) == [demo]


async def test_who_assesses_anew_waits_for_a_slow_upstream(tmp_path: Path) -> None:
    old, new = wheel("demo", "1.0"), wheel("demo", "2.0")
    async with Upstream(project("demo", old)) as upstream, running(upstream, tmp_path) as gate:
        await gate.json("/simple/demo/")
        upstream.add(project("demo", old, new))
        gate.clock.turn(timedelta(minutes=20))
        slow = upstream.hold("/simple/demo/")
        facts = gate.parts.indexes.all[0].gate.facts
        renewing = asyncio.create_task(facts.renew(canonicalize_name("demo")))
        done, _ = await asyncio.wait({renewing}, timeout=0.5)
        assert not done, "it judged the page that stands in for a slow upstream"
        slow.release()
        renewed = await renewing
    assert [release.version for release in renewed.listing.releases] == ["1.0", "2.0"]


async def test_who_assesses_anew_takes_the_stored_page_where_upstream_fails(tmp_path: Path) -> None:
    demo = project("demo", wheel("demo", "1.0"))
    async with Upstream(demo) as upstream, running(upstream, tmp_path) as gate:
        await gate.json("/simple/demo/")
        gate.clock.turn(timedelta(minutes=20))
        upstream.fault("/simple/demo/", Status(status=500))
        facts = gate.parts.indexes.all[0].gate.facts
        renewed = await facts.renew(canonicalize_name("demo"))
    assert renewed.listing.snapshot.stale is not None


NEEDS_A_FEED = """\
version = 1
max_feed_age = "1h"

[[rule]]
id = "malware"
action = "refuse"
when = { advisory = "malware" }
unknown = "refuse"
"""


async def test_what_an_old_feed_refused_passes_soon_after_it_was_read_without_a_change(
    tmp_path: Path,
) -> None:
    async with (
        Upstream(DEMO) as upstream,
        running(upstream, tmp_path, NEEDS_A_FEED, upstream_public="yes") as gate,
    ):
        feed = gate.parts.store.advisories

        async def read_without_change() -> None:
            now = gate.clock()
            state = FeedState(fetched_at=now, newest_modified=NOW, etag=None, records=1)
            await asyncio.to_thread(feed.apply, [], state)

        async def answers() -> tuple[dict[str, Any], int]:
            return await gate.json("/simple/demo/"), await gate.status(path_of(upstream, NEW))

        await advised(gate, "vulnerability")
        passing = await answers()
        assert passing[1] == 200
        gate.clock.turn(timedelta(hours=2))
        refused = await answers()
        assert (refused[0] == passing[0], refused[1]) == (False, 302)
        await read_without_change()
        gate.clock.turn(timedelta(minutes=1))
        assert await answers() == passing
