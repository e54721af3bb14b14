import dataclasses

import pytest
from msgspec.structs import replace

from indexgate_policy.checks.maintainer_change import check
from indexgate_policy.signals import Unknown, Value
from tests.policy.checks.cases import UNTOLD, case_of, flag_of, label, release_of
from tests.policy.checks.flagged import FLAGGED, day, of, uploaded

CASE = FLAGGED["maintainer-change"]
KEPT: dict[str, Value | Unknown] = {"owners": ("ann", "bo"), "owners_removed": ()}
REPOSITORY, ELSEWHERE = "https://forge.test/ann/demo", "https://forge.test/bo/other"
GROWN: dict[str, Value | Unknown] = {"newest_owner_age": 2_000}


def test_the_evidence_tells_who_came_and_went_and_what_followed() -> None:
    flag = flag_of(check(CASE))
    assert flag.evidence == (
        "its owners changed on 2026-11-15, `bo` came, `ann` went, nobody from before is left, "
        "the newest account was 5 days old, 1.1 followed on 2026-11-17"
    )
    assert flag.versions == ("1.1",)


@pytest.mark.parametrize(
    ("ages", "signals", "said"),
    [
        ((500, 4), {}, "critical"),
        ((500, 4), {**KEPT, **GROWN}, "high"),
        ((500, 4), {**GROWN}, "critical"),  # all were replaced
        ((500, 4), KEPT, "critical"),  # a fresh account
        ((500,), GROWN, "medium"),
        ((500,), {**KEPT, **GROWN}, "low"),
        ((500, 4), {**KEPT, "newest_owner_age": UNTOLD}, "high"),
        ((500, 4), {**KEPT, **GROWN, "owners_changed_on": day(44)}, "low"),  # weeks later
        ((500, 4), {"owners_changed_on": day(46)}, "none"),
        ((500, 4), {"owners_changed_on": UNTOLD}, "none"),
        ((500, 4), {"owners_watched_since": UNTOLD}, "unknown"),
    ],
)
def test_replacement_a_fresh_account_and_a_release_make_it_worse(
    ages: tuple[int, ...], signals: dict[str, Value | Unknown], said: str
) -> None:
    case = case_of(
        releases=uploaded(*ages),
        signals={name: signal.value for name, signal in CASE.signals.items()} | signals,
    )
    assert label(check(case)) == said


@pytest.mark.parametrize(
    ("attested", "signals", "said"),
    [
        (True, {}, "high"),
        (True, {"attested_repository": ELSEWHERE}, "critical"),
        (True, {"repository_changed_on": day(6)}, "critical"),
        (True, {"repository_changed_on": day(300)}, "high"),
        (True, {"attested_repository": UNTOLD}, "critical"),
        (True, {"repository": "", "attested_repository": ""}, "critical"),
        (False, {}, "critical"),
    ],
)
def test_a_successor_whose_releases_the_same_repository_built_is_told_and_not_more(
    attested: bool, signals: dict[str, Value | Unknown], said: str
) -> None:
    old, new = uploaded(500, 4)
    new = dataclasses.replace(
        new, files=tuple(replace(file, provenance=attested) for file in new.files)
    )
    told = {name: signal.value for name, signal in CASE.signals.items()}
    told |= {"repository": REPOSITORY, "attested_repository": REPOSITORY + ".git"} | signals
    flag = flag_of(check(case_of(releases=(old, new), signals=told)))
    assert flag.severity.label == said
    assert flag.evidence.endswith("the repository that was linked before") is (said == "high")


def test_an_organisation_stands_for_its_accounts() -> None:
    flag = flag_of(check(of(CASE, organization="example")))
    assert flag.severity.label == "high"
    assert flag.evidence.endswith("and the organisation `example` owns it")


def test_many_owners_are_counted() -> None:
    crowd = tuple(f"a{n}" for n in range(30))
    flag = flag_of(check(of(CASE, owners=crowd, owners_added=crowd, newest_owner_age=1)))
    assert "`a0`, `a1`, `a2` and 27 more came" in flag.evidence


def test_without_upload_times_no_release_is_said_to_have_followed() -> None:
    case = case_of(
        releases=(*uploaded(500, 4), release_of("9", UNTOLD)),
        signals={name: signal.value for name, signal in CASE.signals.items()},
    )
    assert label(check(case)) == "medium"
    assert label(check(of(case, **KEPT))) == "low"
