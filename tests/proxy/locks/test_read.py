"""Every format is told apart, and its pins are read with their files and lines."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexgate.errors import GateError
from indexgate.locks.entry import Format, Pinned, Unasked
from indexgate.locks.read import FORMATS, by_content, by_name, read_lock
from tests.proxy.locks.samples import (
    LOCKS,
    PDM,
    PIPENV,
    POETRY,
    POETRY_1,
    PYLOCK,
    SBOM,
    SDIST,
    UV,
    WHEEL,
    A,
    B,
)

FORMAT_OF: dict[str, Format] = {
    "uv.lock": "uv",
    "poetry.lock": "poetry",
    "pdm.lock": "pdm",
    "Pipfile.lock": "pipenv",
    "pylock.toml": "pylock",
    "requirements.txt": "requirements",
    "bom.json": "cyclonedx",
}
FIRST = "https://index.example.test/simple"
PRIVATE = "https://private.example.test/simple"


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_is_told_by_its_name_and_by_its_content(name: str) -> None:
    content = LOCKS[name].encode()
    assert read_lock(content, name).format == FORMAT_OF[name]
    assert read_lock(content, "standard input").format == FORMAT_OF[name]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a/b/uv.lock", "uv"),
        ("tool.py.lock", "uv"),
        ("C:\\project\\Poetry.lock", "poetry"),
        ("pdm.dev.lock", "pdm"),
        ("pylock.dev.toml", "pylock"),
        ("pylock.a.b.toml", None),
        ("app.cdx.json", "cyclonedx"),
        ("requirements.txt", None),
        ("pyproject.toml", None),
    ],
)
def test_names_that_tell_and_names_that_do_not(path: str, found: Format | None) -> None:
    assert by_name(path) == found


@pytest.mark.parametrize(
    ("name", "line", "lines", "index"),
    [
        ("uv.lock", 14, [18, 20], FIRST),
        ("poetry.lock", 3, [11, 12], None),
        ("pdm.lock", 7, [11, 12], None),
        ("Pipfile.lock", 20, [22, 23], FIRST + "/"),
        ("pylock.toml", 5, [9, 10], FIRST),
        ("requirements.txt", 2, [2, 2], None),
    ],
)
def test_both_files_of_a_pin_have_their_hashes_and_lines(
    name: str, line: int, lines: list[int], index: str | None
) -> None:
    [demo] = [each for each in read_lock(LOCKS[name].encode(), name).pinned if each.name == "demo"]
    assert (demo.version, demo.line, demo.index) == ("1.1", line, index)
    assert sorted(file.line for file in demo.files) == lines
    assert {digest for file in demo.files for digest in file.hashes} == {
        f"sha256:{A}",
        f"sha256:{B}",
    }
    names = {file.filename for file in demo.files}
    assert names == ({None} if FORMAT_OF[name] in {"pipenv", "requirements"} else {SDIST, WHEEL})


@pytest.mark.parametrize(("name", "text"), [("uv.lock", UV), ("pylock.toml", PYLOCK)])
def test_addresses_of_files_are_kept(name: str, text: str) -> None:
    demo = read_lock(text.encode(), name).pinned[0]
    assert [file.url for file in demo.files] == [
        f"https://files.example.test/ab/{SDIST}",
        f"https://files.example.test/cd/{WHEEL}",
    ]


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("uv.lock", PRIVATE + "/"),
        ("poetry.lock", PRIVATE),
        ("Pipfile.lock", PRIVATE + "/"),
        ("bom.json", PRIVATE),
    ],
)
def test_a_pin_of_another_index_names_it(name: str, index: str) -> None:
    [other] = [
        each for each in read_lock(LOCKS[name].encode(), name).pinned if each.name == "other"
    ]
    assert (other.version, other.index) == ("2.0", index)


def unasked(name: str) -> dict[str, Unasked]:
    entries = read_lock(LOCKS[name].encode(), name).entries
    return {each.name or each.text: each for each in entries if isinstance(each, Unasked)}


@pytest.mark.parametrize("name", LOCKS)
def test_what_comes_from_a_repository_is_not_asked_of_an_index(name: str) -> None:
    source = unasked(name)["source"]
    assert "repository" in source.reason or "an address" in source.reason
    assert not source.harmless
    assert "secret" not in source.text


def test_the_locked_project_and_its_members_are_harmless_and_other_folders_are_not() -> None:
    found = unasked("uv.lock")
    assert {name: each.harmless for name, each in found.items()} == {
        "consumer": True,
        "member": True,
        "near": False,
        "source": False,
    }


def test_a_requirement_without_a_pin_is_told_so() -> None:
    assert unasked("requirements.txt")["other"].reason == "it names no version"


def test_components_of_other_ecosystems_are_harmless() -> None:
    found = unasked("bom.json")
    assert found["pkg:npm/left-pad@1.3.0"].harmless
    assert found["a.c"].reason == "it has no package URL"


@pytest.mark.parametrize("purl", ["pkg:/pypi/demo@1.1", "pkg://PyPI/demo@1.1", "PKG:pypi/demo@1.1"])
def test_a_package_url_is_known_however_it_begins(purl: str) -> None:
    found = read_lock(SBOM.replace("pkg:pypi/demo@1.1", purl).encode(), "bom.json")
    assert [each.name for each in found.pinned] == ["demo", "other"]


def test_a_file_beside_a_pylock_is_taken_from_its_path() -> None:
    other = read_lock(PYLOCK.encode(), "pylock.toml").pinned[1]
    assert other.files[0].url == "wheels/other-2.0-py3-none-any.whl"


def test_an_old_poetry_lock_has_its_files_at_the_end() -> None:
    [demo] = read_lock(POETRY_1.encode(), "poetry.lock").pinned
    assert [file.filename for file in demo.files] == [WHEEL]


def test_a_long_bill_of_materials_has_its_lines_whatever_their_order() -> None:
    nested = {"name": "d", "purl": "pkg:pypi/d@1"}
    some = [
        {"purl": "pkg:pypi/a@1"},
        {"purl": "pkg:pypi/a@1"},
        {"components": [nested], "purl": "pkg:pypi/c@1"},
        {"purl": "pkg:pypi/a@1"},
        {"purl": "pkg:pypi/b@1"},
    ]
    text = json.dumps({"bomFormat": "CycloneDX", "components": some}, indent=1)
    found = read_lock(text.encode(), "bom.json").pinned
    at = {line: number for number, line in enumerate(text.splitlines(), start=1)}
    lines = [n for n, line in enumerate(text.splitlines(), start=1) if "pkg:pypi/a@1" in line]
    assert [(each.name, each.line) for each in found] == [
        ("a", lines[0]),
        ("a", lines[1]),
        ("c", at['   "purl": "pkg:pypi/c@1"']),
        ("d", at['     "purl": "pkg:pypi/d@1"']),
        ("a", lines[2]),
        ("b", at['   "purl": "pkg:pypi/b@1"']),
    ]


def test_a_byte_order_mark_and_windows_line_ends_change_nothing() -> None:
    plain = read_lock(UV.encode(), "uv.lock")
    assert read_lock(b"\xef\xbb\xbf" + UV.replace("\n", "\r\n").encode(), "uv.lock") == plain


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("uv.lock", "[[package", "is not TOML"),
        ("uv.lock", "package = 1", "has no tables `[[package]]`"),
        ("uv.lock", '[[package]]\nversion = "1"', "without a project's name"),
        ("uv.lock", UV.replace('version = "2.0"\n', ""), "(line 32) does not pin the version"),
        ("poetry.lock", '[[package]]\nname = "a"', "does not pin the version of `a`"),
        ("pdm.lock", '[[package]]\nname = "a"', "does not pin the version of `a`"),
        ("pylock.toml", '[[packages]]\nname = "a"', "does not pin the version of `a`"),
        (
            "pylock.toml",
            PYLOCK.replace('name = "demo"\n', 'name = "demo"\narchive = { path = "a.zip" }\n'),
            "(line 5) gives `demo` both files and an `archive`",
        ),
        ("Pipfile.lock", "[]", "is no JSON object"),
        ("Pipfile.lock", '{"default": {"a": 1}}', "has no table for `a`"),
        ("Pipfile.lock", '{"default": {"": {}}}', "without a project's name"),
        ("bom.json", "{}", "is no CycloneDX document"),
        ("bom.json", "[" * 100_000, "is not JSON"),
        ("uv.lock", "a = " + "[" * 100_000, "is not TOML"),
    ],
)
def test_a_lock_that_cannot_be_understood_says_where(name: str, text: str, words: str) -> None:
    with pytest.raises(GateError) as caught:
        read_lock(text.encode(), name)
    assert words in caught.value.message
    assert f"`{name}`" in caught.value.message


def test_weak_hashes_are_none() -> None:
    text = PDM.replace("sha256:" + "a" * 64, "md5:" + "a" * 32)
    demo = read_lock(text.encode(), "pdm.lock").pinned[0]
    assert [len(file.hashes) for file in demo.files] == [1, 0]


@given(
    st.sampled_from([UV, POETRY, PDM, PIPENV, PYLOCK, SBOM]),
    st.lists(st.tuples(st.integers(0, 3000), st.sampled_from(list('"[]{}=\n,x'))), max_size=4),
    st.sampled_from(FORMATS),
)
def test_a_spoilt_lock_is_read_or_refused_in_words(
    text: str, changes: list[tuple[int, str]], format_: Format
) -> None:
    for place, character in changes:
        text = text[:place] + character + text[place + 1 :]
    try:
        found = read_lock(text.encode(), "some", format=format_)
    except GateError:
        return
    for entry in found.entries:
        assert 1 <= entry.line <= text.count("\n") + 1
        assert not isinstance(entry, Pinned) or entry.version


@given(st.text(max_size=200))
def test_any_text_has_a_format_or_none(text: str) -> None:
    assert by_content(text) in {None, *FORMATS}
