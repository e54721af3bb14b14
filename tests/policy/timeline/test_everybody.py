"""What happened to the whole index, and when it is worth a line."""

from datetime import date, timedelta

import numpy as np
import pytest

from indexgate_policy.signals import Unknown
from indexgate_policy.timeline.everybody import everybody
from tests.policy.timeline.cases import DAYS, FIRST_DAY, LAST_DAY, movement_of

NOT_KNOWN = Unknown(reason="not counted")


def moved(days: dict[date, float]) -> list[tuple[str, date, str]]:
    consumers = np.zeros(DAYS, np.float32)
    for day, change in days.items():
        consumers[(day - FIRST_DAY).days] = change
    found = everybody(FIRST_DAY, LAST_DAY, movement_of(consumers))
    return [(one.kind, one.at.date(), one.text) for one in found if one.kind != "counting-break"]


def test_an_index_that_stands_still_has_only_its_counting_breaks() -> None:
    assert moved({}) == []
    [known] = everybody(FIRST_DAY, LAST_DAY, movement_of())
    assert (known.kind, known.at.date()) == ("counting-break", date(2026, 8, 24))


@pytest.mark.parametrize(
    ("days", "found"),
    [
        (
            {date(2026, 10, 2): -0.38},
            (
                "holiday",
                date(2026, 10, 1),
                "National Day week in China: the whole index fell by 32 %",
            ),
        ),
        (
            {date(2026, 4, 8): 0.5, date(2026, 4, 9): 0.5},
            ("whole-index", date(2026, 4, 8), "the whole index rose by 65 % for 2 days"),
        ),
        (
            {date(2026, 4, 8): -0.3},
            ("whole-index", date(2026, 4, 8), "the whole index fell by 26 %"),
        ),
        (
            {date(2026, 4, 8): -0.9},
            (
                "lost-day",
                date(2026, 4, 8),
                "the whole log has less than half of its usual rows",
            ),
        ),
    ],
)
def test_a_day_that_everybody_felt_is_told_once(
    days: dict[date, float], found: tuple[str, date, str]
) -> None:
    assert moved(days) == [found]


def test_a_counting_break_is_not_told_again_as_a_fall() -> None:
    fall = {date(2026, 8, 24) + timedelta(days=day): -0.4 for day in range(14)}
    assert moved(fall) == []


def test_holidays_are_known_without_the_index_and_lost_days_are_not() -> None:
    found = everybody(FIRST_DAY, LAST_DAY, NOT_KNOWN)
    assert [one.text for one in found if one.kind == "holiday"] == [
        "Labour Day",
        "National Day week in China",
    ]
    assert {one.kind for one in found} == {"holiday", "counting-break"}


def test_a_year_has_its_holidays() -> None:
    found = everybody(date(2026, 1, 1), date(2026, 12, 31), NOT_KNOWN)
    days = {one.text: one.at.date() for one in found if one.kind == "holiday"}
    assert days == {
        "New Year": date(2026, 1, 1),
        "Lunar New Year": date(2026, 2, 17),
        "Labour Day": date(2026, 5, 1),
        "National Day week in China": date(2026, 10, 1),
        "Thanksgiving": date(2026, 11, 26),
        "Christmas": date(2026, 12, 24),
    }


def test_what_lies_outside_the_days_is_left_out() -> None:
    assert everybody(date(2026, 3, 2), date(2026, 3, 9), NOT_KNOWN) == ()
