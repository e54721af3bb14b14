import pytest

from indexgate_policy import policies
from indexgate_policy.checks import CHECKS
from indexgate_policy.errors import PolicyError
from indexgate_policy.rules import cases, document
from indexgate_policy.rules.verdict import Action
from tests.policy.rules.facts import NOW, rule

COMPUTED = {check.definition.id for check in CHECKS}
POLICY = f"version = 1\n{rule('yanked = true')}"


def run(text: str) -> tuple[cases.Result, ...]:
    return cases.run(POLICY, text, now=NOW)


@pytest.mark.parametrize("name", policies.NAMES)
def test_a_shipped_policy_does_what_its_cases_say(name: str) -> None:
    results = cases.run(policies.shipped(name), policies.shipped_cases(name), now=NOW)
    assert [f"{result.name}: {result.difference}" for result in results if not result.passed] == []


@pytest.mark.parametrize("name", policies.NAMES)
def test_every_rule_of_a_shipped_policy_is_shown_by_a_case(name: str) -> None:
    ready = document.parse(policies.shipped(name), source=name, now=NOW, checks=COMPUTED)
    results = cases.run(policies.shipped(name), policies.shipped_cases(name), now=NOW)
    shown = {result.verdict.rule for result in results}
    shown |= {warned.rule for result in results for warned in result.verdict.warnings}
    assert {rule.id for rule in ready.rules} - shown == set()
    assert ready.notices == ()


def test_observe_refuses_nothing_by_its_rules() -> None:
    ready = document.parse(policies.shipped("observe"), source="observe", now=NOW)
    assert {rule.action for rule in ready.rules} == {Action.WARN}
    assert Action.REFUSE not in {rule.unknown for rule in ready.rules}


def test_an_unknown_name_is_no_shipped_policy() -> None:
    with pytest.raises(KeyError):
        policies.shipped("../observe")


def test_a_case_that_differs_says_how() -> None:
    [result] = run(
        '[[case]]\nname = "n"\nyanked = true\nexpect = "allow"\nrule = "x"\nwarnings = ["w"]'
    )
    assert not result.passed
    assert result.difference == (
        "expected allow, got refuse; expected the rule x, got r; "
        "expected the warnings ['w'], got []"
    )


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "`case`"),
        ("[[case]]\nname = 'n'", "`expect`"),
        ("[[case]]\nexpect = 'allow'", "`name`"),
        ("[[case]]\nname = 'n'\nexpect = 'pass'", "`pass`"),
        ("[[case]]\nname = 'n'\nexpect = 'allow'\nrelease_aeg = '2h'", "`release_aeg`"),
        ("[[case]]\nname = 'n'\nexpect = 'allow'\nflags = [{ id = 'x' }]", "`x`"),
        ("[[case]]\nname = 'n'\nexpect = 'allow'\nyanked = 3", "`yanked`"),
    ],
)
def test_a_broken_case_is_named(text: str, named: str) -> None:
    with pytest.raises(PolicyError) as caught:
        run(text)
    assert named in caught.value.message
    assert "cases.toml" in caught.value.message


def test_every_fact_that_a_case_can_tell_is_read() -> None:
    [result] = run(
        """
        [[case]]
        name = "everything"
        project = "Some_Name"
        version = "2.0"
        file = "some-name-2.0.zip"
        kind = "sdist"
        release_age = "2h"
        file_age = "1h"
        project_age = "unknown"
        first_seen = "3d"
        status = "archived"
        yanked = "why"
        provenance = "unknown"
        releases = 3
        feed_age = "unknown"
        signals = { owners = ["a"], stars = 3, licence = "MIT", good = true }
        client = { kind = "ci", family = "pip", team = "web" }
        expect = "refuse"
        [[case.flags]]
        id = "typosquat"
        severity = "low"
        evidence = "e"
        explained = 0.5
        versions = "2.0"
        imitates = "x"
        [[case.advisories]]
        id = "A"
        kind = "malware"
        severity = "high"
        versions = ["2.0"]
        introduced = "1.0"
        fixed = "3.0"
        """
    )
    assert result.passed
    assert result.verdict.reason == "some-name 2.0 was yanked upstream (why)"


def test_a_result_tells_what_was_expected_what_came_and_where_the_case_stands() -> None:
    [_, result] = cases.run(
        'version = 1\n[[rule]]\nid = "w"\naction = "warn"\nwhen = { yanked = true }\n',
        '[[case]]\nname = "a"\nexpect = "allow"\n\n[[case]]\nname = "b"\nexpect = "refuse"\n'
        'rule = "r"\nyanked = true\n',
        now=NOW,
    )
    assert str(result.expected) == "refuse by `r`"
    assert result.got == "warn by `w`"
    assert result.position is not None
    assert (result.position.line, result.position.column) == (5, 1)


@pytest.mark.parametrize("name", policies.NAMES)
def test_a_rule_that_no_case_shows_is_found(name: str) -> None:
    policy = document.parse(policies.shipped(name), source=name, now=NOW)
    results = cases.run(policies.shipped(name), policies.shipped_cases(name), now=NOW)
    assert cases.unshown(policy, results) == ()
    assert cases.unshown(policy, ()) == tuple(rule.id for rule in policy.rules)
