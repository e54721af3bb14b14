"""The timeline: which change there is, what carries it, and what is never left out."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from indexgate_policy.downloads.kinds import CLASSES
from indexgate_policy.downloads.panel import Panel
from indexgate_policy.events import Event, EventKind
from indexgate_policy.flags import Flag, Severity
from indexgate_policy.signals import Unknown
from indexgate_policy.timeline.causes import REACH
from indexgate_policy.timeline.changes import Change
from indexgate_policy.timeline.entries import Timeline, timeline
from tests.policy.timeline.cases import (
    DAYS,
    LAST_DAY,
    STORIES,
    Story,
    before_end,
    bought,
    event,
    looked_at,
    movement_of,
    needed,
    panel_of,
    quiet,
    told,
)

KINDS: list[EventKind] = list(REACH)
SURGE_BEGAN = before_end(23)


def only(line: Timeline) -> Change:
    [change] = line.changes
    return change


@pytest.mark.parametrize(
    ("name", "flag", "verdict"),
    [
        ("bought", "download-surge", "unexplained, and its owners changed"),
        ("needed", "download-surge", "explained"),
        ("stopped", "drop-to-zero", "unexplained"),
    ],
)
def test_a_story_has_its_one_change_and_the_verdict_on_it(
    name: str, flag: str, verdict: str
) -> None:
    change = only(told(name))
    assert (change.flag, change.explanation.says) == (flag, verdict)


def test_a_surge_tells_before_and_now_and_what_was_looked_for_in_vain() -> None:
    change = only(told("bought"))
    assert change.onset == SURGE_BEGAN
    assert 300 < change.before < 600
    assert 45_000 < change.now < 55_000
    assert change.explanation.absent == ("new dependents", "new stars")
    assert change.explanation.not_known == ()


def test_what_nobody_counted_is_not_known_rather_than_absent() -> None:
    panel = bought().panel
    nothing = np.full_like(panel.stars, np.nan)
    blind = replace(panel, stars=nothing, inflow=nothing)
    change = only(told("bought", panel=blind))
    assert change.explanation.absent == ()
    assert change.explanation.not_known == ("new dependents", "new stars")


def test_a_new_dependent_carries_what_it_brings() -> None:
    change = only(told("needed"))
    first, *others = change.explanation.causes
    assert first.event.kind == "new-dependents"
    assert 0.9 < first.carries <= 1
    assert sum(cause.carries for cause in others) < 0.1


def test_what_the_history_shows_and_no_event_tells_has_a_line_of_its_own() -> None:
    line = told("needed", events=())
    [entry] = [one for one in line.entries if one.event.kind == "new-dependents"]
    assert entry.event.text == "new dependents bring 34,300 downloads a week"
    assert entry.of == 0
    assert only(line).explanation.verdict == "explained"


def test_an_event_alone_tells_of_dependents_that_the_history_does_not_know() -> None:
    story = needed()
    blind = replace(story.panel, inflow=np.full_like(story.panel.inflow, np.nan))
    assert only(told("needed", panel=blind)).explanation.verdict == "explained"
    unsized = tuple(replace(one, size=None) for one in story.events)
    assert only(told("needed", panel=blind, events=unsized)).explanation.verdict == "unexplained"


@pytest.mark.parametrize("kind", ["owner-change", "repository-change", "status", "yank"])
def test_what_explains_nothing_is_told_all_the_same(kind: EventKind) -> None:
    happened = event(kind, SURGE_BEGAN - timedelta(days=5), "something")
    line = told("bought", events=(happened,))
    [cause] = only(line).explanation.causes
    assert (cause.event, cause.lag, cause.carries) == (happened, -5, 0.0)
    assert [one.lag for one in (entry.cause for entry in line.entries) if one] == [-5]


def test_a_change_of_owners_is_no_part_of_the_verdict_on_what_is_explained() -> None:
    owners = event("owner-change", before_end(45), "owner `ann` added")
    change = only(told("needed", events=(*needed().events, owners)))
    assert change.explanation.says == "explained"
    assert owners in [cause.event for cause in change.explanation.causes]


@pytest.mark.parametrize(
    ("kind", "lag", "carries"),
    [
        ("mention", 0, 0.7),
        ("mention", -7, 0.42),
        ("advisory", 0, 0.5),
        ("holiday", 0, 0.0),
        ("client-change", 0, 0.0),
    ],
)
def test_the_table_says_how_much_of_a_surge_an_event_can_carry(
    kind: EventKind, lag: int, carries: float
) -> None:
    happened = event(kind, SURGE_BEGAN + timedelta(days=lag), "something")
    change = only(told("bought", events=(happened,)))
    [cause] = [one for one in change.explanation.causes if one.event == happened]
    assert cause.carries == pytest.approx(carries, abs=0.01)


def test_an_event_out_of_reach_is_a_line_without_a_change() -> None:
    line = told("bought", events=(event("mention", before_end(90), "a talk"),))
    [entry] = [one for one in line.entries if one.event.kind == "mention"]
    assert (entry.of, entry.cause) == (None, None)


def test_what_everybody_did_carries_nothing_once_it_is_taken_out() -> None:
    [happened] = lost = (event("lost-day", before_end(11), "rows are missing"),)
    blind = only(told("stopped", events=lost)).explanation.causes
    assert [one.carries for one in blind if one.event == happened] == [1.0]
    seeing = only(told("stopped", movement=movement_of(), events=lost)).explanation
    [cause] = [one for one in seeing.causes if one.event == happened]
    assert (cause.carries, cause.taken_out) == (0.0, True)


def flag(check: str, **facts: object) -> Flag:
    return replace(
        Flag(check=check, severity=Severity.MEDIUM, evidence="because"),
        **facts,
    )


def test_a_flag_in_force_gives_its_severity_to_its_change_and_others_stand_apart() -> None:
    began = event("release", SURGE_BEGAN, "").at
    line = told("bought", flags=(flag("download-surge", began=began), flag("typosquat")))
    assert only(line).severity is Severity.MEDIUM
    assert [one.check for one in line.flags] == ["typosquat"]


def test_a_flag_of_another_episode_is_not_that_of_the_change() -> None:
    began = event("release", before_end(150), "").at
    line = told("bought", flags=(flag("download-surge", began=began),))
    assert only(line).severity is None
    assert [one.check for one in line.flags] == ["download-surge"]


def test_without_a_history_the_events_are_told_and_nothing_is_made_up() -> None:
    story = bought()
    line = timeline(
        story.name,
        Unknown(reason="none"),
        story.movement,
        events=(*story.events, event("yank", LAST_DAY + timedelta(days=1), "tomorrow")),
        flags=(),
        first=before_end(181),
        last=LAST_DAY,
    )
    assert line.changes == ()
    assert [entry.event.kind for entry in line.entries] == [
        "release",
        "release",
        "owner-change",
        "release",
    ]


def test_days_that_are_not_known_make_no_change() -> None:
    story = Story(name=bought().name, panel=panel_of("demo", quiet(5)))
    story.panel.classes[0, 200:260] = np.nan
    assert looked_at(story).changes == ()


def test_a_quiet_project_has_an_empty_timeline_but_for_the_counting() -> None:
    line = looked_at(Story(name=bought().name, panel=panel_of("demo", quiet(6))))
    assert line.changes == ()
    assert {entry.event.kind for entry in line.entries} <= {"counting-break"}


def later(panel: Panel) -> Panel:
    """Return *panel* with another end: what comes later must not change what was said before."""
    classes = panel.classes.copy()
    classes[0, DAYS - 10 :, CLASSES.index("human")] *= 90
    return replace(panel, classes=classes)


@pytest.mark.parametrize("name", STORIES)
def test_nothing_later_than_the_last_day_is_in_a_timeline(name: str) -> None:
    story = STORIES[name]()
    cut = DAYS - 11
    last = LAST_DAY - timedelta(days=10)
    news = event("owner-change", LAST_DAY, "owner `eve` added")

    def as_of(panel: Panel, *more: Event) -> Timeline:
        return timeline(
            story.name,
            panel.until(cut),
            story.movement,
            events=(*story.events, *more),
            flags=(),
            first=before_end(40),
            last=last,
        )

    before = as_of(story.panel)
    assert before == as_of(later(story.panel), news)
    assert before.entries
    assert all(entry.day <= last for entry in before.entries)


@given(
    st.lists(
        st.builds(
            event,
            st.sampled_from(KINDS),
            st.integers(-5, 60).map(before_end),
            st.text(max_size=5),
            st.none() | st.floats(0, 1e9),
        ),
        max_size=12,
    )
)
@settings(max_examples=50, deadline=None)
def test_shares_add_up_and_every_event_has_one_line(events: list[Event]) -> None:
    line = told("bought", events=tuple(events))
    for change in line.changes:
        found = change.explanation
        assert 0 <= found.share <= 1
        assert found.share == pytest.approx(min(1, sum(c.carries for c in found.causes)), abs=0.01)
        assert all(0 <= cause.carries <= 1 for cause in found.causes)
    shown = [entry.event for entry in line.entries]
    assert len(shown) == len(set(shown))
    assert {one for one in events if one.at.date() <= LAST_DAY and one.kind != "holiday"} <= set(
        shown
    )
    assert [entry.day for entry in line.entries] == sorted(entry.day for entry in line.entries)
