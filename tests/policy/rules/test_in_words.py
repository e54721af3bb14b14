"""A rule in plain words: its condition piece by piece, its comment, and how to go on."""

import pytest

from indexgate_policy import policies
from indexgate_policy.rules import document
from indexgate_policy.rules.conditions import BY_NAME
from indexgate_policy.rules.exemptions import BUILT_IN
from indexgate_policy.rules.in_words import InWords, in_words
from tests.policy.rules.facts import NOW

TEXT = """\
version = 1

# Not this one.

# Building runs code;
#  so no.
[[rule]]
id = "a"
action = "refuse"
when = { kind = "sdist", any = [{ owners = { below = 2 } }, { not = { yanked = true } }] }
unless = { project = "demo" }
unknown = "refuse"
hint = "ask"

[[rule]]
id = "b"
action = "warn"
when = { yanked = true }

[[exemption]]
project = "demo"
version = "<2"
rule = "a"
reason = "why"
owner = "me"
expires = 2026-12-31
"""


def told(name: str, text: str = TEXT, **more: tuple[str, str]) -> InWords:
    policy = document.parse(text, source="p.toml", now=NOW)
    found = in_words(policy, name, text, NOW, **more)
    assert found is not None
    return found


def test_each_condition_is_told_with_the_words_of_its_definition() -> None:
    lines = [(line.depth, line.word, line.written) for line in told("a").conditions]
    assert lines == [
        (0, "when", ""),
        (1, "all of", 'kind = "sdist"'),
        (1, "and", ""),
        (2, "any of", "owners = { below = 2 }"),
        (2, "or", ""),
        (3, "not", "yanked = true"),
        (0, "unless", 'project = "demo"'),
    ]
    owners = told("a").conditions[3]
    assert (owners.means, owners.unknown) == (BY_NAME["owners"].what, BY_NAME["owners"].unknown)


def test_the_comment_right_above_a_rule_is_its_reasoning() -> None:
    assert told("a").comment == "Building runs code; so no."
    assert told("a").line == 7
    assert told("b").comment == ""


def test_what_a_rule_does_is_told_in_sentences() -> None:
    refusing = " ".join(told("a").sentences)
    assert "It refuses" in refusing
    assert "picks out single files" in refusing
    assert "nobody can tell, it refuses" in refusing
    assert "`unless`" in refusing
    warning = " ".join(told("b").sentences)
    assert "It warns" in warning
    assert "nobody can tell" not in warning


def test_the_example_is_that_of_a_case_where_there_is_one() -> None:
    assert told("a").example.endswith(". ask")
    shown = told("a", example=("demo is new", "wait"))
    assert shown.example == "Blocked by indexgate: demo is new. wait"
    assert told("b").example.startswith("warning: ")


def test_what_is_waived_and_how_to_waive_more_is_told() -> None:
    assert told("a").waived_for == ("demo <2 until 2026-12-31: why (me)",)
    assert told("b").waived_for == ()
    grant = f"{TEXT}\n{told('b').exemption}"
    assert "b" in document.parse(grant, source="p", now=NOW).exemptions[-1].rules


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_rule_that_is_built_in_is_explained_too(name: str) -> None:
    found = told(name)
    assert BUILT_IN[name] in " ".join(found.sentences)
    assert bool(found.exemption) is ("nothing can waive it" not in BUILT_IN[name])


def test_a_rule_that_is_not_there_is_none() -> None:
    policy = document.parse(TEXT, source="p.toml", now=NOW)
    assert in_words(policy, "c", TEXT, NOW) is None


@pytest.mark.parametrize("name", policies.NAMES)
def test_every_rule_of_the_shipped_policies_can_be_told(name: str) -> None:
    text = policies.shipped(name).decode()
    for rule in document.parse(text, source=name, now=NOW).rules:
        found = told(rule.id, text)
        assert found.conditions
        assert found.example
