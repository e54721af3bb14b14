"""Whom the observer asks, when, in what order, and what stays when somebody fails."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import pytest
from packaging.utils import NormalizedName

from indexgate.failed_attempts import LATEST_AGAIN, SOONEST_AGAIN
from indexgate.observing import Observed, Observer, Surveyed
from indexgate.sources.protocol import DailyCounts
from indexgate_policy.signals import Signal, Signals, Unknown
from tests.proxy.sources_said import DEMO, NOW, Clock, Said, SaidByTheDay, failed


async def _no_wait(_seconds: float) -> None:
    raise AssertionError("nobody was to be waited for")


class Bench:
    """An observer of *sources*, its clock, and what it told."""

    def __init__(
        self,
        *sources: Said,
        offline: bool = False,
        private: str = "",
        wait: Callable[[float], Awaitable[None]] = _no_wait,
    ) -> None:
        self.clock = Clock()
        self.log: list[tuple[str, str]] = []
        self.succeeded: list[str] = []
        self.failed: list[tuple[str, str]] = []
        self.counted: list[DailyCounts] = []
        self.observer = Observer(
            sources,
            offline=offline,
            clock=self.clock,
            log=lambda event, text: self.log.append((event, text)),
            private=lambda name: name == private,
            told=Surveyed(
                succeeded=lambda source, _at: self.succeeded.append(source),
                failed=self._failed,
                counted=self._counted,
            ),
            wait=wait,
        )

    def _failed(self, source: str, _at: datetime, reason: str) -> None:
        self.failed.append((source, reason))

    async def _counted(self, counts: DailyCounts) -> None:
        self.counted.append(counts)

    async def observe(
        self,
        before: Observed | None = None,
        *,
        anew: bool = False,
        patience: timedelta = timedelta(0),
    ) -> Observed:
        signals = () if before is None else before.signals
        return await self.observer.observe(
            DEMO, self.observer.all, signals, anew=anew, patience=patience
        )


class Torn(Said):
    """A source whose glance meets what nobody thought of."""

    def foresee(self, project: NormalizedName) -> None:
        """Do nothing."""

    def forgo(self, project: NormalizedName) -> None:
        """Do nothing."""

    async def glance(self, project: NormalizedName, now: datetime) -> tuple[Signal, ...] | None:
        """Fail."""
        raise ValueError(f"{project} is torn")


def value(observed: Observed, name: str) -> object:
    found = Signals(observed.signals).value(name)
    return found.reason if isinstance(found, Unknown) else found


async def test_a_source_is_asked_again_only_when_its_answer_is_old() -> None:
    source = Said("deps-dev", {"dependents": 5}, fresh_for=timedelta(days=7))
    bench = Bench(source)
    first = await bench.observe()
    assert (value(first, "dependents"), first.asked, first.again_at) == (5, ("deps-dev",), None)
    bench.clock.turn(days=6.9)
    second = await bench.observe(first)
    assert (second.signals, second.asked) == (first.signals, ())
    bench.clock.turn(days=0.1)
    third = await bench.observe(second)
    assert len(source.asked) == 2
    assert {signal.observed_at for signal in third.signals} == {bench.clock.now}
    assert bench.succeeded == ["deps-dev", "deps-dev"]


async def test_freshness_is_each_sources_own() -> None:
    quick = Said("quick", {"stars": 1}, fresh_for=timedelta(hours=1))
    slow = Said("slow", {"forks": 1}, fresh_for=timedelta(days=30))
    bench = Bench(quick, slow)
    first = await bench.observe()
    bench.clock.turn(hours=2)
    assert (await bench.observe(first)).asked == ("quick",)


async def test_a_failure_keeps_the_older_answer_and_says_when_to_ask_again() -> None:
    source = Said("deps-dev", {"dependents": 5})
    bench = Bench(source)
    first = await bench.observe()
    bench.clock.turn(days=2)
    source.failures = [failed()]
    second = await bench.observe(first)
    assert second.signals == first.signals
    assert [failure.reason for failure in second.failures] == ["answered 500"]
    assert second.again_at == bench.clock.now + SOONEST_AGAIN
    assert bench.failed == [("deps-dev", "answered 500")]


async def test_a_failure_without_an_older_answer_is_unknown_with_its_reason() -> None:
    bench = Bench(Said("deps-dev", {"dependents": 5}, failures=[failed()]))
    assert value(await bench.observe(), "dependents") == "deps-dev answered 500"


async def test_a_source_that_failed_is_left_alone_longer_each_time() -> None:
    source = Said("deps-dev", {"dependents": 5}, failures=[failed() for _ in range(12)])
    bench = Bench(source)
    kept, rests = None, []
    for _ in range(12):
        kept = await bench.observe(kept)
        assert kept.again_at is not None
        early = await bench.observe(kept)
        assert (early.asked, early.failures, early.again_at) == ((), (), kept.again_at)
        rests.append(kept.again_at - bench.clock.now)
        bench.clock.now = kept.again_at
    assert rests[:4] == [SOONEST_AGAIN * n for n in (1, 2, 4, 8)]
    assert rests[-1] == LATEST_AGAIN
    assert len(source.asked) == 12
    assert value(await bench.observe(kept), "dependents") == 5
    source.failures = [failed()]
    bench.clock.turn(days=2)
    again = await bench.observe(kept)
    assert again.again_at == bench.clock.now + SOONEST_AGAIN


async def test_the_wish_of_a_source_counts_where_it_is_later() -> None:
    bench = Bench(Said("deps-dev", {"dependents": 5}, failures=[failed(retry_after=7200)]))
    assert (await bench.observe()).again_at == NOW + timedelta(hours=2)


async def test_a_used_up_budget_is_no_failure_and_is_due_when_it_is_full_again() -> None:
    source = Said("deps-dev", {"dependents": 5}, failures=[failed("budget", retry_after=30)])
    bench = Bench(source)
    observed = await bench.observe()
    assert observed.again_at == NOW + timedelta(seconds=30)
    assert [failure.kind for failure in observed.failures] == ["budget"]
    assert bench.failed == []
    bench.clock.turn(seconds=30)
    assert value(await bench.observe(observed), "dependents") == 5


async def test_patience_waits_for_a_budget_but_not_longer_than_it_lasts() -> None:
    waits: list[float] = []

    async def wait(seconds: float) -> None:
        waits.append(seconds)
        bench.clock.turn(seconds=seconds)

    source = Said("deps-dev", {"dependents": 5})
    source.failures = [failed("budget", retry_after=30) for _ in range(5)]
    bench = Bench(source, wait=wait)
    observed = await bench.observe(patience=timedelta(seconds=100))
    assert waits == [30, 30, 30]
    assert [failure.kind for failure in observed.failures] == ["budget"]


async def test_an_unforeseen_fault_of_one_source_does_not_reach_the_others() -> None:
    broken = Said("broken", {"stars": 1}, failures=[ZeroDivisionError("nothing")])
    bench = Bench(broken, Said("sound", {"forks": 2}))
    observed = await bench.observe()
    assert value(observed, "stars") == "broken sent what cannot be taken in"
    assert value(observed, "forks") == 2
    assert "ZeroDivisionError" in bench.log[0][1]


async def test_a_fault_at_a_glance_leaves_it_to_observe_to_know() -> None:
    bench = Bench(Torn("project-json", {"summary": "a demo"}, third_party=False))
    assert await bench.observer.glance(DEMO) is None
    assert value(await bench.observe(), "summary") == "a demo"


async def test_what_a_source_needs_is_asked_of_the_others_first() -> None:
    needing = Said("scorecard", {"scorecard": 7.5}, needs=("repository",))
    index = Said("project-json", {"repository": "https://github.com/a/b"}, third_party=False)
    bench = Bench(needing, index)
    observed = await bench.observe()
    assert value(observed, "scorecard") == 7.5
    assert needing.asked[0].known.value("repository") == "https://github.com/a/b"


@pytest.mark.parametrize("repository", [Unknown(reason="no link"), ""])
async def test_a_source_whose_need_is_not_known_is_not_asked(repository: str | Unknown) -> None:
    needing = Said("scorecard", {"scorecard": 7.5}, needs=("repository",))
    index = Said("project-json", {"repository": repository}, third_party=False)
    bench = Bench(needing, index)
    observed = await bench.observe()
    assert needing.asked == []
    assert value(observed, "scorecard") == "scorecard needs the repository, which is not known"
    assert (observed.failures, observed.again_at) == ((), None)
    index.says["repository"] = "https://github.com/a/b"
    assert value(await bench.observe(observed, anew=True), "scorecard") == 7.5


@pytest.mark.parametrize("repository", [Unknown(reason="no link"), ""])
async def test_what_was_said_of_a_repository_goes_when_the_project_names_none(
    repository: str | Unknown,
) -> None:
    needing = Said("scorecard", {"scorecard": 7.5}, needs=("repository",))
    index = Said("project-json", {"repository": "https://github.com/a/b"}, third_party=False)
    bench = Bench(needing, index)
    before = await bench.observe()
    index.says["repository"] = repository
    observed = await bench.observe(before, anew=True)
    assert value(observed, "scorecard") == "scorecard needs the repository, which is not known"


async def test_what_was_said_of_a_repository_stays_when_the_index_cannot_be_asked() -> None:
    needing = Said("scorecard", {"scorecard": 7.5}, needs=("repository",))
    index = Said("project-json", {"repository": "https://github.com/a/b"}, third_party=False)
    bench = Bench(needing, index)
    before = await bench.observe()
    index.failures = [failed()]
    assert value(await bench.observe(before, anew=True), "scorecard") == 7.5


async def test_a_part_of_an_answer_that_failed_leaves_what_was_said_before_and_is_due_again() -> (
    None
):
    source = Said("deps-dev", {"dependents": 5, "stars": 1}, fresh_for=timedelta(days=2))
    bench = Bench(source)
    before = await bench.observe()
    bench.clock.turn(days=2)
    source.says |= {"dependents": Unknown(reason="deps-dev answered 503"), "stars": 2}
    observed = await bench.observe(before)
    assert (value(observed, "dependents"), value(observed, "stars")) == (5, 2)
    bench.clock.turn(hours=1)
    source.says["dependents"] = Unknown(reason="deps.dev does not tell dependents")
    assert value(await bench.observe(observed), "dependents") == "deps.dev does not tell dependents"


async def test_sources_that_need_each_other_are_asked_all_the_same() -> None:
    one, other = Said("one", {"a": 1}, needs=("b",)), Said("other", {"b": 1}, needs=("a",))
    await Bench(one, other).observe()
    assert one.asked == other.asked == []


async def test_nobody_but_its_index_is_told_a_private_name() -> None:
    index, other = Said("project-json", {"owners": ("a",)}, third_party=False), Said("o", {"b": 1})
    bench = Bench(index, other, private="demo")
    observed = await bench.observe()
    assert (index.names, other.names) == (["demo"], [])
    assert value(observed, "b") == "o is not asked: the name is private"


async def test_offline_nobody_is_asked_and_what_was_said_stays() -> None:
    index, other = Said("project-json", {"owners": ("a",)}, third_party=False), Said("o", {"b": 1})
    before = await Bench(index, other).observe()
    bench = Bench(index, other, offline=True)
    bench.clock.turn(days=300)
    observed = await bench.observe(before, anew=True)
    assert observed.signals == before.signals
    assert (len(index.asked), len(other.asked)) == (1, 1)
    assert "offline" in observed.failures[0].reason
    assert "offline" in str(value(await bench.observe(), "b"))


async def test_anew_asks_the_index_itself_whatever_it_said_and_nobody_else() -> None:
    index, other = Said("project-json", {"owners": ("a",)}, third_party=False), Said("o", {"b": 1})
    bench = Bench(index, other)
    observed = await bench.observe(await bench.observe(), anew=True)
    assert observed.asked == ("project-json",)


async def test_what_a_source_that_is_off_now_said_before_stays() -> None:
    before = await Bench(Said("other-machine", {"dependents": 3})).observe()
    observed = await Bench(Said("deps-dev", {"stars": 1})).observe(before)
    assert value(observed, "dependents") == 3
    assert value(observed, "stars") == 1


async def test_a_source_that_gives_more_than_it_did_is_asked_again() -> None:
    source = Said("deps-dev", {"dependents": 5})
    bench = Bench(source)
    before = await bench.observe()
    source.says["similar_names"] = ("a",)
    assert value(await bench.observe(before), "similar_names") == ("a",)


async def test_signals_come_in_the_order_of_rising_trust() -> None:
    bench = Bench(Said("low", {"stars": 1}), Said("high", {"stars": 2}))
    observed = await bench.observe()
    assert [signal.source for signal in observed.signals] == ["low", "high"]
    assert value(observed, "stars") == 2


async def test_counts_by_the_day_are_handed_on() -> None:
    bench = Bench(SaidByTheDay("pypistats", {"downloads": 7}))
    assert value(await bench.observe(), "downloads") == 7
    assert [counts.days[0].everything for counts in bench.counted] == [7]


async def test_what_would_be_asked_can_be_told_without_asking() -> None:
    index = Said("project-json", {"repository": "https://github.com/a/b"}, third_party=False)
    needing = Said("scorecard", {"scorecard": 7.5}, needs=("repository",))
    bench = Bench(index, needing)
    due = bench.observer.due
    assert [s.about.name for s in due(DEMO, bench.observer.all, ())] == ["project-json"]
    observed = await bench.observe()
    assert due(DEMO, bench.observer.all, observed.signals) == ()
    bench.clock.turn(days=2)
    assert len(due(DEMO, bench.observer.all, observed.signals)) == 2
