"""Which file of a page an installer will choose."""

from datetime import UTC, datetime, timedelta
from operator import attrgetter

import pytest
from msgspec import UNSET, UnsetType
from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName

from indexgate.index.listing import Listing, listing
from indexgate.index.protocol import Snapshot
from indexgate.index.subjects import releases
from indexgate.prefetch.candidate import candidate, rank_of
from indexgate.simple.model import PageFile, ProjectPage
from indexgate_policy.subject import Release
from tests.proxy.prefetch.agents import agent
from tests.proxy.prefetch.test_requirements import on

NOW = datetime(2026, 11, 22, tzinfo=UTC)
LINUX = on(agent())
MAC = on(agent(system="Darwin", cpu="arm64", distro_version="14.5", libc=None))

NUMERIC = (
    "numeric-2.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
    "numeric-2.0-cp311-cp311-manylinux_2_28_x86_64.whl",
    "numeric-2.0-cp311-cp311-macosx_11_0_arm64.whl",
    "numeric-2.0-cp312-cp312-manylinux_2_28_x86_64.whl",
    "numeric-2.0.tar.gz",
)


def file(
    name: str,
    *,
    python: str | None = None,
    yanked: bool = False,
    uploaded: str | UnsetType = UNSET,
) -> PageFile:
    return PageFile(
        filename=name,
        url=f"https://files.example.test/{name}",
        hashes={},
        requires_python=python,
        yanked=yanked,
        upload_time=uploaded,
    )


def listed(*files: PageFile | str) -> Listing:
    entries = tuple(file(each) if isinstance(each, str) else each for each in files)
    name = NormalizedName(entries[0].filename.partition("-")[0])
    page = ProjectPage(name=name, files=entries)
    snapshot = Snapshot(
        project=name, packed=b"", content_type="", url="", digest="", fetched_at=NOW
    )
    project, found = releases(page, index_id="index", public=True, first_seen=NOW)
    return listing(snapshot, page, project, found)


def chosen(page: Listing, *passing: str, versions: str = "", on_mac: bool = False) -> str | None:
    def passes(release: Release) -> bool:
        return release.version in passing

    found = candidate(page, passes, SpecifierSet(versions), MAC if on_mac else LINUX)
    return None if found is None else found.filename


def test_the_best_wheel_that_fits_is_chosen() -> None:
    page = listed(*NUMERIC)
    assert chosen(page, "2.0") == "numeric-2.0-cp311-cp311-manylinux_2_28_x86_64.whl"
    assert chosen(page, "2.0", on_mac=True) == "numeric-2.0-cp311-cp311-macosx_11_0_arm64.whl"


PAGE = listed(
    "demo-1.0-py3-none-any.whl",
    "demo-2.0-py3-none-any.whl",
    "demo-3.0rc1-py3-none-any.whl",
    "demo-not.a.version.zip",
)


@pytest.mark.parametrize(
    ("passing", "versions", "number"),
    [
        (("3.0rc1", "2.0", "1.0"), "", "2.0"),
        (("3.0rc1", "1.0"), "", "1.0"),
        (("2.0", "1.0"), "", "2.0"),
        (("3.0rc1",), ">2", "3.0rc1"),
        (("3.0rc1", "2.0", "1.0"), ">=3.0rc1", "3.0rc1"),
        (("3.0rc1", "2.0", "1.0"), "<2", "1.0"),
        (("3.0rc1", "2.0", "1.0"), ">=4", None),
        ((), "", None),
        (("not.a.version", "1.0"), "", "1.0"),
    ],
)
def test_it_is_the_newest_version_that_passes_and_is_needed(
    passing: tuple[str, ...], versions: str, number: str | None
) -> None:
    expected = None if number is None else f"demo-{number}-py3-none-any.whl"
    assert chosen(PAGE, *passing, versions=versions) == expected


def uploads(*versions: str) -> list[PageFile]:
    """Return a file a version, uploaded on one day after the other, in the order of their names."""
    first = datetime(2020, 1, 1, tzinfo=UTC)
    return sorted(
        (
            file(
                f"demo-{version}-py3-none-any.whl",
                uploaded=(first + timedelta(days=day)).isoformat().replace("+00:00", "Z"),
            )
            for day, version in enumerate(versions)
        ),
        key=attrgetter("filename"),
    )


MANY = [f"1.{n}" for n in range(1100)]


def test_the_newest_is_found_wherever_it_stands_on_a_long_page() -> None:
    assert chosen(listed(*uploads(*MANY)), *MANY) == "demo-1.1099-py3-none-any.whl"


def test_an_old_version_that_is_needed_is_found_on_a_long_page() -> None:
    assert chosen(listed(*uploads(*MANY)), *MANY, versions="<1.950") == (
        "demo-1.949-py3-none-any.whl"
    )


def test_a_fix_of_an_old_version_is_not_taken_for_the_newest() -> None:
    page = listed(*uploads(*MANY, "0.9.1"))
    assert chosen(page, *MANY, "0.9.1") == "demo-1.1099-py3-none-any.whl"


def test_early_versions_without_end_do_not_hide_a_release() -> None:
    early = [f"2.0.dev{n}" for n in range(100)]
    page = listed(*uploads("1.0", "1.1", *early))
    assert chosen(page, "1.0", "1.1", *early) == "demo-1.1-py3-none-any.whl"


def test_without_upload_times_those_at_the_end_are_looked_at() -> None:
    page = listed(*(f"demo-1.{n}-py3-none-any.whl" for n in range(1100)))
    assert chosen(page, *MANY) == "demo-1.1099-py3-none-any.whl"


def test_a_version_for_another_python_is_passed_over() -> None:
    newer = file("demo-2.0-py3-none-any.whl", python=">=3.12")
    page = listed(newer, file("demo-1.0-py3-none-any.whl", python=">=3.8"))
    assert chosen(page, "2.0", "1.0") == "demo-1.0-py3-none-any.whl"


def test_a_version_with_wheels_for_others_only_is_passed_over() -> None:
    page = listed("demo-2.0-cp311-cp311-win_amd64.whl", "demo-1.0-py3-none-any.whl")
    assert chosen(page, "2.0", "1.0") == "demo-1.0-py3-none-any.whl"


def test_of_a_version_that_has_to_be_built_there_is_none() -> None:
    page = listed("demo-2.0.tar.gz", "demo-1.0-py3-none-any.whl")
    assert chosen(page, "2.0", "1.0") is None


def test_yanked_files_are_not_chosen() -> None:
    page = listed(file("demo-2.0-py3-none-any.whl", yanked=True), "demo-1.0-py3-none-any.whl")
    assert chosen(page, "2.0", "1.0") == "demo-1.0-py3-none-any.whl"


@pytest.mark.parametrize("name", ["demo-1.0.tar.gz", "demo.whl", "", ".whl", "a-b-c-d.whl"])
def test_what_is_no_wheel_has_no_rank(name: str) -> None:
    assert rank_of(name, LINUX) is None
