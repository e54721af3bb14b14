"""Maintenance: somebody releases, commits and answers."""

from indexgate_policy.health.definition import NEUTRAL, Dimension, Input, Reading
from indexgate_policy.health.facts import Facts
from indexgate_policy.health.finished import QUIET
from indexgate_policy.health.shapes import half, interpolate, sat
from indexgate_policy.health.wording import count, day, number
from indexgate_policy.signals import Unknown

GROWTH = ((0, 0), (30, 0.1), (365, 0.5), (1825, 1))
ANSWERS = ((0, 1), (3, 0.9), (30, 0.5), (180, 0.1))


def _release_age(facts: Facts) -> Reading:
    rhythm = facts.rhythm
    if isinstance(rhythm, Unknown):
        return Reading(None, rhythm.reason)
    value = half(facts.days_since(rhythm.last_change), QUIET, 365)
    said = f"the last release is of {day(rhythm.last_change)}"
    if rhythm.last > rhythm.last_change:
        said = f"the last release that changed anything is of {day(rhythm.last_change)}"
    least = facts.finished
    if isinstance(least, float):
        return Reading(max(value, least), f"{said}; it is finished, and still in use")
    if rhythm.changes == 1:
        said += ", the only one of two years"
    if rhythm.changes <= 1:
        value *= 0.8
    if isinstance(least, Unknown):
        return Reading(max(value, NEUTRAL), f"{said}; whether it is finished is unknown")
    return Reading(value, said)


def _releases(facts: Facts) -> Reading:
    rhythm = facts.rhythm
    if isinstance(rhythm, Unknown):
        return Reading(None, rhythm.reason)
    said = f"{count(rhythm.changes, 'release')} in two years"
    if rhythm.empty:
        said += f", not counting {number(rhythm.empty)} without a tag and with the same files"
    if rhythm.changes > 1:
        said += f", in {count(rhythm.months, 'month')}"
    return Reading(sat(rhythm.months, 12), said)


def _history(facts: Facts) -> Reading:
    first = facts.first_release
    if isinstance(first, Unknown):
        return Reading(None, first.reason)
    return Reading(
        interpolate(facts.days_since(first), GROWTH), f"the first release is of {day(first)}"
    )


def _commits(facts: Facts) -> Reading:
    last = facts.moment("last_commit_on")
    if isinstance(last, Unknown):
        return Reading(None, last.reason)
    return Reading(half(facts.days_since(last), 60, 180), f"the last commit is of {day(last)}")


def _answers(facts: Facts) -> Reading:
    days = facts.number("median_answer_days")
    if isinstance(days, Unknown):
        return Reading(None, days.reason)
    return Reading(
        interpolate(days, ANSWERS), f"half of all issues are answered within {count(days, 'day')}"
    )


MAINTENANCE = Dimension(
    name="maintenance",
    weight=0.20,
    why="What nobody looks after is not repaired when it turns out to be broken",
    inputs=(
        Input(
            name="release_age",
            weight=0.30,
            says="How long ago the last release was that changed anything",
            computes=(
                "1 up to 200 days, then half for every 365 more; times .8 with at most one release "
                "in two years. A finished library has at least .55 (needed by 300 owners) or .40 "
                "(small, needed by 20, installed steadily): older than four years, no high "
                "advisory, says that it supports a Python line that has not ended; at least .40 "
                "too when only unknown facts stand against that. A release is empty, and "
                "refreshes nothing, when the repository's tags were seen since and none is "
                "for it and its files are as large as those before (within 64 bytes or .2 %)"
            ),
            source="Science hs-1; OpenSSF Criticality Score (updated_since)",
            signals=("tags", "pythons", "dependent_owners", "dependents", "human_persistence"),
            of_page=True,
            read=_release_age,
        ),
        Input(
            name="releases",
            weight=0.15,
            says="Months of two years with a release that changed anything",
            computes="ln(1 + months) / ln(1 + 12), at most 1; yanked and empty ones left out",
            source=(
                "Science hs-1; OpenSSF Criticality Score (recent_releases). There each release "
                "counts: so one night of releases, tagged and padded, brought a project that had "
                "slept for years 9 points of 100"
            ),
            signals=("tags",),
            of_page=True,
            read=_releases,
        ),
        Input(
            name="history",
            weight=0.20,
            says="How long it has been around",
            computes="0, .1, .5, 1 at 0, 30, 365, 1,825 days since the first release",
            source="Science hs-1; OpenSSF Criticality Score (created_since)",
            signals=("first_release_at",),
            of_page=True,
            read=_history,
        ),
        Input(
            name="commits",
            weight=0.20,
            says="How long ago the last commit was",
            computes="1 up to 60 days, then half for every 180 more",
            source="Science hs-1; OpenSSF Criticality Score (updated_since)",
            signals=("last_commit_on",),
            of_repository=True,
            read=_commits,
        ),
        Input(
            name="answers",
            weight=0.15,
            says="How soon an issue gets its first answer",
            computes="1, .9, .5, .1 at a median of 0, 3, 30, 180 days",
            source="Science hs-1",
            signals=("median_answer_days",),
            of_repository=True,
            read=_answers,
        ),
    ),
)
