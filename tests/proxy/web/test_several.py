"""Several indexes behind one gate: whose a project is, and that nobody else is told or asked."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import NormalizedName

from indexgate.index.protocol import NoSuchProject
from indexgate.owner_folder import OwnerFolder
from indexgate.upstream_choice import index_id
from tests.heard import heard
from tests.proxy.web.running import HTML, JSON, Clock, Running, running
from tests.standins.documents import Documents
from tests.standins.faults import Status
from tests.standins.packages import IndexedProject, project, sdist, wheel
from tests.standins.upstream import Upstream

ALLOWING = "version = 1\n"
PAST_TTL = timedelta(minutes=11)
BOTH = NormalizedName("both")


def of(name: str, *versions: str) -> IndexedProject:
    return project(name, *(wheel(name, version) for version in versions))


@pytest.fixture
async def acme() -> AsyncIterator[Upstream]:
    """The company's own index."""
    async with Upstream(of("acme-lib", "1.0"), of("tool", "1.0"), of("both", "1.0")) as upstream:
        yield upstream


@pytest.fixture
async def public() -> AsyncIterator[Upstream]:
    """The public one; somebody there has taken a name of the company's."""
    projects = of("acme-lib", "99.0"), of("demo", "1.0", "1.1"), of("both", "2.0")
    async with Upstream(*projects) as upstream:
        yield upstream


def tables(acme: Upstream, public: Upstream, *, namespaces: str = '["acme-*"]') -> str:
    return (
        f'[[index]]\nname = "acme"\nurl = "{acme.url}"\nnamespaces = {namespaces}\n'
        f'timeout = "2s"\n[[index]]\nname = "pypi"\nurl = "{public.url}"\npublic = "yes"\n'
    )


def gate(
    acme: Upstream,
    public: Upstream,
    folder: Path,
    *,
    clock: Clock | None = None,
    namespaces: str = '["acme-*"]',
    offline: bool = False,
    max_stale: str = "7d",
) -> AbstractAsyncContextManager[Running]:
    return running(
        public,
        folder,
        ALLOWING,
        clock=clock,
        tables=tables(acme, public, namespaces=namespaces),
        offline=offline,
        max_stale=max_stale,
    )


def versions(page: dict[str, Any]) -> list[str]:
    return sorted(page["versions"])


async def test_answers_that_would_never_be_given_again_are_not_kept(
    acme: Upstream, public: Upstream, tmp_path: Path
) -> None:
    async with gate(acme, public, tmp_path) as one_gate:
        path = await one_gate.file_path("demo", "demo-1.0-py3-none-any.whl")
        for _ in range(2):
            await one_gate.json("/simple/demo/")
            assert await one_gate.status(f"{path}.metadata") == 200
        assert len(one_gate.verbatim) == 0


async def test_a_name_comes_from_the_first_index_that_has_it(
    acme: Upstream, public: Upstream, tmp_path: Path
) -> None:
    async with gate(acme, public, tmp_path) as running:
        assert versions(await running.json("/simple/both/")) == ["1.0"]
        assert versions(await running.json("/simple/tool/")) == ["1.0"]
        assert versions(await running.json("/simple/demo/")) == ["1.0", "1.1"]
        assert await running.status("/simple/nobody/", **JSON) == 404
    assert public.count("/simple/both/") == 0
    assert public.count("/simple/tool/") == 0
    assert public.count("/simple/nobody/") == 1


async def test_a_name_of_a_namespace_is_asked_of_its_index_alone(
    acme: Upstream, public: Upstream, tmp_path: Path
) -> None:
    async with gate(acme, public, tmp_path) as running:
        assert versions(await running.json("/simple/acme-lib/")) == ["1.0"]
        assert await running.status("/simple/acme-gone/", **JSON) == 404
        assert await running.status("/simple/Acme_Lib/", **JSON) == 301
        assert await running.status("/pypi/acme-lib/json") == 200
        wheel_of = "/files/http/files.example.test/a/acme_lib-99.0-py3-none-any.whl"
        assert await running.status(wheel_of) == 404
        sdist_of = "/files/http/files.example.test/a/acme-lib-99.0.tar.gz"
        assert await running.status(sdist_of) == 404
        assert await running.status("/blocked/acme-lib/99.0/x?file=acme-lib-99.0.tar.gz") == 404
        for index in running.parts.each:
            await index.gate.facts.refresh(NormalizedName("acme-lib"))
        acme.fault("*", Status(status=503))
        assert await running.status("/simple/acme-other/", **JSON) == 503
    assert [entry.path for entry in public.log] == []


