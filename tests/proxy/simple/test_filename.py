import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import NormalizedName, parse_sdist_filename, parse_wheel_filename
from packaging.version import Version

from indexgate.simple import filename
from indexgate.simple.projects import valid_name


@pytest.mark.parametrize(
    ("name", "project", "version", "kind"),
    [
        ("Foo_Bar-1.0-py3-none-any.whl", "foo-bar", "1.0", "wheel"),
        pytest.param("a-1.0-1abc-py3-none-any.whl", "a", "1.0", "wheel", id="build tag"),
        pytest.param("a-1.0-py3-none-any-x86v3.whl", "a", "1.0", "wheel", id="70 variant label"),
        pytest.param("a-1!2.0+cu118-cp39-abi3-linux_x86_64.whl", "a", "1!2.0+cu118", "wheel"),
        ("foo.bar-1.0.tar.gz", "foo-bar", "1.0", "sdist"),
        ("foo-1.0.zip", "foo", "1.0", "sdist"),
        ("foo-1.0.tar.bz2", "foo", "1.0", "sdist"),
        ("foo-1.0.tgz", "foo", "1.0", "sdist"),
        pytest.param("a-b-1.0.tar.gz", "a-b", "1.0", "sdist", id="dash in the project"),
        pytest.param("foo-1.0-beta.tar.gz", "foo", "1.0-beta", "sdist", id="dash in the version"),
        pytest.param("foo-2004d.tar.gz", "foo", "2004d", "sdist", id="94 not PEP 440"),
        pytest.param("a-b-2004d.tar.gz", "a-b", "2004d", "sdist", id="94 with a dash"),
        ("foo-1.0-py2.7.egg", "foo", "1.0", "other"),
        ("foo-1.0-py2.7-linux-x86_64.egg", "foo", "1.0", "other"),
        ("foo-1.0.egg", "foo", "1.0", "other"),
        ("foo-1.0.win32-py2.7.exe", "foo", "1.0", "other"),
        ("foo-bar-1.0.win-amd64-py3.4.exe", "foo-bar", "1.0", "other"),
        pytest.param("foo-1.0.linux-x86_64.tar.gz", "foo", "1.0", "other", id="bdist_dumb"),
        ("foo-1.0-1.noarch.rpm", "foo", "1.0", "other"),
        pytest.param("foo-1.0-variants.json", "foo", "1.0", "other", id="70 variants file"),
    ],
)
def test_a_file_name_tells_project_version_and_kind(
    name: str, project: str, version: str, kind: str
) -> None:
    named = filename.parse(name)
    assert (named.project, named.version, named.kind) == (project, version, kind)


def test_a_version_that_is_not_pep_440_stays_as_text() -> None:
    assert filename.parse("foo-2004d.tar.gz").parsed is None
    assert filename.parse("foo-1.0.0.tar.gz").parsed == Version("1")


@pytest.mark.parametrize("name", ["", "-", "foo", "foo.whl", "foo.tar.gz", "-1.0.tar.gz", "a-.zip"])
def test_a_name_without_the_parts_tells_nothing(name: str) -> None:
    assert filename.parse(name).project is None
    assert filename.candidates(name) == ()


def test_the_project_decides_between_equal_readings() -> None:
    name = "foo-2-1.tar.gz"
    assert filename.parse(name, NormalizedName("foo")).version == "2-1"
    assert filename.parse(name, NormalizedName("foo-2")).version == "1"


def test_candidates_come_with_the_best_reading_first() -> None:
    assert filename.candidates("a-b-1.0.tar.gz") == ("a-b", "a")
    assert filename.candidates("foo-1.0-beta.zip") == ("foo", "foo-1-0")
    assert filename.candidates("a_b-1.0-py3-none-any.whl") == ("a-b",)


@pytest.mark.parametrize(
    ("name", "project", "answer"),
    [
        ("foo-1.0.tar.gz", "foo", True),
        ("Foo-1.0-py3-none-any.whl", "foo", True),
        ("foo-bar-1.0.tar.gz", "foo-bar", True),
        pytest.param("foo-bar-1.0.tar.gz", "foo", False, id="142 longer name"),
        pytest.param("other-1.0-py3-none-any.whl", "foo", False, id="142 other wheel"),
        pytest.param("foo-other-1.0.zip", "other", False, id="142 only the end matches"),
        pytest.param("foo-2004d.tar.gz", "foo", True, id="94 legacy version"),
        pytest.param("README", "foo", True, id="unreadable names may be anyone's"),
    ],
)
def test_a_file_belongs_to_the_project_that_its_name_tells(
    name: str, project: str, answer: bool
) -> None:
    assert filename.belongs(name, NormalizedName(project)) is answer


_names = st.from_regex(r"[a-z0-9]([a-z0-9_.]{0,8}[a-z0-9])?", fullmatch=True)
_versions = st.from_regex(
    r"([0-9]!)?[0-9]{1,3}(\.[0-9]{1,3}){0,3}((a|b|rc)[0-9])?(\.post[0-9])?(\+[a-z0-9]{1,4})?",
    fullmatch=True,
)


@given(name=_names, version=_versions)
def test_modern_names_are_read_as_packaging_reads_them(name: str, version: str) -> None:
    wheel = f"{name.replace('.', '_')}-{version}-py3-none-any.whl"
    sdist = f"{name}-{version}.tar.gz"
    named = filename.parse(sdist)
    assert (named.project, named.parsed) == parse_sdist_filename(sdist)
    if "__" not in wheel:  # packaging refuses doubled underscores
        named = filename.parse(wheel)
        assert (named.project, named.parsed) == parse_wheel_filename(wheel)[:2]


@given(st.text(alphabet="ab1.-_+!é \x00/") | st.text())
def test_no_text_upsets_the_reader_of_names(text: str) -> None:
    for ending in ("", ".whl", ".tar.gz", ".egg", ".exe"):
        named = filename.parse(text + ending)
        assert (named.project is None) == (named.version is None)
        assert named.project is None or named.project == filename.candidates(text + ending)[0]


def test_a_name_of_many_dashes_is_read_quickly_enough_to_end() -> None:
    assert filename.parse("-".join("1" * 10_000) + ".tar.gz").kind == "sdist"


@pytest.mark.parametrize("text", ["a", "A", "Foo.Bar__baz", "0", "a-1", "z" * 250])
def test_valid_project_names_are_normalised(text: str) -> None:
    name = valid_name(text)
    assert name is not None
    assert valid_name(name) == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-a",
        "a-",
        "a.",
        "_a",
        "a\n",
        "a b",
        "a/b",
        "..",
        "a\x00",
        "é",
        "\u212a",
        "a%",
        "z" * 251,
    ],
)
def test_9_other_texts_are_no_project_names(text: str) -> None:
    assert valid_name(text) is None
