import pytest

from indexgate_policy.checks.popular_here_only import check
from indexgate_policy.signals import Unknown, Value
from tests.policy.checks.cases import UNTOLD, case_of, flag_of, label
from tests.policy.checks.flagged import FLAGGED, ago, of
from tests.policy.checks.histories import history_of

CASE = FLAGGED["popular-here-only"]


def test_the_evidence_says_who_does_not_know_it() -> None:
    flag = flag_of(check(CASE))
    assert flag.severity.label == "low"
    assert flag.evidence == (
        "61,600 human-like downloads in 28 days, yet no other registry carries it and fewer than "
        "5 owners' projects depend on it"
    )


@pytest.mark.parametrize(
    ("signals", "said"),
    [
        ({"present_elsewhere": 1}, "none"),
        ({"dependent_owners": 5}, "none"),
        ({"dependent_owners": UNTOLD, "dependents": 4}, "low"),
        ({"dependent_owners": UNTOLD, "dependents": 5}, "unknown"),
        ({"present_elsewhere": UNTOLD}, "unknown"),
    ],
)
def test_anybody_else_who_carries_it_clears_it(
    signals: dict[str, Value | Unknown], said: str
) -> None:
    assert label(check(of(CASE, **signals))) == said


def test_it_needs_age_and_people() -> None:
    few = history_of(daily={"human": 100})
    assert label(check(case_of(first_upload=ago(400), history=few))) == "none"
    assert label(check(case_of(first_upload=ago(179), history=CASE.history))) == "none"
    assert label(check(case_of(first_upload=UNTOLD, history=CASE.history))) == "unknown"
    assert label(check(case_of(first_upload=ago(400)))) == "unknown"
