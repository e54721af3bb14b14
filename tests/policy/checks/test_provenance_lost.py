import dataclasses

import pytest
from msgspec.structs import replace

from indexgate_policy.checks.provenance_lost import check
from indexgate_policy.signals import Unknown, Value
from indexgate_policy.subject import Release
from tests.policy.checks.cases import UNTOLD, case_of, flag_of, label, release_of
from tests.policy.checks.flagged import FLAGGED, ago, attested, day, of, uploaded

CASE = FLAGGED["provenance-lost"]
HERE, THERE = "https://forge.test/ann/demo", "https://forge.test/bo/other"
BARE = release_of("2", ago(1))


def test_the_evidence_counts_those_before_and_names_a_new_owner() -> None:
    flag = flag_of(check(CASE))
    assert flag.severity.label == "high"
    assert flag.evidence == (
        "1.3 of 2026-11-20 has no attestations, the 3 releases before had, "
        "and `bo` had become an owner shortly before"
    )
    assert flag.versions == ("1.3",)


@pytest.mark.parametrize(
    ("before", "newest", "said"),
    [
        (tuple(map(attested, uploaded(90, 60))), BARE, "medium"),
        (tuple(map(attested, uploaded(90, 60))), attested(BARE), "none"),
        ((*uploaded(90), *map(attested, uploaded(60))), BARE, "none"),  # one is no row
        (tuple(map(attested, uploaded(90, 60))), release_of("2", ago(31)), "none"),
        (uploaded(90, 60), BARE, "none"),
        ((), BARE, "none"),
        ((release_of("1", UNTOLD),), BARE, "unknown"),
    ],
)
def test_a_broken_row_of_attested_releases_is_flagged_while_fresh(
    before: tuple[Release, ...], newest: Release, said: str
) -> None:
    assert label(check(case_of(releases=(*before, newest)))) == said


def test_an_index_that_does_not_tell_attestations_leaves_it_open() -> None:
    untold = dataclasses.replace(BARE, files=(replace(BARE.files[0], provenance=UNTOLD),))
    assert label(check(case_of(releases=(*map(attested, uploaded(90, 60)), untold)))) == "unknown"


@pytest.mark.parametrize(
    ("signals", "said"),
    [
        ({"owners_changed_on": day(50)}, "medium"),  # no longer new
        ({"owners_changed_on": day(0)}, "medium"),  # after the release
        ({"owners_changed_on": UNTOLD}, "medium"),
        ({"owners_watched_since": UNTOLD}, "medium"),
        ({"owners_watched_since": day(1)}, "medium"),  # too late to have seen it
    ],
)
def test_only_an_owner_who_came_shortly_before_makes_it_worse(
    signals: dict[str, Value | Unknown], said: str
) -> None:
    assert label(check(of(CASE, **signals))) == said


@pytest.mark.parametrize(
    ("now", "before", "moved", "said"),
    [
        (THERE, HERE, UNTOLD, "high"),
        ("https://forge.test/ann/other", HERE, UNTOLD, "medium"),
        (HERE, HERE, UNTOLD, "none"),
        (THERE, HERE, THERE, "none"),
        (THERE, UNTOLD, UNTOLD, "none"),
    ],
)
def test_attestations_that_name_another_repository_are_flagged(
    now: str, before: Value | Unknown, moved: Value | Unknown, said: str
) -> None:
    releases = tuple(map(attested, uploaded(90, 60, 1)))
    told: dict[str, Value | Unknown] = {
        "attested_repository": now,
        "attested_repository_before": before,
        "repository_moved_to": moved,
    }
    assert label(check(case_of(releases=releases, signals=told))) == said
