"""That a condition covers another is said only where it is so."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexgate_policy.assessment import Assessment
from indexgate_policy.rules.covering import covers, same
from indexgate_policy.rules.expression import Term
from indexgate_policy.rules.known import gather
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import Client, File
from tests.policy.rules.facts import NOW, policy, rule
from tests.policy.rules.test_judge import assessments, files


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
    (
        "not = { advisory = { kind = 'malware', severity = 'critical' } }",
        "not = { advisory = 'malware' }",
    ),
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


ATOMS = [
    *(f"release_age = {{ below = '{days}d' }}" for days in (1, 9, 30)),
    "release_age = { at_least = '2d', below = '20d' }",
    "project_age = { at_least = '5d' }",
    "project_age = { at_least = '9d' }",
    *(f"owners = {{ below = {number} }}" for number in (2, 5)),
    "releases = { at_least = 3 }",
    "releases = { at_least = 3, below = 7 }",
    "kind = 'sdist'",
    "kind = ['sdist', 'other']",
    "yanked = true",
    "flag = { id = 'typosquat' }",
    "flag = { id = ['typosquat', 'new-10k'], severity = { at_least = 'medium' } }",
    "flag = { id = 'typosquat', severity = 'high', explained = false }",
    "advisory = 'malware'",
    "advisory = { kind = 'malware', severity = 'critical' }",
    "version = '<2'",
]
TABLES = st.recursive(
    st.sampled_from(ATOMS),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=2).map(
            lambda parts: f"all = [{', '.join(f'{{ {part} }}' for part in parts)}]"
        ),
        st.lists(inner, min_size=1, max_size=2).map(
            lambda parts: f"any = [{', '.join(f'{{ {part} }}' for part in parts)}]"
        ),
        inner.map(lambda part: f"not = {{ {part} }}"),
    ),
    max_leaves=3,
)


@settings(max_examples=400)
@given(st.lists(TABLES, min_size=2, max_size=6, unique=True), files, assessments)
def test_what_covers_another_holds_wherever_that_does(
    texts: list[str], subject: File, known: Assessment | Unknown
) -> None:
    facts = gather(known, Client(), NOW, timedelta(hours=48))
    terms = [term(text) for text in texts]
    told = [each.judge(subject, facts).truth for each in terms]
    for wide, of_wide in zip(terms, told, strict=True):
        for narrow, of_narrow in zip(terms, told, strict=True):
            if of_narrow is True and covers(wide, narrow):
                assert of_wide is True, (wide, narrow)
            if same(wide, narrow):
                assert of_wide is of_narrow
