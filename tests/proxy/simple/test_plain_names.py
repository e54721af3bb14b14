"""Names that tell project and version without doubt: every other reader reads them so."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import NormalizedName

from indexgate.simple.filename import belongs, candidates, parse
from indexgate.simple.plain_names import normal, normal_forms, plain_versions
from indexgate.simple.projects import valid_name

PROJECTS = ["demo", "a-demo", "demo-1", "1", "demo-1-0"]
HEADS = ["demo", "Demo", "a-demo", "a_demo", "A.demo", "a--demo", "demo-1", "demo_1", "1", "demos"]
VERSIONS = [
    *["1.0", "1.0.0", "0", "01.2", "1.0rc1", "1!1.0", "1.0+local.win32", "1.0+cu118", "1.0-1"],
    *["", "tags", "1.win32", "1.noarch", "2.src", "1.0.tar.gz", "-", "v1.0", "1.0.linux-x86_64"],
]
ENDS = [
    *[".tar.gz", ".zip", "-py3-none-any.whl", "-1-py3-none-any.whl", ".whl", "-py2.7.egg", ".egg"],
    *[".win32.exe", ".tar.bz2", ".TAR.GZ", "-1.noarch.rpm", "", ".tar.gz-py3-none-any.whl"],
]


def names(head: str) -> list[str]:
    return [f"{head}-{version}{end}" for version in VERSIONS for end in ENDS]


@pytest.mark.parametrize("project", PROJECTS)
@pytest.mark.parametrize(
    "found", [*map(names, HEADS), [name for head in HEADS for name in names(head)]]
)
def test_what_is_told_without_doubt_every_reading_says(found: list[str], project: str) -> None:
    name = NormalizedName(project)
    versions = plain_versions(found, name).texts
    assert len(versions) == len(found)
    for filename, version in zip(found, versions, strict=True):
        if version:
            read = parse(filename, name)
            assert (read.project, read.version) == (name, version)
            assert belongs(filename, name)
            assert candidates(filename)[0] == name


@pytest.mark.parametrize(
    ("project", "filename"),
    [
        ("demo", "demo-1.0-py3-none-any.whl"),
        ("demo", "Demo-1.0.tar.gz"),
        ("demo", "demo-1.0.zip"),
        ("a-demo", "a_demo-1.0-py3-none-any.whl"),
        ("a-demo", "A.demo-1.0.tar.gz"),
        ("a-demo", "a-demo-1.0.tar.gz"),
    ],
)
def test_ordinary_names_leave_no_doubt(project: str, filename: str) -> None:
    name = valid_name(project)
    assert name is not None
    odd = "setup.exe"
    assert plain_versions([filename], name).texts == ["1.0"]
    assert plain_versions([odd, filename, odd], name).texts == ["", "1.0", ""]


def test_a_name_of_which_the_project_is_only_a_part_is_left_to_be_read() -> None:
    found = ["demo-more-1.0.tar.gz", "demo-more-1.0-py3-none-any.whl", "demos-1.0.tar.gz"]
    assert plain_versions(found, NormalizedName("demo")).texts == ["", "", ""]
    # A wheel's project ends at its first dash, whatever the page is of.
    assert plain_versions(found, NormalizedName("demo-more")).texts == ["1.0", "", ""]


def test_a_version_of_two_lines_is_none() -> None:
    found = ["demo-1.0.tar.gz", "demo-2.0\n3.0.tar.gz"]
    assert plain_versions(found, NormalizedName("demo")).texts == ["1.0", ""]


@given(st.lists(st.from_regex(r"[0-9a-c.\n+-]{0,6}", fullmatch=True) | st.sampled_from(VERSIONS)))
def test_many_versions_have_the_forms_that_each_has_by_itself(versions: list[str]) -> None:
    forms = normal_forms(versions)
    assert {version: forms[version] for version in versions} == {
        version: normal(version) for version in versions
    }
