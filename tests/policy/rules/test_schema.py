"""The schema takes what the loader takes, and refuses what a schema can refuse."""

import re
import tomllib
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from indexgate_policy import policies
from indexgate_policy.errors import PolicyError
from indexgate_policy.rules import conditions, document, exemptions, reference, rule
from indexgate_policy.rules.schema import schema
from tests.policy.rules.facts import NOW

SCHEMA = Draft7Validator(schema())
DOCS = Path(__file__).parents[3] / "docs"
SHOWN = [
    block
    for page in sorted(DOCS.rglob("*.md"))
    for block in re.findall(
        r"^```toml\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    if re.search(r"^version = 1$", block, re.MULTILINE)
]


def as_json(value: object) -> object:
    """Return TOML's value as editors hand it to a schema: dates are texts."""
    if isinstance(value, dict):
        return {key: as_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_json(item) for item in value]
    return value.isoformat() if isinstance(value, date | datetime) else value


def takes(text: str) -> bool:
    return bool(SCHEMA.is_valid(as_json(tomllib.loads(text))))


def loads(text: str) -> bool:
    try:
        document.parse(text, source="p.toml", now=NOW)
    except PolicyError:
        return False
    return True


def test_the_schema_is_one() -> None:
    Draft7Validator.check_schema(schema())


@pytest.mark.parametrize("name", policies.NAMES)
def test_the_shipped_policies_are_taken(name: str) -> None:
    assert takes(policies.shipped(name).decode())


def test_every_policy_that_the_docs_show_is_taken() -> None:
    assert len(SHOWN) > 30
    assert [text for text in SHOWN if not takes(text)] == []


@pytest.mark.parametrize("definition", conditions.ALL, ids=lambda each: each.name)
def test_every_condition_takes_its_own_example_and_no_table_of_another(
    definition: conditions.Definition,
) -> None:
    text = reference.example(definition)
    assert takes(text)
    assert not takes(text.replace(f"{definition.name} = ", f"{definition.name}.x.y.z = "))


def test_the_schema_knows_the_keys_that_the_loader_knows() -> None:
    told: Any = schema()
    assert set(told["properties"]) == set(document._KEYS)
    assert set(told["definitions"]["rule"]["properties"]) == set(rule._KEYS)
    for key, known in (
        ("exemption", exemptions._KEYS),
        ("grandfather", exemptions._GRANDFATHER_KEYS),
    ):
        assert set(told["properties"][key]["items"]["properties"]) == set(known)


RULE = 'version = 1\n[[rule]]\nid = "r"\naction = "refuse"\n'
WHEN = "when = { yanked = true }\n"
EXEMPTION = (
    '[[exemption]]\nproject = "demo"\nrule = "r"\nreason = "why"\nowner = "me"\n'
    "expires = 2026-12-31\n"
)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "version = 2",
        "version = true",
        "version = 1\nrules = 3",
        "version = 1\nrule = []",
        "version = 1\n[[rule]]",
        "version = 1\nmax_feed_age = '2 days'",
        "version = 1\nmax_feed_age = '0s'",
        "version = 1\nbreak_glass = true",
        f"{RULE}",
        f"{RULE}{WHEN}minimum = 3",
        f"{RULE}{WHEN}reason = ' '",
        f"{RULE}{WHEN}unknown = 'alow'",
        f"{RULE}{WHEN}unless = {{}}",
        f"{RULE}when = {{}}",
        f"{RULE}when = {{ yankd = true }}",
        f"{RULE}when = {{ yanked = 1 }}",
        f"{RULE}when = {{ all = [] }}",
        f"{RULE}when = {{ any = [{{}}] }}",
        f"{RULE}when = {{ not = {{}} }}",
        f"{RULE}when = {{ kind = ['wheel', 'egg'] }}",
        f"{RULE}when = {{ project = 'a b' }}",
        f"{RULE}when = {{ release_age = {{ below = '1y' }} }}\nunknown = 'warn'",
        f"{RULE}when = {{ release_age = {{}} }}\nunknown = 'warn'",
        f"{RULE}when = {{ flag = {{ severity = 'high' }} }}\nunknown = 'warn'",
        f"{RULE}when = {{ flag = {{ id = 'typosqat' }} }}\nunknown = 'warn'",
        f"{RULE}when = {{ any_flag = {{ severity = 'hih' }} }}\nunknown = 'warn'",
        f"{RULE}when = {{ advisory = 'malwar' }}\nunknown = 'warn'",
        f"{RULE}when = {{ signal = {{ A = {{ is = 1 }} }} }}\nunknown = 'warn'",
        f"{RULE}when = {{ client = {{ kind = 'robot' }} }}\nunknown = 'warn'",
        f"{RULE}when = {{ advisory = 'malware' }}",
        f"{RULE}when.any = [{{ yanked = true }}, {{ not = {{ health = {{ below = 3 }} }} }}]",
        f"{RULE.replace('refuse', 'allow')}{WHEN}",
        RULE.replace('"r"', '"R r"') + WHEN,
        RULE.replace('"r"', '"quarantined"') + WHEN,
        f"{RULE}{WHEN}{EXEMPTION.replace('2026-12-31', '2026-12-31T00:00:00Z')}",
        f"{RULE}{WHEN}{EXEMPTION.replace('expires', 'expire')}",
        RULE + WHEN + EXEMPTION.replace('"me"', '""'),
        RULE + WHEN + EXEMPTION.replace('rule = "r"', 'rule = "quarantined"'),
        f"{RULE}{WHEN}{EXEMPTION}version = '1.0'",
    ],
)
def test_what_the_loader_refuses_and_a_schema_can_tell_is_refused(text: str) -> None:
    assert not loads(text)
    assert not takes(text)


