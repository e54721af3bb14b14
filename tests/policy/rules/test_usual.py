"""What is said of most files at once is what would be said of each."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from indexgate_policy.flags import Severity
from indexgate_policy.rules import expression
from indexgate_policy.rules.conditions import Scope
from indexgate_policy.rules.document import Policy
from indexgate_policy.rules.judge import Bench
from indexgate_policy.rules.page import judge_page, judge_release
from indexgate_policy.rules.rule import Rule
from indexgate_policy.rules.verdict import Action, Verdict
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import Client, File, Release
from tests.policy.rules.facts import (
    DAY,
    NOW,
    assessment,
    flag,
    policy,
    release,
    rule,
    score,
    vulnerability,
)
from tests.policy.rules.test_judge import advisories, assessments, moments
from tests.policy.rules.test_page import RULES, pages

CONDITIONS = (
    'release_age = { below = "2d" }',
    'release_age = { at_least = "1d", below = "30d" }',
    'release_age = { at_least = "5d" }',
    'version = ">1.0"',
    "yanked = true",
    "yanked = false",
    'kind = "sdist"',
    'file_age = { below = "3d" }',
    'advisory = "malware"',
    'advisory = { severity = { at_least = "high" } }',
    'advisory = { kind = "vulnerability", id = "MAL-1" }',
    "fixes_advisory = true",
    "fixes_advisory = false",
    'flag = { id = "typosquat", severity = { at_least = "high" } }',
    'flag = { id = ["new-10k", "typosquat"], explained = false }',
    'any_flag = { severity = { at_least = "low" } }',
    'project_age = { below = "10d" }',
    'first_seen = { at_least = "4d" }',
    'status = ["archived"]',
    "releases = { below = 3 }",
    "health = { below = 30 }",
    'project = "other"',
)
EXEMPTIONS = (
    "",
    '[[exemption]]\nproject = "de*"\n',
    '[[exemption]]\nproject = "demo"\nversion = ">1.0"\n',
    '[[exemption]]\nproject = "other"\nversion = ">1.0"\n',
    '[[grandfather]]\npackages = ["demo==2.0"]\n',
)
ENDING = 'rule = ["r0", "r1"]\nreason = "why"\nowner = "me"\nexpires = 2026-11-23\n'

terms = st.recursive(
    st.sampled_from(CONDITIONS),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(
            lambda parts: "all = [" + ", ".join(f"{{ {part} }}" for part in parts) + "]"
        ),
        st.lists(inner, min_size=1, max_size=3).map(
            lambda parts: "any = [" + ", ".join(f"{{ {part} }}" for part in parts) + "]"
        ),
        inner.map(lambda part: f"not = {{ {part} }}"),
    ),
    max_leaves=4,
)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Return a policy of a few rules, most of which say little of most files."""
    text = ""
    count = draw(st.integers(1, 3))
    for number in range(count):
        excuse = draw(st.none() | terms)
        text += rule(
            draw(terms),
            draw(st.sampled_from(["warn", "refuse"])),
            draw(st.sampled_from(["allow", "allow", "warn", "refuse"])),
            f"unless = {{ {excuse} }}" if excuse else "",
        ).replace('"r"', f'"r{number}"')
    exempt = draw(st.sampled_from(EXEMPTIONS))
    ending = ENDING if count > 1 else ENDING.replace(', "r1"', "")
    return policy(text + (exempt + ending if exempt else ""))


def asking_of_each(ready: Policy) -> Policy:
    """Return *ready* with all its conditions asked of every file."""
    return replace(ready, rules=tuple(map(_of_each, ready.rules)))


def _of_each(each: Rule) -> Rule:
    unless = None if each.unless is None else _bare(each.unless)
    return replace(each, when=_bare(each.when), unless=unless, scope=Scope.FILE)


def _bare(term: expression.Term) -> expression.Term:
    if isinstance(term, expression.Condition):
        definition = replace(term.definition, scope=Scope.FILE)
        return replace(term, definition=definition, usual_test=None)
    if isinstance(term, expression.Not):
        return replace(term, part=_bare(term.part))
    return replace(term, parts=tuple(map(_bare, term.parts)))


def told(verdicts: Mapping[str, Verdict]) -> dict[str, object]:
    """Return what *verdicts* say; of what cannot be judged one says of which version, one not."""
    return {
        name: (v.action, v.rule, v.until, v.waived, v.exemptions, v.at_once)
        if any("cannot be judged" in text for text in (v.reason, *(w.reason for w in v.warnings)))
        else v
        for name, v in verdicts.items()
    }


