import pytest

from indexgate_policy.checks.milestone_gap import check
from indexgate_policy.signals import Unknown, Value
from tests.policy.checks.cases import UNTOLD, case_of, flag_of, label
from tests.policy.checks.flagged import FLAGGED, ago, of
from tests.policy.checks.histories import history_of

CASE = FLAGGED["milestone-gap"]


def test_the_evidence_says_what_there_is_and_that_it_is_a_tenth() -> None:
    flag = flag_of(check(CASE))
    assert flag.severity.label == "info"
    assert flag.evidence == (
        "61,600 human-like downloads in four weeks, but 1 star and 0 people in issues, "
        "a tenth or less of what a project that people take up has at its age"
    )


@pytest.mark.parametrize(
    ("signals", "said"),
    [
        ({"stars": 100, "people_in_issues": 20, "mentions": 5}, "none"),
        ({"stars": 3_000}, "none"),  # one of three is far ahead
        ({"stars": 300}, "info"),  # one of three is on the path
        ({"stars": 5, "mentions": UNTOLD}, "info"),
        ({"stars": UNTOLD}, "unknown"),
        ({"people_in_issues": UNTOLD}, "unknown"),
    ],
)
def test_the_mean_over_what_is_known_decides(
    signals: dict[str, Value | Unknown], said: str
) -> None:
    assert label(check(of(CASE, **signals))) == said


def test_evidence_that_an_operator_entered_counts_by_its_kind() -> None:
    def share(*evidence: str) -> Value:
        return flag_of(check(of(CASE, evidence=evidence))).facts["share_of_the_path"]

    assert share() == share("a talk") == 0.01
    assert share(*["contact by ann"] * 30) == 0.04
    assert share(*["testimonial by bo"] * 3, *["contact by ann"] * 30) == 0.07


@pytest.mark.parametrize(
    ("age", "human", "said"),
    [(6, 2_200, "none"), (7, 2_200, "info"), (90, 2_200, "info"), (365, 2_200, "none"),
     (60, 20, "none")],
)  # fmt: skip
def test_it_speaks_of_young_projects_that_are_installed(age: int, human: float, said: str) -> None:
    signals: dict[str, Value | Unknown] = {"stars": 0, "people_in_issues": 0, "mentions": 0}
    history = history_of(daily={"human": human})
    assert label(check(case_of(first_upload=ago(age), history=history, signals=signals))) == said


def test_without_downloads_or_age_it_cannot_look() -> None:
    assert label(check(case_of(first_upload=ago(60)))) == "unknown"
    assert label(check(case_of(first_upload=UNTOLD, history=CASE.history))) == "unknown"