async def test_an_old_page_of_a_name_that_now_has_a_home_elsewhere_is_not_used(
    acme: Upstream, public: Upstream, tmp_path: Path
) -> None:
    acme.remove("acme-lib")
    async with gate(acme, public, tmp_path, namespaces="[]") as before:
        assert versions(await before.json("/simple/acme-lib/")) == ["99.0"]
        path = await before.file_path("acme-lib", "acme_lib-99.0-py3-none-any.whl")
    public.log.clear()
    async with gate(acme, public, tmp_path) as now:
        assert await now.status("/simple/acme-lib/", **JSON) == 404
        assert await now.status(path) == 404
        for index in now.parts.each:
            await index.gate.facts.refresh(NormalizedName("acme-lib"))
    assert public.log == []


async def test_the_file_of_another_indexs_page_is_not_given_out(
    acme: Upstream, public: Upstream, tmp_path: Path
) -> None:
    async with gate(acme, public, tmp_path) as running:
        theirs = public.projects[BOTH].files[0]
        address = f"/files/http/127.0.0.1:{public.port}{theirs.path}"
        assert await running.status(address) == 404
        ours = await running.file_path("both", "both-1.0-py3-none-any.whl")
        async with running.client.get(ours) as whole:
            assert await whole.read() == acme.projects[BOTH].files[0].content
        async with running.client.get(ours, headers={"Range": "bytes=0-9"}) as part:
            assert part.status == 206
            assert await part.read() == acme.projects[BOTH].files[0].content[:10]
        async with running.client.head(ours) as head:
            assert head.status == 200
            assert head.headers["Content-Length"] == str(len(acme.projects[BOTH].files[0].content))
        assert await running.status(f"{ours}.metadata") == 200
        async with running.client.head("/simple/both/", headers=JSON) as page:
            etag = page.headers["ETag"]
        assert await running.status("/simple/both/", **JSON, **{"If-None-Match": etag}) == 304


async def test_an_index_that_fails_never_leads_on_to_the_next_one(
    acme: Upstream, public: Upstream, tmp_path: Path
) -> None:
    acme.fault("*", Status(status=500))
    async with gate(acme, public, tmp_path) as running:
        async with running.client.get("/simple/demo/", headers=JSON) as answer:
            assert answer.status == 502
            told = await answer.json(content_type=None)
            assert told["detail"].startswith("upstream `acme` answered with status 500; demo is")
        uv = await running.status("/simple/demo/", **{**JSON, "User-Agent": "uv/0.9.1"})
        file = "/files/http/files.example.test/demo-1.0-py3-none-any.whl"
        assert (uv, await running.status(file)) == (424, 424)
        assert [entry.path for entry in public.log] == []
        acme.heal()
        running.clock.turn(timedelta(minutes=2))
        assert versions(await running.json("/simple/demo/")) == ["1.0", "1.1"]


async def test_a_known_page_stands_in_while_an_earlier_index_fails(
    acme: Upstream, public: Upstream, tmp_path: Path
) -> None:
    clock = Clock()
    async with gate(acme, public, tmp_path, clock=clock, max_stale="1d") as running:
        await running.json("/simple/demo/")
        acme.fault("*", Status(status=500))
        clock.turn(PAST_TTL)
        for _ in range(2):
            async with running.client.get("/simple/demo/", headers=JSON) as stale:
                assert stale.status == 200
                reason = "upstream `acme` answered with status 500"
                assert stale.headers["Indexgate-Stale"] == reason
        clock.turn(timedelta(days=2))
        assert await running.status("/simple/demo/", **JSON) == 502


async def test_an_earlier_index_that_hangs_keeps_nobody_from_a_known_page(
    acme: Upstream, public: Upstream, tmp_path: Path
) -> None:
    async with gate(acme, public, tmp_path) as running:
        await running.json("/simple/demo/")
        acme.hold("*")
        running.clock.turn(PAST_TTL)
        async with asyncio.timeout(1.5), running.client.get("/simple/demo/", headers=JSON) as page:
            assert page.status == 200
            assert "`acme` is slow to answer" in page.headers["Indexgate-Stale"]


async def test_what_is_known_outlives_a_restart_though_the_first_index_is_down(
    acme: Upstream, public: Upstream, tmp_path: Path
) -> None:
    clock = Clock()
    async with gate(acme, public, tmp_path, clock=clock) as running:
        await running.json("/simple/demo/")
        path = await running.file_path("demo", "demo-1.0-py3-none-any.whl")
        assert await running.status(path) == 200
    clock.turn(PAST_TTL)
    acme.fault("*", Status(status=500))
    async with gate(acme, public, tmp_path, clock=clock) as again:
        assert versions(await again.json("/simple/demo/")) == ["1.0", "1.1"]
        assert await again.status(path) == 200