@settings(max_examples=400)
@given(
    pages(),
    assessments
    | st.builds(
        assessment,
        flags=st.lists(
            st.builds(
                flag,
                st.sampled_from(["typosquat", "new-10k", "yanked"]),
                st.sampled_from(list(Severity)),
                versions=st.sampled_from([(), ("1.0",), ("2.0.0", "2004d"), ("nonsense",)]),
                ends=st.none() | st.just(NOW + DAY),
            ),
            max_size=3,
        ),
        advisories=st.lists(advisories, max_size=3),
        feed=moments,
        score=st.sampled_from([None, score(20)]),
    ),
    policies() | st.sampled_from(RULES),
    st.sampled_from(["explain", "hide"]),
)
def test_a_page_has_the_verdicts_of_its_files_asked_one_by_one(
    releases: list[Release],
    known: Any,
    ready: Policy,
    presentation: Literal["explain", "hide"],
) -> None:
    found, each = (
        judge_page(releases, known, by, Client(), NOW, presentation=presentation)
        for by in (ready, asking_of_each(ready))
    )
    assert each.verdicts.usual is None
    assert told(found.verdicts) == told(each.verdicts)
    assert told(found.refused_versions) == told(each.refused_versions)
    assert told({"": found.refused_project} if found.refused_project else {}) == told(
        {"": each.refused_project} if each.refused_project else {}
    )
    assert (found.until, found.passing) == (each.until, each.passing)
    for one in releases:
        alone = judge_release(
            one, known, ready, Client(), NOW, presentation=presentation, others=releases
        )
        assert told(alone) == {f.filename: told(found.verdicts)[f.filename] for f in one.files}


ORDINARY = [release(f"{n}.0", released=NOW - (400 - n) * DAY) for n in range(300)]
QUIET = "".join(
    rule(when, more="unless = { fixes_advisory = true }").replace('"r"', f'"r{n}"')
    for n, when in enumerate(
        [
            'release_age = { below = "7d" }',
            'advisory = { kind = "vulnerability", severity = { at_least = "high" } }',
            'flag = { id = "typosquat" }',
            "yanked = true",
        ]
    )
)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The versions of the files that are judged by themselves, in order."""
    versions: list[str] = []
    verdict = Bench.verdict

    def counted(bench: Bench, file: File) -> Verdict:
        versions.append(file.version)
        return verdict(bench, file)

    monkeypatch.setattr(Bench, "verdict", counted)
    return versions


@pytest.mark.parametrize(
    ("last", "facts", "refused"),
    [
        (release("300.0"), {}, []),
        (release("300.0", released=NOW - DAY), {}, ["300.0"]),
        (release("300.0", yanked=True), {}, ["300.0"]),
        (release("300.0"), {"flags": [flag(versions=("300",))]}, ["300.0"]),
        (release("300.0"), {"flags": [flag("yanked", versions=("0.0",))]}, []),
        (
            release("300.0"),
            {"advisories": [vulnerability(versions=("0.0",)), vulnerability(versions=("300.0",))]},
            ["0.0", "300.0"],
        ),
    ],
)
def test_only_what_is_unlike_the_others_is_looked_at(
    asked: list[str], last: Release, facts: dict[str, Any], refused: list[str]
) -> None:
    known = assessment(**facts)
    page = [*ORDINARY, last]
    found = judge_page(page, known, policy(QUIET), Client(), NOW, presentation="explain")
    assert set(asked) == {*refused, "1.0" if "0.0" in refused else "0.0"}
    assert len(asked) <= 2 * len(refused) + 1
    assert list(found.refused_versions) == refused
    assert found.verdicts.usual is not None
    assert found.verdicts["demo-7.0.tar.gz"] is found.verdicts.usual


def test_a_warning_that_names_no_version_is_one_for_all(asked: list[str]) -> None:
    ready = policy(rule("owners = { below = 2 }", "warn", "warn") + QUIET.replace("r0", "s0"))
    found = judge_page(ORDINARY, assessment(), ready, Client(), NOW, presentation="explain")
    assert asked == ["0.0"]
    assert found.verdicts.usual is not None
    assert found.verdicts.usual.action is Action.WARN
    assert len(found.verdicts) == 600


def test_what_breaks_the_question_for_many_leaves_it_to_the_question_for_each() -> None:
    odd = dataclasses.replace(ORDINARY[0], released="yesterday")  # type: ignore[arg-type]
    page = [odd, *ORDINARY[1:3]]
    found = judge_page(page, assessment(), policy(QUIET), Client(), NOW, presentation="explain")
    assert found.verdicts.usual is None
    assert len(found.verdicts) == 6


def test_what_nobody_knows_of_the_project_is_said_of_all(asked: list[str]) -> None:
    nothing = Unknown(reason="the store is broken")
    ready = policy(rule('flag = { id = "typosquat" }', "warn", "warn"))
    found = judge_page(ORDINARY, nothing, ready, Client(), NOW, presentation="explain")
    assert len(asked) == 1
    assert found.verdicts["demo-7.0.tar.gz"].reason == (
        "demo cannot be judged by the rule r: the store is broken"
    )
