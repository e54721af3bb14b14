"""Exemptions: in the document, granted apart from it, grandfathered, and for one run."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexgate_policy.errors import PolicyError
from indexgate_policy.rules import break_glass, granted, idle
from indexgate_policy.rules.document import Policy
from indexgate_policy.rules.judge import judge
from indexgate_policy.rules.verdict import Action, Verdict
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
)

WHEELS = rule('kind = "wheel"')
MALWARE = rule('advisory = "malware"', unknown="allow").replace('"r"', '"malware"')
GRANT = 'rule = "r"\nreason = "why"\nowner = "me"\nexpires = 2026-11-30\n'
OURS = f'[[exemption]]\nproject = "demo"\n{GRANT}'
OLD = f'[[grandfather]]\npackages = ["Demo==1.0", "other==2"]\n{GRANT}'


def judged(document: Policy, at: datetime = NOW, **facts: Any) -> Verdict:
    return judge(file(), assessment(**facts), document, Client(), at)


def grants(text: str) -> granted.Granted:
    return granted.parse(f"version = 1\n{text}", source="exemptions.toml")


def test_what_is_waived_warns_and_says_until_when_on_whose_word_and_why() -> None:
    found = judged(policy(WHEELS + OURS.replace('"why"', '"the manual needs it"')))
    assert found.action is Action.WARN
    [warning] = found.warnings
    assert warning.reason.startswith(
        "waived until the end of 2026-11-30 by me (the manual needs it): "
    )
    assert found.exemptions == (warning.exemption,)


def test_a_warning_that_is_waived_is_gone() -> None:
    found = judged(policy(rule('kind = "wheel"', action="warn") + OURS))
    assert (found.action, found.warnings, found.waived) == (Action.ALLOW, (), ("r",))


def test_an_exemption_holds_to_the_last_microsecond_of_its_last_day() -> None:
    document = policy(WHEELS + OURS)
    end = NOW.replace(day=30, hour=0) + DAY
    assert not judged(document, end - timedelta(microseconds=1)).refused
    assert judged(document, end).refused
    assert judged(document).until == end


def test_what_was_granted_waives_as_what_stands_in_the_document_does() -> None:
    document = policy(WHEELS)
    joined = grants(OURS).joined(document)
    assert joined.digest != document.digest
    assert judged(document).refused
    assert judged(joined) == judged(policy(WHEELS + OURS))


def test_a_grant_for_a_rule_that_is_gone_waives_nothing_and_breaks_nothing() -> None:
    joined = grants(OURS.replace('"r"', '"gone"')).joined(policy(WHEELS))
    assert judged(joined).refused
    assert idle.lost(joined.exemptions[0], joined) == {"gone"}


@pytest.mark.parametrize(
    ("old", "new", "reference"),
    [
        ("version = 1", "version = 2", "wrong-type"),
        ("version = 1\n", "", "missing-key"),
        ('rule = "r"', 'rule = "quarantined"', "not-waivable"),
        ("expires", "expire", "unknown-key"),
        ("2026-11-30", '"2026-11-30"', "bad-date"),
        ('owner = "me"', 'owner = "me"\nid = "A B"', "bad-id"),
        ("[[exemption]]", "[[rule]]", "unknown-key"),
        ('project = "demo"', "project = 3", "wrong-type"),
    ],
)
def test_what_cannot_be_granted_is_named(old: str, new: str, reference: str) -> None:
    text = f"version = 1\n{OURS}"
    assert granted.parse(text, source="x").exemptions
    with pytest.raises(PolicyError) as caught:
        granted.parse(text.replace(old, new), source="x")
    assert caught.value.reference == f"policy-{reference}"


def test_two_of_the_same_id_are_refused_and_two_that_say_the_same_are_one() -> None:
    assert len(grants(OURS + OURS).exemptions) == 1
    named = OURS + 'id = "one"\n'
    with pytest.raises(PolicyError) as caught:
        grants(named + named)
    assert caught.value.reference == "policy-duplicate-exemption"


def test_no_grant_outlasts_what_the_policy_allows() -> None:
    document = policy('max_exemption = "3d"\n' + WHEELS)
    [bound] = grants(OURS + "granted = 2026-11-22\n").joined(document).exemptions
    assert bound.expires == date(2026, 11, 25)
    assert bound.ends == datetime.combine(date(2026, 11, 26), NOW.timetz()) - timedelta(hours=12)
    [short] = grants(OURS + "granted = 2026-11-28\n").joined(document).exemptions
    assert short.expires == date(2026, 11, 30)


def test_an_exemption_of_the_document_that_is_longer_than_allowed_is_a_notice() -> None:
    [notice] = policy('max_exemption = "3d"\n' + WHEELS + OURS).notices
    assert "later than `max_exemption`" in notice


def test_grandfathered_versions_warn_and_others_are_refused() -> None:
    document = policy(WHEELS + OLD)
    assert judged(document).warnings[0].reason.startswith("grandfathered until the end of 2026")
    assert judge(file(version="1.1"), assessment(), document, Client(), NOW).refused
    assert judge(file(version="1.0.0"), assessment(), document, Client(), NOW).action is Action.WARN
    assert judged(document, NOW + 9 * DAY).refused


@pytest.mark.parametrize(
    "packages", ["[]", '"demo==1.0"', '["demo"]', '["demo>=1"]', '["demo==x"]', '["==1"]', "[1]"]
)
def test_a_grandfather_needs_names_with_versions(packages: str) -> None:
    with pytest.raises(PolicyError):
        grants(OLD.replace('["Demo==1.0", "other==2"]', packages))


def test_malware_is_waived_by_an_exemption_alone() -> None:
    bad = (malware(versions=("1.0",)),)
    ours = OURS.replace('"r"', '"malware"')
    assert judged(policy(MALWARE), advisories=bad).rule == "malware"
    assert not judged(policy(MALWARE + ours), advisories=bad).refused
    assert judged(policy(MALWARE + OLD.replace('"r"', '"malware"')), advisories=bad).refused
    assert judged(opened(policy(MALWARE)), advisories=bad).refused


@pytest.mark.parametrize("what", ['flag = { id = "malware" }', "any_flag = { explained = false }"])
def test_what_others_report_as_malware_is_spared_as_little(what: str) -> None:
    by_flag = rule(what).replace('"r"', '"malware"')
    reported = [flag("malware", versions=("1.0.0",))]
    for waiving in (OLD.replace('"r"', '"malware"'), OURS.replace('"r"', '"malware"')):
        found = judged(policy(by_flag + waiving), flags=reported)
        assert found.refused is ("grandfather" in waiving)
    assert judged(opened(policy(by_flag)), flags=reported).refused
    elsewhere = [flag("malware", versions=("2.0",)), flag("typosquat")]
    other = policy(rule('flag = { id = ["malware", "typosquat"] }'))
    assert not judged(opened(other), flags=elsewhere).refused


@pytest.mark.parametrize(
    "facts", [{"advisories": [malware(versions=("1.0",))]}, {"flags": [flag("malware")]}]
)
def test_no_rule_about_something_else_is_waived_unseen_for_malware(facts: Any) -> None:
    assert judged(opened(policy(WHEELS)), **facts).refused
    assert judged(policy(WHEELS + OLD), **facts).refused
    assert not judged(policy(WHEELS + OURS), **facts).refused


def opened(document: Policy) -> Policy:
    return break_glass.opened(
        document, run="run-1", owner="me", reason="the site is down", ends=NOW + DAY
    )


def test_a_broken_glass_turns_refusals_into_warnings_that_tell_of_it() -> None:
    document = policy(WHEELS)
    found = judged(opened(document))
    assert found.action is Action.WARN
    assert found.reason.startswith("break-glass")
    assert "by me (the site is down)" in found.reason
    assert found.exemptions == ("run-1",)
    assert opened(document).digest != document.digest
    assert judged(opened(document), NOW + DAY).refused


def test_a_policy_can_forbid_to_break_the_glass() -> None:
    document = policy('break_glass = "refuse"\n' + WHEELS)
    assert opened(document) is document
    assert judged(opened(document)).refused


def test_an_exemption_is_quiet_when_its_rule_says_nothing_of_what_it_covers() -> None:
    document = policy(WHEELS + OURS)
    [ours] = document.exemptions
    wheel, sdist = file(), file(kind="sdist")
    assert not idle.quiet(ours, [sdist, wheel], assessment(), document, NOW)
    assert idle.quiet(ours, [sdist], assessment(), document, NOW)
    assert idle.lost(ours, document) == frozenset()


@pytest.mark.parametrize(
    "what",
    [
        'client = { family = "pip" }, kind = "wheel"',
        'client = { kind = "ci" }',
        "health = { below = 30 }",
        'flag = { id = "typosquat" }',
    ],
)
def test_an_exemption_is_not_called_quiet_where_nobody_can_tell(what: str) -> None:
    document = policy(rule(what) + OURS)
    unseen = Unknown(reason="the project was never assessed")
    [ours] = document.exemptions
    assert isinstance(idle.quiet(ours, [file()], unseen, document, NOW), Unknown)
    assert idle.quiet(ours, [file(project=project(name="other"))], unseen, document, NOW) is True


@pytest.mark.parametrize(
    ("written", "name"), [("Foo_Bar", "foo-bar"), ("foo*", None), ('", "'.join("ab"), None)]
)
def test_the_one_project_of_an_exemption_is_named_as_indexes_name_it(
    written: str, name: str | None
) -> None:
    [ours] = policy(WHEELS + OURS.replace('"demo"', f'["{written}"]')).exemptions
    assert ours.names_one == name


WORDS = st.text(min_size=1, max_size=30).filter(lambda text: bool(text.strip()))
TABLES = st.fixed_dictionaries(
    {
        "project": st.from_regex(r"[a-z][a-z0-9*-]{0,10}", fullmatch=True),
        "rule": st.sampled_from(["r", "s", "removed-upstream"]),
        "reason": WORDS,
        "owner": WORDS,
        "expires": st.dates(date(2026, 1, 1), date(2030, 1, 1)),
        "granted": st.dates(date(2026, 1, 1), date(2030, 1, 1)),
    }
)


@given(st.lists(TABLES, max_size=4))
def test_what_is_written_is_read_as_it_was_meant(tables: list[dict[str, Any]]) -> None:
    for number, table in enumerate(tables):
        table["id"] = f"id-{number}"
    read = granted.parse(granted.render({"exemption": tables}), source="x").exemptions
    assert [(e.id, e.reason, e.owner, e.expires, e.granted) for e in read] == [
        (t["id"], t["reason"], t["owner"], t["expires"], t["granted"]) for t in tables
    ]


@given(st.lists(TABLES, max_size=4), st.integers(1, 400), st.integers(0, 1500))
def test_joining_only_ever_waives_by_what_was_granted_and_not_longer_than_allowed(
    tables: list[dict[str, Any]], longest: int, later: int
) -> None:
    document = policy(f'max_exemption = "{longest}d"\n' + WHEELS)
    found = granted.parse(granted.render({"exemption": tables}), source="x")
    joined = found.joined(document)
    at = NOW + later * DAY
    verdict = judged(joined, at)
    covering = [
        each
        for each in joined.exemptions
        if "r" in each.rules and each.ends > at and each.covers(file())
    ]
    assert verdict.refused is not bool(covering)
    assert joined.rules == document.rules
    for each, written in zip(joined.exemptions, found.exemptions, strict=True):
        assert each.ends <= written.ends
        assert written.granted is not None
        assert each.expires - written.granted <= timedelta(days=longest) or (
            each.expires == written.expires
        )
