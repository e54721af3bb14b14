from datetime import datetime, timedelta

import pytest

from indexgate_policy.checks.release_burst import check
from indexgate_policy.flags import Severity
from indexgate_policy.subject import Release
from tests.policy.checks.cases import NOW, UNTOLD, case_of, flag_of, label, release_of


def uploaded(*times: datetime) -> tuple[Release, ...]:
    return tuple(release_of(f"1.{place}", at) for place, at in enumerate(times))


def monthly(count: int) -> list[datetime]:
    return [NOW - timedelta(days=30 * (place + 2)) for place in range(count)][::-1]


def burst(count: int, *, days_ago: int = 1) -> list[datetime]:
    start = NOW - timedelta(days=days_ago, hours=20)
    return [start + timedelta(minutes=30 * place) for place in range(count)]


@pytest.mark.parametrize(
    ("times", "severity"),
    [
        ([*monthly(6), *burst(5)], Severity.MEDIUM),
        ([*monthly(6), *burst(20)], Severity.HIGH),
        ([*monthly(6), *burst(4)], None),
        ([*monthly(4), *burst(8)], None),  # too young to have habits
        ([*monthly(6), *burst(8, days_ago=8)], None),  # it has calmed down
        ([*burst(6, days_ago=60), *burst(6)], None),  # it always does
        ([], None),
    ],
)
def test_an_unusual_day_is_flagged_while_it_is_fresh(
    times: list[datetime], severity: Severity | None
) -> None:
    flag = check(case_of(releases=uploaded(*times)))
    assert label(flag) == ("none" if severity is None else severity.label)


def test_the_flag_concerns_the_versions_of_the_burst() -> None:
    flag = flag_of(check(case_of(releases=uploaded(*monthly(6), *burst(5)))))
    assert flag.versions == ("1.6", "1.7", "1.8", "1.9", "1.10")
    assert flag.evidence == (
        "5 releases from 2026-11-19 16:00 to 2026-11-19 18:00, "
        "before that at most 1 in almost any 24 hours"
    )


def test_without_all_upload_times_it_cannot_look() -> None:
    times = uploaded(*monthly(6), *burst(5))
    assert label(check(case_of(releases=(*times, release_of("9", UNTOLD))))) == "unknown"
