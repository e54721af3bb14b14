"""Upstream, the disk or the store in trouble: a clear answer, nothing let through unjudged."""

import asyncio
import dataclasses
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from aiohttp import ClientError
from msgspec.structs import replace
from packaging.utils import canonicalize_name

from indexgate import assessing
from indexgate.store.engines import StoreFailed
from indexgate_policy.assess import assess
from indexgate_policy.assessment import Case
from indexgate_policy.checks import CHECKS
from tests.proxy.web.running import JSON, NOW, running
from tests.proxy.web.test_files import path_of
from tests.standins.faults import (
    CutOff,
    Fault,
    Huge,
    Status,
    api_version,
    captive_portal,
    garbage,
    redirect,
    too_many_requests,
)
from tests.standins.packages import project, wheel
from tests.standins.upstream import Upstream

OLD = wheel("demo", "1.0")
NEW = wheel("demo", "2.0", upload_time=NOW - timedelta(days=2))
DEMO = project("demo", OLD, NEW)
PAGE = "/simple/demo/"

FAULTS: list[tuple[str, Fault, str]] = [
    ("500", Status(status=500), "answered with status 500"),
    ("503", Status(status=503), "answered with status 503"),
    ("401", Status(status=401), "answered with status 401"),
    ("403", Status(status=403), "answered with status 403"),
    ("429", Status(status=429), "answered with status 429"),
    ("garbage", garbage(), "JSON"),
    ("cut off", CutOff(after=100), "broke off in the middle of the page"),
    ("captive portal", captive_portal(), "index"),
    ("version 2.0", api_version("2.0"), "2.0"),
    ("200 MB", Huge(size=200_000_000), "more than 150,000,000 bytes"),
    ("bomb", Huge(size=200_000_000, compressed=True), "more than 150,000,000 bytes"),
    ("loop", redirect("/simple/demo/"), "redirected more than 5 times"),
    ("elsewhere", redirect("file:///etc/passwd"), "not http or https"),
]


@pytest.mark.parametrize(("fault", "told"), [f[1:] for f in FAULTS], ids=[f[0] for f in FAULTS])
async def test_an_unknown_page_tells_what_upstream_did(
    tmp_path: Path, fault: Fault, told: str
) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        upstream.fault(PAGE, fault)
        uv = {**JSON, "User-Agent": "uv/0.13.9"}
        async with gate.client.get(PAGE, headers=uv) as response:
            assert response.status == 424
            assert response.headers["Content-Type"] == "application/problem+json"
            assert told in (response.reason or "")
            assert told in (await response.json(content_type=None))["detail"]
        pip = {**JSON, "User-Agent": "pip/26.3 {}"}
        async with gate.client.get(PAGE, headers=pip) as response:
            assert response.status == 200
            assert response.headers["Content-Type"].startswith("text/plain; indexgate: upstream ")
            assert told in response.headers["Content-Type"]
        async with gate.client.get(PAGE, headers=JSON) as response:
            assert response.status in {502, 503}
        async with gate.client.get(path_of(upstream, OLD)) as response:
            assert response.status == 424
        upstream.heal()
        assert await gate.status(PAGE, **JSON) == 200
        assert await gate.status(path_of(upstream, OLD)) == 200


async def test_the_wish_to_be_asked_later_is_passed_on(tmp_path: Path) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        upstream.fault(PAGE, too_many_requests(7))
        async with gate.client.get(PAGE, headers=JSON) as response:
            assert response.status == 503
            assert response.headers["Retry-After"] == "7"
        assert upstream.count(PAGE) == 1


@pytest.mark.parametrize(("fault", "told"), [f[1:] for f in FAULTS], ids=[f[0] for f in FAULTS])
async def test_a_known_page_stands_in_marked_stale(tmp_path: Path, fault: Fault, told: str) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        before = await gate.json(PAGE)
        gate.clock.turn(timedelta(hours=1))
        upstream.fault(PAGE, fault)
        async with gate.client.get(PAGE, headers=JSON) as response:
            assert response.status == 200
            assert await response.json(content_type=None) == before
            assert (
                told in response.headers["Indexgate-Stale"]
                or "slow" in (response.headers["Indexgate-Stale"])
            )
        assert await gate.status(path_of(upstream, NEW)) == 302


async def test_a_hanging_upstream_does_not_keep_a_known_page_waiting(tmp_path: Path) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        await gate.json(PAGE)
        gate.clock.turn(timedelta(hours=1))
        hold = upstream.hold(PAGE)
        async with gate.client.get(PAGE, headers=JSON) as response:
            assert response.status == 200
            assert response.headers["Indexgate-Stale"] == "upstream is slow to answer"
        await hold.reached()
        hold.release()


async def test_a_stale_page_that_is_judged_anew_is_still_marked(tmp_path: Path) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        await gate.json(PAGE)
        gate.clock.turn(timedelta(hours=1))
        upstream.fault(PAGE, Status(status=500))
        gate.policy.write_text("version = 1\n", encoding="utf-8")
        async with gate.client.get(PAGE, headers=JSON) as response:
            assert response.headers["Indexgate-Stale"]


