from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexgate_policy import policies
from indexgate_policy.advisories import Range
from indexgate_policy.flags import Severity
from indexgate_policy.rules import document
from indexgate_policy.rules.document import Policy
from indexgate_policy.rules.judge import judge
from indexgate_policy.rules.verdict import ALLOWED, Action, Verdict
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import Client
from tests.policy.rules.facts import (
    DAY,
    NOW,
    assessment,
    file,
    flag,
    malware,
    policy,
    project,
    rule,
    vulnerability,
)

UNKNOWN = Unknown(reason="nobody looked")
EXEMPT = (
    '[[exemption]]\nproject = "de*"\nrule = "r"\nreason = "why"\nowner = "me"\n'
    "expires = 2026-11-23\n"
)


def verdict(text: str | Policy, facts: Any = None, known: Any = None) -> Verdict:
    ready = policy(text) if isinstance(text, str) else text
    return judge(facts or file(), known or assessment(), ready, Client(), NOW)


def test_a_policy_without_rules_allows() -> None:
    assert verdict("") is ALLOWED


def test_refuse_ends_and_warn_collects_in_order() -> None:
    rules = "".join(
        rule('kind = "wheel"', action).replace('"r"', f'"{name}"')
        for name, action in [("a", "warn"), ("b", "warn"), ("c", "refuse"), ("d", "warn")]
    )
    found = verdict(rules)
    assert (found.action, found.rule) == (Action.REFUSE, "c")
    assert [warned.rule for warned in found.warnings] == ["a", "b"]


@pytest.mark.parametrize("unknown", ["allow", "warn", "refuse"])
def test_a_rule_does_what_it_says_when_nobody_can_tell(unknown: str) -> None:
    found = verdict(rule("owners = { below = 2 }", unknown=unknown))
    assert found.action == unknown
    if unknown != "allow":
        assert found.reason == (
            "demo cannot be judged by the rule r: owners has not been observed yet"
        )


@pytest.mark.parametrize(
    ("owners", "refused"), [(("a", "b"), False), (("a",), True), (UNKNOWN, True)]
)
def test_unless_excuses_only_when_known_true(owners: Any, refused: bool) -> None:
    text = rule('kind = "wheel"', more="unless = { owners = { at_least = 2 } }")
    assert verdict(text, known=assessment(signals={"owners": owners})).refused is refused


def test_the_reason_is_the_rules_own_words_or_what_the_condition_says() -> None:
    assert verdict(rule('kind = "wheel"')).reason == "demo-1.0-py3-none-any.whl is a wheel"
    own = verdict(rule('kind = "wheel"', more='reason = "no\\nwheels, caf\u00e9"'))
    assert own.reason == "no wheels, cafe"


def test_a_young_release_says_from_when_it_passes() -> None:
    young = file(version="2.0", released=NOW - timedelta(hours=27))
    found = verdict(rule('release_age = { below = "3d" }'), young)
    assert found.reason == (
        "demo 2.0 was uploaded 2026-11-21 09:00 UTC; policy passes it from 2026-11-24 09:00 UTC"
    )
    assert found.until == NOW + timedelta(hours=45)
    assert "passes by itself from 2026-11-24 09:00 UTC" in found.hint


def test_no_date_is_promised_when_another_rule_would_refuse_then() -> None:
    text = rule('release_age = { below = "3d" }') + rule('kind = "wheel"').replace('"r"', '"s"')
    found = verdict(text, file(released=NOW))
    assert found.rule == "r"
    assert "passes" not in found.reason


def test_an_exemption_waives_leaves_a_trace_and_ends() -> None:
    found = verdict(rule('kind = "wheel"') + EXEMPT)
    assert found.action is Action.WARN
    assert found.waived == ("r",)
    assert found.until == NOW + 1.5 * DAY  # the end of 2026-11-23
    over = judge(
        file(), assessment(), policy(rule('kind = "wheel"') + EXEMPT), Client(), NOW + 2 * DAY
    )
    assert over.refused


