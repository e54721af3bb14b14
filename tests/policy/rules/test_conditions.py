"""Each condition against facts: True, False, or None where nobody can tell."""

from math import nan
from typing import Any

import pytest

from indexgate_policy.advisories import Range
from indexgate_policy.flags import Severity
from indexgate_policy.health.result import Cap
from indexgate_policy.rules import conditions
from indexgate_policy.rules.kleene import Outcome
from indexgate_policy.rules.known import gather
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import Client
from tests.policy.rules.facts import (
    DAY,
    NOW,
    assessment,
    file,
    flag,
    line,
    malware,
    policy,
    project,
    rule,
    score,
    vulnerability,
)

UNKNOWN = Unknown(reason="nobody looked")
HOUR = DAY / 24


def installs(low: float, high: float) -> dict[str, float]:
    return {
        "human_installs": (low + high) / 2,
        "human_installs_low": low,
        "human_installs_high": high,
    }


def outcome(
    when: str, facts: Any = None, known: Any = None, client: Client | None = None
) -> Outcome:
    parsed = policy(rule(when))
    ready = gather(known or assessment(), client or Client(), NOW, parsed.max_feed_age)
    return parsed.rules[0].when.judge(facts or file(), ready)


@pytest.mark.parametrize(
    ("when", "facts", "truth"),
    [
        ('project = "demo"', {}, True),
        ('project = "Demo"', {}, True),
        ('project = ["other", "de*"]', {}, True),
        ('project = "de"', {}, False),
        ('project = "d[aeo]mo"', {}, True),
        ('project = "*"', {}, True),
        ('version = ">=1,<2"', {}, True),
        ('version = ">=2"', {}, False),
        ('version = ">=1"', {"version": "2.0rc1"}, True),
        ('version = ">=1"', {"version": "2004d"}, None),
        ('file = "*.WHL"', {}, True),
        ('file = "*.tar.gz"', {}, False),
        ('kind = "wheel"', {}, True),
        ('kind = ["sdist", "other"]', {}, False),
        ("yanked = true", {}, False),
        ("yanked = true", {"yanked": True}, True),
        ("yanked = true", {"yanked": ""}, True),
        ("yanked = false", {"yanked": "broken"}, False),
        ("provenance = true", {"provenance": True}, True),
        ("provenance = false", {}, True),
        ("provenance = false", {"provenance": UNKNOWN}, None),
        ('status = "archived"', {"project": project(status="archived")}, True),
        ('status = ["archived", "deprecated"]', {}, False),
        ('status = "active"', {"project": project(status="a-new-one")}, False),
        ("releases = { below = 21 }", {}, True),
        ("releases = { below = 20 }", {}, False),
        ("releases = { at_least = 20 }", {}, True),
    ],
)
def test_what_upstream_says(when: str, facts: dict[str, Any], truth: bool | None) -> None:
    assert outcome(when, file(**facts)).truth is truth


@pytest.mark.parametrize(
    ("window", "age", "truth", "until"),
    [
        ('below = "24h"', 2 * HOUR, True, 22 * HOUR),
        ('below = "24h"', 24 * HOUR, False, None),
        ('below = "24h"', -5 * HOUR, True, 29 * HOUR),  # a moment in the future is age 0
        ('at_least = "24h"', 2 * HOUR, False, 22 * HOUR),
        ('at_least = "24h"', 24 * HOUR, True, None),
        ('at_least = "1d", below = "3d"', 1 * HOUR, False, 23 * HOUR),
        ('at_least = "1d", below = "3d"', 2 * DAY, True, 1 * DAY),
        ('at_least = "1d", below = "3d"', 3 * DAY, False, None),
        ('below = "24h"', UNKNOWN, None, None),
    ],
)
@pytest.mark.parametrize("name", ["release_age", "file_age", "project_age", "first_seen"])
def test_ages(name: str, window: str, age: Any, truth: bool | None, until: Any) -> None:
    start = age if isinstance(age, Unknown) else NOW - age
    facts = {
        "release_age": lambda: file(released=start, uploaded=NOW - 900 * DAY),
        "file_age": lambda: file(uploaded=start),
        "project_age": lambda: file(project=project(first_upload=start)),
        "first_seen": lambda: file(project=project(first_seen=start)),
    }[name]()
    found = outcome(f"{name} = {{ {window} }}", facts)
    assert found.truth is truth
    assert found.until == (None if until is None else NOW + until)


