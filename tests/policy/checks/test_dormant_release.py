import dataclasses
from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from indexgate_policy.checks.dormant_release import check
from indexgate_policy.flags import Severity
from indexgate_policy.signals import Unknown, Value
from indexgate_policy.subject import Release
from tests.policy.checks.cases import NOW, UNTOLD, case_of, flag_of, label, release_of


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
    assert label(flag) == ("none" if severity is None else severity.label)


def test_the_evidence_names_both_releases_and_their_days() -> None:
    flag = flag_of(check(case_of(releases=releases(890, 3))))
    assert flag.evidence == "1.1 of 2026-11-18 is the first release since 1.0 of 2024-06-14"
    assert flag.versions == ("1.1",)
    assert (flag.began, flag.ends) == (days_ago(3), days_ago(3) + timedelta(days=30))


TAGGED = ("v1.0", "v1.1", "v1.2")
NEW_OWNER: dict[str, Value | Unknown] = {
    "owners_watched_since": "2026-01-01",
    "owners_changed_on": "2026-11-01",
    "owners_added": ("bo",),
}


@pytest.mark.parametrize(
    ("lost", "signals", "severity"),
    [
        (False, {}, "medium"),
        (True, {}, "high"),
        (False, {"tags": TAGGED}, "high"),
        (False, {"tags": (*TAGGED, "v1.3")}, "medium"),
        (False, NEW_OWNER, "high"),
        (False, {**NEW_OWNER, "owners_changed_on": "2026-09-01"}, "medium"),
        (True, {"tags": TAGGED}, "critical"),
        (True, {"tags": TAGGED, **NEW_OWNER}, "critical"),
        (False, {"tags": UNTOLD, "owners_watched_since": UNTOLD}, "medium"),
    ],
)
def test_each_sign_of_a_stranger_makes_it_worse(
    lost: bool, signals: dict[str, Value | Unknown], severity: str
) -> None:
    *earlier, before, newest = releases(1_000, 950, 890, 3)
    files = tuple(replace(file, provenance=lost) for file in before.files)
    case = case_of(
        releases=(*earlier, dataclasses.replace(before, files=files), newest), signals=signals
    )
    assert label(check(case)) == severity


def test_the_evidence_names_every_sign() -> None:
    *earlier, before, newest = releases(1_000, 950, 890, 3)
    files = tuple(replace(file, provenance=True) for file in before.files)
    told: dict[str, Value | Unknown] = {"tags": TAGGED, **NEW_OWNER}
    case = case_of(
        releases=(*earlier, dataclasses.replace(before, files=files), newest), signals=told
    )
    assert flag_of(check(case)).evidence == (
        "1.3 of 2026-11-18 is the first release since 1.2 of 2024-06-14, "
        "it has lost its attestations, it has no tag in its repository, those before have, "
        "`bo` had become an owner shortly before"
    )


def test_page_order_does_not_matter() -> None:
    first, second = releases(890, 3)
    assert check(case_of(releases=(second, first))) == check(case_of(releases=(first, second)))


def test_without_all_upload_times_it_cannot_look() -> None:
    untold = (*releases(890, 3), release_of("2.0", UNTOLD))
    assert label(check(case_of(releases=untold))) == "unknown"
