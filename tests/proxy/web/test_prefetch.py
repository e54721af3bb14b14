"""What follows from what an installer was given is at hand before it asks."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from packaging.utils import NormalizedName

from indexgate.index.protocol import Snapshot
from indexgate.prefetch.prefetching import AT_ONCE, Prefetching
from indexgate.simple.model import ProjectPage
from tests.proxy.prefetch.agents import agent
from tests.proxy.web.running import JSON, NOW, TOO_NEW, Running, running
from tests.standins.faults import too_many_requests
from tests.standins.packages import IndexedProject, project, sdist, wheel
from tests.standins.upstream import Upstream

PIP = {**JSON, "Accept-Encoding": "gzip", "User-Agent": agent()}
OLD = NOW - timedelta(days=100)

APP = project("app", wheel("app", "1.0", requires=["lib>=1", "other; python_version < '3'"]))
LIB = project(
    "lib",
    wheel("lib", "1.0", requires=["never"]),
    wheel("lib", "1.1", requires=["deep", "gone", "lib-extra; extra == 'x'"]),
    wheel("lib", "2.0rc1", requires=["never"]),
)
DEEP = project("deep", wheel("deep", "1.0"))
OTHERS = [project(name, wheel(name, "1.0")) for name in ("other", "never", "lib-extra")]


async def cache(gate: Running, path: str, **headers: str) -> str:
    """Return what the gate had at hand of what it answers with at *path*."""
    async with gate.client.get(path, headers={**PIP, **headers}) as response:
        assert response.status == 200, await response.text()
        await response.read()
        return response.headers["Server-Timing"].partition(",")[0].removeprefix("cache;desc=")


async def settle(gate: Running) -> None:
    await gate.parts.prefetch.settle()
    await gate.parts.files.settle()  # what was received is kept a moment later


async def metadata(gate: Running, made: IndexedProject, number: int = 0) -> str:
    path = await gate.file_path(made.normalized, made.files[number].filename)
    return path + ".metadata"


def pages(upstream: Upstream) -> set[str]:
    return {asked.path.split("/")[2] for asked in upstream.asked("/simple/?*/")}


async def test_the_pages_that_come_next_are_at_hand(tmp_path: Path) -> None:
    async with (
        Upstream(APP, LIB, DEEP, *OTHERS) as upstream,
        running(upstream, tmp_path) as gate,
    ):
        assert await cache(gate, "/simple/app/") == "miss"
        await settle(gate)
        assert pages(upstream) == {"app", "lib", "deep", "gone"}
        asked = len(upstream.log)
        for name in ("lib", "deep"):
            assert await cache(gate, f"/simple/{name}/") == "hit"
        for made, number in ((APP, 0), (LIB, 1), (DEEP, 0)):
            assert await cache(gate, await metadata(gate, made, number)) == "hit"
        assert len(upstream.log) == asked
        counts = gate.parts.prefetch.counts
        assert counts.fetched == {"page": 2, "metadata": 3}
        assert counts.used == counts.fetched
        assert counts.dropped == {"missing": 1}
        assert await cache(gate, "/simple/app/") == "hit"


async def test_an_answer_waits_for_nothing_that_is_thought_of_what_comes_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("what comes next")

    met: list[BaseException] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: met.append(told["exception"]))
    monkeypatch.setattr(Prefetching, "page_given", fails)
    monkeypatch.setattr(Prefetching, "metadata_given", fails)
    async with Upstream(APP) as upstream, running(upstream, tmp_path) as gate:
        assert await cache(gate, "/simple/app/") == "miss"
        assert await cache(gate, await metadata(gate, APP)) == "miss"
        await settle(gate)
    assert [str(each) for each in met] == ["what comes next"] * 2


async def test_a_gate_that_ends_fetches_nothing_ahead_any_more(tmp_path: Path) -> None:
    async with Upstream(APP, LIB, DEEP) as upstream, running(upstream, tmp_path) as gate:
        await gate.parts.prefetch.close()
        await cache(gate, "/simple/app/")
        await settle(gate)
        assert pages(upstream) == {"app"}


async def test_no_file_is_fetched_whole(tmp_path: Path) -> None:
    async with (
        Upstream(APP, LIB, DEEP, *OTHERS) as upstream,
        running(upstream, tmp_path) as gate,
    ):
        await cache(gate, "/simple/app/")
        await settle(gate)
        assert {asked.path.rpartition(".")[2] for asked in upstream.asked("/packages/*")} == {
            "metadata"
        }


async def test_what_the_client_chooses_itself_is_followed(tmp_path: Path) -> None:
    async with (
        Upstream(APP, LIB, DEEP, *OTHERS) as upstream,
        running(upstream, tmp_path) as gate,
    ):
        await cache(gate, "/simple/lib/")
        await settle(gate)
        assert "never" not in pages(upstream)
        await cache(gate, await metadata(gate, LIB, 0))  # an older version, as a lock file may pin
        await settle(gate)
        assert "never" in pages(upstream)


async def test_an_extra_that_a_requirement_names_is_followed(tmp_path: Path) -> None:
    app = project("app", wheel("app", "1.0", requires=["lib[x]"]))
    async with (
        Upstream(app, LIB, DEEP, *OTHERS) as upstream,
        running(upstream, tmp_path) as gate,
    ):
        await cache(gate, "/simple/app/")
        await settle(gate)
        assert "lib-extra" in pages(upstream)


@pytest.mark.parametrize(
    "given",
    [
        {"User-Agent": "curl/8.5.0"},
        {"User-Agent": "pip/26.1"},
        {"User-Agent": agent().replace("pip/", "Nexus/")},
    ],
)
async def test_who_does_not_say_what_it_installs_for_is_not_fetched_ahead_for(
    tmp_path: Path, given: dict[str, str]
) -> None:
    async with Upstream(APP, LIB, DEEP) as upstream, running(upstream, tmp_path) as gate:
        await cache(gate, "/simple/app/", **given)
        await settle(gate)
        assert len(upstream.asked("/packages/*")) == 0
        assert pages(upstream) == {"app"}


@pytest.mark.parametrize(("prefetch", "page_ttl"), [(False, "10m"), (True, "0s")])
async def test_it_can_be_switched_off_and_is_where_no_page_lasts(
    tmp_path: Path, prefetch: bool, page_ttl: str
) -> None:
    async with (
        Upstream(APP, LIB, DEEP) as upstream,
        running(upstream, tmp_path, prefetch=prefetch, page_ttl=page_ttl) as gate,
    ):
        await cache(gate, "/simple/app/")
        await settle(gate)
        assert pages(upstream) == {"app"}


async def test_a_name_in_a_private_namespace_is_never_asked_for(tmp_path: Path) -> None:
    app = project("app", wheel("app", "1.0", requires=["acme-secret", "deep"]))
    async with (
        Upstream(app, DEEP, project("acme-secret", wheel("acme-secret", "1.0"))) as upstream,
        running(upstream, tmp_path, private_names=("acme-*",)) as gate,
    ):
        await cache(gate, "/simple/app/")
        await settle(gate)
        assert pages(upstream) == {"app", "deep"}


async def test_each_name_is_asked_of_its_own_index_alone(tmp_path: Path) -> None:
    app = project("app", wheel("app", "1.0", requires=["acme-secret", "deep"]))
    secret = project("acme-secret", wheel("acme-secret", "1.0"))
    async with (
        Upstream(secret) as inner,
        Upstream(app, DEEP, secret) as outer,
        running(
            outer,
            tmp_path,
            tables=(
                f'[[index]]\nname = "acme"\nurl = "{inner.url}"\nnamespaces = ["acme-*"]\n'
                f'[[index]]\nname = "public"\nurl = "{outer.url}"\npublic = "yes"\n'
            ),
        ) as gate,
    ):
        await cache(gate, "/simple/app/")
        await settle(gate)
        assert pages(outer) == {"app", "deep"}
        assert "acme-secret" not in pages(inner)
        assert await cache(gate, "/simple/deep/") == "hit"


async def test_a_version_that_does_not_pass_is_not_followed(tmp_path: Path) -> None:
    new = NOW - timedelta(days=1)
    app = project(
        "app",
        wheel("app", "1.0", requires=["deep"], upload_time=OLD),
        wheel("app", "2.0", requires=["never"], upload_time=new),
    )
    async with (
        Upstream(app, DEEP, *OTHERS) as upstream,
        running(upstream, tmp_path) as gate,
    ):
        await cache(gate, "/simple/app/")
        await settle(gate)
        assert pages(upstream) == {"app", "deep"}


async def test_what_has_to_be_built_leads_nowhere(tmp_path: Path) -> None:
    app = project("app", sdist("app", "1.0", requires=["deep"]))
    async with Upstream(app, DEEP) as upstream, running(upstream, tmp_path) as gate:
        await cache(gate, "/simple/app/")
        await settle(gate)
        assert pages(upstream) == {"app"}


async def test_what_was_at_hand_leads_nowhere(tmp_path: Path) -> None:
    async with Upstream(APP, LIB, DEEP) as upstream, running(upstream, tmp_path) as gate:
        await cache(gate, "/simple/app/", **{"User-Agent": "curl/8.5.0"})
        asked = len(upstream.log)
        assert await cache(gate, "/simple/app/") == "hit"
        await settle(gate)
        assert len(upstream.log) == asked


async def test_to_fetch_ahead_is_not_to_ask(tmp_path: Path) -> None:
    async with (
        Upstream(APP, LIB, DEEP, *OTHERS) as upstream,
        running(upstream, tmp_path) as gate,
    ):
        await cache(gate, "/simple/app/")
        await settle(gate)
        index_id = gate.parts.gate.index_id
        asked = gate.parts.store.asked
        for name in (NormalizedName("lib"), NormalizedName("deep")):
            assert gate.parts.store.projects.first_seen(index_id, name) is None
            assert not asked.counts(index_id, name, NOW.date(), 1).people
        assert gate.parts.recorder.verdicts.pages.total() == 1
        gate.clock.turn(timedelta(minutes=1))
        await cache(gate, "/simple/lib/")
        first_seen = gate.parts.store.projects.first_seen(index_id, NormalizedName("lib"))
        assert first_seen == NOW + timedelta(minutes=1)


async def test_upstream_in_trouble_is_left_alone(tmp_path: Path) -> None:
    needed = [f"other-{number}" for number in range(20)]
    app = project("app", wheel("app", "1.0", requires=needed))
    others = [project(name, wheel(name, "1.0")) for name in needed]
    async with Upstream(app, *others) as upstream, running(upstream, tmp_path) as gate:
        upstream.fault("/simple/other-*", too_many_requests())
        await cache(gate, "/simple/app/")
        await settle(gate)
        assert 0 < len(pages(upstream)) < len(needed)
        assert gate.parts.prefetch.counts.dropped["upstream"] > 10
        asked = len(upstream.log)
        await cache(gate, await metadata(gate, app))
        await settle(gate)
        assert len(upstream.log) == asked


async def test_a_page_on_its_way_is_fetched_once(tmp_path: Path) -> None:
    async with (
        Upstream(APP, LIB, DEEP, *OTHERS) as upstream,
        running(upstream, tmp_path) as gate,
    ):
        hold = upstream.hold("/simple/lib/")
        await cache(gate, "/simple/app/")
        await hold.reached()
        asking = asyncio.create_task(cache(gate, "/simple/lib/"))
        await asyncio.sleep(0)
        hold.release()
        await asking
        await settle(gate)
        assert upstream.count("/simple/lib/") == 1


async def test_what_was_judged_ahead_is_judged_again_by_an_edited_policy(tmp_path: Path) -> None:
    async with (
        Upstream(APP, LIB, DEEP, *OTHERS) as upstream,
        running(upstream, tmp_path) as gate,
    ):
        await cache(gate, "/simple/app/")
        await settle(gate)
        path = await metadata(gate, DEEP)
        assert await gate.status(path, **PIP) == 200
        refusing = TOO_NEW.replace("evil-*", "deep")
        gate.policy.write_text(refusing, encoding="utf-8")
        assert await gate.status(path, **PIP) == 302
        assert await gate.status(path.removesuffix(".metadata"), **PIP) == 302


async def test_what_a_client_will_choose_is_judged_while_its_page_is_at_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "indexgate.listed_index._LISTED_FILES", 0
    )  # what the latest page lists, no more
    read: list[str] = []
    reading = Snapshot.page

    def page(snapshot: Snapshot) -> ProjectPage:
        if snapshot.at_hand is None:
            read.append(snapshot.project)
        return reading(snapshot)

    monkeypatch.setattr(Snapshot, "page", page)
    before = [project(f"before-{n}", wheel(f"before-{n}", "1.0")) for n in range(AT_ONCE)]
    async with Upstream(DEEP, *before) as upstream, running(upstream, tmp_path) as gate:
        hold = upstream.hold("/packages/*.metadata")
        for made in (*before, DEEP):
            await cache(gate, f"/simple/{made.normalized}/")
        path = await metadata(gate, DEEP)
        assert await gate.status("/simple/before-0/", Accept="text/html") == 200  # is the latest
        read.clear()
        asking = asyncio.create_task(cache(gate, path))
        hold.release()
        await asking
        assert "deep" not in read
        await settle(gate)


async def test_a_metadata_address_of_another_place_is_not_listed(tmp_path: Path) -> None:
    async with (
        Upstream(APP, LIB, DEEP, *OTHERS) as upstream,
        running(upstream, tmp_path) as gate,
    ):
        await cache(gate, "/simple/app/")
        await settle(gate)
        path = await metadata(gate, DEEP)
        assert await gate.status(path.replace("/packages/", "/elsewhere/"), **PIP) == 404
