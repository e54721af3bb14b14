import contextlib
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexgate_policy.errors import PolicyError
from indexgate_policy.rules import conditions, document
from indexgate_policy.subject import Client
from tests.policy.rules.facts import DAY, NOW, file, policy, rule

RULE = '[[rule]]\nid = "r"\naction = "refuse"\n'
EXEMPTION = (
    '[[exemption]]\nproject = "demo"\nrule = "r"\nreason = "why"\nowner = "me"\n'
    "expires = 2026-12-31\n"
)


def error(text: str | bytes) -> PolicyError:
    with pytest.raises(PolicyError) as caught:
        document.parse(text, source="my.toml", now=NOW)
    return caught.value


@pytest.mark.parametrize(
    ("text", "reference", "named", "hint"),
    [
        ("", "missing-key", "`version`", "version = 1"),
        ("rule = []", "missing-key", "`version`", "version = 1"),
        ("version = 2", "unknown-version", "`version = 2`", "version = 1"),
        ("version = true", "wrong-type", "`version`", ""),
        ("version = '1'", "wrong-type", "not a text", ""),
        ("version = 1\nrules = 3", "unknown-key", "`rules`", "`rule`"),
        ("version = 1\nrule = 3", "wrong-type", "`rule`", ""),
        ("version = 1\nrule = []", "empty", "`rule`", ""),
        ("version = 1\nrule = [3]", "wrong-type", "number 1", ""),
        ("version = 1\n[[rule]]", "empty", "the table is empty", ""),
        ("version = 1\nmax_feed_age = '2 days'", "bad-duration", "`2 days`", '"24h"'),
        ("version = 1\nmax_feed_age = '0s'", "bad-duration", "no time", ""),
        ("version = ", "not-toml", "my.toml", ""),
        (b"version = 1 # \xff", "not-utf8", "byte 14", "UTF-8"),
        ("version = 1 # \ud800", "not-utf8", "my.toml", ""),
        ("#" * 300_000, "too-large", "300000", ""),
        ("version = " + "[" * 5000 + "]" * 5000, "too-deep", "levels", ""),
        ("a" + ".a" * 5000 + " = 1", "too-deep", "levels", ""),
        ("version = " + "9" * 5000, "not-toml", "my.toml", ""),
    ],
)
def test_a_broken_document_is_refused_with_what_is_wrong(
    text: str | bytes, reference: str, named: str, hint: str
) -> None:
    found = error(text)
    assert found.reference == f"policy-{reference}"
    assert named in found.message
    assert hint in found.hint
    assert not found.message.endswith(".")


