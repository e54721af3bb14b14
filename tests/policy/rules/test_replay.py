"""A policy on the past: what it says by the facts of then, and where nobody can tell."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from packaging.utils import canonicalize_name

from indexgate_policy.rules.as_of import NOT_KEPT, AsOf, Remembered, Then
from indexgate_policy.rules.replay import Ask, Trial, Tried, try_on
from indexgate_policy.rules.verdict import Action
from indexgate_policy.subject import Client, Release
from tests.policy.rules.facts import (
    DAY,
    NOW,
    assessment,
    file,
    flag,
    holding,
    malware,
    policy,
    project,
    rule,
)

WHEEL = "demo-1.0-py3-none-any.whl"


def ask(at: datetime = NOW, **facts: Any) -> Ask:
    usual: dict[str, Any] = {
        "at": at,
        "index_id": "i",
        "project": canonicalize_name("demo"),
        "version": "1.0",
        "filename": WHEEL,
    }
    return Ask(**(usual | facts))


def one_release(**facts: Any) -> Release:
    return holding("1.0", (file(version="1.0", **facts),))


def then(release: Release | None = None, facts: Any = "all", **known: Any) -> Then:
    return Then(release=release or one_release(), assessment=assessment(**known), facts=facts)


def nothing_kept() -> Then:
    unscored = replace(assessment(), score=NOT_KEPT)
    return Then(release=one_release(), assessment=unscored, facts="none")


def tried(text: str, known: Then, at: datetime = NOW, **facts: Any) -> Tried:
    return try_on(policy(text), known, ask(at, **facts), presentation="explain")


def test_an_age_counts_up_to_the_time_of_the_ask() -> None:
    young = rule('release_age = { below = "7d" }')
    release = one_release(released=NOW - 20 * DAY)
    said = [tried(young, then(release), NOW - days * DAY).action for days in (15, 10)]
    assert said == [Action.REFUSE, Action.ALLOW]


def test_rules_that_warn_are_named() -> None:
    said = tried(rule('project = "demo"', action="warn"), then())
    assert (said.action, said.warnings, said.blind) == (Action.WARN, ("r",), ())


@pytest.mark.parametrize(
    "when",
    [
        'flag = { id = "typosquat" }',
        'any_flag = { severity = { at_least = "low" } }',
        "owners = { below = 2 }",
        "health = { below = 30 }",
        'signal = { repository = { is = "" } }',
    ],
)
def test_a_refusal_for_want_of_facts_that_are_not_kept_is_not_judged(when: str) -> None:
    said = tried(rule(when, unknown="refuse"), nothing_kept())
    assert (said.action, said.rule, said.blind) == (None, "r", ("r",))


@pytest.mark.parametrize(
    "when",
    [
        'flag = { id = "typosquat" }',
        "owners = { below = 2 }",
        "health = { below = 30 }",
    ],
)
def test_so_it_is_where_only_some_facts_are_kept(when: str) -> None:
    unchecked = ("typosquat: owners has not been observed yet",)
    known = replace(assessment(signals={"unchecked": unchecked, "tags": ("1.0",)}), score=NOT_KEPT)
    some = Then(release=one_release(), assessment=known, facts="some")
    assert tried(rule(when, unknown="refuse"), some).action is None
    assert tried(rule("signal = { tags = { is = '1.0' } }"), some).refused


def test_another_rule_may_refuse_for_what_is_known() -> None:
    blind = rule("owners = { below = 2 }", unknown="refuse").replace('"r"', '"few"')
    said = tried(blind + rule('project = "demo"'), nothing_kept())
    assert (said.action, said.rule, said.blind) == (Action.REFUSE, "r", ("few",))


def test_a_feed_that_was_never_read_leaves_it_open() -> None:
    known = replace(then(), assessment=replace(assessment(), advisories=NOT_KEPT))
    said = tried(rule('advisory = "malware"', unknown="refuse"), known)
    assert (said.action, said.blind) == (None, ("r",))


def test_a_rule_that_may_have_refused_leaves_it_open_also_if_it_lets_the_unknown_pass() -> None:
    said = tried(rule("owners = { below = 2 }", unknown="allow"), then(facts="none"))
    assert (said.action, said.blind) == (None, ("r",))


def test_a_warning_for_want_of_kept_facts_is_none() -> None:
    said = tried(rule("owners = { below = 2 }", "warn", "warn"), then(facts="none"))
    assert (said.action, said.warnings, said.blind) == (Action.ALLOW, (), ("r",))


def test_what_was_not_known_then_is_judged_as_it_was_then() -> None:
    said = tried(rule("owners = { below = 2 }", unknown="refuse"), then(facts="all"))
    assert (said.action, said.blind) == (Action.REFUSE, ())


def test_facts_of_then_are_used() -> None:
    known = then(flags=[flag("typosquat")], signals={"owners": ("a",)})
    said = tried(rule('flag = { id = "typosquat" }'), known)
    assert said.action is Action.REFUSE


def test_an_excuse_that_nobody_can_tell_leaves_it_open() -> None:
    text = rule('project = "demo"', more="unless = { owners = { at_least = 2 } }")
    said = tried(text, then(facts="none"))
    assert (said.action, said.blind) == (None, ("r",))
    assert tried(text, then(facts="all")).action is Action.REFUSE


def test_advisories_need_no_kept_facts() -> None:
    named = then(facts="none", advisories=[malware(versions=("1.0",))])
    assert tried(rule('advisory = "malware"'), named).refused


def test_an_upload_that_is_not_kept_is_not_judged() -> None:
    gone = one_release(released=NOT_KEPT, uploaded=NOT_KEPT)
    said = tried(rule('release_age = { below = "7d" }', unknown="refuse"), then(gone))
    assert (said.action, said.blind) == (None, ("r",))


def test_a_first_sight_that_is_not_kept_is_not_judged() -> None:
    unseen = one_release(project=project(first_seen=NOT_KEPT))
    said = tried(rule('first_seen = { below = "7d" }', unknown="refuse"), then(unseen))
    assert (said.action, said.blind) == (None, ("r",))


def test_releases_are_not_counted_without_the_page() -> None:
    known = replace(then(), paged=False)
    assert tried(rule("releases = { below = 99 }"), known).action is None


def test_what_cannot_be_judged_at_all_is_refused_as_the_gate_does() -> None:
    assert tried(rule('project = "demo"'), then(), filename="nothing").rule == "gate-fault"


POLICY = policy(
    rule('release_age = { below = "3d" }').replace('"r"', '"young"')
    + rule('advisory = "malware"').replace('"r"', '"malware"')
    + rule('client = { kind = "ci" }', action="warn").replace('"r"', '"ci"')
)


@given(
    days=st.lists(st.integers(0, 20), min_size=1, max_size=30),
    uploaded=st.integers(0, 25),
    published=st.integers(0, 25),
)
def test_what_was_said_before_is_said_again_only_while_it_holds(
    days: list[int], uploaded: int, published: int
) -> None:
    """A trial remembers; asking anew each time has to give the same."""
    past = AsOf(
        Remembered(
            project=project(),
            releases=(one_release(released=NOW - uploaded * DAY - timedelta(hours=1)),),
            advisories=(malware(published=NOW - published * DAY, versions=("1.0",)),),
        )
    )
    trial = Trial(POLICY, presentation="explain")
    for back in sorted(days, reverse=True):
        one = ask(NOW - back * DAY, client=Client(kind="ci") if back % 2 else Client())
        known = past.then(WHEEL, one.at)
        anew = try_on(POLICY, known, one, presentation="explain")
        said = trial.of(one, known)
        assert (said.action, said.rule, said.warnings) == (anew.action, anew.rule, anew.warnings)


def test_the_age_of_a_project_whose_first_files_are_gone_is_not_judged() -> None:
    young = rule('project_age = { below = "30d" }')
    said = tried(young, then(one_release(project=project(first_upload=NOT_KEPT))))
    assert (said.action, said.rule) == (None, "r")