async def test_a_page_from_before_an_index_was_put_first_proves_nothing(
    acme: Upstream, public: Upstream, tmp_path: Path
) -> None:
    clock = Clock()
    async with running(public, tmp_path, ALLOWING, clock=clock) as alone:
        await alone.json("/simple/both/")
    clock.turn(timedelta(hours=1))
    acme.fault("*", Status(status=500))
    async with gate(acme, public, tmp_path, clock=clock) as both:
        assert await both.status("/simple/both/", **JSON) == 502


async def test_a_page_from_when_its_index_stood_alone_proves_nothing(
    acme: Upstream, public: Upstream, tmp_path: Path
) -> None:
    clock = Clock()
    async with gate(acme, public, tmp_path, clock=clock) as first:
        await first.json("/simple/demo/")
    clock.turn(timedelta(hours=1))
    async with running(public, tmp_path, ALLOWING, clock=clock) as alone:
        await alone.json("/simple/both/")
    acme.fault("*", Status(status=500))
    async with gate(acme, public, tmp_path, clock=clock) as both:
        assert await both.status("/simple/both/", **JSON) == 502
        assert versions(await both.json("/simple/demo/")) == ["1.0", "1.1"]


async def test_a_restart_makes_no_owner_younger(
    acme: Upstream, public: Upstream, tmp_path: Path
) -> None:
    clock = Clock()
    async with gate(acme, public, tmp_path, clock=clock, max_stale="1d") as running:
        await running.json("/simple/demo/")
        acme.fault("*", Status(status=500))
        clock.turn(timedelta(hours=20))
        await running.json("/simple/demo/")
    async with gate(acme, public, tmp_path, clock=clock, max_stale="1d") as again:
        async with again.client.get("/simple/demo/", headers=JSON) as stale:
            assert stale.headers["Indexgate-Stale"] == "upstream `acme` answered with status 500"
        clock.turn(timedelta(hours=20))
        assert await again.status("/simple/demo/", **JSON) == 502