@pytest.mark.parametrize(
    ("body", "reference", "named", "hint"),
    [
        ("when = { yanked = true }\nminimum = 3", "unknown-key", "`minimum`", "known are"),
        ("whn = { yanked = true }", "unknown-key", "`whn`", "`when`"),
        ("", "missing-key", "`when`", ""),
        ("when = {}", "empty", "`when`", ""),
        ("when = 3", "wrong-type", "`when`", ""),
        ("when = { all = [] }", "empty", "`when.all`", ""),
        ("when = { any = [{}] }", "empty", "`when.any[0]`", ""),
        ("when = { any = { yanked = true } }", "wrong-type", "`when.any`", ""),
        ("when = { not = {} }", "empty", "`when.not`", ""),
        ("when = { yanked = true }\nunless = {}", "empty", "`unless`", ""),
        ("when = { yankd = true }", "unknown-condition", "`yankd`", "`yanked`"),
        ('when = { "signal.stars" = { below = 1 } }', "unknown-condition", "", "without quotes"),
        ("when = { yanked = 1 }", "wrong-type", "`when.yanked`", ""),
        ("when = { release_age = '24h' }", "wrong-type", "a table", ""),
        ("when = { release_age = {} }", "empty", "`when.release_age`", ""),
        ("when = { release_age = { blow = '1d' } }", "unknown-key", "`blow`", "`below`"),
        ("when = { release_age = { below = 24 } }", "wrong-type", "a duration", ""),
        ("when = { release_age = { below = '1d', at_least = '2d' } }", "never-holds", "", ""),
        ("when = { owners = { below = 1, at_least = 2 } }", "never-holds", "", ""),
        ("when = { owners = { below = nan } }", "wrong-type", "finite", ""),
        ("when = { status = 'archvied' }", "unknown-value", "`archvied`", "`archived`"),
        ("when = { kind = ['wheel', 'egg'] }", "unknown-value", "`egg`", "`sdist`"),
        ("when = { kind = [] }", "empty", "`when.kind`", ""),
        ("when = { project = 'a b' }", "bad-pattern", "`a b`", "`*`"),
        ("when = { project = ' ' }", "empty", "`when.project`", ""),
        ("when = { version = '2.0' }", "bad-specifier", "`2.0`", "PEP 440"),
        ("when = { version = ' , ' }", "bad-specifier", "`,`", "PEP 440"),
        ("when = { flag = { severity = 'high' } }", "missing-key", "`id`", ""),
        ("when = { flag = { id = 'typosqat' } }", "unknown-value", "`typosqat`", "`typosquat`"),
        ("when = { any_flag = { severity = 'hih' } }", "unknown-value", "`hih`", "`high`"),
        ("when = { advisory = 'malwar' }", "unknown-value", "`malwar`", "`malware`"),
        ("when = { signal = { A = { is = 1 } } }", "bad-name", "`A`", ""),
        ("when = { client = { kind = 'robot' } }", "unknown-value", "`robot`", "`ci`"),
        ("when = { advisory = 'malware' }", "missing-key", "`advisory` can be", '"allow"'),
        ("when = { yanked = true }\nunknown = 'alow'", "unknown-value", "`alow`", "`allow`"),
    ],
)
def test_a_broken_rule_is_named_with_its_place(
    body: str, reference: str, named: str, hint: str
) -> None:
    found = error(f"version = 1\n\n{RULE}{body}\n")
    assert found.reference == f"policy-{reference}"
    assert named in found.message
    assert f'in `[[rule]]` number 1, "r", line {found.line} of `my.toml`' in found.message
    assert hint in found.hint


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("version = 1\nrules = 3", 2, 1),
        ("version = 1\n  max_feed_age = '2 days'", 2, 3),
        ("version = 1\na = = 3", 2, 5),
        ("version = 1\n[[rule]]", 2, 1),
        (f"version = 1\n{RULE}when = {{ yanked = true }}\nminimum = 3", 6, 1),
        (f"version = 1\n{RULE}when = {{ yankd = true }}", 5, 10),
        (f"version = 1\n{RULE}when.all = [\n  {{ kind = 'egg' }},\n]", 6, 5),
        (f"version = 1\n{RULE}when = {{ release_age = {{ below = '1' }} }}", 5, 26),
        (f"version = 1\n{RULE}when = {{ advisory = 'malware' }}", 2, 1),
        ("version = 2 # \ud800", 0, 0),
        ("", 0, 0),
    ],
)
def test_a_mistake_is_told_with_its_line_and_column(text: str, line: int, column: int) -> None:
    found = error(text)
    assert (found.line, found.column) == (line, column)


@pytest.mark.parametrize(
    ("old", "new", "reference"),
    [
        ('id = "r"', 'id = "R r"', "bad-id"),
        ('id = "r"', 'id = "quarantined"', "duplicate-rule"),
        ('id = "r"\n', "", "missing-key"),
        ('action = "refuse"', 'action = "allow"', "unknown-value"),
        ('action = "refuse"\n', "", "missing-key"),
    ],
)
def test_a_rule_needs_a_good_id_and_action(old: str, new: str, reference: str) -> None:
    text = f"version = 1\n{RULE}when = {{ yanked = true }}\n"
    assert error(text.replace(old, new)).reference == f"policy-{reference}"


