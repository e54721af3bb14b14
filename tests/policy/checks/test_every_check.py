"""What holds for every check, whatever the case."""

import subprocess
import sys
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from indexgate_policy.assessment import Case
from indexgate_policy.checks import CHECKS, Check
from indexgate_policy.flags import Flag
from tests.policy.checks.arbitrary import cases, without
from tests.policy.checks.flagged import FLAGGED

FACT_CHECKS = [check for check in CHECKS if check.definition.id in FLAGGED]
SLOW = settings(suppress_health_check=[HealthCheck.too_slow], max_examples=40, deadline=None)

EXCUSES = {
    ("typosquat", "owners"),
    ("typosquat", "repository"),
    ("typosquat", "downloads"),
    ("phantom-name", "stars"),
    ("phantom-name", "owner_projects"),
    ("new-10k", "stars"),
    ("new-10k", "people_in_issues"),
    ("new-10k", "owner_projects"),
    ("new-10k", "owner_since"),
    ("downloads-without-engagement", "people_in_issues"),
    ("downloads-without-engagement", "mentions"),
    ("downloads-without-engagement", "dependents"),
    ("downloads-without-engagement", "dependent_owners"),
    ("downloads-without-engagement", "downloads_by_dependents"),
    ("milestone-gap", "mentions"),
    ("milestone-gap", "evidence"),
    ("repo-mismatch", "owners"),
    ("repo-mismatch", "repository_proven"),
    ("repo-mismatch", "repository_moved_to"),
    ("provenance-lost", "repository_moved_to"),
    # Arbitrary cases may have fewer dependents than owners of these, which cannot be.
    ("automation-only", "dependent_owners"),
    ("popular-here-only", "dependent_owners"),
}
"""(check, signal) where the signal speaks for the project: without it the flag may be worse."""


def severity(check: Check, case: Case) -> int:
    found = check.run(case)
    return int(found.severity) if isinstance(found, Flag) else -1


@given(case=cases())
@SLOW
def test_no_check_fails_and_every_flag_is_whole(case: Case) -> None:
    for check in CHECKS:
        found = check.run(case)
        if isinstance(found, Flag):
            assert found.check == check.definition.id
            assert found.evidence == " ".join(found.evidence.split()) != ""
            assert not found.evidence.endswith((".", ",", ";"))
            assert 0 <= found.explained <= 1
            assert found.ends is None or found.ends > case.now


@given(case=cases(), data=st.data())
@SLOW
def test_a_fact_that_is_missing_makes_no_flag_worse_unless_it_spoke_for_the_project(
    case: Case, data: st.DataObject
) -> None:
    if not case.signals:
        return
    gone = data.draw(st.sampled_from(sorted(case.signals)))
    for check in CHECKS:
        if (check.definition.id, gone) not in EXCUSES:
            assert severity(check, without(case, gone)) <= severity(check, case)


@given(case=cases(), start=st.integers(0, 100 * 24))
@SLOW
def test_within_a_day_a_severity_moves_one_way(case: Case, start: int) -> None:
    moments = [case.now + timedelta(hours=start + hours) for hours in (0, 6, 12, 18, 24)]
    for check in CHECKS:
        seen = [severity(check, replace(case, now=moment)) for moment in moments]
        assert seen in (sorted(seen), sorted(seen, reverse=True)), check.definition.id


@given(case=cases())
@SLOW
def test_a_check_that_does_not_age_says_the_same_an_hour_later(case: Case) -> None:
    for check in CHECKS:
        if not check.ages:
            assert check.run(replace(case, now=case.now + timedelta(hours=1))) == check.run(case)


@pytest.mark.parametrize("check", FACT_CHECKS, ids=lambda check: check.definition.id)
def test_each_check_has_a_case_that_it_flags(check: Check) -> None:
    assert severity(check, FLAGGED[check.definition.id]) >= 0


@pytest.mark.parametrize("check", FACT_CHECKS, ids=lambda check: check.definition.id)
def test_without_one_of_its_facts_a_flag_is_no_worse_unless_the_fact_was_an_excuse(
    check: Check,
) -> None:
    case = FLAGGED[check.definition.id]
    worse = {
        (check.definition.id, name)
        for name in case.signals
        if severity(check, without(case, name)) > severity(check, case)
    }
    assert worse <= EXCUSES


@pytest.mark.parametrize("check", FACT_CHECKS, ids=lambda check: check.definition.id)
def test_from_any_hour_on_a_flag_moves_one_way_for_a_day(check: Check) -> None:
    case = FLAGGED[check.definition.id]
    seen = [
        severity(check, replace(case, now=case.now + timedelta(hours=hours)))
        for hours in range(0, 100 * 24, 3)
    ]
    for place in range(len(seen) - 8):
        day = seen[place : place + 9]
        assert day in (sorted(day), sorted(day, reverse=True))


def test_the_checks_are_there_without_numpy() -> None:
    program = "import sys, indexgate_policy.checks; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
