from dataclasses import replace
from datetime import timedelta

import pytest

from indexgate_policy.checks.version_jump import check
from indexgate_policy.flags import Severity
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import Release
from tests.policy.checks.cases import NOW, case_of, release_of


def released(*versions: str, days_ago: int = 2) -> tuple[Release, ...]:
    """The last one *days_ago*, each before it a hundred days earlier."""
    return tuple(
        release_of(version, NOW - timedelta(days=days_ago + 100 * place))
        for place, version in enumerate(reversed(versions))
    )


@pytest.mark.parametrize(
    ("versions", "severity"),
    [
        (("0.1", "99.0"), Severity.HIGH),
        (("1.2", "2.0", "9.0"), Severity.MEDIUM),
        (("1.2", "2.0"), None),
        (("2.9", "6.0"), None),
        (("0.9", "2026.1"), None),  # a year
        (("0.9", "20261118"), None),  # a date
        (("0.9", "26.11"), None),  # a short year and a month
        (("0.9", "26.0"), Severity.MEDIUM),  # no month is 0
        (("95.0", "99.0"), None),
        (("253.1", "261.19"), None),  # a counter
        (("9.0", "1.5"), None),  # an older branch
        (("99.0", "1.0", "99.1"), None),  # it has been there before
        (("1.0", "1!9.0"), None),  # another epoch says so openly
        (("99.0",), None),
        ((), None),
    ],
)
def test_a_jump_of_the_first_number_is_flagged(
    versions: tuple[str, ...], severity: Severity | None
) -> None:
    flag = check(case_of(releases=released(*versions)))
    assert (flag.severity if flag else None) == severity


def test_after_a_month_nothing_is_said() -> None:
    assert check(case_of(releases=released("0.1", "99.0", days_ago=30))) is None


def test_the_evidence_names_both_versions_and_the_day() -> None:
    flag = check(case_of(releases=released("0.1", "99.0")))
    assert flag is not None
    assert flag.evidence == "the version jumped from 0.1 to 99.0 on 2026-11-19"
    assert flag.versions == ("99.0",)


def test_versions_that_are_not_pep_440_are_not_compared() -> None:
    old, new = released("0.1", "99.0")[::-1]
    odd = Unknown(reason="not a version")
    assert check(case_of(releases=(old, replace(new, parsed=odd)))) is None
    assert check(case_of(releases=(replace(old, parsed=odd), new))) is None
