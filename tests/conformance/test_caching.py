"""Validators and freshness (RFC 9110 section 13, RFC 9111)."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.conformance import catalogue
from tests.conformance.catalogue import JSON_TYPE, PLAIN, SentProject, whl
from tests.conformance.requirements import holds
from tests.conformance.worlds import HTML_V1, POLICIES, Doing, Spoken, World, opened, serve
from tests.standins.faults import Status

pytestmark = pytest.mark.asyncio(loop_scope="session")

FORMS = [JSON_TYPE, HTML_V1, "text/html"]
both_forms = pytest.mark.parametrize("spoken", ["json", "html"])


@holds("N113", "N114", "N115", "B25")
@pytest.mark.parametrize("path", ["/simple/", "/simple/plain/"])
async def test_every_variant_has_its_own_etag_and_answers_304(world: World, path: str) -> None:
    etags = {}
    for accept in FORMS:
        for coding in ("identity", "gzip"):
            asked = {"Accept": accept, "Accept_Encoding": coding}
            whole = await world.ask(path, **asked)
            etag = etags[accept, coding] = whole.headers["ETag"]
            assert etag.startswith('"')
            for condition in (etag, f"W/{etag}", f'"a", {etag} , "b"', "*"):
                for method in ("GET", "HEAD"):
                    answer = await world.ask(path, If_None_Match=condition, method=method, **asked)
                    assert (answer.status, answer.sent) == (304, b"")
                    for name in ("ETag", "Vary", "Cache-Control"):
                        assert answer.headers[name] == whole.headers[name]
            assert (await world.ask(path, If_None_Match='"a"', **asked)).status == 200
            assert (await world.ask(path, If_None_Match="", **asked)).status == 200
    assert len(set(etags.values())) == len(etags)
    other = etags["text/html", "gzip"]
    answer = await world.ask(path, Accept=JSON_TYPE, If_None_Match=other)
    assert answer.status == 200


@holds("N117", "N119", "N121", "Q136")
@pytest.mark.parametrize("accept", FORMS)
async def test_a_page_is_asked_for_again_each_time(world: World, accept: str) -> None:
    answer = await world.ask("/simple/plain/", Accept=accept)
    assert answer.headers["Cache-Control"] == "no-cache"
    assert "Last-Modified" not in answer.headers
    assert answer.headers["Date"].endswith("GMT")
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@holds("N116", "N117")
@both_forms
async def test_a_changed_policy_changes_the_etag_at_once(spoken: Spoken, tmp_path: Path) -> None:
    async with opened(spoken, "explain", tmp_path) as world:
        first = await world.ask("/simple/plain/", Accept=JSON_TYPE)
        theirs = await world.gate.parts.gate.index.snapshot(PLAIN.normalized)
        assert first.headers["ETag"] != theirs.etag
        world.gate.policy.write_text(POLICIES["open"], encoding="utf-8")
        held = {"If_None_Match": first.headers["ETag"], "Accept": JSON_TYPE}
        second = await world.ask("/simple/plain/", **held)
        assert second.status == 200
        assert b"blocked by indexgate" not in second.body


@holds("N118", "H82", "K102")
@both_forms
async def test_a_clients_no_cache_sees_what_upstream_changed(
    spoken: Spoken, tmp_path: Path
) -> None:
    yanked = SentProject(name="plain", files=(whl("plain", "1.0", yanked="oops"),))
    async with opened(spoken, "open", tmp_path, projects=[yanked]) as world:
        assert (await world.files("plain"))["plain-1.0-py3-none-any.whl"]["yanked"] == "oops"
        again = SentProject(name="plain", files=(whl("plain", "1.0"), whl("plain", "1.1")))
        serve(world.upstream, spoken, [again])
        world.gate.clock.turn(timedelta(seconds=5))
        kept = await world.files("plain", Cache_Control="max-age=0")
        assert len(kept) == 1
        fresh = await world.files("plain", Cache_Control="no-cache")
        assert len(fresh) == 2
        assert not any(file.get("yanked") for file in fresh.values())


@holds("H82", "K102")
@both_forms
async def test_what_upstream_changed_shows_when_the_page_is_no_longer_fresh(
    spoken: Spoken, tmp_path: Path
) -> None:
    before = SentProject(name="plain", files=(whl("plain", "1.0"), whl("plain", "1.1")))
    async with opened(spoken, "open", tmp_path, projects=[before]) as world:
        path = await world.path_of("plain", "plain-1.1-py3-none-any.whl")
        after = SentProject(name="plain", files=(whl("plain", "1.0"),))
        serve(world.upstream, spoken, [after])
        world.gate.clock.turn(timedelta(hours=1))
        assert list(await world.files("plain")) == ["plain-1.0-py3-none-any.whl"]
        assert (await world.ask(path)).status in {403, 404}
        serve(world.upstream, spoken, [before])
        world.gate.clock.turn(timedelta(hours=1))
        assert len(await world.files("plain")) == 2
        assert (await world.ask(path)).status == 200


@holds("N119")
@both_forms
async def test_the_serial_of_upstream_passes_through(spoken: Spoken, tmp_path: Path) -> None:
    async with opened(spoken, "open", tmp_path, projects=[PLAIN]) as world:
        body = PLAIN.json(world.upstream.origin)
        page = Status(
            status=200,
            body=body,
            content_type=JSON_TYPE,
            headers={"X-PyPI-Last-Serial": "42", "Set-Cookie": "a=b", "Keep-Alive": "timeout=9"},
        )
        world.upstream.fault("/simple/plain/", page)
        answer = await world.ask("/simple/plain/", Accept=JSON_TYPE)
        assert answer.headers["X-PyPI-Last-Serial"] == "42"
        assert "Set-Cookie" not in answer.headers
        assert "Keep-Alive" not in answer.headers


@holds("N123", "R154")
@both_forms
@pytest.mark.parametrize("doing", ["hide", "explain"])
async def test_the_last_good_page_stands_in_and_is_judged(
    spoken: Spoken, doing: Doing, tmp_path: Path
) -> None:
    async with opened(spoken, doing, tmp_path, projects=[PLAIN]) as world:
        before = await world.ask("/simple/plain/", Accept=JSON_TYPE)
        world.upstream.fault("*", Status(status=500))
        world.gate.clock.turn(timedelta(hours=1))
        answer = await world.ask("/simple/plain/", Accept=JSON_TYPE)
        assert (answer.status, answer.body) == (200, before.body)
        assert answer.headers["Indexgate-Stale"].startswith("upstream ")
        refused = catalogue.PLAIN.files[-1]
        authority = world.upstream.origin.removeprefix("http://")
        asked = await world.ask(f"/files/http/{authority}{refused.path}")
        assert asked.status in {302, 403}
