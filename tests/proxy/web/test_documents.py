"""The JSON documents beside the index, with the policy applied."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.proxy.web.running import BASE, NOW, TOO_NEW, running
from tests.standins.faults import Status
from tests.standins.packages import project, sdist, wheel
from tests.standins.upstream import Upstream

DAYS_AGO_2 = NOW - timedelta(days=2)
DEMO = project(
    "demo",
    wheel("demo", "1.0"),
    wheel("demo", "1.1", requires=["other"]),
    wheel("demo", "2.0", upload_time=DAYS_AGO_2),
    sdist("demo", "2.0", upload_time=DAYS_AGO_2),
)
EVIL = project("evil-demo", wheel("evil-demo", "1.0"))
REASON = "blocked by indexgate: demo 2.0 was uploaded 2026-11-20"


def files(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {f["filename"]: f for some in document["releases"].values() for f in some}


async def test_it_marks_what_the_page_marks_and_leads_to_the_gate(tmp_path: Path) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        document = await gate.json("/pypi/demo/json")
        page = await gate.json("/simple/demo/")
    found = files(document)
    assert set(found) == {file["filename"] for file in page["files"]}
    for listed in page["files"]:
        told = found[listed["filename"]]
        assert told["url"] == BASE + listed["url"].removeprefix("../../")
        assert told["yanked_reason"] == (listed.get("yanked") or None)
    assert found["demo-2.0.tar.gz"]["yanked_reason"].startswith(REASON)
    assert document["ownership"] == {
        "roles": [{"role": "Owner", "user": "somebody"}],
        "organization": None,
    }


async def test_the_latest_is_the_newest_version_that_passes(tmp_path: Path) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        document = await gate.json("/pypi/demo/json")
        assert document["info"]["version"] == "1.1"
        assert document["info"]["requires_dist"] == ["other"]
        assert [file["filename"] for file in document["urls"]] == ["demo-1.1-py3-none-any.whl"]
        gate.clock.turn(timedelta(days=6))
        document = await gate.json("/pypi/demo/json")
        assert document["info"]["version"] == "2.0"
        assert document["info"]["yanked"] is False


async def test_a_version_has_a_document_of_its_own(tmp_path: Path) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        passing = await gate.json("/pypi/demo/1.1/json")
        refused = await gate.json("/pypi/demo/2.0/json")
        assert await gate.status("/pypi/demo/9.9/json") == 404
        assert await gate.status("/pypi/nobody/1.0/json") == 404
    assert passing["info"]["version"] == "1.1"
    assert passing["info"]["yanked"] is False
    assert refused["info"]["yanked"] is True
    assert refused["info"]["yanked_reason"].startswith(REASON)
    assert {file["yanked"] for file in refused["urls"]} == {True}
    assert not upstream.count("*9.9*")


async def test_other_spellings_of_a_version_are_one_question_upstream(tmp_path: Path) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        for spelling in ("1.1", "v1.1", "1.1.0", "1.1.0.0", "01.1"):
            assert (await gate.json(f"/pypi/demo/{spelling}/json"))["info"]["version"] == "1.1"
        asked = upstream.count("/pypi/demo/*1*/json")
        assert asked == upstream.count("/pypi/demo/1.1/json") == 1


async def test_where_refusals_are_hidden_so_they_are_here(tmp_path: Path) -> None:
    async with (
        Upstream(DEMO, EVIL) as upstream,
        running(upstream, tmp_path, presentation="hide") as gate,
    ):
        document = await gate.json("/pypi/demo/json")
        assert list(document["releases"]) == ["1.0", "1.1"]
        assert (await gate.json("/pypi/demo/2.0/json"))["urls"] == []
        assert await gate.status("/pypi/evil-demo/json") == 451


async def test_of_a_refused_project_the_files_lead_to_the_reason(tmp_path: Path) -> None:
    async with Upstream(EVIL) as upstream, running(upstream, tmp_path) as gate:
        [file] = (await gate.json("/pypi/evil-demo/json"))["urls"]
        assert file["yanked"] is False, "else Poetry would say no more than that nothing matches"
        path = file["url"].removeprefix(BASE.rstrip("/"))
        async with gate.client.get(path, allow_redirects=False) as response:
            assert response.status == 302
            assert "evil-name" not in response.headers["Location"]
            assert "/blocked/evil-demo/1.0/" in response.headers["Location"]


@pytest.mark.parametrize(
    ("asked", "location"),
    [
        ("/pypi/De.Mo/json", "../de-mo/json"),
        ("/pypi/De.Mo/1.0/json", "../../de-mo/1.0/json"),
        ("/pypi/demo/json/", "../json"),
        ("/pypi/demo/1.0/json/?a=b", "../json?a=b"),
    ],
)
async def test_other_spellings_lead_to_the_one_address(
    tmp_path: Path, asked: str, location: str
) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        async with gate.client.get(asked, allow_redirects=False) as response:
            assert response.status == 301
            assert response.headers["Location"] == location


@pytest.mark.parametrize("coding", ["identity", "gzip"])
async def test_it_has_an_etag_and_answers_304(tmp_path: Path, coding: str) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        asked = {"Accept-Encoding": coding}
        async with gate.client.get("/pypi/demo/json", headers=asked) as response:
            etag = response.headers["ETag"]
            assert response.headers["Content-Type"] == "application/json"
            assert response.headers["Cache-Control"] == "no-cache"
            assert response.headers["X-PyPI-Last-Serial"] == "1"
        again = {**asked, "If-None-Match": etag}
        async with gate.client.get("/pypi/demo/json", headers=again) as response:
            assert response.status == 304
        gate.policy.write_text("version = 1\n", encoding="utf-8")
        async with gate.client.get("/pypi/demo/json", headers=again) as response:
            assert response.status == 200
            assert response.headers["ETag"] != etag
        async with gate.client.head("/pypi/demo/json") as response:
            assert response.status == 200
            assert await response.read() == b""


async def test_a_known_document_stands_in_when_upstream_fails(tmp_path: Path) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        before = await gate.json("/pypi/demo/json")
        gate.clock.turn(timedelta(minutes=20))
        upstream.hold("/pypi/*")
        upstream.hold("/simple/*")
        async with gate.client.get("/pypi/demo/json") as response:
            assert response.status == 200
            assert "upstream" in response.headers["Indexgate-Stale"]
            assert await response.json() == before


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Status(status=500), "status"),
        (Status(status=429, headers={"Retry-After": "70"}), "status"),
        (Status(status=200, body=b"<html>log in</html>", content_type="text/html"), "garbage"),
        (Status(status=200, body=b'{"info": {"name": "another"}}'), "garbage"),
    ],
    ids=["500", "429", "portal", "another"],
)
async def test_an_unknown_one_fails_in_the_words_of_the_gate(
    tmp_path: Path, fault: Status, kind: str
) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        upstream.fault("/pypi/*", fault)
        poetry = {"User-Agent": "poetry/2.5"}
        async with gate.client.get("/pypi/demo/json", headers=poetry) as response:
            problem = await response.json(content_type=None)
            assert response.status == 424
            assert problem["type"] == f"urn:indexgate:upstream-{kind}"
            assert "the document of demo is not in the local cache" in problem["detail"]


async def test_a_quarantined_project_has_no_document(tmp_path: Path) -> None:
    held = DEMO.changed(status="quarantined")
    async with Upstream(held) as upstream, running(upstream, tmp_path) as gate:
        assert await gate.status("/pypi/demo/json") == 404


async def test_what_the_page_does_not_list_is_not_offered_here(tmp_path: Path) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path, TOO_NEW) as gate:
        await gate.json("/simple/demo/")
        upstream.add(project("demo", *DEMO.files, wheel("demo", "3.0")))
        document = await gate.json("/pypi/demo/json")
    assert "demo-3.0-py3-none-any.whl" not in files(document)
