"""Files, judged on every request, and what is written down of refusals."""

import asyncio
import hashlib
from base64 import b64encode
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Literal

import aiohttp
import pytest
from aiohttp import web
from packaging.utils import NormalizedName

from indexgate.index.file_answer import FileSource, respond
from indexgate.index.files import Wanted
from indexgate.sources.osv_records import FeedState, Record
from indexgate.web import file_routes
from indexgate_policy.advisories import Advisory
from indexgate_policy.flags import Severity
from indexgate_policy.rules.judge import Bench
from indexgate_policy.rules.verdict import Verdict
from indexgate_policy.subject import File
from tests.proxy.web.running import HTML, NOW, Running, running
from tests.standins.faults import Status, tampered
from tests.standins.packages import IndexedFile, project, sdist, wheel
from tests.standins.upstream import Upstream

OLD = wheel("demo", "1.0", padding=300_000)
NEW = wheel("demo", "2.0", upload_time=NOW - timedelta(days=2))
DEMO = project("demo", OLD, NEW)
AGES_AGO = NOW - timedelta(days=365)


def path_of(upstream: Upstream, file: IndexedFile) -> str:
    """Return a file's address at the gate without opening its page, as a lock file has it."""
    return "/files/http/" + upstream.file_url(file).removeprefix("http://")


async def refusals(gate: Running) -> list[tuple[str, str | None, str]]:
    found = gate.parts.store.decisions.query(since=AGES_AGO)
    return [(d.filename or "", d.run, d.rule) for d in found if d.kind == "refused"]


async def written(gate: Running) -> None:
    """Return when all that the gate keeps is on the disk."""
    await gate.parts.files.settle()
    await gate.parts.store.writer.commit(lambda _: None)


async def test_a_file_passes_whole_and_comes_from_the_cache_afterwards(tmp_path: Path) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        path = path_of(upstream, OLD)
        for _ in range(2):
            async with gate.client.get(path) as response:
                assert response.status == 200
                assert await response.read() == OLD.content
                assert response.headers["Cache-Control"] == "no-cache"
                etag = response.headers["ETag"]
        await gate.parts.files.settle()
        assert upstream.count(OLD.path) == 1
        assert await gate.status(path, **{"If-None-Match": etag}) == 304


async def test_an_address_is_the_same_however_the_client_escapes_it(tmp_path: Path) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        escaped = path_of(upstream, OLD).replace("127.0.0.1:", "127.0.0.1%3A")
        assert await gate.status(escaped) == 200


async def test_the_time_that_its_page_took_counts_towards_the_deadline_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_at: list[float] = []

    async def noting(
        request: web.Request, wanted: Wanted, source: FileSource
    ) -> web.StreamResponse:
        asked_at.append(source.asked_at)
        return await respond(request, wanted, source)

    monkeypatch.setattr(file_routes, "respond", noting)
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        held = upstream.hold("/simple/demo/")
        asking = asyncio.create_task(gate.status(path_of(upstream, OLD)))
        await held.reached()
        page_came = asyncio.get_running_loop().time()
        held.release()
        assert await asking == 200
    assert asked_at[0] < page_came


async def test_core_metadata_is_served_for_files_that_have_it(tmp_path: Path) -> None:
    bare = wheel("demo", "0.9", core_metadata=False)
    async with (
        Upstream(project("demo", OLD, bare)) as upstream,
        running(upstream, tmp_path) as gate,
    ):
        async with gate.client.get(path_of(upstream, OLD) + ".metadata") as response:
            assert response.status == 200
            assert await response.read() == OLD.metadata
        assert await gate.status(path_of(upstream, bare) + ".metadata") == 404
        assert await gate.status(path_of(upstream, OLD) + ".asc") == 404