@pytest.mark.parametrize(
    ("more", "facts", "waived"),
    [
        ('version = ">=1,<2"', {}, True),
        ('version = ">=2"', {}, False),
        ('version = ">=2"', {"version": "2004d"}, False),
    ],
)
def test_an_exemption_covers_its_versions_only(more: str, facts: Any, waived: bool) -> None:
    assert verdict(rule('kind = "wheel"') + EXEMPT + more, file(**facts)).refused is not waived


def test_quarantine_is_refused_at_once_under_any_policy() -> None:
    found = verdict(
        EXEMPT.replace('"r"', '"removed-upstream"'), file(project=project(status="quarantined"))
    )
    assert (found.rule, found.at_once, found.refused) == ("quarantined", True, True)


def test_malware_is_refused_at_once_and_age_is_not() -> None:
    bad = assessment(advisories=[malware(versions=("1.0",))])
    assert verdict(rule('advisory = "malware"'), known=bad).at_once
    assert not verdict(rule('release_age = { below = "1d" }'), file(released=NOW), bad).at_once


def test_malware_is_refused_at_once_whichever_rule_comes_first() -> None:
    both = rule('kind = "wheel"') + rule('advisory = "malware"').replace('"r"', '"malware"')
    reported = rule('flag = { id = "malware" }')
    let_in = EXEMPT.replace('"r"', '"malware"')
    bad = assessment(advisories=[malware(versions=("1.0",))])
    assert (verdict(both, known=bad).rule, verdict(both, known=bad).at_once) == ("r", True)
    assert not verdict(both, known=assessment()).at_once
    assert not verdict(both + let_in, known=bad).at_once
    assert verdict(reported, known=assessment(flags=[flag("malware")])).at_once


def test_what_is_refused_only_because_nothing_waives_it_for_malware_is_refused_at_once() -> None:
    waived = rule('kind = "wheel"') + (
        '[[grandfather]]\nrule = "r"\npackages = ["demo==1.0"]\n'
        'reason = "why"\nowner = "me"\nexpires = 2026-11-23\n'
    )
    reported = assessment(flags=[flag("malware")])
    assert not verdict(waived).refused
    assert verdict(waived, known=reported).at_once
    assert not verdict(rule('kind = "wheel"'), known=reported).at_once


def test_a_fault_inside_judge_is_a_refusal_that_says_so() -> None:
    found = verdict(rule('kind = "wheel"'), file(project=None))
    assert (found.rule, found.refused, found.at_once) == ("gate-fault", True, False)


def test_a_lookalike_names_what_was_meant() -> None:
    known = assessment(flags=[flag(facts={"imitates": "requests"})])
    assert verdict(rule('flag = { id = "typosquat" }'), known=known).hint.startswith(
        "did you mean `requests`?"
    )


def test_a_refusal_of_something_else_names_no_lookalike() -> None:
    known = assessment(flags=[flag(facts={"imitates": "requests"}), flag("maintainer-change")])
    found = verdict(rule('flag = { id = "maintainer-change" }'), known=known)
    assert found.refused
    assert "requests" not in found.hint


def test_the_exemption_in_the_explanation_waives_the_rule() -> None:
    text = rule('kind = "wheel"')
    pasted = verdict(text).explanation.partition("[[exemption]]")
    assert not verdict(text + pasted[1] + pasted[2]).refused


# Any facts, under rules that lean on all of them.

