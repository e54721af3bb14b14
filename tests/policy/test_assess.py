from datetime import timedelta

import pytest
from msgspec.structs import replace

from indexgate_policy.assess import FORMULA, REFRESH, assess
from indexgate_policy.assessment import Case, Lookalike
from indexgate_policy.checks import CHECKS, Check, Definition
from indexgate_policy.flags import Flag, Severity
from indexgate_policy.health.score import score
from indexgate_policy.signals import Unknown
from tests.policy.checks.cases import NOW, OneLookalike, case_of

POPULAR = OneLookalike(
    Lookalike(
        imitates="requests",
        confusability=0.95,
        relation="one letter less than",
        rank=7,
        downloads=10**9,
    )
)


LOOKS = [check for check in CHECKS if check.definition.id == "typosquat"]


def definition(name: str) -> Definition:
    return replace(CHECKS[0].definition, id=name)


def broken(case: Case) -> Flag | None:
    raise ValueError(f"cannot judge {case.project.name}\nat all")


def until(case: Case) -> Flag | None:
    """Flag until a quarter past twelve, NOW being twelve."""
    if case.now >= NOW + timedelta(minutes=15):
        return None
    return Flag(check="until", severity=Severity.LOW, evidence="until a quarter past twelve")


def test_an_assessment_says_what_of_by_what_and_until_when() -> None:
    case = case_of(popular=POPULAR, signals={"summary": "x", "owners": ("mallory",)})
    found = assess(case, LOOKS)
    assert (found.index_id, found.project) == ("index", "reqeusts")
    assert found.formula == FORMULA
    assert [flag.check for flag in found.flags] == ["typosquat"]
    assert [signal.name for signal in found.inputs] == ["owners", "summary"]
    assert found.assessed_at == NOW
    assert found.valid_until == NOW + REFRESH


def test_an_assessment_holds_the_score_under_the_advisories_of_the_day() -> None:
    case = case_of(signals={"stars": 5})
    found = assess(case, LOOKS)
    assert found.score == score(case)


def test_a_check_that_does_not_age_is_run_once() -> None:
    runs = []

    def counted(case: Case) -> Flag | None:
        runs.append(case.now)
        return None

    assess(case_of(), [Check(definition=definition("once"), run=counted, ages=False)])
    assert len(runs) == 1


def test_checks_that_lack_facts_are_told_in_one_input() -> None:
    def lacking(case: Case) -> Unknown:
        return Unknown(reason="no downloads: none are known")

    checks = [
        Check(definition=definition("one"), run=lacking),
        Check(definition=definition("two"), run=lacking),
    ]
    (told,) = assess(case_of(), checks).inputs
    assert told.name == "unchecked"
    assert told.value == ("one: no downloads: none are known", "two: no downloads: none are known")


def test_nothing_found_is_an_assessment_too() -> None:
    assert assess(case_of()).flags == ()


def test_a_failing_check_becomes_an_unknown_input_and_the_others_run() -> None:
    checks = [Check(definition=definition("broken"), run=broken), *LOOKS]
    found = assess(case_of(popular=POPULAR), checks)
    assert [flag.check for flag in found.flags] == ["typosquat"]
    (failure,) = found.inputs
    assert failure.name == "check_failed:broken"
    assert failure.value == Unknown(reason="the check failed: ValueError cannot judge reqeusts")


def test_a_result_holds_until_age_alone_changes_it() -> None:
    found = assess(case_of(), [Check(definition=definition("until"), run=until)])
    changes = NOW + timedelta(minutes=15)
    assert changes <= found.valid_until <= changes + timedelta(seconds=1)


@pytest.mark.parametrize("minutes", [(15, 200), (200, 15), (15, 15), (15, 3_000)])
def test_the_first_of_several_changes_counts_whichever_check_comes_first(
    minutes: tuple[int, ...],
) -> None:
    def ending(after: int) -> Check:
        def run(case: Case) -> Flag | None:
            over = case.now >= NOW + timedelta(minutes=after)
            severity = Severity.LOW if over else Severity.HIGH
            return Flag(check=f"c{after}", severity=severity, evidence="it ages")

        return Check(definition=definition(f"c{after}"), run=run)

    found = assess(case_of(), [ending(after) for after in minutes])
    assert timedelta(0) <= found.valid_until - (NOW + timedelta(minutes=15)) <= timedelta(seconds=1)


def test_a_check_that_says_the_same_tomorrow_is_asked_only_of_now_and_then() -> None:
    asked = []

    def steady(case: Case) -> None:
        asked.append(case.now)

    checks = [Check(definition=definition("steady"), run=steady)]
    assess(case_of(), [*checks, Check(definition=definition("until"), run=until)])
    assert asked == [NOW, NOW + REFRESH]


def test_a_case_at_another_moment_knows_what_was_found_out_of_its_releases() -> None:
    case = case_of()
    dated = case.dated
    later = case.at(NOW + REFRESH)
    assert later == replace(case, now=NOW + REFRESH)
    assert later.dated is dated
    assert case.now == NOW
    assert replace(case, releases=()).dated is not dated


@pytest.mark.parametrize("days", [0, 29, 30, 31, 100, 200, 227, 228, 400, 620, 621, 2_000])
def test_the_severity_is_the_same_all_the_time_that_it_is_said_to_hold(days: int) -> None:
    case = case_of(popular=POPULAR, first_upload=NOW - timedelta(days=days))
    found = assess(case)
    span = found.valid_until - NOW
    assert timedelta(0) < span <= REFRESH
    for part in (0.1, 0.5, 0.9):
        later = assess(replace(case, now=NOW + (span - timedelta(seconds=1)) * part))
        assert [flag.severity for flag in later.flags] == [flag.severity for flag in found.flags]
