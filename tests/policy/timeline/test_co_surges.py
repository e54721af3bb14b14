"""Surges along dependencies: the alarm belongs to the top."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import NormalizedName

from indexgate_policy.assessment import Assessment
from indexgate_policy.flags import Flag, Severity
from indexgate_policy.signals import Signal, Unknown
from indexgate_policy.timeline.co_surges import CoSurge, Surge, co_surges, events, events_of

DAY = date(2025, 8, 4)
Needs = dict[NormalizedName, tuple[NormalizedName, ...]]


def name(text: str) -> NormalizedName:
    return NormalizedName(text)


def surge(project: str, days: int = 0, excess: float = 1_000) -> Surge:
    return Surge(project=name(project), onset=DAY + timedelta(days=days), excess=excess)


def needs(**edges: str) -> Needs:
    return {name(over): tuple(map(name, below.split())) for over, below in edges.items()}


def brought(*surges: Surge, by: Needs) -> dict[str, str]:
    return {found.project: found.top for found in co_surges(surges, by)}


def test_one_job_that_installs_a_plugin_explains_what_the_plugin_needs() -> None:
    surges = (surge("plugin", excess=5e6), surge("acme", 1, 4e6), surge("cloudflare", 2, 5e6))
    by = needs(plugin="acme cloudflare other", acme="cryptography")
    assert co_surges(surges, by) == (
        CoSurge(project=name("acme"), top=name("plugin"), share=1.0),
        CoSurge(project=name("cloudflare"), top=name("plugin"), share=1.0),
    )


@pytest.mark.parametrize(
    ("surges", "edges", "found"),
    [
        ((surge("a"), surge("b")), {"a": "b"}, {"b": "a"}),
        ((surge("a"), surge("b")), {}, {}),
        ((surge("a"), surge("b", 3)), {"a": "b"}, {"b": "a"}),
        ((surge("a"), surge("b", 4)), {"a": "b"}, {}),
        ((surge("a"), surge("c")), {"a": "b", "b": "c"}, {}),
        (
            (surge("a"), surge("b", 2), surge("c", 4)),
            {"a": "b", "b": "c"},
            {"b": "a", "c": "a"},
        ),
        ((surge("a"), surge("b", excess=9_000)), {"a": "b", "b": "a"}, {"a": "b"}),
        ((surge("a"), surge("b"), surge("c", excess=9e4)), {"a": "b", "b": "c", "c": "b"},
         {"b": "a", "c": "a"}),
        ((surge("a"),), {"a": "a"}, {}),
    ],
)  # fmt: skip
def test_who_brings_whom(
    surges: tuple[Surge, ...], edges: dict[str, str], found: dict[str, str]
) -> None:
    assert brought(*surges, by=needs(**edges)) == found


def test_a_small_surge_over_a_large_one_carries_only_its_own_part() -> None:
    [found] = co_surges((surge("a", excess=300), surge("b", excess=3_000)), needs(a="b"))
    assert found.share == pytest.approx(0.1)


def test_several_tops_carry_together() -> None:
    surges = (surge("a", excess=300), surge("b", excess=500), surge("c", excess=1_000))
    [found] = co_surges(surges, needs(a="c", b="c"))
    assert found.top == name("b")
    assert found.share == pytest.approx(0.8)


def test_what_is_brought_gets_an_event_that_says_by_whom_and_how_much() -> None:
    told = events((surge("a", excess=500), surge("b", 1, excess=1_000)), needs(a="b"))
    [(project, event)] = told
    assert project == "b"
    assert (event.kind, event.size) == ("new-dependents", 500)
    assert event.text == "`a`, which needs it, surges too"
    assert event.at.date() == DAY + timedelta(days=1)


def assessment_of(project: str, week: float, requires: tuple[str, ...] | None) -> Assessment:
    at = datetime(2025, 8, 12, tzinfo=UTC)
    value = Unknown(reason="not told") if requires is None else requires
    flag = Flag(
        check="download-surge",
        severity=Severity.MEDIUM,
        evidence="a surge",
        facts={"usual_week": 100.0, "week": week},
        began=datetime(2025, 8, 4, tzinfo=UTC),
    )
    return Assessment(
        index_id="i",
        project=name(project),
        formula="fl-1",
        inputs=(Signal(name="requires", value=value, source="json", observed_at=at),),
        flags=(flag,) if week > 100 else (),
        assessed_at=at,
        valid_until=at,
    )


def test_surges_and_needs_are_read_from_assessments() -> None:
    told = events_of(
        [
            assessment_of("plugin", 3_100, ("ACME", "Calm_One", "unheard-of")),
            assessment_of("acme", 6_100, None),
            assessment_of("calm-one", 90, ()),
        ]
    )
    [(project, event)] = told
    assert project == "acme"
    assert event.size == pytest.approx(3_000)
    assert event.text == "`plugin`, which needs it, surges too"


@given(
    st.dictionaries(
        st.sampled_from("abcdefg"),
        st.tuples(st.integers(0, 9), st.floats(1, 1e7), st.sets(st.sampled_from("abcdefg"))),
    )
)
def test_every_surge_is_a_top_or_has_one(drawn: dict[str, tuple[int, float, set[str]]]) -> None:
    surges = [surge(project, days, excess) for project, (days, excess, _) in drawn.items()]
    by = {name(project): tuple(map(name, below)) for project, (_, _, below) in drawn.items()}
    found = co_surges(surges, by)
    below = {one.project for one in found}
    tops = drawn.keys() - below
    assert bool(tops) == bool(drawn)
    assert all(one.top in tops and 0 < one.share <= 1 for one in found)