EVERYTHING = policy(
    rule(
        'any = [{ release_age = { below = "1d" } },'
        ' { file_age = { below = "2d", at_least = "1h" } },'
        ' { not = { project_age = { at_least = "30d" } } }]',
        unknown="warn",
        more='unless = { any = [{ fixes_advisory = true }, { first_seen = { at_least = "9d" } }] }',
    )
    + rule('advisory = "malware"', unknown="refuse").replace('"r"', '"m"')
    + rule('any_flag = { severity = "high" }', "warn", "refuse").replace('"r"', '"f"')
    + rule('signal.x = { below = 3 }, version = ">1"', "warn").replace('"r"', '"s"')
    + EXEMPT
)
POLICIES = [EVERYTHING] + [
    document.parse(policies.shipped(name), source=name, now=NOW) for name in policies.NAMES
]
moments = st.integers(-50, 60 * 24).map(lambda hours: NOW - timedelta(hours=hours)) | st.just(
    UNKNOWN
)
versions = st.sampled_from(["1.0", "1.0.0", "2.0", "3.0rc1", "2004d"])
projects = st.builds(
    project,
    status=st.sampled_from(["active", "archived", "quarantined", "new"]),
    status_reason=st.sampled_from(["", "b\u00e4d\r\nidea"]),
    first_upload=moments,
    first_seen=moments,
    releases=st.integers(0, 9),
)
files = st.builds(
    file,
    version=versions,
    kind=st.sampled_from(["wheel", "sdist", "other"]),
    released=moments,
    uploaded=moments,
    project=projects,
    yanked=st.sampled_from([False, True, "", "oops"]),
    provenance=st.sampled_from([False, True, UNKNOWN]),
)
flags = st.builds(
    flag,
    st.sampled_from(["typosquat", "new-10k"]),
    st.sampled_from(list(Severity)),
    versions=st.sampled_from([(), ("1.0",)]),
    ends=st.none() | moments.filter(lambda moment: moment is not UNKNOWN),
    explained=st.floats(0, 1),
)
advisories = st.builds(
    malware,
    kind=st.sampled_from(["malware", "vulnerability"]),
    severity=st.sampled_from([*Severity, UNKNOWN]),
    versions=st.sampled_from([(), ("1.0",)]),
    ranges=st.sampled_from([(), (Range(introduced="0", fixed="2.0"),)]),
)
assessments = st.just(UNKNOWN) | st.builds(
    assessment,
    flags=st.lists(flags, max_size=2),
    advisories=st.lists(advisories, max_size=2),
    feed=moments,
    signals=st.dictionaries(
        st.sampled_from(["x", "owners", "check_failed:typosquat"]),
        st.sampled_from([1, 5, True, "text", ("a",), UNKNOWN]),
    ),
)


@given(files, assessments, st.sampled_from(POLICIES))
def test_every_verdict_is_whole_and_its_texts_are_printable(
    facts: Any, known: Any, ready: Policy
) -> None:
    found = judge(facts, known, ready, Client(), NOW)
    assert found.rule != "gate-fault"
    assert bool(found.reason) is (found.action is not Action.ALLOW)
    for line in [found.reason, *(warned.reason for warned in found.warnings)]:
        assert len(line) <= 160
        assert all(" " <= letter <= "~" for letter in line)
    assert found.until is None or found.until > NOW
    assert bool(found.hint and found.explanation) is found.refused


@given(files, assessments, st.sampled_from(POLICIES), st.integers(1, 60 * 24))
def test_a_verdict_stays_as_it_is_until_the_moment_it_tells(
    facts: Any, known: Any, ready: Policy, hours: int
) -> None:
    found = judge(facts, known, ready, Client(), NOW)
    last = timedelta(hours=hours)
    if found.until is not None:
        last = min(last, found.until - NOW - timedelta(microseconds=1))
    later = judge(facts, known, ready, Client(), NOW + last)
    told = [found.action, found.rule, found.reason, found.warnings, found.waived, found.at_once]
    assert told == [
        later.action,
        later.rule,
        later.reason,
        later.warnings,
        later.waived,
        later.at_once,
    ]


JUNK: Any = st.sampled_from([None, 3, "text", (), UNKNOWN])


@given(JUNK, JUNK, JUNK, JUNK, st.sampled_from(POLICIES))
def test_judge_never_raises_whatever_it_is_given(
    facts: Any, known: Any, moment: Any, parsed: Any, ready: Policy
) -> None:
    whole = file(released=moment, parsed=parsed, version=moment, filename="x")
    assert isinstance(judge(whole, known, ready, Client(), NOW), Verdict)
    assert judge(facts, assessment(), ready, Client(), NOW).rule == "gate-fault"


def test_vulnerabilities_say_their_id() -> None:
    known = assessment(advisories=[vulnerability(versions=("1.0",))])
    found = verdict(rule('advisory = "vulnerability"'), known=known)
    assert found.reason == "demo 1.0 has a known high vulnerability (V-1: leaks)"
