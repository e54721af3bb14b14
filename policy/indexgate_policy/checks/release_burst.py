"""Many releases in a day by a project that does not do so."""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil

from indexgate_policy.assessment import Case
from indexgate_policy.checks.definition import Definition
from indexgate_policy.checks.history import with_news
from indexgate_policy.flags import Flag, Severity
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import age

DEFINITION = Definition(
    id="release-burst",
    short="Unusually many releases within a day",
    motivation=(
        "Who has taken over an account, or floods an index, releases again and again until the "
        "payload works; projects at rest do not"
    ),
    computes=(
        "Releases in the 24 hours up to the newest, against three times the 99th percentile of "
        "the same count over the project's releases before"
    ),
    source="Science fl-1",
    minimum_data="Five releases before the burst, the upload times of all; silent after 7 days",
    severity="Medium, high from 20 releases",
    known_false_alarms="Repairing a broken packaging setup; old versions published at once",
    remediation="Stay with a version from before the burst until it has calmed down",
)

DAY = timedelta(hours=24)
FRESH = timedelta(days=7)
LEAST, FLOOD = 5, 20
USUAL = 3
HISTORY = 5  # releases before, without which nothing is unusual


def check(case: Case) -> Flag | Unknown | None:
    """Flag a project whose newest release is one of unusually many within a day."""
    dated = with_news(case)
    if dated is None or isinstance(dated, Unknown):
        return dated
    times = dated.times
    newest = times[-1]
    since = age(newest, case.now)
    first = bisect_left(times, newest - DAY)
    count = len(times) - first
    if isinstance(since, Unknown) or since >= FRESH or count < LEAST or first < HISTORY:
        return None
    usual = _percentile_99(_within_a_day(times[:first]))
    if count <= USUAL * usual:
        return None
    return Flag(
        check=DEFINITION.id,
        severity=Severity.HIGH if count >= FLOOD else Severity.MEDIUM,
        evidence=(
            f"{count} releases from {_minute(times[first])} to {_minute(newest)}, "
            f"before that at most {usual} in almost any 24 hours"
        ),
        facts={"releases_in_24_hours": count, "usual_in_24_hours": usual},
        versions=tuple(one.release.version for one in dated[first:]),
        began=times[first],
        ends=newest + FRESH,
    )


def _within_a_day(times: Sequence[datetime]) -> list[int]:
    """Return for each of the sorted *times* how many lie in the 24 hours up to it."""
    return [place + 1 - bisect_left(times, at - DAY) for place, at in enumerate(times)]


def _percentile_99(counts: Sequence[int]) -> int:
    return sorted(counts)[ceil(0.99 * len(counts)) - 1]


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