@pytest.mark.parametrize("suffix", ["", ".metadata"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_refused_file_leads_to_a_403_that_says_why(
    tmp_path: Path, method: str, suffix: str
) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        path = path_of(upstream, NEW) + suffix
        headers = {"Range": "bytes=0-10", "If-None-Match": "*"}
        async with gate.client.request(
            method, path, headers=headers, allow_redirects=False
        ) as response:
            assert response.status == 302
            assert response.headers["Cache-Control"] == "no-store"
            location = response.headers["Location"]
            assert "/blocked/demo/2.0/demo-2.0-was-uploaded-2026-11-20" in location
        async with gate.client.request(method, path, headers=headers) as response:
            assert response.status == 403
            assert (response.reason or "").startswith(
                "Blocked by indexgate: demo 2.0 was uploaded 2026-11-20 12:00 UTC"
            )
            assert response.headers["Content-Type"] == "application/problem+json"
            if method == "GET":
                problem = await response.json(content_type=None)
                assert problem["rule"] == "too-new"
                assert "`demo==1.0` passes now" in problem["detail"]
                assert "http://gate.example.test/blocked/demo/2.0/" in problem["detail"]
        assert upstream.count(NEW.path) == 0


async def test_a_refusal_is_recorded_before_it_is_told(tmp_path: Path) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        run = "Basic " + b64encode(b"run-0123456789abcdef:x").decode()
        secret = "Basic " + b64encode(b"me:password").decode()
        for authorization in (run, secret, "Bearer token"):
            path = path_of(upstream, NEW)
            assert await gate.status(path, Authorization=authorization) == 302
        assert sorted(await refusals(gate), key=str) == [
            (NEW.filename, "run-0123456789abcdef", "too-new"),
            (NEW.filename, None, "too-new"),
            (NEW.filename, None, "too-new"),
        ]


async def test_a_page_that_withholds_is_counted(tmp_path: Path) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        await gate.json("/simple/demo/")
        await gate.json("/simple/demo/")
        assert await gate.parts.store.decisions.flush()
        [row] = gate.parts.store.decisions.query(since=AGES_AGO)
        assert (row.kind, row.rule, row.count) == ("withheld", "too-new", 2)


async def test_hide_refuses_the_file_itself(tmp_path: Path) -> None:
    async with (
        Upstream(DEMO) as upstream,
        running(upstream, tmp_path, presentation="hide") as gate,
        gate.client.get(path_of(upstream, NEW), allow_redirects=False) as response,
    ):
        assert response.status == 403
        assert "demo 2.0 was uploaded" in (response.reason or "")


async def test_the_blocked_page_is_for_people_and_takes_nothing_from_its_path(
    tmp_path: Path,
) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        lying = f"/blocked/demo/7.7/all-is-well-<script>?file={NEW.filename}"
        async with gate.client.get(lying, headers=HTML) as response:
            assert response.status == 403
            text = await response.text()
        assert "demo 2.0 is refused by indexgate" in text
        assert "too-new" in text
        assert "<code>demo==1.0</code> passes now" in text
        assert "[[exemption]]" in text
        assert "all-is-well" not in text
        gate.clock.turn(timedelta(days=6))
        async with gate.client.get(lying, headers=HTML) as response:
            assert response.status == 200
            assert "demo 2.0 passes now" in await response.text()
        async with gate.client.get(lying) as response:
            assert "passes now, run again" in await response.text()


async def test_a_file_that_no_page_lists_is_not_there(tmp_path: Path) -> None:
    other = project("other", wheel("other", "1.0"))
    async with Upstream(DEMO, other) as upstream, running(upstream, tmp_path) as gate:
        path = path_of(upstream, OLD)
        assert await gate.status(path.replace("demo-1.0", "demo-1.1")) == 404
        assert await gate.status(path.replace(f":{upstream.port}", ":1")) == 404
        assert await gate.status(path.replace("/packages/", "/elsewhere/")) == 404
        assert await gate.status(path.replace("demo-1.0", "other-1.0")) == 404


async def test_a_file_with_the_wrong_bytes_is_never_finished_nor_kept(tmp_path: Path) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        upstream.fault(OLD.path, tampered(), times=1)
        async with gate.client.get(path_of(upstream, OLD)) as response:
            assert response.status == 200
            with pytest.raises(aiohttp.ClientPayloadError):
                await response.read()
        await gate.parts.files.settle()
        async with gate.client.get(path_of(upstream, OLD)) as response:
            assert hashlib.sha256(await response.read()).hexdigest() == OLD.sha256


async def test_a_file_that_upstream_dropped_is_refused_until_that_is_waived(
    tmp_path: Path,
) -> None:
    waiver = """\
version = 1
[[exemption]]
project = "demo"
rule = "removed-upstream"
reason = "we need it"
owner = "me"
expires = 2026-12-31
"""
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        path = path_of(upstream, OLD)
        assert await gate.status(path) == 200
        await written(gate)
        upstream.add(DEMO.changed(files=(NEW,)))
        gate.clock.turn(timedelta(hours=1))
        async with gate.client.get(path) as response:
            assert response.status == 403
            assert "was removed from the index" in (response.reason or "")
        assert (OLD.filename, None, "removed-upstream") in await refusals(gate)
        gate.policy.write_text(waiver, encoding="utf-8")
        async with gate.client.get(path) as response:
            assert response.status == 200
            assert await response.read() == OLD.content


async def test_a_whole_project_that_vanished_is_told_the_same_way(tmp_path: Path) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        path = path_of(upstream, OLD)
        assert await gate.status(path) == 200
        await written(gate)
        upstream.remove("demo")
        gate.clock.turn(timedelta(hours=1))
        assert await gate.status(path) == 403
        assert await gate.status(path_of(upstream, NEW)) == 404


async def test_ranges_are_served_cold_and_warm(tmp_path: Path) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        for _ in range(2):
            async with gate.client.get(
                path_of(upstream, OLD), headers={"Range": "bytes=-1000"}
            ) as response:
                assert response.status == 206
                assert await response.read() == OLD.content[-1000:]
        assert await gate.status(path_of(upstream, OLD), Range="bytes=9999999-") == 416


async def test_a_file_of_which_a_part_was_read_is_in_the_cache_next_time(tmp_path: Path) -> None:
    large = wheel("demo", "3.0", padding=2_000_000)
    async with (
        Upstream(project("demo", large)) as upstream,
        running(upstream, tmp_path) as gate,
    ):
        path = path_of(upstream, large)
        assert await gate.status(path, Range="bytes=-1000") == 206
        await gate.parts.whole_files.settle()
        await gate.parts.files.settle()
        assert sorted(a.headers.get("Range", "") for a in upstream.asked(large.path)) == [
            "",
            f"bytes={len(large.content) - 1000}-{len(large.content) - 1}",
        ]
        await upstream.stop()
        async with gate.client.get(path, headers={"Range": "bytes=-1000"}) as response:
            assert await response.read() == large.content[-1000:]


WAIVED = """\
version = 1

[[rule]]
id = "malware"
action = "refuse"
when = { advisory = "malware" }
unknown = "allow"

[[exemption]]
project = "*"
rule = "removed-upstream"
reason = "mirrors lag"
owner = "me"
expires = 2026-12-31
"""


async def test_no_waiver_of_removals_lets_a_quarantined_file_through(tmp_path: Path) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path, WAIVED) as gate:
        assert await gate.status(path_of(upstream, OLD)) == 200
        await written(gate)
        upstream.add(DEMO.changed(files=(), status="quarantined"))
        gate.clock.turn(timedelta(hours=1))
        for file in (OLD, NEW):  # one that was served, one that never was
            async with gate.client.get(path_of(upstream, file)) as response:
                assert response.status == 403
                assert "quarantined" in (response.reason or "")


async def test_no_waiver_of_removals_lets_known_malware_through(tmp_path: Path) -> None:
    async with Upstream(DEMO) as upstream:
        async with running(upstream, tmp_path, WAIVED, upstream_public="yes") as gate:
            assert await gate.status(path_of(upstream, OLD)) == 200
            await written(gate)
            upstream.remove("demo")
            await advised(gate, "malware")
            gate.clock.turn(timedelta(hours=1))
            async with gate.client.get(path_of(upstream, OLD)) as response:
                assert response.status == 403
                assert "MAL-2026-1" in (response.reason or "")


async def test_a_file_newer_than_the_stored_page_is_found(tmp_path: Path) -> None:
    async with Upstream(project("demo", OLD)) as upstream, running(upstream, tmp_path) as gate:
        await gate.json("/simple/demo/")
        newer = wheel("demo", "1.1")
        upstream.add(project("demo", OLD, newer))
        gate.clock.turn(timedelta(seconds=30))
        assert await gate.status(path_of(upstream, newer)) == 200


async def test_a_file_is_not_said_to_be_missing_by_an_old_page_alone(tmp_path: Path) -> None:
    async with Upstream(project("demo", OLD)) as upstream, running(upstream, tmp_path) as gate:
        await gate.json("/simple/demo/")
        gate.clock.turn(timedelta(hours=1))
        upstream.fault("/simple/demo/", Status(status=500))
        assert await gate.status(path_of(upstream, wheel("demo", "1.1"))) == 424


async def test_a_name_that_could_be_many_projects_costs_few_requests(tmp_path: Path) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        many = "-".join("x" * 20)
        assert await gate.status(f"/files/https/f.example.test/{many}-1.0.tar.gz") == 404
        assert upstream.count("/simple/*") <= 3


async def test_a_file_whose_name_tells_no_project_is_served_once_its_page_was(
    tmp_path: Path,
) -> None:
    odd = replace(wheel("demo", "1.0"), filename="demo.zip")
    async with Upstream(project("demo", odd)) as upstream, running(upstream, tmp_path) as gate:
        path = await gate.file_path("demo", "demo.zip")
        await written(gate)
        assert await gate.status(path) == 200


async def test_a_refused_file_of_a_passing_version_is_passed_over(tmp_path: Path) -> None:
    policy = """\
version = 1

[[rule]]
id = "no-sdists"
action = "refuse"
when = { kind = "sdist" }
"""
    both = project("demo", OLD, sdist("demo", "1.0"))
    async with Upstream(both) as upstream, running(upstream, tmp_path, policy) as gate:
        page = await gate.json("/simple/demo/")
        yanked = {file["filename"]: file.get("yanked", False) for file in page["files"]}
        assert yanked[OLD.filename] is False
        assert str(yanked["demo-1.0.tar.gz"]).startswith("blocked by indexgate: ")


async def advised(gate: Running, kind: Literal["malware", "vulnerability"]) -> None:
    """Have the advisory feed name demo 1.0."""
    advisory = Advisory(
        id="MAL-2026-1" if kind == "malware" else "PYSEC-2026-1",
        kind=kind,
        severity=Severity.HIGH,
        summary="said of demo",
        versions=("1.0",),
    )
    record = Record(
        id=advisory.id,
        modified=NOW,
        withdrawn=False,
        advisories=((NormalizedName("demo"), advisory),),
    )
    state = FeedState(fetched_at=gate.clock(), newest_modified=NOW, etag=None, records=1)
    await asyncio.to_thread(gate.parts.store.advisories.replace_all, [record], state)


async def test_a_refused_file_of_a_long_page_costs_no_verdict_on_all_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheels = [wheel("demo", f"{n}.0") for n in range(200)]
    policy = (
        'version = 1\n[[rule]]\nid = "late"\naction = "refuse"\n'
        'when = { version = ">=100" }\nunknown = "allow"\n'
    )
    judged: list[str] = []
    verdict = Bench.verdict

    def counted(bench: Bench, file: File) -> Verdict:
        judged.append(file.version)
        return verdict(bench, file)

    async with (
        Upstream(project("demo", *wheels)) as upstream,
        running(upstream, tmp_path, policy) as gate,
    ):
        await gate.json("/simple/demo/")
        monkeypatch.setattr(Bench, "verdict", counted)
        name = wheels[101].filename
        async with gate.client.get(f"/blocked/demo/101.0/x?file={name}") as response:
            assert response.status == 403
            told = (await response.json(content_type=None))["hint"]
        assert told.startswith("`demo==99.0` passes now; ")
        assert set(judged) == {f"{n}.0" for n in range(95, 102)}  # five that pass are told
