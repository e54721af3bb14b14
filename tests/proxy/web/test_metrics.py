"""What is counted: once each, under names that keep to the rules, with labels that stay few."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families

from indexgate.index.counts import RESULTS as UPSTREAM_RESULTS
from indexgate.index.trace import Trace
from indexgate.log_lines import Event
from indexgate.web import metrics_reference
from indexgate.web.guard import server_timing
from indexgate.web.metric_table import METRICS
from indexgate.web.request_counts import KINDS, RESULTS, kind_of, result_of
from tests.heard import heard
from tests.proxy.web.running import JSON, NOW, Running, running
from tests.standins.faults import Status
from tests.standins.packages import project, wheel
from tests.standins.upstream import Upstream

OLD = wheel("demo", "1.0")
NEW = wheel("demo", "2.0", upload_time=NOW - timedelta(days=2))
DEMO = project("demo", OLD, NEW)
PAGE = Path(__file__).parents[3] / "docs" / "reference" / "metrics.md"


async def scraped(gate: Running) -> dict[str, Family]:
    async with gate.client.get("/-/metrics") as response:
        assert response.status == 200
        assert response.headers["Content-Type"].startswith("text/plain; version=")
        families = text_string_to_metric_families(await response.text())
        return {family.name: family for family in families}


def value(families: dict[str, Family], name: str, **labels: str) -> float | None:
    """Return the sample called *name* with exactly these labels; None when there is none."""
    for family in families.values():
        for sample in family.samples:
            if sample.name == name and sample.labels == labels:
                return float(sample.value)
    return None


async def test_requests_are_counted_by_kind_and_by_how_they_end(tmp_path: Path) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        page = await gate.json("/simple/demo/")
        async with gate.client.get("/simple/demo/", headers=JSON) as response:
            etag = response.headers["ETag"]
        assert await gate.status("/simple/demo/", **JSON, **{"If-None-Match": etag}) == 304
        assert await gate.status("/simple/absent/") == 404
        assert await gate.status("/simple/Demo/") == 301
        assert await gate.status(await gate.file_path("demo", OLD.filename)) == 200
        assert await gate.status(await gate.file_path("demo", NEW.filename)) == 302
        assert await gate.status("/simple/demo/", Accept="text/plain") == 406
        found = await scraped(gate)
        assert len(page["files"]) == 2

        def count(kind: str, result: str) -> float | None:
            return value(found, "indexgate_requests_total", kind=kind, result=result)

        assert count("page", "ok") == 4
        assert count("page", "not-modified") == 1
        assert count("page", "missing") == 1
        assert count("page", "redirect") == 1
        assert count("page", "turned-away") == 1
        assert count("file", "ok") == 1
        assert count("file", "refused") == 1
        assert value(found, "indexgate_request_seconds_count", kind="page") == 8
        assert value(found, "indexgate_requests_under_way") == 1  # the look itself
        assert value(found, "indexgate_response_bytes_total", kind="file") == len(OLD.content)


async def test_served_files_that_were_lost_to_replays_are_counted(tmp_path: Path) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        gate.parts.store.served._room = 1
        for package in (OLD, OLD):
            assert await gate.status(await gate.file_path("demo", package.filename)) == 200
        gate.parts.store.served._room = 0
        other = {"User-Agent": "uv/0.9.0"}
        path = await gate.file_path("demo", OLD.filename)
        assert await gate.status(path, **other) == 200
        found = await scraped(gate)
        assert value(found, "indexgate_served_files_waiting") == 2  # the file, and the project
        assert value(found, "indexgate_served_files_dropped_total") == 1


async def test_caches_upstream_and_verdicts_are_counted(tmp_path: Path) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        await gate.json("/simple/demo/")
        await gate.json("/simple/demo/")
        path = await gate.file_path("demo", OLD.filename)
        assert await gate.status(path) == 200
        await gate.parts.files.settle()  # until then whoever asks joins the first
        assert await gate.status(path) == 200
        refused = await gate.file_path("demo", NEW.filename)
        assert await gate.status(refused) == 302
        found = await scraped(gate)
        at = upstream.url
        assert value(found, "indexgate_page_lookups_total", kind="page", result="miss") == 1
        assert value(found, "indexgate_page_lookups_total", kind="page", result="hit") == 3
        assert value(found, "indexgate_file_lookups_total", kind="file", result="miss") == 1
        assert value(found, "indexgate_file_lookups_total", kind="file", result="hit") == 1
        assert value(found, "indexgate_file_cache_works") == 1
        asked = {"upstream": at, "what": "page", "result": "ok"}
        assert value(found, "indexgate_upstream_requests_total", **asked) == 1
        assert value(found, "indexgate_upstream_breaker_open", upstream=at) == 0
        verdicts = "indexgate_verdicts_total"
        assert value(found, verdicts, of="page", action="refuse", rule="too-new") == 4
        assert value(found, verdicts, of="file", action="refuse", rule="too-new") == 1
        assert value(found, verdicts, of="file", action="allow", rule="") == 2
        assert (value(found, "indexgate_page_memory_bytes", form="finished") or 0) > 0
        assert value(found, "indexgate_assessments") == 1


async def test_trouble_shows(tmp_path: Path) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        await gate.json("/simple/demo/")
        upstream.fault("/simple/*", Status(status=500))
        gate.clock.turn(timedelta(hours=1))
        await gate.json("/simple/demo/")
        assert await gate.status("/simple/other/", **JSON) == 502
        gate.policy.write_text("version = 'x'", encoding="utf-8")
        await gate.json("/simple/demo/")
        found = await scraped(gate)
        stale = value(found, "indexgate_page_lookups_total", kind="page", result="stale")
        assert (stale or 0) >= 1
        result = {"kind": "page", "result": "upstream-trouble"}
        assert value(found, "indexgate_requests_total", **result) == 1
        failed = {"upstream": upstream.url, "what": "page", "result": "status-5xx"}
        assert (value(found, "indexgate_upstream_requests_total", **failed) or 0) >= 2
        assert value(found, "indexgate_policy_broken") == 1
        assert value(found, "indexgate_policy_edits_total", result="rejected") == 1
        assert (value(found, "indexgate_degraded") or 0) >= 2


async def test_labels_hold_nothing_that_a_client_can_choose(tmp_path: Path) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        for path in ("/simple/chosen-a/", "/simple/chosen-b/", "/chosen-c", "/files/http/chosen/d"):
            await gate.status(path, **{"User-Agent": "chosen/1", "X-Request-Id": "chosen-00001"})
        async with gate.client.get("/-/metrics") as response:
            text = await response.text()
        assert "chosen" not in text
        allowed = {"kind": set(KINDS), "result": {*RESULTS, *UPSTREAM_RESULTS, *HERE}}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                for label, among in allowed.items():
                    assert sample.labels.get(label, next(iter(among))) in among


HERE = {"hit", "miss", "stale", "passed", "taken", "rejected"}


async def test_a_scraper_may_ask_for_open_metrics(tmp_path: Path) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        await gate.json("/simple/demo/")
        wish = {"Accept": "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"}
        async with gate.client.get("/-/metrics", headers=wish) as response:
            assert response.headers["Content-Type"].startswith("application/openmetrics-text")
            text = await response.text()
        families = open_metrics(text)  # type: ignore[no-untyped-call]
        names = {family.name for family in families}
        assert "indexgate_requests" in names


def test_names_keep_to_the_rules() -> None:
    names = [metric.name for metric in METRICS]
    assert len(set(names)) == len(names)
    for metric in METRICS:
        assert metric.name.startswith("indexgate_")
        assert not metric.name.endswith("_total")
        assert metric.says.endswith(".")
        assert (metric.kind == "histogram") <= metric.name.endswith("_seconds")


def test_the_page_in_the_documentation_is_the_rendered_one() -> None:
    # If it is not: `python -m indexgate.web.metrics_reference > docs/reference/metrics.md`.
    assert PAGE.read_text(encoding="utf-8") == metrics_reference.render()


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/simple", "list"),
        ("/simple/", "list"),
        ("/simple/demo", "page"),
        ("/simple//demo/", "page"),
        ("/files/https/a/b.whl", "file"),
        ("/files/https/a/b.whl.metadata", "metadata"),
        ("/pypi/demo/json", "document"),
        ("/blocked/a/1/b", "blocked"),
        ("/-/health", "health"),
        ("/-/metrics", "health"),
        ("/", "other"),
        ("/-/proof/x", "other"),
    ],
)
def test_a_request_is_of_a_kind_by_its_path(path: str, kind: str) -> None:
    assert kind_of(path) == kind
    assert kind in KINDS


def test_every_status_is_a_result() -> None:
    assert {result_of(status) for status in range(200, 600)} <= set(RESULTS)
    assert result_of(424, "upstream-dns") == "upstream-trouble"
    assert result_of(508, "loop") == "turned-away"


def test_server_timing_tells_where_the_time_went() -> None:
    trace = Trace("x", started=1.0)
    trace.upstream, trace.judge, trace.page = 0.0417, 0.0032, "miss"
    assert server_timing(trace, 1.046) == (
        "cache;desc=miss, upstream;dur=41.7, judge;dur=3.2, total;dur=46.0"
    )
    assert server_timing(Trace("x", started=1.0), 1.001) == "total;dur=1.0"


async def test_pages_and_files_carry_server_timing(tmp_path: Path) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        file = await gate.file_path("demo", OLD.filename)
        for path, cache in (("/simple/demo/", "hit"), (file, "miss"), ("/simple/", "hit")):
            async with gate.client.get(path, headers=JSON) as response:
                timing = response.headers["Server-Timing"]
                assert timing.startswith(f"cache;desc={cache}, ")
                assert "total;dur=" in timing
        async with gate.client.get("/-/health") as response:
            assert "Server-Timing" not in response.headers


def _requests(said: list[Event]) -> Iterator[Event]:
    yield from (line for line in said if line["event"] == "request")


async def test_a_refusal_is_one_line_that_can_be_found(tmp_path: Path) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        path = await gate.file_path("demo", NEW.filename)
        run = {"Authorization": "Basic cnVuLTAxMjM0NTY3ODlhYmNkZWY6eA=="}
        with heard() as said:
            async with gate.client.get(path, headers=run, allow_redirects=False) as response:
                their_id = response.headers["X-Request-Id"]
        [line] = _requests(said)
        assert line["id"] == their_id
        assert (line["kind"], line["result"], line["status"]) == ("file", "refused", 302)
        assert (line["project"], line["rule"]) == ("demo", "too-new")
        assert line["why"]
        assert line["run"] == "run-0123456789abcdef"
        assert "127.0.0.1" not in str({**line, "path": ""})


async def test_a_page_that_was_waited_for_says_so(tmp_path: Path) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        with heard() as said:
            page = await gate.json("/simple/demo/")
            await gate.json("/simple/demo/", **{"X-Other": "so that it is not answered verbatim"})
        first, second = _requests(said)
        assert page["name"] == "demo"
        assert first["cache"] == "miss"
        assert first["upstream_ms"] > 0
        assert second["cache"] == "hit"
        assert "upstream_ms" not in second
        assert first["bytes"] > 0