async def test_a_page_too_old_to_stand_in_is_not_served(tmp_path: Path) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path, max_stale="1d") as gate:
        await gate.json(PAGE)
        gate.clock.turn(timedelta(days=2))
        upstream.fault(PAGE, Status(status=500))
        assert await gate.status(PAGE, **JSON) == 502


async def test_everything_served_once_is_served_without_upstream(tmp_path: Path) -> None:
    async with Upstream(DEMO) as upstream:
        async with running(upstream, tmp_path) as gate:
            await gate.json(PAGE)
            async with gate.client.get(path_of(upstream, OLD)) as response:
                await response.read()
            await gate.parts.files.settle()
        await upstream.stop()
        async with running(upstream, tmp_path) as gate:
            gate.clock.turn(timedelta(hours=1))
            await gate.json(PAGE)
            async with gate.client.get(path_of(upstream, OLD)) as response:
                assert await response.read() == OLD.content


async def test_an_offline_gate_asks_nobody(tmp_path: Path) -> None:
    async with Upstream(DEMO) as upstream:
        async with running(upstream, tmp_path) as gate:
            await gate.json(PAGE)
        upstream.log.clear()
        async with running(upstream, tmp_path, offline=True) as gate:
            gate.clock.turn(timedelta(hours=1))
            await gate.json(PAGE)
            assert await gate.status("/simple/other/", **JSON) == 503
            assert await gate.status("/simple/") == 503
        assert upstream.count() == 0


async def test_a_clock_that_is_off_is_told(tmp_path: Path) -> None:
    async with (
        Upstream(DEMO, clock_skew=timedelta(minutes=10)) as upstream,
        running(upstream, tmp_path) as gate,
    ):
        await gate.json(PAGE)
        async with gate.client.get("/-/health") as response:
            degraded = (await response.json())["degraded"]
        assert any(text.startswith("clock: ") for text in degraded)


async def test_a_check_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_case: Case) -> None:
        raise ZeroDivisionError("nothing to divide by")

    broken = replace(CHECKS[0], run=fail)
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:

        async def degraded() -> list[str]:
            async with gate.client.get("/-/health") as response:
                return [*(await response.json())["degraded"]]

        await gate.json(PAGE)
        assert not any("checks" in text for text in await degraded())
        monkeypatch.setattr(assessing, "assess", partial(assess, checks=[broken, *CHECKS[1:]]))
        await gate.parts.gate.facts.renew(canonicalize_name("demo"))
        [told] = [text for text in await degraded() if text.startswith("checks: failed 1 times")]
        assert f"{broken.definition.id} on demo: " in told
        assert "nothing to divide by" in told


async def test_a_store_that_fails_lets_no_refused_file_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object, **__: object) -> None:
        raise StoreFailed("store-failed", "the disk is gone")

    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        reader, writer = type(gate.parts.store.reader), type(gate.parts.store.writer)
        monkeypatch.setattr(reader, "_connection", gone)
        monkeypatch.setattr(writer, "commit", gone)
        monkeypatch.setattr(writer, "soon", lambda *_: False)
        assert await gate.status(path_of(upstream, NEW)) == 302
        assert await gate.status(PAGE, **JSON) == 200
        assert await gate.status(path_of(upstream, OLD)) == 200
        async with gate.client.get("/-/health") as response:
            assert response.status == 200
            assert any("disk is gone" in text for text in (await response.json())["degraded"])
        monkeypatch.undo()


@pytest.mark.parametrize("padding", [0, 300_000])
async def test_a_file_without_a_hash_waits_for_a_store_that_can_pin_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, padding: int
) -> None:
    def gone(*_: object, **__: object) -> None:
        raise StoreFailed("store-failed", "the disk is gone")

    hashless = dataclasses.replace(wheel("demo", "1.0", padding=padding), hashes={})
    async with (
        Upstream(project("demo", hashless)) as upstream,
        running(upstream, tmp_path) as gate,
    ):
        await gate.json(PAGE)
        path = path_of(upstream, hashless)
        with monkeypatch.context() as broken:
            broken.setattr(type(gate.parts.store.writer), "commit", gone)
            if padding:  # its beginning has left before the end can be held back for good
                with pytest.raises(ClientError):
                    async with gate.client.get(path) as response:
                        await response.read()
            else:
                async with gate.client.get(path) as response:
                    assert response.status == 424
                    told = await response.json(content_type=None)
                assert told["type"] == "urn:indexgate:upstream-store"
                assert "cannot be pinned: the disk is gone" in told["detail"]
        async with gate.client.get(path) as response:
            assert (response.status, await response.read()) == (200, hashless.content)


async def test_clients_that_leave_do_not_end_the_fetch(tmp_path: Path) -> None:
    async with Upstream(DEMO) as upstream, running(upstream, tmp_path) as gate:
        hold = upstream.hold(PAGE)
        ask = asyncio.create_task(gate.status(PAGE, **JSON))
        await hold.reached()
        ask.cancel()
        await asyncio.wait({ask})
        hold.release()
        upstream.heal()
        assert await gate.status(PAGE, **JSON) == 200
        assert upstream.count(PAGE) == 1