@pytest.mark.parametrize(
    ("old", "new", "reference"),
    [
        ('rule = "r"', 'rule = "q"', "unknown-rule"),
        ('rule = "r"', 'rule = "quarantined"', "not-waivable"),
        ('rule = "r"', 'rule = "gate-fault"', "not-waivable"),
        ("2026-12-31", '"2026-12-31"', "bad-date"),
        ("2026-12-31", "2026-12-31T00:00:00Z", "bad-date"),
        ("2026-12-31", "2026-13-31", "not-toml"),
        ("expires", "expire", "unknown-key"),
        ('owner = "me"\n', "", "missing-key"),
        ('owner = "me"', 'owner = ""', "empty"),
        ('owner = "me"', 'owner = "me"\nversion = "1.0"', "bad-specifier"),
        ('owner = "me"', 'owner = "me"\nversion = ","', "bad-specifier"),
    ],
)
def test_a_broken_exemption_is_refused(old: str, new: str, reference: str) -> None:
    text = f"version = 1\n{RULE}when = {{ yanked = true }}\n{EXEMPTION}"
    assert document.parse(text, source="x", now=NOW).exemptions
    assert error(text.replace(old, new)).reference == f"policy-{reference}"


def test_a_second_rule_with_the_same_id_is_refused_where_it_stands() -> None:
    found = error(f"version = 1\n{2 * (RULE + 'when = { yanked = true }' + chr(10))}")
    assert "number 2" in found.message
    assert (found.line, found.column) == (7, 1)
    assert "line 7" in found.message


def test_the_digest_follows_the_meaning_and_not_the_layout() -> None:
    plain = policy(rule("yanked = true"))
    assert policy(f"# a comment\n\n{rule('yanked =  true')}").digest == plain.digest
    assert policy(rule("yanked = false")).digest != plain.digest


def test_windows_line_ends_and_a_byte_order_mark_are_read() -> None:
    text = "\ufeffversion = 1\r\nmax_feed_age = '6h'\r\n"
    assert document.parse(text.encode(), source="x", now=NOW).max_feed_age == timedelta(hours=6)


def test_only_a_policy_that_asks_for_the_client_makes_pages_private() -> None:
    assert policy(rule('client = { kind = "ci" }')).asks_client
    assert not policy(rule("yanked = true")).asks_client


def test_the_exemption_that_lasts_longest_waives() -> None:
    later = EXEMPTION.replace("2026-12-31", "2027-01-31")
    both = policy(rule("yanked = true") + EXEMPTION + later)
    waiver = both.waiver("r", file(), Client(), NOW)
    assert waiver is not None
    assert f"{waiver.ends:%Y-%m-%d}" == "2027-02-01"
    assert both.waiver("r", file(), Client(), NOW + 400 * DAY) is None


KEYS = st.sampled_from(
    ["version", "rule", "exemption", "id", "action", "when", "unless", "unknown", "expires"]
    + [definition.name for definition in conditions.ALL]
    + ["all", "any", "not", "below", "at_least", "severity", "is", "in", "team"]
)
VALUES = st.recursive(
    st.sampled_from(
        ["1", "true", "nan", '""', '"x"', '"24h"', '"refuse"', '"high"', "[]", "{}", "2027-01-31"]
    ),
    lambda inner: (
        st.lists(inner, max_size=2).map(lambda v: f"[{', '.join(v)}]")
        | st.lists(st.tuples(KEYS, inner), max_size=3, unique_by=lambda pair: pair[0]).map(
            lambda pairs: "{" + ", ".join(f"{key} = {value}" for key, value in pairs) + "}"
        )
    ),
    max_leaves=6,
)
LINES = st.tuples(KEYS, VALUES).map(" = ".join) | st.sampled_from(
    ["[[rule]]", "[[exemption]]", 'id = "r"', 'action = "warn"', 'unknown = "warn"']
)


@given(st.text() | st.binary() | st.lists(LINES, max_size=8).map("\n".join))
def test_any_text_is_a_policy_or_a_policy_error(text: str | bytes) -> None:
    body = text if isinstance(text, bytes) else f"version = 1\n{text}"
    with contextlib.suppress(PolicyError):
        assert document.parse(body, source="x", now=NOW).version == 1
