"""What is legal in a policy but surely not meant is told."""

from indexgate_policy.rules import document
from tests.policy.rules.facts import NOW, policy, rule

EXEMPTION = (
    '[[exemption]]\nproject = "demo"\nrule = "r"\nreason = "why"\nowner = "me"\n'
    "expires = 2026-12-31\n"
)


def test_no_rules_allow_all_with_a_notice() -> None:
    assert policy("").notices == ("the policy has no rules, so it allows all",)


def test_an_exemption_that_is_over_is_a_notice() -> None:
    text = rule("yanked = true") + EXEMPTION.replace("2026-12-31", "2026-11-21")
    [notice] = policy(text).notices
    assert "`demo`" in notice
    assert "2026-11-21" in notice
    assert policy(text.replace("2026-11-21", "2026-11-22")).notices == ()


def test_a_rule_that_another_one_shadows_is_a_notice() -> None:
    second = rule("yanked = true", action="warn").replace('"r"', '"s"')
    assert "`s` can never match" in policy(rule("yanked = true") + second).notices[0]
    assert policy(rule("yanked = false") + second).notices == ()


def test_a_flag_that_is_not_computed_is_a_notice() -> None:
    text = rule('flag = { id = ["typosquat", "new-10k"] }')
    parsed = document.parse(f"version = 1\n{text}", source="x", now=NOW, checks={"typosquat"})
    assert "`new-10k`" in parsed.notices[0]
    assert "typosquat" not in parsed.notices[0]
