"""Who outside learns a name: whoever is on, after the index itself has said that it exists."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import date, timedelta
from pathlib import Path

import pytest
from packaging.utils import NormalizedName

from indexgate.config import Given
from indexgate.index.protocol import NoSuchProject
from indexgate.source_offers import CHOSEN, OFFERS
from indexgate.sources.validators import Held
from indexgate.store.source_answers import KEPT
from indexgate.web import sources
from indexgate_policy.signals import Signals, Unknown
from tests.proxy.test_day_reading import Log
from tests.proxy.web.running import NOW, Running, running
from tests.standins.documents import Documents
from tests.standins.faults import Hold, Status
from tests.standins.packages import project, wheel
from tests.standins.upstream import Upstream

DEMO = NormalizedName("demo")
PROJECT = project("demo", wheel("demo", "1.0")).changed(
    urls=(("Source", "https://github.com/example/demo"),)
)
SERVICES = (
    "deps-dev", "scorecard", "pypistats", "github", "pepy", "ecosystems", "libraries-io",
)  # fmt: skip


@asynccontextmanager
async def gate_among(
    folder: Path, upstream: Upstream, **given: Given
) -> AsyncIterator[tuple[Running, Mapping[str, Documents]]]:
    """Run a gate in front of *upstream*, all services standing by; each has nothing to say."""
    services = {name: Documents() for name in SERVICES}
    async with AsyncExitStack() as stack:
        for service in services.values():
            await stack.enter_async_context(service)
        addresses = {name: service.origin for name, service in services.items()}
        given = {"upstream_public": "yes", **given}
        gate = await stack.enter_async_context(
            running(upstream, folder, addresses=addresses, **given)  # type: ignore[arg-type]
        )
        yield gate, services


def asked(services: Mapping[str, Documents]) -> set[str]:
    return {name for name, service in services.items() if service.log}


async def test_a_laptop_asks_those_that_need_no_account(tmp_path: Path) -> None:
    async with Upstream(PROJECT) as upstream, gate_among(tmp_path, upstream) as (gate, services):
        renewed = await gate.parts.gate.facts.renew(DEMO)
        assert asked(services) == {"deps-dev", "scorecard", "pypistats"}
        assert not renewed.observed.failures
        assert any("example" in path for path in services["scorecard"].log)


async def test_a_request_for_a_page_asks_no_third_party(tmp_path: Path) -> None:
    async with Upstream(PROJECT) as upstream, gate_among(tmp_path, upstream) as (gate, services):
        await gate.json("/simple/demo/")
        await gate.parts.gate.facts.settled()
        assert asked(services) == set()


@pytest.mark.parametrize(
    "given",
    [
        {"sources": "none"},
        {"offline": True},
        {"upstream_public": "no"},
        {"upstream_public": "auto"},
        {"host": "0.0.0.0"},
        {"private_names": ("de*",)},
        {"upstream_public": "no", "sources": "auto,deps-dev,ecosystems,github"},
    ],
    ids=str,
)
async def test_who_is_off_is_never_asked(given: dict[str, Given], tmp_path: Path) -> None:
    async with Upstream(PROJECT) as upstream:
        # What is stored keeps an offline gate going.
        async with gate_among(tmp_path, upstream, sources="none") as (gate, _):
            await gate.json("/simple/demo/")
        async with gate_among(tmp_path, upstream, **given) as (gate, services):
            await gate.json("/simple/demo/")
            await gate.parts.gate.facts.renew(DEMO)
            assert asked(services) == set()


async def test_a_name_that_the_index_does_not_have_is_told_to_nobody(tmp_path: Path) -> None:
    async with Upstream() as upstream, gate_among(tmp_path, upstream) as (gate, services):
        assert await gate.status("/simple/secret-project/") == 404
        with pytest.raises(NoSuchProject):
            await gate.parts.gate.facts.renew(NormalizedName("secret-project"))
        await gate.parts.gate.facts.refresh(NormalizedName("secret-project"))
        assert asked(services) == set()


async def test_those_that_are_named_are_asked_and_no_others(tmp_path: Path) -> None:
    async with Upstream(PROJECT) as upstream:
        named = gate_among(tmp_path, upstream, host="0.0.0.0", sources="ecosystems,github")
        async with named as (gate, services):
            await gate.parts.gate.facts.renew(DEMO)
            assert asked(services) == {"ecosystems", "github"}


async def test_a_failing_service_keeps_nobody_else_from_being_heard(tmp_path: Path) -> None:
    async with Upstream(PROJECT) as upstream, gate_among(tmp_path, upstream) as (gate, services):
        services["deps-dev"].fault("*", Status(status=500))
        renewed = await gate.parts.gate.facts.renew(DEMO)
        assert [failure.source for failure in renewed.observed.failures] == ["deps-dev"]
        value = Signals(renewed.assessment.inputs).value("dependents")
        assert isinstance(value, Unknown)
        assert "500" in value.reason
        assert renewed.assessment.valid_until < NOW + timedelta(minutes=15)
        entry = gate.parts.sources.book.entry("deps-dev")
        assert entry.failed_at is not None
        assert "500" in entry.failure


async def test_a_restart_remembers_what_was_said_and_how_often_somebody_was_asked(
    tmp_path: Path,
) -> None:
    async with Upstream(PROJECT) as upstream:
        async with gate_among(tmp_path, upstream) as (gate, services):
            await gate.parts.gate.facts.renew(DEMO)
            first = len(services["pypistats"].log)
            left = gate.parts.sources.budgets.of("pypistats").left
        async with gate_among(tmp_path, upstream) as (gate, services):
            assert gate.parts.sources.budgets.of("pypistats").left == left
            assert gate.parts.sources.book.entry("pypistats").succeeded_at == NOW
            await gate.parts.gate.facts.renew(DEMO)
            assert (first, len(services["pypistats"].log)) == (1, 0)


async def test_owners_are_watched_and_a_change_is_an_event(tmp_path: Path) -> None:
    owned = PROJECT.changed(owners=(("ann", "Owner"),))
    async with Upstream(owned) as upstream:
        async with gate_among(tmp_path, upstream, sources="none") as (gate, _):
            facts, store = gate.parts.gate.facts, gate.parts.store
            first = await facts.renew(DEMO)
            since = Signals(first.assessment.inputs).value("owners_watched_since")
            assert since == f"{NOW:%Y-%m-%d}"
            gate.clock.turn(timedelta(days=3))
            upstream.add(PROJECT.changed(owners=(("bo", "Owner"),)))
            second = Signals((await facts.renew(DEMO)).assessment.inputs)
            assert second.value("owners_added") == ("bo",)
            assert second.value("owners_removed") == ("ann",)
            events = store.events.of(gate.parts.gate.index_id, DEMO, NOW - timedelta(days=9999))
            assert [event.kind for event in events if event.kind == "owner-change"]


async def test_a_yank_is_an_event_only_where_somebody_looked_before(tmp_path: Path) -> None:
    old = wheel("demo", "1.0", yanked="broken")
    async with Upstream(project("demo", old, wheel("demo", "2.0"))) as upstream:
        async with gate_among(tmp_path, upstream, sources="none", page_ttl="0") as (gate, _):
            facts, store = gate.parts.gate.facts, gate.parts.store
            await facts.renew(DEMO)

            def yanks() -> list[str]:
                told = store.events.of(gate.parts.gate.index_id, DEMO, NOW - timedelta(days=9999))
                return [event.text for event in told if event.kind == "yank"]

            assert yanks() == []
            upstream.add(project("demo", old, wheel("demo", "2.0", yanked="bad")))
            gate.clock.turn(timedelta(hours=1))
            # A page that is slow to come is stood in for by the one before it.
            while (await facts.renew(DEMO)).listing.snapshot.stale:
                pass
            assert yanks() == ["version 2.0 yanked"]


async def test_a_log_of_days_is_asked_about_no_private_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, day = Log(), date(2026, 3, 2)
    monkeypatch.setattr(sources, "_logs", lambda *_: iter([log]))
    given: dict[str, Given] = {"private_names": ("acme-*",), "bigquery_project": "p"}
    async with (
        Upstream(PROJECT, project("acme-tools", wheel("acme-tools", "1.0"))) as upstream,
        gate_among(tmp_path, upstream, **given) as (gate, _),
    ):
        await gate.json("/simple/demo/")
        await gate.json("/simple/acme-tools/")
        await gate.parts.store.writer.commit(lambda _to: None)  # what was asked for is written now
        [reader] = gate.parts.days
        await asyncio.to_thread(reader.read, day)
        assert log.asked == [(day, frozenset({"demo"}))]


async def test_every_source_that_can_be_chosen_is_made_under_its_name(tmp_path: Path) -> None:
    keys = {"github_token": "t", "pepy_key": "k", "libraries_io_key": "k"}
    given = {**keys, "bigquery_project": "p", "sources": "auto,ecosystems,clickhouse"}
    async with Upstream() as upstream, gate_among(tmp_path, upstream, **given) as (gate, _):
        sources = gate.parts.sources
        made = {source.about.name for source in sources.per_project}
        assert made == {offer.name for offer in OFFERS if offer.name in CHOSEN and not offer.daily}
        assert all(source.about.third_party for source in sources.per_project)
        assert {log.name for log in sources.logs} == {o.name for o in OFFERS if o.daily}
        assert [reader.source for reader in gate.parts.days] == ["bigquery", "clickhouse"]
        own = [source.about.name for source in gate.parts.gate.facts.observer.own]
        assert own == ["project-json"]


async def test_what_a_client_asked_for_is_looked_up_in_the_background(tmp_path: Path) -> None:
    async with Upstream(PROJECT) as upstream, gate_among(tmp_path, upstream) as (gate, services):
        held = Hold()
        services["scorecard"].fault("*", held)  # the last one to be asked: it needs what others say
        working = asyncio.create_task(gate.parts.gate.facts.refresh_for_ever())
        await gate.json("/simple/demo/")
        await held.reached()
        assert asked(services) == {"deps-dev", "scorecard", "pypistats"}
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working


async def test_the_background_ends_when_told_to_though_something_fails_in_that_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Upstream(PROJECT) as upstream, gate_among(tmp_path, upstream) as (gate, _):
        facts, reached = gate.parts.gate.facts, asyncio.Event()

        async def failing(_project: NormalizedName) -> None:
            reached.set()
            with suppress(asyncio.CancelledError):  # as where one of several things failed first
                await asyncio.Event().wait()

        monkeypatch.setattr(facts, "refresh", failing)
        working = asyncio.create_task(facts.refresh_for_ever())
        facts.queue_due(DEMO)
        await reached.wait()
        working.cancel()
        ended, _ = await asyncio.wait({working}, timeout=10)
        assert ended


async def test_answers_kept_for_asking_again_are_let_go_of_in_the_background(
    tmp_path: Path,
) -> None:
    async with Upstream() as upstream, gate_among(tmp_path, upstream) as (gate, _):
        store, refresh = gate.parts.store, gate.parts.refresh
        store.answers.keep("github", "address", Held(etag='"a"', body=b"{}"))
        gate.clock.turn(KEPT + timedelta(days=1))
        for pruned in refresh.others:
            await pruned.prune(gate.clock())
        assert store.answers.held("github", "address") is None