async def test_an_owner_that_cannot_be_kept_is_known_all_the_same(
    acme: Upstream, public: Upstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(OwnerFolder, "save", full)
    with heard() as log:
        async with gate(acme, public, tmp_path) as running:
            assert versions(await running.json("/simple/demo/")) == ["1.0", "1.1"]
    [told] = [entry["text"] for entry in log if entry["event"] == "owner-not-kept"]
    assert told == "demo: No space left on device; kept in memory only"


async def test_who_owned_a_project_once_owns_it_no_more_when_an_earlier_index_has_it(
    acme: Upstream, public: Upstream, tmp_path: Path
) -> None:
    clock = Clock()
    async with gate(acme, public, tmp_path, clock=clock) as running:
        await running.json("/simple/demo/")
        acme.add(of("demo", "7.0"))
        clock.turn(PAST_TTL)
        assert versions(await running.json("/simple/demo/")) == ["7.0"]
    acme.fault("*", Status(status=500))
    first = index_id(acme.url)
    for page in (tmp_path / "state").rglob(f"{first}/*/*"):
        page.unlink()  # as if it had to make room
    async with gate(acme, public, tmp_path, clock=clock) as again:
        assert await again.status("/simple/demo/", **JSON) == 502


async def test_offline_what_is_stored_comes_from_where_it_came(
    acme: Upstream, public: Upstream, tmp_path: Path
) -> None:
    clock = Clock()
    async with gate(acme, public, tmp_path, clock=clock) as online:
        for name in ("demo", "both"):
            await online.json(f"/simple/{name}/")
        listed = await online.json("/simple/")
    asked = len(acme.log), len(public.log)
    clock.turn(PAST_TTL)
    async with gate(acme, public, tmp_path, clock=clock, offline=True) as offline:
        assert versions(await offline.json("/simple/demo/")) == ["1.0", "1.1"]
        assert versions(await offline.json("/simple/both/")) == ["1.0"]
        assert await offline.json("/simple/") == listed
        assert await offline.status("/simple/tool/", **JSON) == 503
    assert (len(acme.log), len(public.log)) == asked


async def test_that_an_earlier_index_gains_a_name_is_logged_and_shown(
    acme: Upstream, public: Upstream, tmp_path: Path
) -> None:
    clock = Clock()
    with heard() as log:
        async with gate(acme, public, tmp_path, clock=clock) as running:
            await running.json("/simple/demo/")
            theirs = await running.file_path("demo", "demo-1.1-py3-none-any.whl")
            acme.add(of("demo", "7.0"))
            clock.turn(PAST_TTL)
            assert versions(await running.json("/simple/demo/")) == ["7.0"]
            assert await running.status(theirs) == 404
            owners = (await running.json("/-/health"))["owners"]
    [told] = [entry["text"] for entry in log if entry["event"] == "owner-changed"]
    assert told == (
        "`demo` came from `pypi` and comes from `acme` now: `acme` is asked before it and has it"
        " now"
    )
    assert owners == {"changed": 1, "last": told}


async def test_a_project_that_vanishes_from_its_index_is_found_in_the_next_and_logged(
    acme: Upstream, public: Upstream, tmp_path: Path
) -> None:
    clock = Clock()
    with heard() as log:
        async with gate(acme, public, tmp_path, clock=clock) as running:
            await running.json("/simple/both/")
            acme.remove("both")
            clock.turn(PAST_TTL)
            assert versions(await running.json("/simple/both/")) == ["2.0"]
            public.remove("both")
            clock.turn(PAST_TTL)
            assert await running.status("/simple/both/", **JSON) == 404
    texts = [entry["text"] for entry in log if entry["event"] == "owner-changed"]
    assert texts == ["`both` came from `acme` and comes from `pypi` now: `acme` has it no more"]


async def test_a_change_while_the_gate_was_down_is_noticed_too(
    acme: Upstream, public: Upstream, tmp_path: Path
) -> None:
    clock = Clock()
    async with gate(acme, public, tmp_path, clock=clock) as running:
        await running.json("/simple/demo/")
    acme.add(of("demo", "7.0"))
    clock.turn(PAST_TTL)
    async with gate(acme, public, tmp_path, clock=clock) as again:
        assert versions(await again.json("/simple/demo/")) == ["7.0"]
        assert again.parts.indexes.owners is not None
        assert again.parts.indexes.owners.changes == 1


async def test_one_flight_asks_for_all_who_want_an_unknown_name(
    acme: Upstream, public: Upstream, tmp_path: Path
) -> None:
    async with gate(acme, public, tmp_path) as running:
        pages = await asyncio.gather(*(running.json("/simple/demo/") for _ in range(20)))
    assert all(page == pages[0] for page in pages)
    assert (acme.count("/simple/demo/"), public.count("/simple/demo/")) == (1, 1)


async def test_a_warm_page_of_a_later_index_asks_nobody(
    acme: Upstream, public: Upstream, tmp_path: Path
) -> None:
    async with gate(acme, public, tmp_path) as running:
        await running.json("/simple/demo/")
        running.clock.turn(timedelta(minutes=5))
        for _ in range(5):
            await running.json("/simple/demo/")
    assert (acme.count("/simple/demo/"), public.count("/simple/demo/")) == (1, 1)


@pytest.mark.parametrize("accept", [JSON, HTML], ids=["json", "html"])
async def test_the_list_is_the_union_with_each_name_from_its_index(
    accept: dict[str, str], acme: Upstream, public: Upstream, tmp_path: Path
) -> None:
    public.add(of("acme-typo", "1.0"))
    acme.forms = "html"
    async with (
        gate(acme, public, tmp_path) as running,
        running.client.get("/simple/", headers=accept) as page,
    ):
        assert page.status == 200
        text = await page.text()
    assert text.count("acme-lib") == (1 if accept == JSON else 2)
    assert "acme-typo" not in text
    assert all(name in text for name in ("tool", "both", "demo"))


async def test_the_list_of_some_indexes_is_not_given_out_for_that_of_all(
    acme: Upstream, public: Upstream, tmp_path: Path
) -> None:
    clock = Clock()
    public.fault("/simple/", Status(status=500))
    async with gate(acme, public, tmp_path, clock=clock) as running:
        async with running.client.get("/simple/", headers=JSON) as page:
            assert page.status == 502
            assert "`pypi` answered with status 500" in await page.text()
        public.heal()
        clock.turn(timedelta(minutes=2))
        whole = await running.json("/simple/")
        public.fault("/simple/", Status(status=500))
        clock.turn(PAST_TTL)
        assert await running.json("/simple/") == whole


async def test_health_and_metrics_know_each_index(
    acme: Upstream, public: Upstream, tmp_path: Path
) -> None:
    async with gate(acme, public, tmp_path) as running:
        await running.json("/simple/demo/")
        acme.fault("*", Status(status=500))
        running.clock.turn(timedelta(seconds=1))
        await running.status("/simple/other/", **JSON)
        report = await running.json("/-/health")
        first, second = report["indexes"]
        assert (first["name"], first["url"], first["public"]) == ("acme", acme.url, False)
        assert (second["name"], second["namespaces"], second["public"]) == ("pypi", [], True)
        assert first["reason"] == "answered with status 500"
        assert second["last_success"]
        assert "upstream: `acme` answered with status 500" in report["degraded"]
        async with running.client.get("/-/metrics") as metrics:
            text = await metrics.text()
    for name in ("acme", "pypi"):
        assert f'upstream="{name}",what="page"' in text


async def test_with_one_index_health_lists_that_one(public: Upstream, tmp_path: Path) -> None:
    async with running(public, tmp_path, ALLOWING) as alone:
        report = await alone.json("/-/health")
    assert [index["url"] for index in report["indexes"]] == [report["upstream"]["url"]]
    assert report["owners"] == {"changed": 0, "last": None}


async def test_facts_and_records_are_kept_by_index(
    acme: Upstream, public: Upstream, tmp_path: Path
) -> None:
    async with gate(acme, public, tmp_path) as running:
        await running.json("/simple/demo/")
        await running.json("/simple/both/")
        ours, theirs = (index.gate for index in running.parts.each)
        assert theirs.facts.known(NormalizedName("demo")) is not None
        assert ours.facts.known(NormalizedName("demo")) is None
        known = ours.facts.known(BOTH)
        assert known is not None
        assert known.index_id == ours.index_id
        assert theirs.facts.known(BOTH) is None
        seen = running.parts.store.projects.first_seen
        assert seen(ours.index_id, BOTH) is not None
        assert seen(theirs.index_id, BOTH) is None


async def test_third_parties_learn_names_of_the_public_index_alone(
    acme: Upstream, public: Upstream, tmp_path: Path
) -> None:
    services = {name: Documents() for name in ("deps-dev", "scorecard", "pypistats")}
    async with AsyncExitStack() as stack:
        for service in services.values():
            await stack.enter_async_context(service)
        gate = await stack.enter_async_context(
            running(
                public,
                tmp_path,
                ALLOWING,
                tables=tables(acme, public),
                addresses={name: service.origin for name, service in services.items()},
            )
        )
        for index in gate.parts.each:
            for name in ("acme-lib", "tool", "demo"):
                with suppress(NoSuchProject):
                    await index.gate.facts.renew(NormalizedName(name))
        told = str([service.log for service in services.values()])
    assert "demo" in told
    assert "acme" not in told
    assert "tool" not in told


async def test_names_of_private_namespaces_are_told_to_nobody_whoever_asks(
    acme: Upstream, public: Upstream, tmp_path: Path
) -> None:
    async with gate(acme, public, tmp_path) as running:
        theirs = running.parts.gate.facts.observer
        [about] = {source.about for source in theirs.all if source.about.name == "deps-dev"}
        assert running.parts.gate.public
        assert theirs.may_know(NormalizedName("demo"), about)
        assert not theirs.may_know(NormalizedName("acme-lib"), about)


async def test_an_sdist_of_a_public_project_is_found_though_its_name_reads_two_ways(
    acme: Upstream, public: Upstream, tmp_path: Path
) -> None:
    public.add(project("demo-tool", sdist("demo-tool", "2.0")))
    async with gate(acme, public, tmp_path) as running:
        page = await running.json("/simple/demo-tool/")
        path = str(page["files"][0]["url"]).removeprefix("../..")
        assert await running.status(path) == 200


async def test_three_indexes_are_asked_in_their_order(
    acme: Upstream, public: Upstream, tmp_path: Path
) -> None:
    async with Upstream(of("third", "3.0"), of("both", "3.0")) as third:
        text = f'{tables(acme, public)}[[index]]\nname = "third"\nurl = "{third.url}"\n'
        async with running(public, tmp_path, ALLOWING, tables=text) as gate:
            assert versions(await gate.json("/simple/third/")) == ["3.0"]
            assert versions(await gate.json("/simple/both/")) == ["1.0"]
            assert [entry.path for entry in third.log if "both" in entry.path] == []
            third.fault("*", Status(status=404))
            public.fault("*", Status(status=503))
            assert await gate.status("/simple/fourth/", **JSON) == 503
