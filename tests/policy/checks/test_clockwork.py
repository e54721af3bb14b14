import random

import pytest

from indexgate_policy.checks.clockwork import check
from tests.policy.checks.cases import case_of, flag_of, label
from tests.policy.checks.flagged import FLAGGED
from tests.policy.checks.histories import history_of, with_days

# The last day of the histories is a Friday, so the first of the 28 is a Saturday.
WEEKEND_OFF = [40, 40, 100, 100, 100, 100, 100] * 4


def test_a_schedule_is_told_with_its_day() -> None:
    flag = flag_of(check(FLAGGED["clockwork"]))
    assert flag.severity.label == "low"
    assert flag.evidence == (
        "102 downloads a day with less scatter than chance has, and no weekend: "
        "a schedule makes them"
    )


@pytest.mark.parametrize(
    ("days", "said"),
    [
        ([100] * 28, "low"),
        ([5_000] + [100] * 27, "low"),  # one odd day hides no schedule
        (WEEKEND_OFF, "none"),
        ([10] * 28, "none"),  # too few to tell
        ([100, 180] * 14, "none"),
    ],
)
def test_even_days_without_weekends_are_flagged(days: list[float], said: str) -> None:
    assert label(check(case_of(history=with_days(history_of(), "ci", days)))) == said


def test_the_scatter_that_people_have_is_not_taken_for_a_schedule() -> None:
    chance = random.Random(1)
    for _ in range(200):
        days = [chance.gauss(100, 25) for _ in range(28)]  # Fano 6; real ones have 20
        assert check(case_of(history=with_days(history_of(), "ci", days))) is None


def test_a_day_that_is_not_known_leaves_it_open() -> None:
    history = history_of(daily={"ci": 100})
    history.incomplete[-3] = True
    assert label(check(case_of(history=history))) == "unknown"
    assert label(check(case_of())) == "unknown"
