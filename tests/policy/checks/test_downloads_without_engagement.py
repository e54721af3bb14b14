import pytest

from indexgate_policy.checks.downloads_without_engagement import check
from indexgate_policy.signals import Unknown, Value
from tests.policy.checks.cases import UNTOLD, case_of, flag_of, label
from tests.policy.checks.flagged import FLAGGED, ago, of
from tests.policy.checks.histories import history_of

CASE = FLAGGED["downloads-without-engagement"]


def test_the_evidence_sets_downloads_beside_stars_and_what_is_usual() -> None:
    flag = flag_of(check(CASE))
    assert flag.severity.label == "high"
    assert flag.evidence == (
        "61,600 human-like downloads in 28 days that no dependent explains, but 3 stars and "
        "0 people in issues; a library of this size has about 1,165"
    )


@pytest.mark.parametrize(
    ("signals", "said"),
    [
        ({"stars": 60}, "medium"),
        ({"stars": 500}, "none"),
        ({"stars": 3, "people_in_issues": 40}, "none"),
        ({"dependent_owners": 10}, "none"),
        ({"dependent_owners": UNTOLD, "dependents": 10}, "none"),
        ({"downloads_by_dependents": 60_000}, "none"),  # brought by others
        ({"people_in_issues": UNTOLD}, "medium"),  # people may be there
        ({"stars": UNTOLD}, "unknown"),
        ({"dependent_owners": UNTOLD}, "unknown"),
        ({"dependent_owners": UNTOLD, "downloads_by_dependents": 0}, "high"),
    ],
)
def test_whatever_people_leave_behind_counts(
    signals: dict[str, Value | Unknown], said: str
) -> None:
    assert label(check(of(CASE, **signals))) == said


@pytest.mark.parametrize(("age", "human", "said"), [(13, 2_200, "none"), (200, 100, "none")])
def test_it_needs_two_weeks_and_many_downloads(age: int, human: float, said: str) -> None:
    signals: dict[str, Value | Unknown] = {"stars": 0, "dependent_owners": 0}
    history = history_of(daily={"human": human})
    assert label(check(case_of(first_upload=ago(age), history=history, signals=signals))) == said


def test_without_downloads_or_age_it_cannot_look() -> None:
    assert label(check(case_of(first_upload=ago(200), signals={"stars": 0}))) == "unknown"
    assert label(check(case_of(first_upload=UNTOLD, history=CASE.history))) == "unknown"
