"""The difference of two policies is that of their meaning, and says which way it goes."""

import pytest

from indexgate_policy import policies
from indexgate_policy.rules import document
from indexgate_policy.rules.difference import Change, difference
from tests.policy.rules.facts import NOW, policy


def rule(
    name: str, when: str, action: str = "refuse", unknown: str = "warn", more: str = ""
) -> str:
    return (
        f'[[rule]]\nid = "{name}"\naction = "{action}"\nwhen = {{ {when} }}\n'
        f'unknown = "{unknown}"\n{more}\n'
    )


def exemption(expires: str = "2026-12-31", owner: str = "me", version: str = "") -> str:
    return (
        f'[[exemption]]\nproject = "demo"\n{version}rule = "a"\nreason = "why"\n'
        f'owner = "{owner}"\nexpires = {expires}\n'
    )


def changes(old: str, new: str) -> tuple[Change, ...]:
    return difference(policy(old), policy(new))


A = rule("a", "yanked = true")
B = rule("b", 'kind = "sdist"')
C = rule("c", 'status = "archived"')
AGE = "release_age = { below = '7d' }"


@pytest.mark.parametrize("name", policies.NAMES)
def test_a_policy_does_not_differ_from_itself_in_another_layout(name: str) -> None:
    text = policies.shipped(name).decode()
    plain = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    both = [document.parse(each, source=name, now=NOW) for each in (text, plain)]
    assert difference(*both) == ()


def test_the_order_of_what_is_joined_is_no_difference() -> None:
    assert changes(rule("a", f"yanked = true, {AGE}"), rule("a", f"{AGE}, yanked = true")) == ()


@pytest.mark.parametrize(
    ("old", "new", "key", "direction"),
    [
        (rule("a", AGE, action="warn"), rule("a", AGE), "action", "stricter"),
        (rule("a", AGE), rule("a", AGE, unknown="allow"), "unknown", "looser"),
        (rule("a", AGE), rule("a", "release_age = { below = '1d' }"), "when", "looser"),
        (rule("a", f"{AGE}, yanked = true"), rule("a", AGE), "when", "stricter"),
        (rule("a", "version = '<2'"), rule("a", "version = '<3'"), "when", ""),
        (A, rule("a", "yanked = true", more='unless = { kind = "sdist" }'), "unless", "looser"),
        (rule("a", "yanked = true", more='unless = { kind = "sdist" }'), A, "unless", "stricter"),
        (
            rule("a", AGE, more="unless = { yanked = true }"),
            rule("a", AGE, more='unless = { yanked = true, kind = "sdist" }'),
            "unless",
            "stricter",
        ),
        (A, rule("a", "yanked = true", more='hint = "wait"'), "hint", ""),
    ],
)
def test_a_changed_rule_says_which_way_it_goes(
    old: str, new: str, key: str, direction: str
) -> None:
    [change] = changes(old, new)
    [field] = change.fields
    assert (change.kind, change.what, change.name) == ("changed", "rule", "a")
    assert (field.key, field.direction, change.direction) == (key, direction, direction)
    assert field.old != field.new


def test_changes_both_ways_have_no_direction() -> None:
    [change] = changes(rule("a", AGE), rule("a", AGE, action="warn", unknown="refuse"))
    assert change.direction == ""
    assert {field.direction for field in change.fields} == {"stricter", "looser"}


def test_words_beside_a_decision_do_not_blur_its_direction() -> None:
    [change] = changes(rule("a", AGE, action="warn"), rule("a", AGE, more='reason = "new"'))
    assert change.direction == "stricter"


def test_rules_that_come_go_and_move_are_told() -> None:
    found = changes(A + B + C, C + A + rule("d", "yanked = false"))
    assert [(change.kind, change.name, change.direction) for change in found] == [
        ("moved", "c", ""),
        ("added", "d", "stricter"),
        ("removed", "b", "looser"),
    ]
    assert found[0].said == "now first, before after `b`"
    assert found[1].said == "refuse when yanked = false; unknown: warn"


def test_exemptions_that_come_go_and_last_longer_are_told() -> None:
    [added] = changes(A, A + exemption())
    assert (added.kind, added.what, added.direction) == ("added", "exemption", "looser")
    assert added.name == "demo from a"
    [removed] = changes(A + exemption(version='version = "==2"\n'), A)
    assert (removed.kind, removed.direction) == ("removed", "stricter")
    assert removed.name == "demo ==2 from a"
    [changed] = changes(A + exemption(), A + exemption(expires="2027-01-31", owner="you"))
    assert changed.direction == "looser"
    assert [(f.key, f.old, f.new) for f in changed.fields] == [
        ("expires", "2026-12-31", "2027-01-31"),
        ("owner", "me", "you"),
    ]


def test_what_holds_for_the_whole_policy_is_told() -> None:
    [change] = changes(A, 'max_feed_age = "24h"\n' + A)
    assert change.what == "policy"
    assert [(f.key, f.new) for f in change.fields] == [("max_feed_age", "24h")]


@pytest.mark.parametrize(
    ("old", "new", "fields", "direction"),
    [
        ("", 'break_glass = "refuse"\n', [("break_glass", "allow", "refuse")], "stricter"),
        ("", 'max_exemption = "90d"\n', [("max_exemption", "nothing", "90d")], "stricter"),
        (
            'max_exemption = "14d"\n',
            'max_exemption = "30d"\n',
            [("max_exemption", "14d", "30d")],
            "looser",
        ),
        (
            'max_exemption = "36h"\n',
            'break_glass = "refuse"\n',
            [("max_exemption", "36h", "nothing"), ("break_glass", "allow", "refuse")],
            "",
        ),
    ],
)
def test_what_holds_for_all_is_told_in_the_words_of_the_document_and_with_what_it_does(
    old: str, new: str, fields: list[tuple[str, str, str]], direction: str
) -> None:
    [change] = changes(old + A, new + A)
    assert [(f.key, f.old, f.new) for f in change.fields] == fields
    assert change.direction == direction


def test_a_condition_is_told_as_it_is_written() -> None:
    text = "any = [{ yanked = true }, { not = { kind = 'sdist' } }], version = '<2'"
    [change] = changes(A, rule("a", text))
    assert change.fields[0].new == (
        'all = [{ any = [{ yanked = true }, { not = { kind = "sdist" } }] }, { version = "<2" }]'
    )
