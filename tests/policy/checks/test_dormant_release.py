from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from indexgate_policy.checks.dormant_release import check
from indexgate_policy.flags import Severity
from indexgate_policy.subject import Release
from tests.policy.checks.cases import NOW, UNTOLD, case_of, release_of


def days_ago(days: int) -> datetime:
    return NOW - timedelta(days=days)


def releases(*ages: int) -> tuple[Release, ...]:
    return tuple(release_of(f"1.{place}", days_ago(age)) for place, age in enumerate(ages))


@pytest.mark.parametrize(
    ("ages", "severity"),
    [
        ((900, 890, 3), Severity.MEDIUM),
        ((903, 3), Severity.MEDIUM),  # no rhythm is known
        ((1_600, 800, 3), Severity.LOW),  # it releases every two years
        ((1_200, 803, 3), Severity.MEDIUM),  # twice its longest silence
        ((900, 890, 31), None),  # nobody minded for a month
        ((200, 100, 3), None),
        ((3,), None),
        ((), None),
    ],
)
def test_a_release_after_silence_is_flagged_while_it_is_fresh(
    ages: tuple[int, ...], severity: Severity | None
) -> None:
    flag = check(case_of(releases=releases(*ages)))
    assert (flag.severity if flag else None) == severity


def test_the_evidence_names_both_releases_and_their_days() -> None:
    flag = check(case_of(releases=releases(890, 3)))
    assert flag is not None
    assert flag.evidence == "1.1 of 2026-11-18 is the first release since 1.0 of 2024-06-14"
    assert flag.versions == ("1.1",)
    assert (flag.began, flag.ends) == (days_ago(3), days_ago(3) + timedelta(days=30))


def test_lost_attestations_make_it_worse() -> None:
    before, newest = releases(890, 3)
    attested = replace(before, files=(replace(before.files[0], provenance=True),))
    flag = check(case_of(releases=(attested, newest)))
    assert flag is not None
    assert flag.severity is Severity.HIGH
    assert flag.evidence.endswith("and has lost its attestations")


def test_page_order_does_not_matter() -> None:
    first, second = releases(890, 3)
    assert check(case_of(releases=(second, first))) == check(case_of(releases=(first, second)))


def test_without_all_upload_times_nothing_is_said() -> None:
    assert check(case_of(releases=(*releases(890, 3), release_of("2.0", UNTOLD)))) is None
