"""Project pages as clients get them."""

import asyncio
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from yarl import URL

from indexgate.finished_page import FinishedPage, finish
from indexgate.grace import Grace
from tests.proxy.web.running import HTML, JSON, NOW, running
from tests.standins.faults import Status
from tests.standins.packages import project, sdist, wheel
from tests.standins.upstream import Upstream

DAYS_AGO_2 = NOW - timedelta(days=2)
DEMO = project(
    "demo",
    wheel("demo", "1.0"),
    wheel("demo", "1.1", yanked="broken on Windows"),
    wheel("demo", "2.0", upload_time=DAYS_AGO_2),
    sdist("demo", "2.0", upload_time=DAYS_AGO_2),
)
EVIL = project("evil-demo", wheel("evil-demo", "1.0", yanked="oops\r\nX-Injected: 1"))
UV = {"User-Agent": 'uv/0.13.9 {"ci":null}'}
PIP = {"User-Agent": 'pip/26.3 {"ci":true}'}


def by_name(page: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {file["filename"]: file for file in page["files"]}


@pytest.mark.parametrize("accept", [JSON, HTML], ids=["json", "html"])
@pytest.mark.parametrize("coding", ["identity", "gzip"])
async def test_every_variant_has_an_etag_of_its_own_and_answers_304(
    tmp_path: Path, accept: dict[str, str], coding: str
) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        asked = {**accept, "Accept-Encoding": coding}
        async with gate.client.get("/simple/demo/", headers=asked) as response:
            assert response.status == 200
            assert response.headers["Cache-Control"] == "no-cache"
            assert response.headers["Vary"] == "Accept, Accept-Encoding, User-Agent"
            assert response.headers["Access-Control-Allow-Origin"] == "*"
            etag = response.headers["ETag"]
            assert not etag.startswith("W/")
            assert (response.headers.get("Content-Encoding") == "gzip") == (coding == "gzip")
        again = {**asked, "If-None-Match": f'"other", {etag}'}
        async with gate.client.get("/simple/demo/", headers=again) as response:
            assert response.status == 304
            assert response.headers["ETag"] == etag
            assert response.headers["Vary"]
        other = {**asked, "Accept-Encoding": "identity" if coding == "gzip" else "gzip"}
        async with gate.client.get("/simple/demo/", headers=other) as response:
            assert response.headers["ETag"] != etag


MANY = project("many", *(sdist("many", f"1.{number}") for number in range(3)))
NOT_FOR_PIP = """\
version = 1

[[rule]]
id = "not-for-pip"
action = "refuse"
when = { client = { family = "pip" }, version = "==1.2" }
unknown = "allow"
"""


async def test_all_who_ask_at_once_get_a_large_page_that_is_made_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, met, all_there = [], [], threading.Event()
    note = Grace.note

    def noted(*given: Any) -> None:
        met.append(given)
        if len(met) == 5:
            all_there.set()
        note(*given)

    def finished(*given: Any, **more: Any) -> FinishedPage:
        assert all_there.wait(30)
        made.append(given)
        return finish(*given, **more)

    monkeypatch.setattr(Grace, "note", noted)
    monkeypatch.setattr("indexgate.gate.finish", finished)
    monkeypatch.setattr("indexgate.gate._LARGE", 2)
    async with Upstream(MANY) as upstream, running(upstream, tmp_path) as gate:
        pages = await asyncio.gather(*(gate.json("/simple/many/") for _ in range(5)))
    assert [len(page["files"]) for page in pages] == [3] * 5
    assert len(made) == 1


async def test_a_large_page_is_not_given_to_who_has_another_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexgate.gate._LARGE", 2)
    agents = ("pip/26.0", "poetry/2.0", "pip/25.0", "another/1.0")
    async with Upstream(MANY) as upstream, running(upstream, tmp_path, NOT_FOR_PIP) as gate:
        asks = [gate.json("/simple/many/", **{"User-Agent": agent}) for agent in agents]
        pages = await asyncio.gather(*asks)
    refused = [any("yanked" in file for file in page["files"]) for page in pages]
    assert refused == [agent.startswith("pip/") for agent in agents]


async def test_a_file_that_passes_keeps_every_field_of_upstream(tmp_path: Path) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        ours = by_name(await gate.json("/simple/demo/"))["demo-1.0-py3-none-any.whl"]
        async with gate.client.session.get(upstream.page_url("demo"), headers=JSON) as response:
            theirs = by_name(await response.json(content_type=None))["demo-1.0-py3-none-any.whl"]
        swapped = theirs.pop("url").removeprefix("http://").replace(":", "~")
        assert ours.pop("url") == f"../../files/http/{swapped}"
        # PEP 714: the old alias of `core-metadata` is not written; an absent `yanked` is false.
        assert {key: value for key, value in theirs.items() if value is not False} == {
            **ours,
            **{key: theirs[key] for key in ("data-dist-info-metadata",) if key in theirs},
        }


async def test_a_refused_version_is_yanked_with_the_reason_and_has_no_metadata(
    tmp_path: Path,
) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        page = await gate.json("/simple/demo/")
        files = by_name(page)
        for filename in ("demo-2.0-py3-none-any.whl", "demo-2.0.tar.gz"):
            yanked = files[filename]["yanked"]
            assert yanked.startswith("blocked by indexgate: demo 2.0 was uploaded 2026-11-20")
            assert " - see http://gate.example.test/blocked/demo/2.0/" in yanked
            assert "core-metadata" not in files[filename]
        assert files["demo-1.1-py3-none-any.whl"]["yanked"] == "broken on Windows"
        assert "core-metadata" in files["demo-1.0-py3-none-any.whl"]
        assert page["versions"] == ["1.0", "1.1", "2.0"]


async def test_a_refused_project_stays_listed_and_only_uv_is_told_by_a_yank(
    tmp_path: Path,
) -> None:
    fine = project("evil-fine", wheel("evil-fine", "1.0"))
    async with Upstream(fine) as upstream, running(upstream, tmp_path) as gate:
        [for_pip] = (await gate.json("/simple/evil-fine/", **PIP))["files"]
        [for_uv] = (await gate.json("/simple/evil-fine/", **UV))["files"]
        assert for_pip.get("yanked", False) is False
        assert "core-metadata" not in for_pip
        assert for_uv["yanked"].startswith("blocked by indexgate: ")


async def test_upstreams_yank_reason_follows_ours_and_writes_no_header(tmp_path: Path) -> None:
    async with Upstream(EVIL) as upstream, running(upstream, tmp_path) as gate:
        [file] = (await gate.json("/simple/evil-demo/", **UV))["files"]
        assert "; yanked upstream: oops" in file["yanked"]
        path = await gate.file_path("evil-demo", "evil_demo-1.0-py3-none-any.whl")
        async with gate.client.get(path, headers=UV) as response:
            assert response.status == 403
            assert "X-Injected" not in response.headers


async def test_hide_leaves_out_what_is_refused(tmp_path: Path) -> None:
    async with (
        Upstream(DEMO, EVIL) as upstream,
        running(upstream, tmp_path, presentation="hide") as gate,
    ):
        page = await gate.json("/simple/demo/")
        assert set(by_name(page)) == {"demo-1.0-py3-none-any.whl", "demo-1.1-py3-none-any.whl"}
        assert page["versions"] == ["1.0", "1.1"]
        async with gate.client.get("/simple/evil-demo/", headers=JSON) as response:
            assert response.status == 451
            assert response.headers["Content-Type"] == "application/problem+json"
            assert response.reason == "Blocked by indexgate: the policy names evil-demo"
            assert (await response.json(content_type=None))["rule"] == "evil-name"


@pytest.mark.parametrize("presentation", ["explain", "hide"])
async def test_a_quarantined_project_offers_no_file_under_any_policy(
    tmp_path: Path, presentation: str
) -> None:
    bad = project("bad", wheel("bad", "1.0"), status="quarantined")
    async with (
        Upstream(bad) as upstream,
        running(upstream, tmp_path, "version = 1\n", presentation=presentation) as gate,
    ):
        async with gate.client.get("/simple/bad/", headers=JSON) as response:
            page = await response.json(content_type=None)
        if presentation == "explain":
            assert page["files"] == []
            assert page["project-status"]["status"] == "quarantined"
        [file] = bad.files
        path = "/files/http/" + upstream.file_url(file).removeprefix("http://")
        async with gate.client.get(path) as response:
            assert response.status == 403
            assert "quarantined" in (response.reason or "")


@pytest.mark.parametrize(
    ("asked", "leads_to"),
    [
        ("/simple/Demo/", "/simple/demo/"),
        ("/simple/demo", "/simple/demo/"),
        ("/simple/DE.MO", "/simple/de-mo/"),
        ("/simple//demo", "/simple/demo/"),
        ("/simple//Demo/", "/simple/demo/"),
        ("/simple", "/simple/"),
        ("/simple/Demo/?format=text/html", "/simple/demo/?format=text/html"),
    ],
)
async def test_other_spellings_lead_to_the_one_address(
    tmp_path: Path, asked: str, leads_to: str
) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        headers = {"Host": "localhost"}
        async with gate.client.get(asked, headers=headers, allow_redirects=False) as response:
            assert response.status == 301
            location = response.headers["Location"]
            assert "localhost" not in location
            assert response.url.join(URL(location)).path_qs == leads_to


@pytest.mark.parametrize(
    "path",
    [
        "/simple/no-such-project/",
        "/simple/..%2f..%2fetc%2fpasswd/",
        "/simple/%00/",
        "/simple/a%0d%0ab/",
        "/simple/demo%0a/",
        f"/simple/{'a' * 3000}/",
        "/simple/-/",
        "/files/",
        "/files/ftp/127.0.0.1/demo-1.0-py3-none-any.whl",
        "/files/http/127.0.0.1/..%2f..%2fetc/passwd",
        "/blocked/demo/9.9/whatever?file=demo-9.9.tar.gz",
        "/nothing/here",
    ],
)
async def test_what_is_not_there_is_404_in_the_one_shape(tmp_path: Path, path: str) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        async with gate.client.get(path) as response:
            assert response.status == 404
            assert response.headers["Content-Type"] == "application/problem+json"
            assert response.headers["Cache-Control"] == "no-store"
            assert set(await response.json(content_type=None)) >= {"type", "title", "status"}
        assert await gate.status("/-/health") == 200


async def test_a_name_of_ten_thousand_characters_is_turned_away(tmp_path: Path) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        assert 400 <= await gate.status(f"/simple/{'a' * 10_000}/") < 500
        assert await gate.status("/-/health") == 200


async def test_a_form_that_nobody_has_is_406(tmp_path: Path) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        assert await gate.status("/simple/demo/", Accept="image/png") == 406


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_nothing_but_reading_is_allowed(tmp_path: Path, method: str) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        async with gate.client.request(method, "/simple/demo/") as response:
            assert response.status == 405
            assert "GET" in response.headers["Allow"]


async def test_the_project_list_comes_in_both_forms(tmp_path: Path) -> None:
    async with Upstream(DEMO, EVIL) as upstream, running(upstream, tmp_path) as gate:
        names = [entry["name"] for entry in (await gate.json("/simple/"))["projects"]]
        assert sorted(names) == ["demo", "evil-demo"]
        async with gate.client.get("/simple/", headers=HTML) as response:
            assert 'href="demo/"' in await response.text()


async def test_the_project_list_is_kept_sent_packed_and_stands_in_when_upstream_fails(
    tmp_path: Path,
) -> None:
    async with Upstream(DEMO, EVIL) as upstream, running(upstream, tmp_path) as gate:
        plain = await gate.json("/simple/", **{"Accept-Encoding": "identity"})
        async with gate.client.get("/simple/", headers=JSON) as response:
            assert response.headers["Content-Encoding"] == "gzip"
            assert await response.json(content_type=None) == plain
            etag = response.headers["ETag"]
        assert await gate.status("/simple/", **JSON, **{"If-None-Match": etag}) == 304
        assert await gate.status("/simple/", **HTML, **{"If-None-Match": etag}) == 200
        assert upstream.count("/simple/") == 1
        gate.clock.turn(timedelta(hours=1))
        upstream.fault("/simple/", Status(status=500))
        async with gate.client.get("/simple/", headers=JSON) as response:
            assert response.status == 200
            told = response.headers["Indexgate-Stale"]
            assert told in {"upstream answered with status 500", "upstream is slow to answer"}
            assert response.headers["Cache-Control"] == "no-cache"


async def test_many_who_ask_at_once_are_one_request_upstream(tmp_path: Path) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        hold = upstream.hold("/simple/demo/")
        asks = [asyncio.create_task(gate.status("/simple/demo/", **JSON)) for _ in range(40)]
        await hold.reached()
        hold.release()
        assert set(await asyncio.gather(*asks)) == {200}
        assert upstream.count("/simple/demo/") == 1


async def test_a_clients_no_cache_asks_upstream_anew_but_max_age_0_does_not(
    tmp_path: Path,
) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        await gate.json("/simple/demo/")
        gate.clock.turn(timedelta(seconds=5))
        await gate.json("/simple/demo/", **{"Cache-Control": "max-age=0"})
        assert upstream.count("/simple/demo/") == 1
        await gate.json("/simple/demo/", **{"Cache-Control": "no-cache"})
        await gate.json("/simple/demo/", **{"Cache-Control": "no-cache"})
        assert [ask.status for ask in upstream.asked("/simple/demo/")] == [200, 304]


async def test_links_are_absolute_only_from_a_public_url(tmp_path: Path) -> None:
    async with (
        Upstream(DEMO) as upstream,
        running(upstream, tmp_path, public_url="http://gate.example.test/") as gate,
    ):
        page = await gate.json("/simple/demo/", Host="gate.example.test")
        assert page["files"][0]["url"].startswith("http://gate.example.test/files/http/")


async def test_a_page_that_only_upstream_html_has_is_served_as_json_too(tmp_path: Path) -> None:
    async with (
        Upstream(DEMO, forms="html", links="relative") as upstream,
        running(upstream, tmp_path) as gate,
    ):
        page = await gate.json("/simple/demo/")
        assert page["meta"]["api-version"] == "1.0"
        assert len(page["files"]) == 4
        path = await gate.file_path("demo", "demo-1.0-py3-none-any.whl")
        assert await gate.status(path) == 200


async def test_the_gates_address_in_a_browser_says_what_it_is(tmp_path: Path) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        async with gate.client.get("/", headers=HTML) as response:
            assert response.status == 200
            text = await response.text()
        assert "pip install --index-url http://gate.example.test/simple/ NAME" in text
        assert "policy.toml" in text