@pytest.mark.parametrize(
    ("when", "known", "truth"),
    [
        ('flag = { id = "typosquat" }', {"flags": [flag()]}, True),
        ('flag = { id = ["new-10k"] }', {"flags": [flag()]}, False),
        ('flag = { id = "typosquat", severity = "high" }', {"flags": [flag()]}, True),
        ('flag = { id = "typosquat", severity = "medium" }', {"flags": [flag()]}, False),
        (
            'flag = { id = "typosquat", severity = { at_least = "medium" } }',
            {"flags": [flag()]},
            True,
        ),
        ('any_flag = { severity = { at_least = "critical" } }', {"flags": [flag()]}, False),
        ('any_flag = { severity = { at_least = "low" } }', {"flags": [flag()]}, True),
        ('flag = { id = "typosquat", explained = false }', {"flags": [flag(explained=0.59)]}, True),
        ('flag = { id = "typosquat", explained = true }', {"flags": [flag(explained=0.6)]}, True),
        ('flag = { id = "typosquat" }', {"flags": [flag(versions=("2.0",))]}, False),
        ('flag = { id = "typosquat" }', {"flags": [flag(versions=("1.0.0",))]}, True),
        ('flag = { id = "typosquat" }', {"flags": [flag(ends=NOW)]}, False),
        ('flag = { id = "typosquat" }', {"signals": {"check_failed:typosquat": UNKNOWN}}, None),
        ('flag = { id = "new-10k" }', {"signals": {"check_failed:typosquat": UNKNOWN}}, False),
        ("any_flag = { explained = false }", {"signals": {"check_failed:x": UNKNOWN}}, None),
        ('flag = { id = "typosquat" }', {"signals": {"unchecked": ("typosquat: no list",)}}, None),
        ('flag = { id = "new-10k" }', {"signals": {"unchecked": ("typosquat: no list",)}}, False),
        ("any_flag = { explained = false }", {"signals": {"unchecked": ("x: none",)}}, False),
        ("owners = { below = 2 }", {"signals": {"owners": ("a",)}}, True),
        ("owners = { below = 2 }", {"signals": {"owners": ("a", "b")}}, False),
        ("owners = { below = 2 }", {"signals": {"owners": 1}}, True),
        ("owners = { below = 2 }", {"signals": {"owners": "one"}}, None),
        ("owners = { below = 2 }", {"signals": {"owners": UNKNOWN}}, None),
        ("owners = { below = 2 }", {}, None),
        ("signal.stars = { below = 5 }", {"signals": {"stars": 4}}, True),
        ("signal.stars = { below = 5 }", {"signals": {"stars": True}}, None),
        ("signal.stars = { below = 5 }", {}, None),
        ('signal.licence = { is = "MIT" }', {"signals": {"licence": "MIT"}}, True),
        ('signal.licence = { in = ["MIT", "BSD"] }', {"signals": {"licence": "GPL"}}, False),
        ('signal.licence = { is = "MIT" }', {"signals": {"licence": True}}, None),
        ('signal.tags = { is = "b" }', {"signals": {"tags": ("a", "b")}}, True),
        ('signal.tags = { in = ["c", "b"] }', {"signals": {"tags": ("a", "b")}}, True),
        ("signal.archived = { in = [1] }", {"signals": {"archived": True}}, False),
        ("signal = { a = { is = 1 }, b = { is = 2 } }", {"signals": {"a": 1, "b": 2}}, True),
        ("signal = { a = { is = 1 }, b = { is = 2 } }", {"signals": {"a": 1, "b": 1}}, False),
    ],
)
def test_flags_and_signals(when: str, known: dict[str, Any], truth: bool | None) -> None:
    assert outcome(when, known=assessment(**known)).truth is truth


ONE = {"versions": ("1.0",)}
FIXED_HERE = {"ranges": (Range(introduced="0", fixed="1.0"),)}
OLD = NOW - 3 * DAY


