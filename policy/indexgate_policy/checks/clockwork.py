"""Downloads as even as a clock: a schedule, not people."""

from collections.abc import Sequence
from datetime import timedelta

from indexgate_policy.assessment import Case
from indexgate_policy.checks import readings
from indexgate_policy.checks.definition import Definition
from indexgate_policy.checks.volume import DAYS, consumers_by_day, recent
from indexgate_policy.flags import Flag, Severity
from indexgate_policy.signals import Unknown

DEFINITION = Definition(
    id="clockwork",
    short="Downloads as even as a clock, weekends included",
    motivation=(
        "People take weekends off and differ from day to day; a count that does neither comes "
        "from one schedule, whoever runs it"
    ),
    computes=(
        "Over 28 days of consumer downloads: the scatter around each weekday's median against "
        "that of pure chance (variance over mean below .8, the three oddest days left out), and "
        "weekends of at least 85 % of weekdays"
    ),
    source=(
        "Science fl-1. In 121 real windows of raw counts from 200 a day one is like that, in 323 "
        "from 100 a day 32, all of small projects that hardly anybody but scanners fetches"
    ),
    minimum_data="28 whole days in a row with 100 consumer downloads a day in the mean",
    severity="Low",
    known_false_alarms=(
        "A project that one nightly build alone uses, or that scanners fetch which look like it"
    ),
    remediation="Do not take the count for popularity",
)

LEAST_A_DAY = 100
SCATTER = 0.8
WEEKEND = 0.85
WEEK = 7
FRIDAY = 4
LEFT_OUT = 3  # of 28 days, the oddest: one holiday or outage hides no schedule
FREEDOM = DAYS - WEEK - LEFT_OUT  # seven medians were taken from the same days
SHRUNK = 0.6  # what leaving out does to the variance of a normal distribution (simulated)


def check(case: Case) -> Flag | Unknown | None:
    """Flag a project whose downloads run on a schedule."""
    volume = recent(case)
    if isinstance(case.history, Unknown):
        return case.history
    if isinstance(volume, Unknown):
        return volume
    if volume.days is None or volume.days < DAYS:
        return Unknown(reason=f"not all of the last {DAYS} days of downloads are known")
    mean = volume.consumers / DAYS
    if mean < LEAST_A_DAY:
        return None
    days = consumers_by_day(case.history)
    first = volume.until - timedelta(days=DAYS - 1)
    fano, weekend = _scatter(days), _weekend(days, first.weekday())
    if fano >= SCATTER or weekend < WEEKEND:
        return None
    return Flag(
        check=DEFINITION.id,
        severity=Severity.LOW,
        evidence=(
            f"{mean:,.0f} downloads a day with less scatter than chance has, and no weekend: "
            "a schedule makes them"
        ),
        facts={
            "downloads_a_day": round(mean),
            "fano": round(fano, 2),
            "weekend_to_weekday": round(weekend, 2),
        },
        began=readings.start(first),
    )


def _scatter(days: Sequence[float]) -> float:
    """Return variance over mean around the medians of the weekdays, without the oddest days."""
    from statistics import median  # with fractions and all: few projects come this far

    aside: list[float] = []
    for weekday in range(WEEK):
        alike = days[weekday::WEEK]
        usual = median(alike)
        aside.extend((day - usual) ** 2 for day in alike)
    variance = sum(sorted(aside)[:-LEFT_OUT]) / FREEDOM / SHRUNK
    return variance * len(days) / sum(days)


def _weekend(days: Sequence[float], first_weekday: int) -> float:
    """Return the mean of Saturdays and Sundays over that of the other days."""
    off: list[float] = []
    on: list[float] = []
    for place, day in enumerate(days):
        chosen = off if (first_weekday + place) % WEEK > FRIDAY else on
        chosen.append(day)
    return (sum(off) / len(off)) / max(sum(on) / len(on), 1e-9)
