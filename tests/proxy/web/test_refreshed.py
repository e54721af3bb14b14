"""A refresh on demand: what is asked, what comes of it, how it ends early and goes on."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import pytest
from packaging.utils import NormalizedName

from indexgate import config, whole_index
from indexgate.config import Given, Settings
from indexgate.errors import GateError
from indexgate.pip_settings import PipSettings
from indexgate.refresh import ASKED_SINCE
from indexgate.refreshed import Intended, Refreshed, Wanted
from indexgate.upstream_choice import UpstreamChoice, choose
from indexgate.web import refreshed, sources, standings
from indexgate.web.parts import open_parts
from indexgate.web.refreshed import Stop
from indexgate.web.sources import asked_projects
from indexgate.whole_index import Counted
from tests.proxy.test_day_reading import Log
from tests.proxy.web.running import Clock
from tests.standins.documents import Documents
from tests.standins.faults import Status
from tests.standins.packages import project, wheel
from tests.standins.upstream import Upstream

NAMES = tuple(NormalizedName(f"demo-{number:02}") for number in range(12))
PROJECTS = [project(name, wheel(name, "1.0")) for name in NAMES]
THIRD = ("deps-dev", "pypistats", "scorecard")


@dataclass
class Heard:
    """Progress as it was told; *after* so many steps *then* is done."""

    begun: list[tuple[str, int | None]] = field(default_factory=list)
    steps: int = 0
    after: int = -1
    then: Callable[[], None] = lambda: None

    def begin(self, what: str, total: int | None) -> None:
        self.begun.append((what, total))

    def step(self, text: str, count: int = 1) -> None:
        self.steps += 1
        if self.steps == self.after:
            self.then()


@dataclass
class Bench:
    """A state folder, an upstream, and third parties that have nothing to say."""

    folder: Path
    upstream: Upstream
    services: Mapping[str, Documents]
    clock: Clock = field(default_factory=Clock)
    given: dict[str, Given] = field(default_factory=dict)

    async def refresh(
        self, wanted: Wanted, heard: Heard | None = None, stop: Stop | None = None
    ) -> Refreshed:
        settings, upstream = self._chosen()
        return await refreshed.refresh(
            settings,
            upstream,
            wanted,
            progress=heard or Heard(),
            stop=stop or Stop(),
            clock=self.clock,
            addresses=self._addresses,
        )

    async def intend(self, wanted: Wanted) -> Intended:
        settings, upstream = self._chosen()
        return await refreshed.intend(
            settings, upstream, wanted, clock=self.clock, addresses=self._addresses
        )

    async def standings(self) -> dict[str, standings.SourceRow]:
        rows = await standings.standings(
            *self._chosen(), clock=self.clock, addresses=self._addresses
        )
        return {row.name: row for row in rows}

    @property
    def asked(self) -> int:
        """How many requests third parties have got."""
        return sum(len(service.log) for service in self.services.values())

    @property
    def _addresses(self) -> dict[str, str]:
        return {name: service.origin for name, service in self.services.items()}

    def _chosen(self) -> tuple[Settings, UpstreamChoice]:
        given: dict[str, Given] = {
            "upstream": self.upstream.url,
            "upstream_public": "yes",
            "policy": "observe",
            "osv_url": "",
        }
        settings = config.load(
            given | self.given, {}, config.read_bounded, default_state=self.folder / "state"
        )
        return settings, choose(
            settings,
            kept=None,
            pip=PipSettings(),
            login=lambda _host: None,
            public_index="https://index.example.test/simple/",
        )


@asynccontextmanager
async def bench_in(folder: Path, **given: Given) -> AsyncIterator[Bench]:
    services = {name: Documents() for name in THIRD}
    async with AsyncExitStack() as stack:
        for service in services.values():
            await stack.enter_async_context(service)
        upstream = await stack.enter_async_context(Upstream(*PROJECTS))
        yield Bench(folder, upstream, services, given=given)


async def test_projects_are_assessed_and_told_in_the_order_they_were_named(
    tmp_path: Path,
) -> None:
    async with bench_in(tmp_path) as bench:
        heard = Heard()
        done = await bench.refresh(Wanted(projects=(NAMES[1], NAMES[0], NAMES[1])), heard)
        assert [row.project for row in done.projects] == [NAMES[1], NAMES[0]]
        assert {row.state for row in done.projects} == {"refreshed"}
        assert all({"deps-dev", "pypistats"} <= set(row.asked) for row in done.projects)
        assert heard.begun == [("projects", 2)]
        assert not done.failed


async def test_what_fails_is_told_and_keeps_the_rest_from_nothing(tmp_path: Path) -> None:
    async with bench_in(tmp_path) as bench:
        bench.services["deps-dev"].fault("*", Status(status=500))
        done = await bench.refresh(Wanted(projects=(NAMES[0], NormalizedName("nowhere"))))
        sound, missing = done.projects
        assert [failure.source for failure in sound.failures] == ["deps-dev"]
        assert "pypistats" in sound.asked
        assert missing.error == "the index has no project of that name"
        assert done.failed
        assert not any("nowhere" in path for s in bench.services.values() for path in s.log)


async def test_only_the_named_sources_are_asked(tmp_path: Path) -> None:
    async with bench_in(tmp_path) as bench:
        await bench.refresh(Wanted(projects=NAMES[:1], sources=("pypistats",)))
        assert [name for name, service in bench.services.items() if service.log] == ["pypistats"]


@pytest.mark.parametrize(
    ("source", "reference", "words"),
    [
        ("github", "source-off", "`github` is off: `github_token` is not set"),
        ("gitgub", "source-unknown", "there is no source `gitgub`"),
    ],
)
async def test_a_source_that_cannot_be_asked_is_an_error_that_says_why(
    source: str, reference: str, words: str, tmp_path: Path
) -> None:
    async with bench_in(tmp_path) as bench:
        with pytest.raises(GateError) as raised:
            await bench.refresh(Wanted(projects=NAMES[:1], sources=(source,)))
        assert raised.value.reference == reference
        assert words in raised.value.message


async def test_a_refresh_that_is_stopped_keeps_what_is_done_and_goes_on_from_there(
    tmp_path: Path,
) -> None:
    async with bench_in(tmp_path) as bench:
        stop = Stop()
        done = await bench.refresh(Wanted(projects=NAMES), Heard(after=3, then=stop.now), stop)
        assert done.stopped
        ended = [row for row in done.projects if row.state == "refreshed"]
        assert 3 <= len(ended) < len(NAMES)
        # Who could not answer in time is rightly asked again.
        reached = [row.project for row in ended if not row.failures]
        before = {name: [*service.log] for name, service in bench.services.items()}
        again = await bench.refresh(Wanted(projects=NAMES))
        assert not again.stopped
        assert {row.state for row in again.projects} == {"refreshed"}
        for row in again.projects:
            if row.project in reached:
                assert row.asked == ()
        for name, service in bench.services.items():
            further = service.log[len(before[name]) :]
            assert not any(f"{project}" in path for path in further for project in reached)


async def test_all_are_those_that_clients_asked_for(tmp_path: Path) -> None:
    async with bench_in(tmp_path) as bench:
        await bench.refresh(Wanted(projects=NAMES[:3]))
        done = await bench.refresh(Wanted(everything=True))
        assert [row.project for row in done.projects] == [*NAMES[:3]]


async def test_to_refresh_all_keeps_nothing_alive_that_no_client_asks_for(tmp_path: Path) -> None:
    async with bench_in(tmp_path) as bench:
        await bench.refresh(Wanted(projects=NAMES[:2]))
        bench.clock.turn(ASKED_SINCE + timedelta(days=1))
        await bench.refresh(Wanted(projects=NAMES[:1], everything=True))
        settings, choice = bench._chosen()
        async with open_parts(settings, choice, base="/", clock=bench.clock) as parts:
            since = bench.clock.now - ASKED_SINCE
            assert asked_projects(parts.store, choice.index_id, since) == {NAMES[0]}


async def test_a_dry_run_asks_nobody_and_says_who_would_be_asked(tmp_path: Path) -> None:
    async with bench_in(tmp_path) as bench:
        intended = await bench.intend(Wanted(projects=NAMES[:4]))
        assert (bench.asked, bench.upstream.log) == (0, [])
        by_source = {question.source: question for question in intended.questions}
        assert by_source["deps-dev"].projects == 4
        assert by_source["deps-dev"].names == NAMES[:4]
        assert (by_source["scorecard"].projects, by_source["scorecard"].perhaps) == (0, 4)
        assert by_source["pypistats"].left == "30 of 30 a minute"
        await bench.refresh(Wanted(projects=NAMES[:4]))
        intended = await bench.intend(Wanted(projects=NAMES[:5]))
        by_source = {question.source: question for question in intended.questions}
        assert by_source["deps-dev"].names == (NAMES[4],)
        # The index itself is asked anew about those that are named.
        assert by_source["project-json"].names == NAMES[:5]


async def test_a_dry_run_counts_no_private_name_for_others(tmp_path: Path) -> None:
    async with bench_in(tmp_path, private_names=("demo-0*",)) as bench:
        intended = await bench.intend(Wanted(projects=NAMES[:3]))
    told = {q.source: (q.projects, q.perhaps) for q in intended.questions}
    assert told.pop("project-json") == (3, 0)
    assert set(told.values()) == {(0, 0)}


async def test_days_are_read_beside_the_projects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Log(name="bigquery")
    monkeypatch.setattr(sources, "_logs", lambda *_: iter([log]))
    day, wrong = date(2026, 11, 1), date(2026, 11, 2)
    async with bench_in(tmp_path, bigquery_project="p") as bench:
        await bench.refresh(Wanted(projects=NAMES[:1]))
        assert log.asked == []
        done = await bench.refresh(Wanted(days=(day,)))
        assert [(row.day, row.projects, row.error) for row in done.days] == [(day, 1, "")]
        assert done.projects == ()
        intended = await bench.intend(Wanted(days=(wrong,)))
        assert [plan.day for plan in intended.days] == [wrong]
        log.breaks_after = 0
        failed = await bench.refresh(Wanted(days=(wrong,)))
        assert failed.failed
        assert "gave 1 row of 2" in failed.days[0].error
        stop = Stop()
        log.breaks_after = None
        stopped = await bench.refresh(Wanted(days=(wrong,)), Heard(after=1, then=stop.now), stop)
        assert stopped.stopped


async def test_assessing_a_whole_index_ends_when_somebody_asks_to_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def long_work(*_: object, tell: Callable[[int], None], **__: object) -> Counted:
        for assessed in range(100):
            tell(assessed)
        return Counted(assessed=100)

    monkeypatch.setattr(whole_index, "assess_whole_index", long_work)
    stop = Stop()
    async with bench_in(tmp_path) as bench:
        done = await bench.refresh(Wanted(whole_index=True), Heard(after=1, then=stop.now), stop)
    assert (done.stopped, done.whole_index) == (True, None)


async def test_a_running_gate_takes_up_what_a_refresh_found(tmp_path: Path) -> None:
    async with bench_in(tmp_path, sources="pypistats") as bench:
        settings, choice = bench._chosen()
        addresses = {name: service.origin for name, service in bench.services.items()}
        async with open_parts(
            settings, choice, base="/", clock=bench.clock, addresses=addresses
        ) as parts:
            facts = parts.gate.facts
            await facts.of(await parts.gate.listings.of(NAMES[0]))
            await facts.settled()  # a slow machine may not have had the project JSON in time
            await parts.store.assessments.saved()  # what is on its way hides what others save
            before = facts.stamp(NAMES[0])
            bench.clock.turn(timedelta(seconds=30))
            await bench.refresh(Wanted(projects=NAMES[:1]))
            assert facts.stamp(NAMES[0]) == before
            bench.clock.turn(timedelta(seconds=30))
            assert facts.stamp(NAMES[0]) != before
            asked = bench.asked
            await facts.refresh(NAMES[0])
            assert bench.asked == asked


async def test_a_running_gate_asks_nobody_again_whom_a_refresh_has_just_asked(
    tmp_path: Path,
) -> None:
    async with bench_in(tmp_path, sources="pypistats") as bench:
        settings, choice = bench._chosen()
        addresses = {name: service.origin for name, service in bench.services.items()}
        async with open_parts(
            settings, choice, base="/", clock=bench.clock, addresses=addresses
        ) as parts:
            facts = parts.gate.facts
            await facts.of(await parts.gate.listings.of(NAMES[0]))
            bench.clock.turn(timedelta(seconds=30))
            await bench.refresh(Wanted(projects=NAMES[:1]))
            asked = bench.asked
            await facts.refresh(NAMES[0])
            assert bench.asked == asked


async def test_sources_tell_what_was_asked_and_what_is_left(tmp_path: Path) -> None:
    async with bench_in(tmp_path) as bench:
        rows = await bench.standings()
        assert rows["deps-dev"].succeeded_at is None
        assert not rows["github"].on
        assert rows["github"].left == ""
        await bench.refresh(Wanted(projects=NAMES[:1]))
        bench.clock.now += timedelta(minutes=5)
        bench.services["pypistats"].fault("*", Status(status=500))
        await bench.refresh(Wanted(projects=NAMES[1:2]))
        asked = bench.asked
        rows = await bench.standings()
        assert bench.asked == asked
        assert rows["deps-dev"].succeeded_at == bench.clock.now
        assert rows["deps-dev"].failure == ""
        assert rows["project-json"].succeeded_at == bench.clock.now
        assert "500" in rows["pypistats"].failure
        assert rows["pypistats"].succeeded_at is not None
        assert "left alone until" in rows["pypistats"].left
        assert "dependents" in rows["deps-dev"].signals