@pytest.mark.parametrize(
    ("when", "known", "truth"),
    [
        ('advisory = "malware"', {}, False),
        ('advisory = "malware"', {"advisories": [malware(**ONE)]}, True),
        ('advisory = "malware"', {"advisories": [malware(versions=("2.0",))]}, False),
        ('advisory = "malware"', {"advisories": [vulnerability(**ONE)]}, False),
        ('advisory = "vulnerability"', {"advisories": [vulnerability(**ONE)]}, True),
        ('advisory = "malware"', {"feed": OLD}, None),
        ('advisory = "malware"', {"feed": UNKNOWN}, None),
        ('advisory = "malware"', {"feed": OLD, "advisories": [malware(**ONE)]}, True),
        ('advisory = "malware"', {"feed": OLD, "applicable": False}, False),
        ('advisory = "malware"', {"advisories": [malware(**ONE)], "applicable": False}, False),
        ('advisory = { id = "V-1" }', {"advisories": [vulnerability(**ONE)]}, True),
        ('advisory = { id = "C" }', {"advisories": [vulnerability(**ONE, aliases=("C",))]}, True),
        ('advisory = { id = ["V-2"] }', {"advisories": [vulnerability(**ONE)]}, False),
        ('advisory = { severity = "high" }', {"advisories": [vulnerability(**ONE)]}, True),
        (
            'advisory = { severity = { at_least = "critical" } }',
            {"advisories": [vulnerability(**ONE)]},
            False,
        ),
        (
            'advisory = { severity = "high" }',
            {"advisories": [vulnerability(**ONE, severity=UNKNOWN)]},
            None,
        ),
        (
            'advisory = { severity = "high" }',
            {
                "advisories": [
                    vulnerability(**ONE, severity=UNKNOWN),
                    vulnerability(id="V-2", **ONE),
                ]
            },
            True,
        ),
        ("fixes_advisory = true", {"advisories": [vulnerability(**FIXED_HERE)]}, True),
        ("fixes_advisory = false", {"advisories": [vulnerability(**FIXED_HERE)]}, False),
        ("fixes_advisory = true", {"advisories": [vulnerability(**ONE)]}, False),
        ("fixes_advisory = true", {"feed": OLD}, None),
        ("fixes_advisory = false", {}, True),
    ],
)
def test_advisories(when: str, known: dict[str, Any], truth: bool | None) -> None:
    assert outcome(when, known=assessment(**known)).truth is truth


def test_that_no_advisory_speaks_is_a_fact_only_while_the_feed_is_fresh() -> None:
    found = outcome('advisory = "malware"', known=assessment(feed=NOW - 1 * DAY))
    assert found == Outcome(False, "", NOW + 1 * DAY)  # 48 hours after the reading


def test_a_range_that_cannot_be_compared_is_unknown() -> None:
    ranged = vulnerability(ranges=(Range(introduced="0", fixed="2.0"),))
    odd = outcome(
        'advisory = "vulnerability"', file(version="2004d"), assessment(advisories=[ranged])
    )
    assert odd.truth is None


def test_without_an_assessment_all_that_leans_on_it_is_unknown() -> None:
    for when in ('flag = { id = "typosquat" }', 'advisory = "malware"', "owners = { below = 2 }"):
        assert outcome(when, known=UNKNOWN) == Outcome(None, "nobody looked")


@pytest.mark.parametrize(
    ("when", "client", "truth"),
    [
        ('kind = "ci"', Client(kind="ci"), True),
        ('kind = "ci"', Client(kind="person"), False),
        ('kind = "ci"', Client(), None),
        ('family = ["pip", "uv"]', Client(family="uv"), True),
        ('family = "pip"', Client(), False),
        ('team = "web"', Client(team="web"), True),
        ('team = "web"', Client(), None),
        ('team = "web", family = "pip"', Client(family="uv"), False),
    ],
)
def test_who_asks(when: str, client: Client, truth: bool | None) -> None:
    assert outcome(f"client = {{ {when} }}", client=client).truth is truth


def test_every_condition_is_told_in_full() -> None:
    for definition in conditions.ALL:
        assert definition.what.endswith(".")
        assert definition.value
        assert definition.example
    assert len(conditions.BY_NAME) == len(conditions.ALL)


@pytest.mark.parametrize("definition", conditions.ALL, ids=lambda each: each.name)
def test_a_condition_that_never_is_unknown_needs_no_word_about_it(definition: Any) -> None:
    nothing = file(
        version="2004d",
        project=project(first_upload=UNKNOWN, first_seen=UNKNOWN),
        uploaded=UNKNOWN,
        released=UNKNOWN,
        provenance=UNKNOWN,
    )
    found = outcome(f"{definition.name} = {definition.example}", nothing, UNKNOWN)
    assert (found.truth is None) is bool(definition.unknown)
    assert bool(found.why) or found.truth is False


