"""A first look: to the policy it was made for it is as good as a whole assessment."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from indexgate_policy import policies
from indexgate_policy.advisories import Advisories
from indexgate_policy.assess import assess
from indexgate_policy.assessment import Case, Context, Lookalike
from indexgate_policy.first_look import first_look, is_first_look
from indexgate_policy.health.score import confidence_at_most, score
from indexgate_policy.rules import document
from indexgate_policy.rules.conditions.findings import CHECKS
from indexgate_policy.rules.document import Policy
from indexgate_policy.rules.indifferent import indifferent
from indexgate_policy.rules.page import judge_page
from indexgate_policy.rules.reads import ALL
from indexgate_policy.signals import Signal, Signals, Unknown, Value
from indexgate_policy.subject import Client
from tests.policy.rules.facts import DAY, NOW, policy, project, release

TOLD: dict[str, st.SearchStrategy[Value]] = {
    "owners": st.sampled_from([(), ("anna",), ("anna", "bob")]),
    "organization": st.sampled_from(["", "org"]),
    "repository": st.sampled_from(["", "https://github.com/x/demo", "https://github.com/x/other"]),
    "summary": st.just("A demo"),
    "latest_version": st.sampled_from(["1.0", "2.0"]),
    "vulnerabilities_latest": st.sampled_from([(), ("PYSEC-1",), ("MAL-2026-1",)]),
    "release_count": st.integers(0, 5),
    "requires": st.just(("other",)),
    "pythons": st.sampled_from([("3",), ("2.7",)]),
}
"""What the index itself tells beside the page."""

CONDITIONS = (
    *(f'flag = {{ id = "{check}" }}' for check in CHECKS),
    'flag = { id = ["typosquat", "malware", "repo-mismatch"], severity = { at_least = "high" } }',
    'advisory = "malware"',
    'any_flag = { severity = { at_least = "medium" } }',
    "health = { below = 60 }",
    "health = { below = 90 }, confidence = { at_least = 0.6 }",
    "health = { below = 90 }, confidence = { at_least = 0.1 }",
    "confidence = { below = 0.9 }",
    'grade = ["C", "D", "E"]',
    "owners = { below = 2 }",
    'signal.repository = { is = "" }',
    'release_age = { below = "30d" }',
    'project_age = { below = "1000d" }',
)


class Popular:
    """Every name can be taken for a popular one, or none can."""

    def __init__(self, likeness: float) -> None:
        self._likeness = likeness

    def lookalike(self, name: str) -> Lookalike | None:
        """Return the name that *name* resembles."""
        return Lookalike(
            imitates="demos",
            confusability=self._likeness,
            relation="one letter more than",
            rank=10,
            downloads=10**9,
        )

    def rank(self, name: str) -> int | None:
        """No name is on the list."""
        return None

    least_downloads = 100_000


@st.composite
def rules(draw: st.DrawFn) -> str:
    return "\n".join(_rules(draw))


def _rules(draw: st.DrawFn) -> Iterator[str]:
    action, when = st.sampled_from(["warn", "refuse"]), st.sampled_from(CONDITIONS)
    for number in range(draw(st.integers(0, 3))):
        joined = draw(st.sampled_from(["all", "any"]))
        parts = draw(st.lists(when, min_size=1, max_size=3))
        tables = [f"{{ not = {{ {p} }} }}" if draw(st.booleans()) else f"{{ {p} }}" for p in parts]
        yield f'[[rule]]\nid = "r{number}"\naction = "{draw(action)}"'
        yield f"when.{joined} = [{', '.join(tables)}]"
        if draw(st.booleans()):
            yield f"unless = {{ {draw(when)} }}"
        yield f'unknown = "{draw(st.sampled_from(["allow", "warn", "refuse"]))}"'


@st.composite
def cases(draw: st.DrawFn) -> Case:
    ages = draw(st.lists(st.integers(0, 2000), min_size=1, max_size=4))
    found = [
        release(f"{draw(st.sampled_from([1, 2, 99]))}.{place}", "sdist", released=NOW - age * DAY)
        for place, age in enumerate(ages)
    ]
    about = project(
        first_upload=NOW - max(ages) * DAY, releases=len(found), public=draw(st.booleans())
    )
    told = {name: draw(values) for name, values in TOLD.items() if draw(st.booleans())}
    return Case(
        project=about,
        releases=tuple(found),
        signals=signals(told),
        context=Context(popular=Popular(draw(st.sampled_from([0.1, 0.6, 1.0])))),
        now=NOW,
    )


def signals(told: dict[str, Any]) -> Signals:
    return Signals(
        Signal(name=name, value=value, source="project-json", observed_at=NOW)
        for name, value in told.items()
    )


@given(case=cases(), text=rules(), heard=st.sets(st.sampled_from(sorted(TOLD))))
def test_a_policy_says_the_same_by_a_first_look_as_by_a_whole_assessment(
    case: Case, text: str, heard: set[str]
) -> None:
    asked = policy(text)
    glanced = Signals(signal for name, signal in case.signals.items() if name in heard)
    early = first_look(with_signals(case, glanced), asked.reads, unheard=TOLD.keys() - heard)
    if early is None:
        return
    whole = assess(case, advisories=Advisories(records=(), feed=NOW))
    assert indifferent(asked, with_feed(early), with_feed(whole))
    assert said(asked, case, early) == said(asked, case, whole)


@given(case=cases(), text=rules(), heard=st.sets(st.sampled_from(sorted(TOLD))))
def test_a_page_lists_the_same_files_by_what_it_waits_for_but_for_reports_of_malware(
    case: Case, text: str, heard: set[str]
) -> None:
    asked = policy(text)
    glanced = Signals(signal for name, signal in case.signals.items() if name in heard)
    early = first_look(with_signals(case, glanced), asked.page_reads, unheard=TOLD.keys() - heard)
    if early is None:
        return
    whole = assess(case, advisories=Advisories(records=(), feed=NOW))
    listed, lists = (lists_by(asked, case, by) for by in (early, whole))
    reported = any(flag.check == "malware" for flag in whole.flags)
    assert lists <= listed if reported else lists == listed


@given(case=cases(), text=rules(), fewer=rules(), heard=st.sets(st.sampled_from(sorted(TOLD))))
def test_what_does_for_who_reads_more_does_for_who_reads_less(
    case: Case, text: str, fewer: str, heard: set[str]
) -> None:
    asked, less = policy(text), policy(fewer)
    glanced = Signals(signal for name, signal in case.signals.items() if name in heard)
    early = first_look(with_signals(case, glanced), asked.reads, unheard=TOLD.keys() - heard)
    assert asked.reads.covers(asked.page_reads)
    assert ALL.covers(asked.reads)
    assert asked.reads.covers(ALL) is (asked.reads == ALL)
    if early is None or not asked.reads.covers(less.reads):
        return
    whole = assess(case, advisories=Advisories(records=(), feed=NOW))
    assert said(less, case, early) == said(less, case, whole)


@given(case=cases(), text=rules())
def test_a_page_warns_of_nothing_that_was_not_looked_at_yet(case: Case, text: str) -> None:
    asked = policy(text)
    early = first_look(case, asked.page_reads)
    whole = assess(case, advisories=Advisories(records=(), feed=NOW))
    if early is not None:
        verdicts = judge_page(
            case.releases, with_feed(early), asked, Client(), NOW, presentation="hide"
        ).verdicts
        said_of = [warned.reason for one in verdicts.values() for warned in one.warnings]
        assert not [reason for reason in said_of if "not been looked at yet" in reason]
        assert not [reason for reason in said_of if "not been scored yet" in reason]
    assert not is_first_look(whole)


def lists_by(asked: Policy, case: Case, by: Any) -> set[str]:
    page = judge_page(case.releases, with_feed(by), asked, Client(), NOW, presentation="hide")
    return {name for name, verdict in page.verdicts.items() if not verdict.refused}


def said(asked: Policy, case: Case, by: Any) -> Any:
    page = judge_page(case.releases, with_feed(by), asked, Client(), NOW, presentation="explain")
    return dict(page.verdicts), page.refused_versions, page.refused_project


def with_feed(assessment: Any) -> Any:
    return replace(assessment, advisories=Advisories(records=(), feed=NOW))


def with_signals(case: Case, heard: Signals) -> Case:
    return replace(case, signals=heard)


@given(case=cases(), heard=st.sets(st.sampled_from(sorted(TOLD))))
def test_the_score_is_never_surer_than_was_said_before(case: Case, heard: set[str]) -> None:
    glanced = Signals(signal for name, signal in case.signals.items() if name in heard)
    most = confidence_at_most(with_signals(case, glanced), TOLD.keys() - heard)
    assert score(case, Advisories(records=(), feed=NOW)).confidence <= most + 1e-9


@pytest.mark.parametrize("name", ["balanced", "observe"])
def test_the_page_of_an_ordinary_project_waits_for_nothing(name: str) -> None:
    case = Case(
        project=project(),
        releases=(release("1.0"), release("2.0", released=NOW - 300 * DAY)),
        signals=Signals(),
        context=Context(popular=Popular(0.1)),
        now=NOW,
    )
    asked = document.parse(policies.shipped(name), source=name, now=NOW)
    assert first_look(case, asked.page_reads, unheard=TOLD.keys()) is not None


@pytest.mark.parametrize(
    "rule",
    [
        'when.flag = { id = "malware" }\nunknown = "refuse"',
        'when.not.flag = { id = "malware" }\nunknown = "allow"',
        'when.advisory = "vulnerability"\nunless.flag = { id = "malware" }\nunknown = "allow"',
        'when.any_flag = { severity = { at_least = "high" } }\nunknown = "allow"',
    ],
)
def test_a_page_waits_for_reports_of_malware_where_their_absence_says_something(rule: str) -> None:
    asked = policy(f'[[rule]]\nid = "r"\naction = "refuse"\n{rule}')
    assert asked.page_reads.asks("malware")


@pytest.mark.parametrize("name", ["balanced", "observe"])
def test_of_an_ordinary_project_the_page_and_a_glance_are_enough(name: str) -> None:
    case = Case(
        project=project(),
        releases=(release("1.0"), release("2.0", released=NOW - 300 * DAY)),
        signals=signals(
            {"repository": "https://github.com/x/demo", "latest_version": "2.0"}
            | {"vulnerabilities_latest": ()}
        ),
        context=Context(popular=Popular(0.1)),
        now=NOW,
    )
    reads = document.parse(policies.shipped(name), source=name, now=NOW).reads
    early = first_look(case, reads, unheard={"owners", "requires", "pythons"})
    assert early is not None
    assert isinstance(early.score, Unknown)


def test_a_policy_that_reads_everything_takes_a_whole_assessment() -> None:
    case = Case(
        project=project(),
        releases=(release("1.0"),),
        signals=Signals(),
        context=Context(popular=Popular(0.1)),
        now=NOW,
    )
    assert first_look(case, ALL) is None
