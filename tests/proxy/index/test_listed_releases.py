"""Releases that are made when somebody looks at them are the same ones whoever looks, and how."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import pytest
from packaging.utils import NormalizedName

from indexgate.index.listed_releases import ListedReleases, versions_of
from indexgate.index.subjects import releases
from indexgate.simple.model import PageFile, ProjectPage
from indexgate_policy.dated import DatedReleases, by_upload
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import Release, release_times

VERSIONS = ("1.0", "1.1", "2.0", "2.1")


def listed() -> ListedReleases:
    files = tuple(
        PageFile(
            filename=f"demo-{version}{end}",
            url=f"https://files.example.test/demo-{version}{end}",
            hashes={},
            upload_time=f"2026-01-{10 - day:02}T00:00:00Z",
        )
        for day, version in enumerate(VERSIONS)
        for end in (".tar.gz", "-py3-none-any.whl")
    )
    page = ProjectPage(name=NormalizedName("demo"), files=files)
    seen = datetime(2026, 1, 1, tzinfo=UTC)
    _, found = releases(page, index_id="ab", public=True, first_seen=seen)
    assert isinstance(found, ListedReleases)
    return found


def test_each_is_one_however_it_is_looked_at() -> None:
    found = listed()
    last = found[-1]
    once, again, still = tuple(found), tuple(found), tuple(found)
    for all_of_them in (once, again, still, found[:], tuple(map(found.__getitem__, range(4)))):
        assert list(map(id, all_of_them)) == list(map(id, once))
    assert once[3] is last
    assert (len(found), found.index(last), last in found) == (4, 3, True)
    assert found[1:3] == once[1:3]
    with pytest.raises(IndexError):
        found[4]


def test_it_tells_versions_without_releases() -> None:
    found = listed()
    assert versions_of(found) == VERSIONS == tuple(each.version for each in found)
    assert versions_of(tuple(found)) == VERSIONS
    assert [each.released for each in found] == [each.files[0].uploaded for each in found]


def test_of_those_in_the_order_of_their_uploads_each_is_made_when_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[str] = []

    def making(_listed: object, version: str, *_rest: object) -> str:
        made.append(version)
        return version

    monkeypatch.setattr("indexgate.index.listed_releases.ListedRelease", making)
    dated = by_upload(listed())
    assert isinstance(dated, DatedReleases)
    days = [datetime(2026, 1, day, tzinfo=UTC) for day in (7, 8, 9, 10)]
    assert (len(dated), dated.times, dated[:-1].times, made) == (4, days, days[:3], [])
    assert (dated[-1].at, dated[:-1][-1].at) == (days[3], days[2])
    assert made == ["1.0", "1.1"]  # the first two of the page were uploaded last


def test_the_order_of_uploads_is_that_of_the_releases_themselves() -> None:
    found = listed()
    for releases_ in (found, tuple(found)):
        assert release_times(releases_) == [each.released for each in found]
        dated = by_upload(releases_)
        assert not isinstance(dated, Unknown)
        assert [one.release for one in dated] == list(reversed(found))
        assert [one.at for one in dated] == [one.release.released for one in dated]
        assert [one.release.version for one in reversed(dated)] == list(VERSIONS)


@pytest.fixture
def restless_threads() -> Iterator[None]:
    """Have threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("restless_threads")
def test_threads_that_look_at_the_same_time_get_the_same_ones() -> None:
    at_once = 8
    for _ in range(50):
        found, begin = listed(), Barrier(at_once)

        def look(found: ListedReleases = found, begin: Barrier = begin) -> list[Release]:
            begin.wait()
            return list(found)

        with ThreadPoolExecutor(at_once) as threads:
            seen = [looking.result() for looking in [threads.submit(look) for _ in range(at_once)]]
        assert len({tuple(map(id, each)) for each in seen}) == 1


def test_a_page_without_files_has_no_releases() -> None:
    page = ProjectPage(name=NormalizedName("demo"), files=())
    _, found = releases(
        page, index_id="ab", public=True, first_seen=datetime(2026, 1, 1, tzinfo=UTC)
    )
    assert not found
    assert (tuple(found), versions_of(found)) == ((), ())
