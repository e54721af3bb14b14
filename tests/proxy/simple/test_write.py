import json
from html.parser import HTMLParser
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, Raw

from indexgate.simple import read, write
from indexgate.simple.accept import Form
from indexgate.simple.model import PageFile, ProjectList, ProjectPage
from tests.proxy.simple.pages import FILES, FOO, SHA, URL

NASTY = "a \"b\" 'c' <script>&amp;\r\n\t\u00fc \u2603"


def file(filename: str = "foo-1.0.tar.gz", **fields: Any) -> PageFile:
    given: dict[str, Any] = {"size": 1, "hashes": {"sha256": SHA}} | fields
    return PageFile(filename=filename, url=FILES + filename, **given)


def page(*files: PageFile, **fields: Any) -> ProjectPage:
    given: dict[str, Any] = {"api_version": (1, 4), "versions": ("1.0",)} | fields
    return ProjectPage(name="foo", files=files, **given)


def as_json(project_page: ProjectPage) -> dict[str, Any]:
    document = json.loads(write.json(project_page))
    assert isinstance(document, dict)
    return document


class _Anchors(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: list[dict[str, str | None]] = []
        self.metas: dict[str, str | None] = {}
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        found = dict(attrs)
        if tag == "a":
            self.anchors.append(found)
        elif tag == "meta" and found.get("name"):
            self.metas[found["name"] or ""] = found["content"]


def as_html(project_page: ProjectPage) -> _Anchors:
    return _Anchors(write.html(project_page).decode())


@pytest.mark.parametrize(
    ("project_page", "version"),
    [
        pytest.param(page(file()), "1.4", id="53 upstream's"),
        pytest.param(page(file(), api_version=(1, 1)), "1.1", id="53 not more than upstream"),
        pytest.param(page(file(), api_version=(1, 9)), "1.5", id="53 capped"),
        pytest.param(page(file(size=UNSET)), "1.0", id="47 size missing"),
        pytest.param(page(file(), versions=UNSET), "1.0", id="47 versions missing"),
        pytest.param(page(versions=UNSET), "1.4", id="47 no files have no versions"),
        pytest.param(page(file(), api_version=(1, 0), status="archived"), "1.4", id="54 status"),
        pytest.param(
            page(file(provenance="https://p.example.test/"), api_version=(1, 1)),
            "1.3",
            id="54 provenance",
        ),
        pytest.param(page(extra={"namespaces": Raw(b"null")}), "1.5", id="54 namespaces"),
        pytest.param(page(meta={"tracks": Raw(b"[]")}, api_version=(1, 1)), "1.2", id="54 tracks"),
    ],
)
def test_the_json_version_is_what_the_page_can_keep(
    project_page: ProjectPage, version: str
) -> None:
    assert as_json(project_page)["meta"]["api-version"] == version


def test_54_json_1_0_has_no_later_key_and_keeps_private_ones() -> None:
    project_page = page(
        file(size=UNSET, provenance="https://p.example.test/", extra={"_x": Raw(b"1")}),
        status="archived",
        status_reason="old",
        meta={"_last-serial": Raw(b"7"), "tracks": Raw(b"[]")},
        extra={"namespaces": Raw(b"null"), "_y": Raw(b"2"), "alternate-locations": Raw(b"[]")},
    )
    assert as_json(project_page) == {
        "meta": {"api-version": "1.0", "_last-serial": 7},
        "name": "foo",
        "files": [
            {
                "filename": "foo-1.0.tar.gz",
                "url": FILES + "foo-1.0.tar.gz",
                "hashes": {"sha256": SHA},
                "_x": 1,
            }
        ],
        "versions": ["1.0"],
        "_y": 2,
    }


def test_76_json_never_has_the_old_metadata_key() -> None:
    text = write.json(page(file(core_metadata={"sha256": SHA})))
    assert b'"core-metadata"' in text
    assert b"dist-info-metadata" not in text


def test_a_carried_key_never_doubles_a_known_one() -> None:
    project_page = page(
        file(extra={"filename": Raw(b'"evil"')}),
        extra={"files": Raw(b"[]"), "meta": Raw(b"{}")},
    )
    pairs: list[str] = []

    def keys(items: list[tuple[str, object]]) -> dict[str, object]:
        assert len(dict(items)) == len(items)
        pairs.extend(key for key, _ in items)
        return dict(items)

    document = json.loads(write.json(project_page), object_pairs_hook=keys)
    assert document["files"][0]["filename"] == "foo-1.0.tar.gz"
    assert pairs.count("files") == 1


@pytest.mark.parametrize(
    ("project_page", "version"),
    [
        pytest.param(page(file(), api_version=(1, 5)), "1.4", id="29 at most 1.4"),
        pytest.param(page(file(), api_version=(1, 9)), "1.4", id="29 at most 1.4 ever"),
        pytest.param(page(file(size=UNSET), api_version=(1, 1)), "1.1", id="29 sizes are JSON's"),
        pytest.param(page(file(), api_version=(1, 0), status="active"), "1.4", id="54 status"),
        pytest.param(page(extra={"namespaces": Raw(b"[]")}, api_version=(1, 5)), "1.4", id="833"),
    ],
)
def test_the_html_version(project_page: ProjectPage, version: str) -> None:
    assert as_html(project_page).metas["pypi:repository-version"] == version


@pytest.mark.parametrize(
    ("fields", "attributes"),
    [
        pytest.param({}, {}, id="nothing to say"),
        pytest.param(
            {"requires_python": ">=3.9,<4"}, {"data-requires-python": ">=3.9,<4"}, id="33 python"
        ),
        pytest.param({"requires_python": None}, {}, id="33 null"),
        pytest.param({"yanked": NASTY}, {"data-yanked": NASTY}, id="34 nasty reason"),
        pytest.param({"yanked": True}, {"data-yanked": ""}, id="34 no reason"),
        pytest.param(
            {"core_metadata": {"md5": "0" * 32, "sha256": SHA}},
            {"data-core-metadata": f"sha256={SHA}", "data-dist-info-metadata": f"sha256={SHA}"},
            id="35 37 the hash, under both names",
        ),
        pytest.param(
            {"core_metadata": {"sha1": "0" * 40}},
            {"data-core-metadata": "true", "data-dist-info-metadata": "true"},
            id="35 no usable hash",
        ),
        pytest.param({"core_metadata": False}, {}, id="36 false"),
        pytest.param({"core_metadata": None}, {}, id="36 null"),
        pytest.param({"gpg_sig": True}, {"data-gpg-sig": "true"}, id="38 signed"),
        pytest.param(
            {"provenance": "https://p.example.test/?a&b"},
            {"data-provenance": "https://p.example.test/?a&b"},
            id="39 provenance",
        ),
    ],
)
def test_html_attributes(fields: dict[str, Any], attributes: dict[str, str]) -> None:
    (anchor,) = as_html(page(file(**fields))).anchors
    assert anchor.pop("href") == f"{FILES}foo-1.0.tar.gz#sha256={SHA}"
    assert anchor == attributes


@pytest.mark.parametrize(
    ("hashes", "fragment"),
    [
        ({"sha1": "0" * 40}, ""),
        ({"sha224": "0" * 56, "md5": "0" * 32}, "#md5=" + "0" * 32),
        ({"md5": "0" * 32, "sha512": "1" * 128}, "#sha512=" + "1" * 128),
        ({}, ""),
    ],
)
def test_31_32_the_fragment_is_one_that_clients_take(hashes: dict[str, str], fragment: str) -> None:
    (anchor,) = as_html(page(file(hashes=hashes))).anchors
    assert anchor["href"] == FILES + "foo-1.0.tar.gz" + fragment


def test_38_signatures_are_told_of_every_file_or_of_none() -> None:
    anchors = as_html(page(file(), file("foo-2.0.tar.gz", gpg_sig=True))).anchors
    assert [anchor["data-gpg-sig"] for anchor in anchors] == ["false", "true"]


def test_40_137_status_and_reason_are_escaped() -> None:
    found = as_html(page(status="<x>", status_reason=NASTY))
    assert found.metas["pypi:project-status"] == "<x>"
    assert found.metas["pypi:project-status-reason"] == NASTY
    assert "script" not in found.tags
    assert "x" not in found.tags


def test_28_43_the_layout_of_html_is_stable() -> None:
    assert write.html(page(file(requires_python=">=3"))).decode() == (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="pypi:repository-version" content="1.4">\n<title>Links for foo</title>\n'
        "</head>\n<body>\n<h1>Links for foo</h1>\n"
        f'<a href="{FILES}foo-1.0.tar.gz#sha256={SHA}" data-requires-python="&gt;=3">'
        "foo-1.0.tar.gz</a><br>\n</body>\n</html>\n"
    )


def test_addresses_are_written_as_they_stand() -> None:
    moved = msgspec.structs.replace(file(), url="../../files/https/a.example.test/foo-1.0.tar.gz")
    assert as_json(page(moved))["files"][0]["url"] == moved.url
    assert as_html(page(moved)).anchors[0]["href"] == f"{moved.url}#sha256={SHA}"


def test_56_60_both_forms_of_the_list_name_the_same_projects() -> None:
    projects = ProjectList(
        names=("Foo.Bar", "b"), api_version=(1, 9), meta={"_last-serial": Raw(b"3")}
    )
    assert json.loads(write.list_json(projects)) == {
        "meta": {"api-version": "1.5", "_last-serial": 3},
        "projects": [{"name": "Foo.Bar"}, {"name": "b"}],
    }
    found = _Anchors(write.list_html(projects).decode())
    assert [anchor["href"] for anchor in found.anchors] == ["foo-bar/", "b/"]
    assert found.metas["pypi:repository-version"] == "1.4"
    body = write.list_html(projects)
    assert read.project_list(body, content_type=Form.HTML, url=URL).names == projects.names


_text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
_sha = st.sampled_from([SHA, "f" * 64])
_hashes = st.dictionaries(st.just("sha256"), _sha) | st.just({"md5": "0" * 32, "sha256": SHA})
_raw = st.dictionaries(_text.map("_".__add__), st.sampled_from([Raw(b"1"), Raw(b'{"a":[null]}')]))
_times = st.datetimes().map(lambda moment: moment.isoformat() + "Z")


@st.composite
def _pages(draw: st.DrawFn) -> ProjectPage:
    numbers = draw(st.lists(st.integers(0, 99), unique=True, max_size=4))
    fields = st.fixed_dictionaries(
        {"hashes": _hashes, "size": st.integers(0, 2**53)},
        optional={
            "requires_python": st.none() | _text.map(">=".__add__),
            "upload_time": _times,
            "yanked": st.booleans() | _text,
            "core_metadata": st.none() | st.booleans() | st.just({"sha256": SHA}),
            "gpg_sig": st.booleans(),
            "provenance": st.none() | st.just("https://p.example.test/a"),
            "extra": _raw,
        },
    )
    files = [file(f"foo-{number}.0.tar.gz", **draw(fields)) for number in numbers]
    status = draw(st.fixed_dictionaries({}, optional={"status": _text, "status_reason": _text}))
    if "status" not in status:
        status = {}
    return page(*files, meta=draw(_raw), extra=draw(_raw), **status)


@given(_pages())
def test_what_is_written_as_json_reads_back_whole(written: ProjectPage) -> None:
    body = write.json(written)
    assert read.page(body, content_type=Form.JSON, url=URL, project=FOO) == written


def _in_html(text: str) -> str:
    """Return *text* as HTML can carry it: without other control characters."""
    kept = "".join(c for c in text if c in "\t\n\r" or not (ord(c) < 32 or ord(c) == 127))
    return kept.encode(errors="replace").decode()


@given(_pages())
def test_what_is_written_as_html_reads_back_with_all_that_html_has(written: ProjectPage) -> None:
    body = write.html(written)
    again = read.page(body, content_type=Form.HTML_V1, url=URL, project=FOO)
    signed = any(was.gpg_sig is not UNSET for was in written.files)
    assert len(again.files) == len(written.files)
    for was, now in zip(written.files, again.files, strict=True):
        assert (now.filename, now.url) == (was.filename, was.url)
        assert now.hashes == {k: v for k, v in was.hashes.items() if k == "sha256"}
        assert now.provenance == (was.provenance or UNSET)
        assert now.core_metadata == (was.core_metadata or UNSET)
        assert now.gpg_sig == ((was.gpg_sig is True) if signed else UNSET)
        if isinstance(was.requires_python, str):
            assert now.requires_python == _in_html(was.requires_python)
        expected = (_in_html(was.yanked) or True) if isinstance(was.yanked, str) else was.yanked
        assert now.yanked == expected


@given(_pages())
def test_writing_changes_nothing(written: ProjectPage) -> None:
    before = msgspec.json.encode(written)
    assert write.json(written) == write.json(written)
    assert write.html(written) == write.html(written)
    assert msgspec.json.encode(written) == before