def test_the_page_of_the_schema_is_the_rendered_one() -> None:
    # If it is not: `indexgate policy schema > docs/reference/policy.schema.json`.
    from indexgate.cli.policy_schema import text

    assert (DOCS / "reference" / "policy.schema.json").read_text("utf-8") == text()


PROJECTS = ["demo", "a-*", "A b", "", " ", "é"]
KNOWN = ["sdist", "wheel", "high", "low", "typosquat", "yanked", "malware", "ci", "active", "E"]
WORDS = st.sampled_from([*PROJECTS, *KNOWN, "24h", "1d12h", "0s", "==1", ">=1,<2", ",", "1.0"])
SCALARS = st.one_of(WORDS, st.booleans(), st.integers(-2, 101), st.floats(0, 2, width=16))
NAMES = st.sampled_from([each.name for each in conditions.ALL])
KEYS = st.sampled_from(
    ["below", "at_least", "id", "severity", "explained", "kind", "family", "team", "is", "in"]
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS | WORDS, inner, max_size=2),
    max_leaves=4,
)
TERMS = st.recursive(
    st.dictionaries(NAMES, VALUES, min_size=1, max_size=2),
    lambda inner: st.one_of(
        st.fixed_dictionaries({"not": inner}),
        st.dictionaries(st.sampled_from(["all", "any"]), st.lists(inner, max_size=2), max_size=2),
    ),
    max_leaves=3,
)


def toml(value: object) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{toml(key)} = {toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


@settings(max_examples=300)
@given(TERMS, st.sampled_from(["", 'unknown = "warn"\n']))
def test_what_the_loader_takes_the_schema_takes(term: object, unknown: str) -> None:
    text = f"{RULE}when = {toml(term)}\n{unknown}"
    assert takes(text) or not loads(text)


@given(st.sampled_from(conditions.ALL), VALUES)
def test_what_a_condition_reads_its_shape_takes(
    definition: conditions.Definition, value: object
) -> None:
    text = f'{RULE}when = {{ {definition.name} = {toml(value)} }}\nunknown = "warn"\n'
    assert takes(text) or not loads(text)
