"""That a condition covers another is said only where it is so."""

import pytest

from indexgate_policy.rules.covering import covers, same
from indexgate_policy.rules.expression import Term
from tests.policy.rules.facts import policy, rule


def term(text: str) -> Term:
    return policy(rule(text)).rules[0].when


COVERED = [
    ("yanked = true", "yanked = true"),
    ("release_age = { below = '2d' }", "release_age = { below = '24h' }"),
    ("owners = { at_least = 1 }", "owners = { at_least = 2, below = 9 }"),
    ("kind = ['sdist', 'other']", "kind = 'sdist'"),
    ("flag = { id = ['typosquat', 'yanked'] }", "flag = { id = 'yanked', severity = 'high' }"),
    (
        "flag = { id = 'yanked', severity = { at_least = 'low' } }",
        "flag = { id = 'yanked', severity = { at_least = 'high' }, explained = false }",
    ),
    ("advisory = 'malware'", "advisory = { kind = 'malware', id = 'X' }"),
    ("client = { kind = ['ci', 'person'] }", "client = { kind = 'ci', team = 'a' }"),
    ("yanked = true", "yanked = true, kind = 'sdist'"),
    ("any = [{ yanked = true }, { kind = 'sdist' }]", "kind = 'sdist', yanked = false"),
    ("any = [{ yanked = true }, { kind = 'sdist' }]", "any = [{ kind = 'sdist' }]"),
    ("not = { owners = { below = 2 } }", "not = { owners = { below = 3 } }"),
]
NOT_COVERED = [
    ("yanked = true", "yanked = false"),
    ("owners = { below = 3 }", "owners = { at_least = 1 }"),
    ("owners = { at_least = 2 }", "owners = { below = 9 }"),
    ("health = { below = 3 }", "confidence = { below = 3 }"),
    ("flag = { id = 'yanked', severity = 'high' }", "flag = { id = 'yanked' }"),
    ("flag = { id = 'yanked', explained = true }", "flag = { id = 'yanked', explained = false }"),
    ("version = '<2'", "version = '<1'"),  # nobody reads specifiers so closely
    ("signal.a = { below = 3 }", "signal.b = { below = 3 }"),
    ("not = { yanked = true }", "yanked = true"),
    ("yanked = true", "not = { yanked = true }"),
]


@pytest.mark.parametrize(("wide", "narrow"), COVERED)
def test_what_is_covered_is_said_to_be(wide: str, narrow: str) -> None:
    assert covers(term(wide), term(narrow))
    assert covers(term(wide), term(wide))


@pytest.mark.parametrize(
    ("wide", "narrow"),
    NOT_COVERED + [(narrow, wide) for wide, narrow in COVERED if wide != narrow],
)
def test_what_is_not_covered_is_not_said_to_be(wide: str, narrow: str) -> None:
    assert not covers(term(wide), term(narrow))


def test_the_order_of_parts_does_not_matter() -> None:
    one = "kind = 'sdist', any = [{ yanked = true }, { not = { kind = 'other' } }]"
    other = "any = [{ not = { kind = 'other' } }, { yanked = true }], kind = 'sdist'"
    assert same(term(one), term(other))
    assert not same(term(one), term("kind = 'sdist', yanked = true"))
    assert not same(term("yanked = true"), term("not = { yanked = true }"))
