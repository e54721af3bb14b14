"""OSV's questions answered with the gate's verdicts."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import canonicalize_name

from indexgate.finished_page import FinishedPage
from indexgate.indexes import Indexes
from tests.proxy.web.running import NOW, Running, running
from tests.standins.faults import Status
from tests.standins.packages import LONG_AGO, project, sdist, wheel
from tests.standins.upstream import Upstream

DEMO = project(
    "demo",
    wheel("demo", "1.0"),
    wheel("demo", "2.0", upload_time=NOW - timedelta(days=2)),
)
HELD = project("held", wheel("held", "1.0")).changed(status="quarantined")
UV = {"User-Agent": 'uv/0.13.9 {"ci":null}'}
NO_SDISTS = """\
version = 1

[[rule]]
id = "no-sdists"
action = "refuse"
when = { kind = "sdist" }
"""


def asks(*pins: str) -> dict[str, Any]:
    split = [pin.partition("==") for pin in pins]
    return {
        "queries": [
            {"package": {"name": name, "ecosystem": "PyPI"}, "version": version}
            for name, _, version in split
        ]
    }


async def ids(gate: Running, *pins: str, base: str = "/osv/v1") -> list[str | None]:
    async with gate.client.post(f"{base}/querybatch", json=asks(*pins), headers=UV) as response:
        assert response.status == 200, await response.text()
        assert response.headers["Cache-Control"] == "no-store"
        results = (await response.json())["results"]
    return [result["vulns"][0]["id"] if result else None for result in results]


async def test_a_batch_is_answered_in_its_order(tmp_path: Path) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        found = await ids(gate, "demo==1.0", "demo==2.0", "Demo==1", "demo==2.0.0")
        again = await ids(gate, "demo==2.0", base="/v1")
    assert found[0] is None
    assert found[2] is None
    assert found[1] is not None
    assert found[1].startswith("MAL-blocked-by-indexgate:demo:2.0:demo-2.0-was-uploaded-2026-11-20")
    assert found[3] is not None
    assert again == [found[1]]


async def test_what_was_refused_stands_in_the_record(tmp_path: Path) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        decisions = gate.parts.store.decisions
        await ids(gate, "demo==1.0")
        await decisions.flush()
        assert not list(decisions.query(since=LONG_AGO))
        await ids(gate, "demo==2.0")
        await decisions.flush()
        [row] = decisions.query(since=LONG_AGO)
        assert (row.kind, row.rule, tuple(row.versions)) == ("withheld", "too-new", ("2.0",))


@pytest.mark.parametrize(
    ("pin", "slug"),
    [
        ("nobody==1.0", "the-index-behind-the-gate-has-no-project-nobody"),
        ("demo==1.5", "the-index-behind-the-gate-no-longer-lists-demo-1.5"),
        ("held==1.0", "held-is-quarantined-by-its-index"),
    ],
)
async def test_what_the_index_does_not_offer_is_blocked(
    tmp_path: Path, pin: str, slug: str
) -> None:
    async with Upstream(DEMO, HELD) as upstream, running(upstream, tmp_path, "version = 1\n") as g:
        [found] = await ids(g, pin)
    assert found is not None
    assert found.endswith(slug)


async def test_a_version_with_a_file_that_passes_is_not_blocked(tmp_path: Path) -> None:
    both = project("both", wheel("both", "1.0"), sdist("both", "1.0"), sdist("both", "2.0"))
    async with Upstream(both) as upstream, running(upstream, tmp_path, NO_SDISTS) as gate:
        passing, blocked = await ids(gate, "both==1.0", "both==2.0")
    assert passing is None
    assert blocked is not None


async def test_a_version_that_comes_while_a_page_is_judged_is_not_taken_for_a_good_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = wheel("demo", "3.0", upload_time=NOW)
    judging, news = Indexes.page, [project("demo", *DEMO.files, newer)]
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:

        async def page_and_news(self: Indexes, *asked: Any, **more: Any) -> FinishedPage:
            page = await judging(self, *asked, **more)
            while news:
                upstream.add(news.pop())
                gate.clock.turn(timedelta(hours=1))
                await gate.parts.gate.index.snapshot(canonicalize_name("demo"), max_age=1.0)
            return page

        await ids(gate, "demo==1.0")
        monkeypatch.setattr(Indexes, "page", page_and_news)
        [found] = await ids(gate, "demo==3.0")
    assert found is not None
    assert "demo-3.0-was-uploaded" in found


async def test_one_question_and_its_id_are_answered_with_the_whole_record(tmp_path: Path) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        [query] = asks("demo==2.0")["queries"]
        async with gate.client.post("/osv/v1/query", json=query) as response:
            [record] = (await response.json())["vulns"]
        async with gate.client.get(f"/osv/v1/vulns/{record['id']}") as response:
            assert await response.json() == record
        gate.clock.turn(timedelta(days=6))
        assert await gate.status(f"/osv/v1/vulns/{record['id']}") == 404
        assert await gate.status("/osv/v1/vulns/MAL-2026-1") == 404
    assert record["database_specific"]["rule"] == "too-new"
    assert "demo 2.0 was uploaded 2026-11-20" in record["details"]


async def test_what_cannot_be_judged_fails_the_batch_with_the_reason(tmp_path: Path) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        await ids(gate, "demo==1.0")
        upstream.fault("/simple/other/", Status(status=500))
        asked = asks("demo==1.0", "other==1.0")
        async with gate.client.post("/osv/v1/querybatch", json=asked, headers=UV) as response:
            assert response.status == 424
            assert "500" in str(response.reason)


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("querybatch", b""),
        ("querybatch", b"[]"),
        ("querybatch", b'{"queries": [[]]}'),
        ("querybatch", b"\xff\xfe"),
        ("query", b"[]"),
        ("query", b'{"package": 1}'),
    ],
)
async def test_what_is_no_question_is_told_so(tmp_path: Path, what: str, body: bytes) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        async with gate.client.post(f"/osv/v1/{what}", data=body) as response:
            problem = await response.json(content_type=None)
            assert response.status == 400
            assert problem["type"] == "urn:indexgate:bad-query"
    assert not upstream.count()


@pytest.mark.parametrize("page_before", [False, True])
async def test_a_report_that_the_index_alone_has_blocks_at_the_very_first_question(
    tmp_path: Path, *, page_before: bool
) -> None:
    """No file need be asked for here afterwards: a lock file may name the index's own addresses."""
    policy = (
        'version = 1\n[[rule]]\nid = "reported"\naction = "refuse"\n'
        'when.flag = { id = "malware" }\nunknown = "allow"\n'
    )
    reported = DEMO.changed(vulnerabilities=("MAL-2026-1",))
    async with Upstream(reported) as upstream, running(upstream, tmp_path, policy) as gate:
        if page_before:
            await gate.json("/simple/demo/", **UV)
            gate.clock.turn(timedelta(seconds=1))
        older, newest = await ids(gate, "demo==1.0", "demo==2.0")
    assert older is None
    assert newest is not None
