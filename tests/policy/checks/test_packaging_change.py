import dataclasses

import pytest
from msgspec.structs import replace

from indexgate_policy.checks.packaging_change import check
from indexgate_policy.subject import Release
from tests.policy.checks.cases import UNTOLD, case_of, flag_of, label, release_of
from tests.policy.checks.flagged import FLAGGED, ago, day, of, source_only, uploaded

CASE = FLAGGED["packaging-change"]


def sized(release: Release, size: int) -> Release:
    return dataclasses.replace(
        release, files=tuple(replace(file, size=size) for file in release.files)
    )


def test_all_that_changed_is_told() -> None:
    flag = flag_of(check(CASE))
    assert flag.severity.label == "medium"
    assert flag.evidence == (
        "1.3 is a source archive alone, those before had wheels: installing it runs its code, "
        "the repository link changed from https://forge.test/bo/other to "
        "https://forge.test/ann/reqeusts on 2026-11-20"
    )
    assert flag.versions == ("1.3",)


@pytest.mark.parametrize(
    ("before", "newest", "said"),
    [
        (uploaded(90, 60, 30), source_only(release_of("2", ago(1))), "medium"),
        (uploaded(90, 60), source_only(release_of("2", ago(1))), "none"),  # no habit yet
        (uploaded(190, 160, 130), source_only(release_of("2", ago(31))), "none"),  # old news
        (
            tuple(map(source_only, uploaded(80, 60, 30))),
            source_only(release_of("2", ago(1))),
            "low",
        ),
        (uploaded(90, 60, 30), release_of("2", ago(1)), "none"),
        ((), source_only(release_of("2", ago(1))), "low"),  # new, and links no repository
        ((sized(release_of("1", ago(90)), 100),), sized(release_of("2", ago(1)), 801), "low"),
        ((sized(release_of("1", ago(90)), 100),), sized(release_of("2", ago(1)), 800), "none"),
        ((sized(release_of("1", ago(90)), 100),), sized(release_of("2", ago(1)), 9), "low"),
        ((release_of("1", ago(90)),), sized(release_of("2", ago(1)), 9), "none"),  # unknown size
    ],
)
def test_lost_wheels_new_source_archives_and_sizes_are_flagged_while_fresh(
    before: tuple[Release, ...], newest: Release, said: str
) -> None:
    assert label(check(case_of(releases=(*before, newest), signals={"repository": ""}))) == said


def test_a_source_archive_of_a_new_project_with_a_repository_is_ordinary() -> None:
    only = (source_only(release_of("1", ago(1))),)
    assert (
        label(check(case_of(releases=only, signals={"repository": "https://f.test/a/b"}))) == "none"
    )
    assert label(check(case_of(releases=only))) == "none"  # whether it links one is not known


@pytest.mark.parametrize(
    ("before", "changed", "said"),
    [
        ("https://forge.test/bo/other", day(29), "medium"),
        ("https://forge.test/ann/other", day(29), "low"),  # the same owner
        ("https://forge.test/bo/reqeusts", day(29), "low"),  # moved to another owner
        (UNTOLD, day(29), "low"),
        ("https://forge.test/bo/other", day(31), "none"),
    ],
)
def test_a_changed_link_is_flagged_for_a_month(before: str, changed: str, said: str) -> None:
    case = of(
        case_of(releases=uploaded(500), signals={"repository": "https://forge.test/ann/reqeusts"}),
        repository_before=before,
        repository_changed_on=changed,
    )
    assert label(check(case)) == said


def test_without_upload_times_it_cannot_look() -> None:
    assert label(check(case_of(releases=(release_of("1", UNTOLD),)))) == "unknown"
