import re
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexgate_policy.checks import version_jump
from indexgate_policy.checks.version_jump import check
from indexgate_policy.flags import Severity
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import Release
from tests.policy.checks.cases import NOW, UNTOLD, case_of, flag_of, label, release_of


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
        (("99.0",), Severity.HIGH),  # what an attack on a private name begins with
        (("2026.1",), None),
        (("89.0",), None),
        (("1.0", *(f"1.{n}" for n in range(1, 10)), "0.9"), Severity.LOW),  # always up so far
        (("1.0", "0.9", *(f"1.{n}" for n in range(1, 10)), "1.8.1"), None),  # it keeps branches
        ((), None),
    ],
)
def test_a_jump_of_the_first_number_is_flagged(
    versions: tuple[str, ...], severity: Severity | None
) -> None:
    flag = check(case_of(releases=released(*versions)))
    assert label(flag) == ("none" if severity is None else severity.label)


def test_after_a_month_nothing_is_said() -> None:
    assert check(case_of(releases=released("0.1", "99.0", days_ago=30))) is None


@pytest.mark.parametrize("first", [3, 400])
def test_a_placeholder_that_becomes_a_project_is_told_and_not_more(first: int) -> None:
    before = release_of("0.0.1", NOW - timedelta(days=first))
    assert label(check(case_of(releases=(before, release_of("6.0.0", NOW))))) == "medium"
    assert label(check(case_of(releases=(before, release_of("99.9", NOW))))) == "high"


@pytest.mark.parametrize(
    ("versions", "evidence"),
    [
        (("0.1", "99.0"), "the version jumped from 0.1 to 99.0 on 2026-11-19"),
        (("99.0",), "its first release was numbered 99.0 on 2026-11-19"),
    ],
)
def test_the_evidence_names_the_versions_and_the_day(
    versions: tuple[str, ...], evidence: str
) -> None:
    flag = flag_of(check(case_of(releases=released(*versions))))
    assert flag.evidence == evidence
    assert flag.versions == ("99.0",)


def test_versions_that_are_not_pep_440_are_not_compared() -> None:
    old, new = released("0.1", "99.0")
    odd = Unknown(reason="not a version")
    assert label(check(case_of(releases=(old, replace(new, parsed=odd))))) == "unknown"
    assert label(check(case_of(releases=(replace(old, parsed=odd), new)))) == "unknown"


def test_without_upload_times_it_cannot_look() -> None:
    assert label(check(case_of(releases=(release_of("1.0", UNTOLD),)))) == "unknown"


_NUMBERS = st.sampled_from((0, 1, 2, 4, 5, 6, 9, 10, 49, 50, 89, 90, 99, 2026))
_VERSIONS = st.builds(
    "{}{}.{}{}".format,
    st.sampled_from(("", "", "", "1!")),
    _NUMBERS,
    st.integers(0, 13),
    st.sampled_from(("", "", "", ".0", "a1", ".dev1", ".post1", "+local")),
)


@given(before=st.lists(_VERSIONS, max_size=14), newest=_VERSIONS, upwards=st.booleans())
def test_a_release_that_follows_the_last_one_is_judged_as_if_all_were_looked_at(
    before: list[str], newest: str, upwards: bool
) -> None:
    if upwards:
        before.sort(key=lambda version: [int(n) for n in re.findall("[0-9]+", version)])
    case = case_of(releases=released(*before, newest))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(version_jump, "_follows", lambda _newest, _last: False)
        by_all = check(case)
    assert check(case) == by_all
