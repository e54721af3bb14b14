"""What is judged, made from a page."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, UnsetType
from msgspec.structs import replace
from packaging.utils import NormalizedName, canonicalize_version
from packaging.version import Version

from indexgate.index.subjects import releases
from indexgate.simple.filename import parse
from indexgate.simple.model import PageFile, ProjectPage
from indexgate_policy.signals import Unknown

SEEN = datetime(2026, 11, 1, tzinfo=UTC)


def listed(filename: str, uploaded: str | None, *, yanked: bool | str = False) -> PageFile:
    return PageFile(
        filename=filename,
        url=f"https://f.example.test/{filename}",
        hashes={},
        upload_time=UNSET if uploaded is None else uploaded,
        yanked=yanked,
    )


def of(*files: PageFile, status: str | UnsetType = UNSET) -> ProjectPage:
    return ProjectPage(name="demo", files=files, status=status)


def test_a_release_is_as_old_as_its_earliest_file() -> None:
    page = of(
        listed("demo-1.0-py3-none-any.whl", "2026-11-05T00:00:00Z"),
        listed("demo-1.0.tar.gz", "2026-11-02T01:02:03.5Z"),
        listed("demo-2.0.tar.gz", "2026-11-06T00:00:00Z"),
    )
    project, found = releases(page, index_id="i", public=True, first_seen=SEEN)
    assert [release.version for release in found] == ["1.0", "2.0"]
    earliest = datetime(2026, 11, 2, 1, 2, 3, 500000, tzinfo=UTC)
    assert found[0].released == project.first_upload == earliest
    assert project.last_upload == datetime(2026, 11, 6, tzinfo=UTC)
    assert {file.released for file in found[0].files} == {earliest}
    assert [file.kind for file in found[0].files] == ["wheel", "sdist"]
    assert project.releases == 2


def test_one_missing_upload_time_makes_the_age_of_its_release_unknown() -> None:
    page = of(
        listed("demo-1.0-py3-none-any.whl", None),
        listed("demo-1.0.tar.gz", "2026-11-02T00:00:00Z"),
        listed("demo-2.0.tar.gz", "yesterday"),
    )
    project, (first, second) = releases(page, index_id="i", public=True, first_seen=SEEN)
    assert isinstance(first.released, Unknown)
    assert isinstance(second.released, Unknown)
    assert isinstance(project.first_upload, Unknown)
    assert isinstance(project.last_upload, Unknown)


def test_equal_versions_in_two_spellings_are_one_release() -> None:
    page = of(
        listed("demo-1.0-py3-none-any.whl", "2026-11-05T00:00:00Z"),
        listed("demo-1.0.0.tar.gz", "2026-11-02T00:00:00Z"),
    )
    _, found = releases(page, index_id="i", public=True, first_seen=SEEN)
    assert len(found) == 1
    assert found[0].parsed == Version("1.0")


def test_a_release_says_of_one_file_what_it_says_of_all() -> None:
    page = of(
        listed("demo-1.0-py3-none-any.whl", "2026-11-05T00:00:00Z"),
        listed("demo-2.0.tar.gz", "2026-11-06T00:00:00Z"),
        listed("demo-1.0.0.tar.gz", "2026-11-02T00:00:00Z", yanked="broken"),
    )
    _, (first, second) = releases(page, index_id="i", public=True, first_seen=SEEN)
    assert tuple(first.file(name) for name in first.filenames) == first.files
    assert first.like_all in first.files
    assert second.like_all == second.file("demo-2.0.tar.gz")
    with pytest.raises(KeyError):
        second.file("demo-1.0.0.tar.gz")


def test_a_version_that_is_not_pep_440_is_kept_as_text() -> None:
    _, [release] = releases(
        of(listed("demo-2004d.tar.gz", None)), index_id="i", public=True, first_seen=SEEN
    )
    assert release.version == "2004d"
    assert isinstance(release.parsed, Unknown)


def test_yanked_versions_do_not_count_as_releases() -> None:
    page = of(
        listed("demo-1.0.tar.gz", None, yanked=True),
        listed("demo-2.0.tar.gz", None, yanked=""),
        listed("demo-3.0.tar.gz", None),
    )
    project, found = releases(page, index_id="i", public=False, first_seen=SEEN)
    assert project.releases == 1
    assert [release.yanked for release in found] == [True, True, False]


def test_a_page_without_files_has_no_releases() -> None:
    project, found = releases(of(status="archived"), index_id="i", public=True, first_seen=SEEN)
    assert found == ()
    assert project.status == "archived"
    assert isinstance(project.first_upload, Unknown)
    assert isinstance(project.last_upload, Unknown)


@pytest.mark.parametrize(
    ("api", "attested", "told"),
    [
        ((1, 4), True, True),
        ((1, 3), False, False),
        ((1, 1), True, True),
        ((1, 1), False, Unknown(reason="the index speaks an API older than attestations")),
    ],
)
def test_an_index_older_than_attestations_cannot_say_that_there_is_none(
    api: tuple[int, int], attested: bool, told: bool | Unknown
) -> None:
    file = listed("demo-1.0.tar.gz", "2026-11-02T00:00:00Z")
    address = f"{file.url}.provenance" if attested else UNSET
    page = replace(of(replace(file, provenance=address)), api_version=api)
    _, (release,) = releases(page, index_id="i", public=True, first_seen=SEEN)
    assert release.files[0].provenance == told


PROJECTS = st.sampled_from(["demo-", "demo-", "demo-", "Demo-", "de_mo-", "de-mo-", "_x-", "", "-"])
VERSIONS = st.sampled_from(
    ["1.0", "1.0.0", "1", "2.0", "2004d", "1.0-1", "1.0-beta", "v1.0", "1.0.post1", "01", "b", ""]
)
ENDINGS = st.sampled_from(
    [
        ".tar.gz", "-py3-none-any.whl", "-1-py3-none-any.whl", ".whl", ".tar.gz-p-x-y.whl", ".WHL",
        ".zip", ".egg", "-py2.7.egg", ".win32-py2.7.exe", "-1.noarch.rpm", ".TAR.GZ", "",
    ]
)  # fmt: skip


@given(st.lists(st.builds(lambda *parts: "".join(parts), PROJECTS, VERSIONS, ENDINGS), max_size=8))
def test_many_names_tell_what_each_tells_alone(names: list[str]) -> None:
    alone: dict[str, list[str]] = {}
    for name in names:
        named = parse(name, NormalizedName("demo"))
        version = named.version or "unknown"
        normal = version if named.parsed is None else canonicalize_version(named.parsed)
        alone.setdefault(normal, []).append(name)
    page = of(*(listed(name, None) for name in names))
    _, found = releases(page, index_id="i", public=True, first_seen=SEEN)
    assert [list(release.filenames) for release in found] == list(alone.values())