def test_an_exception_inside_a_condition_is_unknown_with_its_reason() -> None:
    broken = file(released="yesterday")
    found = outcome('release_age = { below = "1d" }', broken)
    assert found.truth is None
    assert "TypeError in `release_age`" in found.why


@pytest.mark.parametrize(
    ("when", "known", "truth"),
    [
        ("health = { below = 30 }", {"score": score(29.9)}, True),
        ("health = { below = 30 }", {"score": score(30)}, False),
        ("health = { at_least = 30 }", {"score": score(30)}, True),
        ("health = { below = 30 }", {}, None),
        ("confidence = { at_least = 0.6 }", {"score": score(10, confidence=0.6)}, True),
        ("confidence = { at_least = 0.6 }", {"score": score(10, confidence=0.59)}, False),
        ("confidence = { at_least = 0.6 }", {}, None),
        ('grade = "E"', {"score": score(29.9)}, True),
        ('grade = ["D", "E"]', {"score": score(45)}, False),
        ('grade = "A"', {}, None),
        ("human_installs = { below = 50 }", {}, None),
        ("human_installs = { below = 50 }", {"signals": {"human_installs": UNKNOWN}}, None),
        ("human_installs = { below = 50 }", {"signals": {"human_installs": 49}}, True),
        ("human_installs = { below = 50 }", {"signals": {"human_installs": "few"}}, None),
        ("human_installs = { below = 50 }", {"signals": {"human_installs": nan}}, None),
        ("signal.stars = { below = 50 }", {"signals": {"stars": nan}}, None),
        ("human_installs = { below = 50 }", {"signals": installs(20, 49)}, True),
        ("human_installs = { below = 50 }", {"signals": installs(50, 90)}, False),
        ("human_installs = { below = 50 }", {"signals": installs(20, 90)}, None),
        ("human_installs = { at_least = 50 }", {"signals": installs(50, 90)}, True),
    ],
)
def test_health(when: str, known: dict[str, Any], truth: bool | None) -> None:
    assert outcome(when, known=assessment(**known)).truth is truth


def test_a_low_score_is_told_with_what_keeps_it_low() -> None:
    lines = (
        line("last release 900 days ago", 1, 6),
        line("stars unknown", 1, 9, known=False),
        line("1 account can release", 2, 4),
        line("40 releases in two years", 2.5, 3),
    )
    found = outcome("health = { below = 30 }", known=assessment(score=score(24, lines=lines)))
    assert found.why == (
        "demo has health 24 of 100 (grade E): last release 900 days ago; 1 account can release"
    )


def test_a_capped_score_is_told_with_its_cap() -> None:
    capped = score(35, caps=(Cap(limit=35, reason="first release under 30 days ago"),))
    found = outcome('grade = "D"', known=assessment(score=capped))
    assert found.why == "demo has health 35 of 100 (grade D): first release under 30 days ago"


def test_a_check_without_its_facts_says_which_are_missing() -> None:
    known = assessment(signals={"unchecked": ("new-10k: no downloads: none are known",)})
    found = outcome('flag = { id = "new-10k" }', known=known)
    assert found.why == "new-10k could not be checked: no downloads: none are known"


def test_the_worst_flag_speaks() -> None:
    known = assessment(flags=[flag(severity=Severity.LOW), flag("new-10k", ends=NOW + DAY)])
    found = outcome('any_flag = { severity = { at_least = "low" } }', known=known)
    assert found == Outcome(True, "demo: new-10k found (new-10k)", NOW + DAY)


def test_first_seen_is_unknown_while_the_store_is_younger_than_the_window() -> None:
    began = NOW - 3 * DAY
    young = file(project=project(first_seen=began, watched_since=began))
    inside = outcome('first_seen = { below = "2d" }', young)
    assert inside.truth is False
    beyond = outcome('first_seen = { below = "7d" }', young)
    assert beyond.truth is None
    assert beyond.until == began + 7 * DAY
    assert "watching since 2026-11-19" in beyond.why
    assert outcome('first_seen = { at_least = "7d" }', young).truth is None
