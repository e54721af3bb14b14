"""What a policy cannot tell apart: assessments by which it says the same."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace
from packaging.utils import NormalizedName

from indexgate_policy import policies
from indexgate_policy.advisories import Advisories, Advisory
from indexgate_policy.assess import FAILED_CHECK, UNCHECKED
from indexgate_policy.assessment import Assessment
from indexgate_policy.flags import Flag, Severity
from indexgate_policy.health.result import HealthScore
from indexgate_policy.rules import document
from indexgate_policy.rules.indifferent import indifferent
from indexgate_policy.signals import Signal, Unknown, Value

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
PLAIN = document.parse(b"version = 1\n", source="plain", now=NOW)
READS_MUCH = document.parse(
    b"""\
version = 1
[[rule]]
id = "much"
action = "warn"
unknown = "allow"
when.any = [
    { any_flag = { severity = { at_least = "low" } } },
    { health = { below = 5 } },
    { owners = { below = 1 } },
]
""",
    source="much",
    now=NOW,
)
READS_SIGNALS = document.parse(
    b'version = 1\n[[rule]]\nid = "stars"\naction = "warn"\n'
    b'when = { signal = { stars = { below = 5 } } }\nunknown = "allow"\n',
    source="signals",
    now=NOW,
)
FLAG = Flag(check="download-surge", severity=Severity.MEDIUM, evidence="a surge", began=NOW)
SCORE = HealthScore(
    formula="hs-1", value=46.2, uncapped=46.2, confidence=0.23, grade="C", lines=(), caps=()
)
ADVISORY = Advisory(id="A-1", kind="vulnerability", severity=Severity.HIGH, summary="bad")


def signal(name: str, value: Value | Unknown) -> Signal:
    return Signal(name=name, value=value, source="somebody", observed_at=NOW)


BASE = Assessment(
    index_id="index",
    project=NormalizedName("demo"),
    formula="fl-1",
    inputs=(
        signal("owners", ("anna",)),
        signal("stars", 3),
        signal(UNCHECKED, ("download-surge: no history",)),
    ),
    flags=(FLAG,),
    score=SCORE,
    advisories=Advisories(records=(ADVISORY,), feed=NOW),
    assessed_at=NOW,
    valid_until=NOW + timedelta(days=1),
)


def with_input(name: str, value: Value | Unknown) -> Assessment:
    left = tuple(one for one in BASE.inputs if one.name != name)
    return replace(BASE, inputs=(*left, signal(name, value)))


@pytest.mark.parametrize(
    "now",
    [
        replace(BASE, assessed_at=NOW + timedelta(hours=1), valid_until=NOW + timedelta(days=2)),
        replace(BASE, score=replace(SCORE, value=46.2001, confidence=0.2301)),
        replace(BASE, advisories=Advisories(records=(ADVISORY,), feed=NOW + timedelta(hours=1))),
        with_input("stars", 4),
        with_input("asked_here_by_people", 1),
        with_input(UNCHECKED, ("download-surge: the history is too short",)),
        with_input(UNCHECKED, ("dormant-release: no history",)),
    ],
)
def test_what_no_rule_reads_is_no_difference(now: Assessment) -> None:
    assert indifferent(PLAIN, BASE, now)


@pytest.mark.parametrize(
    "now",
    [
        replace(BASE, flags=()),
        replace(BASE, flags=(replace(FLAG, severity=Severity.HIGH),)),
        replace(BASE, flags=(replace(FLAG, ends=NOW + timedelta(days=1)),)),
        replace(BASE, score=replace(SCORE, value=46.3)),
        replace(BASE, score=replace(SCORE, grade="B")),
        replace(BASE, score=replace(SCORE, confidence=0.5)),
        replace(BASE, score=Unknown(reason="no score")),
        replace(BASE, advisories=Advisories(records=(), feed=NOW)),
        replace(BASE, advisories=Advisories(records=(ADVISORY,), feed=Unknown(reason="unread"))),
        replace(BASE, advisories=Unknown(reason="unread")),
        with_input("owners", ("bob",)),
        with_input("human_installs", 5),
        with_input(f"{FAILED_CHECK}surge", Unknown(reason="failed")),
    ],
)
def test_what_a_rule_may_read_is_a_difference(now: Assessment) -> None:
    assert not indifferent(READS_MUCH, BASE, now)
    assert not indifferent(READS_MUCH, now, BASE)


@pytest.mark.parametrize(
    "now",
    [
        replace(BASE, flags=()),
        replace(BASE, score=Unknown(reason="no score")),
        replace(BASE, score=replace(SCORE, value=20.0, grade="E")),
        with_input("owners", ("bob",)),
        with_input(f"{FAILED_CHECK}surge", Unknown(reason="failed")),
    ],
)
def test_what_no_rule_of_this_policy_reads_is_none(now: Assessment) -> None:
    assert indifferent(PLAIN, BASE, now)
    assert indifferent(PLAIN, now, BASE)


@pytest.mark.parametrize(
    ("rule", "confidence", "minds"),
    [
        ("when = { health = { below = 30 }, confidence = { at_least = 0.6 } }", 0.59, False),
        ("when = { health = { below = 30 }, confidence = { at_least = 0.6 } }", 0.6, True),
        (
            "when.any = [{ health = { below = 30 } }, { confidence = { at_least = 0.6 } }]",
            0.1,
            True,
        ),
        ("when = { not = { confidence = { at_least = 0.6 } } }", 0.1, True),
        ("when = { confidence = { below = 0.6 } }", 0.1, True),
        ("when = { releases = { below = 2 } }\nunless = { grade = ['A'] }", 0.1, True),
    ],
)
def test_a_score_that_is_too_unsure_for_every_rule_is_like_none(
    rule: str, confidence: float, minds: bool
) -> None:
    text = f'version = 1\n[[rule]]\nid = "it"\naction = "refuse"\nunknown = "allow"\n{rule}\n'
    policy = document.parse(text.encode(), source="it", now=NOW)
    scored = replace(BASE, score=replace(SCORE, value=20.0, confidence=confidence, grade="E"))
    without = replace(BASE, score=Unknown(reason="it has not been scored yet"))
    assert indifferent(policy, without, scored) is not minds
    asks = text.replace('unknown = "allow"', 'unknown = "warn"')
    assert not indifferent(document.parse(asks.encode(), source="it", now=NOW), without, scored)


def test_a_policy_that_reads_signals_sees_all_of_them() -> None:
    assert not indifferent(READS_SIGNALS, BASE, with_input("stars", 4))
    assert not indifferent(READS_SIGNALS, BASE, with_input("asked_here_by_people", 1))
    assert indifferent(READS_SIGNALS, BASE, replace(BASE, assessed_at=NOW + timedelta(hours=1)))


SURGE = 'flag = { id = "download-surge" }'
ANY = 'any_flag = { severity = { at_least = "high" } }'


@pytest.mark.parametrize(
    ("rule", "minds"),
    [
        (f'when = {{ {SURGE} }}\nunknown = "allow"', False),
        (f'when = {{ {SURGE} }}\nunknown = "warn"', True),
        (f'when.not = {{ {SURGE} }}\nunknown = "allow"', True),
        (f'when.any = [{{ {ANY} }}, {{ not = {{ {SURGE} }} }}]\nunknown = "allow"', True),
        (f'when = {{ {ANY} }}\nunless.all = [{{ {SURGE} }}]\nunknown = "allow"', False),
        (f'when = {{ project = ["x"] }}\nunless.not = {{ {SURGE} }}', True),
        ('when = { not = { project = ["x"] } }', False),
        ('when = { flag = { id = ["yanked"] } }\nunknown = "warn"', False),
    ],
)
def test_that_a_check_cannot_look_matters_to_rules_that_mind(rule: str, minds: bool) -> None:
    text = f'version = 1\n[[rule]]\nid = "it"\naction = "warn"\n{rule}\n'
    policy = document.parse(text.encode(), source="it", now=NOW)
    assert indifferent(policy, BASE, with_input(UNCHECKED, ())) is not minds


@pytest.mark.parametrize("name", policies.NAMES)
def test_to_the_shipped_policies_a_check_that_cannot_look_is_one_that_finds_nothing(
    name: str,
) -> None:
    policy = document.parse(policies.shipped(name), source=name, now=NOW)
    assert indifferent(policy, BASE, with_input(UNCHECKED, ()))
