import dataclasses
from datetime import timedelta

import pytest
from msgspec.structs import replace

from indexgate_policy.health.releases import Rhythm, Tags, newest, rhythm
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import Release
from indexgate_policy.version_order import order
from tests.policy.checks.cases import NOW, UNTOLD, case_of
from tests.policy.health.packages import release

PROJECT = case_of("demo").project
DAY = timedelta(days=1)


def made(version: str, days_ago: float, *, files: str = "ws", size: int = 50_000) -> Release:
    return release(PROJECT, version, NOW - days_ago * DAY, files=files, size=size)


def rhythm_of(*releases: Release, tags: tuple[str, ...] | Unknown = ()) -> Rhythm:
    seen = tags if isinstance(tags, Unknown) else Tags(names=tags, seen=NOW)
    found = rhythm(releases, seen, NOW)
    assert isinstance(found, Rhythm)
    return found


def newest_of(*releases: Release) -> Release | None:
    return newest(releases, {release.version: order(release) for release in releases})


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        (("1.9", "1.10"), "1.10"),
        (("1.0", "2.0rc1"), "1.0"),
        (("1.0rc1", "1.0.dev1"), "1.0rc1"),
        (("1.10", "1.9"), "1.10"),
    ],
)
def test_the_newest_is_the_highest_final_version(versions: tuple[str, ...], expected: str) -> None:
    found = newest_of(*[made(version, 9) for version in versions])
    assert found is not None
    assert found.version == expected


def test_a_version_that_cannot_be_read_is_newest_only_when_alone() -> None:
    odd = dataclasses.replace(made("1.0", 1), version="latest", parsed=UNTOLD)
    assert newest_of(odd, made("0.1", 9)) != odd
    assert newest_of(odd) == odd
    assert newest_of() is None


def test_without_upload_times_the_rhythm_is_unknown() -> None:
    assert isinstance(
        rhythm([dataclasses.replace(made("1.0", 1), released=UNTOLD)], UNTOLD, NOW), Unknown
    )
    assert isinstance(rhythm([], UNTOLD, NOW), Unknown)


def test_releases_are_counted_over_two_years_and_by_date() -> None:
    found = rhythm_of(made("2.0", 10, size=9000), made("1.0", 800), made("1.1", 700, size=20_000))
    assert found.last == NOW - 10 * DAY
    assert (found.changes, found.empty) == (2, 0)


def test_the_same_files_without_a_tag_are_an_empty_release() -> None:
    found = rhythm_of(made("1.0", 400), made("1.1", 9, size=50_060), made("1.2", 3))
    assert (found.changes, found.empty) == (1, 2)
    assert found.last_change == NOW - 400 * DAY
    assert found.last == NOW - 3 * DAY


@pytest.mark.parametrize(
    ("second", "tags"),
    [
        (made("1.1", 3), UNTOLD),
        (made("1.1", 3), ("v1.1.0",)),
        (made("1.1", 3), ("release_1_1",)),
        (made("1.1", 3), ("demo-1.1",)),
        (made("1.1", 3, size=50_200), ()),
        (made("1.1", 3, files="w"), ()),
    ],
    ids=["no tags known", "tagged", "tagged with _", "tagged with a name", "larger", "other files"],
)
def test_any_sign_of_change_makes_a_release_count(
    second: Release, tags: tuple[str, ...] | Unknown
) -> None:
    assert rhythm_of(made("1.0", 400), second, tags=tags).empty == 0


def test_files_of_unknown_size_are_no_proof_of_emptiness() -> None:
    blind = dataclasses.replace(
        made("1.1", 3), files=tuple(replace(f, size=UNTOLD) for f in made("1.1", 3).files)
    )
    assert rhythm_of(made("1.0", 400), blind).empty == 0


@pytest.mark.parametrize(("hours", "empty"), [(5, 0), (7, 1)])
def test_a_release_is_given_time_to_get_its_tag(hours: int, empty: int) -> None:
    tags = Tags(names=(), seen=NOW - 3 * DAY + timedelta(hours=hours))
    found = rhythm((made("1.0", 400), made("1.1", 3)), tags, NOW)
    assert isinstance(found, Rhythm)
    assert found.empty == empty


def test_of_releases_before_the_oldest_listed_tag_nothing_is_held() -> None:
    releases = (made("1.0", 500), made("1.1", 400), made("1.2", 300), made("1.3", 200))
    found = rhythm_of(*releases, tags=("v1.2",))
    assert found.empty == 1  # 1.3 only: the list of tags does not reach back to 1.1
    assert found.last_change == NOW - 300 * DAY


def test_a_sleep_of_five_years_and_the_awakening_are_told() -> None:
    found = rhythm_of(made("1.0", 3000), made("1.1", 20, size=9), made("1.2", 10, size=8000))
    assert (found.slept_since, found.woke) == (NOW - 3000 * DAY, NOW - 20 * DAY)
    assert rhythm_of(made("1.0", 1000), made("1.1", 20)).woke is None


def test_an_upload_in_the_future_counts_as_one_of_now() -> None:
    assert rhythm_of(made("1.0", -3)).changes == 1
