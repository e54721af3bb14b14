from math import nan

import pytest

from indexgate_policy.checks.new_10k import check
from indexgate_policy.signals import Unknown, Value
from tests.policy.checks.cases import UNTOLD, case_of, flag_of, label
from tests.policy.checks.flagged import FLAGGED, ago, day, of
from tests.policy.checks.histories import DAYS, history_of, with_days

CASE = FLAGGED["new-10k"]


def test_the_evidence_counts_the_week_the_stars_and_the_owner() -> None:
    flag = flag_of(check(CASE))
    assert flag.severity.label == "high"
    assert flag.evidence == (
        "14,000 downloads in its first week; 0 stars, its owner has 0 other projects"
    )


@pytest.mark.parametrize(
    ("signals", "said"),
    [
        ({"first_week_downloads": 9_999}, "none"),
        ({"first_week_downloads": UNTOLD}, "unknown"),
        ({"downloads_by_dependents": 7_000}, "info"),  # a part of what needs it
        ({"downloads_by_dependents": 6_999}, "high"),
        ({"stars": 20, "people_in_issues": 2}, "info"),
        ({"stars": 20, "people_in_issues": 1}, "high"),  # stars can be bought
        ({"owner_projects": 3, "owner_since": day(366)}, "low"),
        ({"owner_projects": 3, "owner_since": day(300)}, "high"),
        ({"stars": UNTOLD, "people_in_issues": UNTOLD}, "medium"),  # they may be there
        ({"owner_projects": UNTOLD, "owner_since": UNTOLD}, "medium"),
    ],
)
def test_people_or_an_owner_with_a_past_excuse_it(
    signals: dict[str, Value | Unknown], said: str
) -> None:
    assert label(check(of(CASE, **signals))) == said


def test_in_the_first_week_fewer_stars_are_enough() -> None:
    three_days = case_of(
        first_upload=ago(3.5),
        signals={"first_week_downloads": 14_000, "stars": 10, "people_in_issues": 2},
    )
    assert label(check(three_days)) == "info"
    assert flag_of(check(three_days)).explained == 1


def test_a_first_week_of_which_no_day_is_known_is_no_quiet_one() -> None:
    history = with_days(history_of(daily={"human": 2_000}, born=DAYS - 20), "human", [nan] * 20)
    case = case_of(first_upload=ago(20), history=history)
    assert label(check(case)) == "unknown"


@pytest.mark.parametrize(
    ("age", "kind", "said"),
    [(20, "bot", "high"), (20, "mirror", "none"), (20, "cache", "none"), (60, "bot", "none")],
)
def test_the_history_gives_the_first_week_without_those_who_copy_everything(
    age: int, kind: str, said: str
) -> None:
    history = history_of(daily={kind: 2_000}, born=DAYS - age)
    case = case_of(
        first_upload=ago(age), history=history, signals={"stars": 0, "owner_projects": 0}
    )
    assert label(check(case)) == said


def test_without_the_first_upload_it_cannot_look() -> None:
    assert label(check(case_of(first_upload=UNTOLD))) == "unknown"
