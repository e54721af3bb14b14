import json
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import UNSET, Raw

from indexgate.simple import read
from indexgate.simple.accept import Form
from tests.proxy.simple.pages import FILES, FOO, SHA, URL, document, from_json, listed


def both_ways(page: dict[str, Any]) -> list[dict[str, Any]]:
    """Return *page*, and the same with keys nobody knows: the quick and the careful way."""
    files = [file | {"_x": 1} if isinstance(file, dict) else file for file in page["files"]]
    return [page, page | {"_private": True}, page | {"files": files}]


FULL = document(
    listed(
        "foo-1.0-py3-none-any.whl",
        core_metadata={"sha256": SHA},
        data_dist_info_metadata={"sha256": SHA},
        provenance="https://index.example.test/integrity/foo/1.0/provenance",
        requires_python=">=3.9",
        size=10,
        upload_time="2024-05-01T19:32:11.000123Z",
        yanked="broken <b>\n",
        gpg_sig=True,
    ),
    listed("foo-1.0.tar.gz", core_metadata=False, provenance=None, requires_python=None, size=0),
    versions=["1.0", "2004d", "1.0"],
    project_status={"status": "archived", "reason": "moved"},
)


@pytest.mark.parametrize("page", both_ways(FULL))
def test_every_known_field_is_read(page: dict[str, Any]) -> None:
    read_page = from_json(page)
    wheel, sdist = read_page.files
    assert (read_page.name, read_page.api_version, read_page.dropped) == ("foo", (1, 4), 0)
    assert read_page.versions == ("1.0", "2004d")
    assert (read_page.status, read_page.status_reason) == ("archived", "moved")
    assert wheel.core_metadata == {"sha256": SHA} == wheel.hashes
    assert wheel.provenance == "https://index.example.test/integrity/foo/1.0/provenance"
    assert (wheel.requires_python, wheel.size) == (">=3.9", 10)
    assert wheel.upload_time == "2024-05-01T19:32:11.000123Z"
    assert (wheel.yanked, wheel.gpg_sig) == ("broken <b>\n", True)
    assert (sdist.core_metadata, sdist.provenance, sdist.requires_python) == (False, None, None)
    assert (sdist.size, sdist.upload_time, sdist.yanked, sdist.gpg_sig) == (0, UNSET, False, UNSET)


def test_50_unknown_keys_are_carried_as_they_are() -> None:
    page = document(listed(_x=[1, {"y": None}]), namespaces=None, later={"a": 1.50})
    page["meta"] |= {"_last-serial": "12", "tracks": ["https://a.example.test/foo/"]}
    read_page = from_json(page)
    assert {key: msgspec.json.decode(raw) for key, raw in read_page.meta.items()} == {
        "_last-serial": "12",
        "tracks": ["https://a.example.test/foo/"],
    }
    assert read_page.extra == {"namespaces": Raw(b"null"), "later": Raw(b'{"a": 1.5}')}
    assert read_page.files[0].extra == {"-x": Raw(b'[1, {"y": null}]')}


@pytest.mark.parametrize(
    ("members", "field", "value"),
    [
        pytest.param({"size": None}, "size", UNSET, id="49 null size"),
        pytest.param({"size": -1}, "size", UNSET, id="89 negative size"),
        pytest.param({"size": True}, "size", UNSET, id="89 size true"),
        pytest.param({"size": "12"}, "size", UNSET, id="89 size as text"),
        pytest.param({"upload_time": None}, "upload_time", UNSET, id="49 null time"),
        pytest.param({"upload_time": "soon"}, "upload_time", UNSET, id="90 no time"),
        pytest.param({"upload_time": "2024-02-30T00:00:00Z"}, "upload_time", UNSET, id="90 no day"),
        pytest.param({"upload_time": "2024-01-01T00:00:00"}, "upload_time", UNSET, id="90 no zone"),
        pytest.param(
            {"upload_time": "2024-01-01T02:00:00.5+02:00"},
            "upload_time",
            "2024-01-01T00:00:00.500000Z",
            id="90 another zone",
        ),
        pytest.param(
            {"upload_time": "2024-01-01T02:00:00.5Z"},
            "upload_time",
            "2024-01-01T02:00:00.5Z",
            id="91 digits are kept",
        ),
        pytest.param({"yanked": None}, "yanked", False, id="49 null yanked"),
        pytest.param({"yanked": True}, "yanked", True, id="81 no reason"),
        pytest.param({"yanked": ""}, "yanked", True, id="80 empty reason is a yank"),
        pytest.param({"yanked": "false"}, "yanked", "false", id="81 the reason false"),
        pytest.param({"requires_python": ""}, "requires_python", UNSET, id="95 empty"),
        pytest.param({"requires_python": ">=3.*"}, "requires_python", ">=3.*", id="95 invalid"),
        pytest.param({"requires_python": None}, "requires_python", None, id="49 may be null"),
        pytest.param({"core_metadata": True}, "core_metadata", True, id="78 true"),
        pytest.param({"core_metadata": {}}, "core_metadata", False, id="72 no hash, no file"),
        pytest.param({"core_metadata": {"md4": "00"}}, "core_metadata", True, id="78 odd hash"),
        pytest.param({"data_dist_info_metadata": True}, "core_metadata", True, id="76 the alias"),
        pytest.param({"dist_info_metadata": {"sha256": SHA}}, "core_metadata", {"sha256": SHA}),
        pytest.param(
            {"core_metadata": False, "data_dist_info_metadata": True},
            "core_metadata",
            False,
            id="77 false is not overruled",
        ),
        pytest.param(
            {"core_metadata": None, "dist_info_metadata": True}, "core_metadata", True, id="77 null"
        ),
        pytest.param({"hashes": {}}, "hashes", {}, id="85 none"),
        pytest.param({"hashes": None}, "hashes", {}, id="85 null"),
        pytest.param({"hashes": {"sha256": SHA[:-1]}}, "hashes", {}, id="87 too short"),
        pytest.param({"hashes": {"sha256": "g" * 64}}, "hashes", {}, id="87 not hex"),
        pytest.param({"hashes": {"blake2b": SHA * 2}}, "hashes", {}, id="87 long blake2b"),
        pytest.param({"hashes": {"crc": "00"}}, "hashes", {}, id="87 unknown kind"),
        pytest.param({"hashes": {"SHA256": SHA.upper()}}, "hashes", {"sha256": SHA}, id="84 case"),
        pytest.param(
            {"hashes": {"sha1": "0" * 40, "md5": "0" * 32, "sha512": SHA * 2}},
            "hashes",
            {"sha1": "0" * 40, "md5": "0" * 32, "sha512": SHA * 2},
            id="86 others kept",
        ),
        pytest.param({"gpg_sig": None}, "gpg_sig", UNSET, id="49 null signature"),
        pytest.param({"provenance": "/relative"}, "provenance", UNSET, id="108 not a full URL"),
        pytest.param({"provenance": "javascript:1"}, "provenance", UNSET, id="108 odd scheme"),
    ],
)
def test_a_sloppy_value_does_no_harm(members: dict[str, Any], field: str, value: object) -> None:
    for page in both_ways(document(listed(**members))):
        assert getattr(from_json(page).files[0], field) == value


@pytest.mark.parametrize(
    ("sent", "address"),
    [
        ("../../packages/foo-1.0.tar.gz", "https://index.example.test/packages/foo-1.0.tar.gz"),
        ("/p/foo-1.0.tar.gz", "https://index.example.test/p/foo-1.0.tar.gz"),
        ("//cdn.example.test/foo-1.0.tar.gz", "https://cdn.example.test/foo-1.0.tar.gz"),
        ("foo-1.0.tar.gz", URL + "foo-1.0.tar.gz"),
        ("http://a.example.test:8/foo-1.0.tar.gz", "http://a.example.test:8/foo-1.0.tar.gz"),
        (FILES + "foo-1.0%2Bcu.tar.gz", FILES + "foo-1.0%2Bcu.tar.gz"),
        (FILES + "foo-1.0.tar.gz#sha256=00", FILES + "foo-1.0.tar.gz"),
        (FILES + "a b/foo-1.0.tar.gz", FILES + "a%20b/foo-1.0.tar.gz"),
        (FILES + "x/../foo-1.0.tar.gz", FILES + "foo-1.0.tar.gz"),
        (FILES + "./x:y/a/../foo-1.0.tar.gz", FILES + "x:y/foo-1.0.tar.gz"),
        (FILES + "foo-1.0.tar.gz?token=1", FILES + "foo-1.0.tar.gz?token=1"),
    ],
)
def test_62_addresses_become_absolute(sent: str, address: str) -> None:
    file = listed() | {"url": sent}
    assert [from_json(page).files[0].url for page in both_ways(document(file))] == [address] * 3


@pytest.mark.parametrize(
    "bad",
    [
        {"url": "file:///etc/passwd"},
        {"url": "javascript:alert(1)"},
        {"url": "https:///foo-1.0.tar.gz"},
        {"url": "https://[::1/foo-1.0.tar.gz"},
        {"url": "https://a.example.test:port/foo-1.0.tar.gz"},
        {"url": FILES + "a\r\nb"},
        {"url": FILES + "a\\b"},
        {"url": FILES + "%2e%2e/foo-2.0.tar.gz"},
        {"url": FILES + "%2E%2E%2Ffoo-2.0.tar.gz"},
        {"filename": "../foo-2.0.tar.gz"},
        {"filename": "a/foo-2.0.tar.gz"},
        {"filename": "..\\foo-2.0.tar.gz"},
        {"filename": ".."},
        {"filename": ""},
        {"filename": "foo-2.0\n.tar.gz"},
        {"filename": "foo-2.0\x00.tar.gz"},
        {"filename": "foo-" + "2" * 300 + ".tar.gz"},
        {"filename": "bar-2.0.tar.gz"},
        {"filename": "foo_bar-2.0-py3-none-any.whl"},
        {"filename": "foo-1.0.tar.gz", "url": FILES + "second/foo-1.0.tar.gz"},
        {"filename": 7},
        {"url": None},
    ],
    ids=str,
)
def test_138_142_a_bad_file_goes_and_its_good_neighbours_stay(bad: dict[str, Any]) -> None:
    hostile = listed("foo-2.0.tar.gz") | bad
    for page in both_ways(document(listed(), hostile, listed("foo-3.0.tar.gz"))):
        read_page = from_json(page)
        assert [file.filename for file in read_page.files] == ["foo-1.0.tar.gz", "foo-3.0.tar.gz"]
        assert read_page.files[0].url == FILES + "foo-1.0.tar.gz"
        assert read_page.dropped == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"<html>",
        b'{"meta":{"api-version":"1.0"},"name":"foo","files":[',
        b'{"meta":{"api-version":"1.0"},"name":"foo"}',
        b'{"meta":[],"name":"foo","files":[]}',
        b'{"meta":{"api-version":"new"},"name":"foo","files":[]}',
        b'{"meta":{"api-version":"1.0"},"name":"foo","files":{}}',
        b'{"meta":{"api-version":"1.0"},"name":"foo","files":[1]}',
        b'{"meta":{"api-version":"1.0"},"name":"\xff","files":[]}',
        b'{"meta":{"api-version":"1.0"},"name":"foo","files":[],"x":' + b"[" * 100_000,
        json.dumps(document(listed("bar-1.0.tar.gz"))).encode(),
    ],
)
def test_124_what_is_no_project_page_is_garbage(body: bytes) -> None:
    with pytest.raises(read.Unreadable) as caught:
        from_json(body)
    assert caught.value.kind == "garbage"
    assert caught.value.reason.isascii()


@pytest.mark.parametrize("page", [document(api="2.0"), document(3, api="2.1"), document(api="0.9")])
def test_52_another_major_version_is_refused(page: object) -> None:
    with pytest.raises(read.Unreadable) as caught:
        from_json(page)
    assert caught.value.kind == "version"


@pytest.mark.parametrize(
    ("page", "version"),
    [
        pytest.param({"meta": {}, "name": "foo", "files": []}, (1, 0), id="51 none given"),
        pytest.param({"files": []}, (1, 0), id="51 no meta"),
        pytest.param(document(api="1"), (1, 0), id="major only"),
        pytest.param(document(api=1.1), (1, 1), id="a number"),
        pytest.param(document(api="1.9"), (1, 9), id="53 newer minor"),
    ],
)
def test_the_api_version_is_upstreams_claim(page: object, version: tuple[int, int]) -> None:
    assert from_json(page).api_version == version


@pytest.mark.parametrize(
    ("page", "status", "reason"),
    [
        (document(project_status={"status": "quarantined"}), "quarantined", UNSET),
        (document(project_status={"status": "sunset", "reason": None}), "sunset", UNSET),
        (document(project_status={"state": "archived", "reason": "r"}), "archived", "r"),
        (document(project_status=None), UNSET, UNSET),
        (
            document(
                meta={
                    "api-version": "1.4",
                    "project-status": "deprecated",
                    "project-status-reason": "old",
                },
                x=1,
            ),
            "deprecated",
            "old",
        ),
    ],
)
def test_99_100_the_status_marker_is_read_and_never_mapped(
    page: object, status: object, reason: object
) -> None:
    read_page = from_json(page)
    assert (read_page.status, read_page.status_reason) == (status, reason)


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [
        ("application/json", "garbage"),
        ("application/vnd.pypi.simple.latest+json", "garbage"),
        ("text/plain", "garbage"),
        ("", "garbage"),
        ("\u00e9`\r\n", "garbage"),
        ("application/vnd.pypi.simple.v2+json", "version"),
    ],
)
def test_13_another_content_type_is_not_read(content_type: str, kind: str) -> None:
    body = json.dumps(document()).encode()
    with pytest.raises(read.Unreadable) as caught:
        read.page(body, content_type=content_type, url=URL, project=FOO)
    assert caught.value.kind == kind
    assert caught.value.reason.isascii()
    assert caught.value.reason.isprintable()


def test_the_content_type_may_carry_parameters() -> None:
    body = b"\xef\xbb\xbf" + json.dumps(document()).encode()
    content_type = "Application/vnd.pypi.simple.v1+JSON ; charset=utf-8"
    assert read.page(body, content_type=content_type, url=URL, project=FOO).files == ()


def test_56_57_a_list_names_every_project_once_as_upstream_writes_it() -> None:
    body = json.dumps(
        {
            "meta": {"api-version": "1.4", "_last-serial": 3},
            "projects": [
                {"name": "Foo.Bar", "_last-serial": 1},
                {"name": "foo-bar"},
                {"name": "<bad>"},
                {"name": "b"},
            ],
        }
    ).encode()
    projects = read.project_list(body, content_type=Form.JSON, url=URL)
    assert projects.names == ("Foo.Bar", "b")
    assert projects.api_version == (1, 4)
    assert projects.meta == {"_last-serial": Raw(b"3")}


@pytest.mark.parametrize("body", [b"", b"{}", b'{"projects":[1]}', b'{"projects":{}}'])
def test_a_list_of_another_shape_is_garbage(body: bytes) -> None:
    with pytest.raises(read.Unreadable):
        read.project_list(body, content_type=Form.JSON, url=URL)


Outcome = TypeVar("Outcome")


def page_or_failure(reader: Callable[[], Outcome]) -> Outcome | str:
    """Return what *reader* reads or the clause of its failure, which must be ASCII."""
    try:
        return reader()
    except read.Unreadable as error:
        return error.reason.encode("ascii").decode()


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)
_keys = st.sampled_from(
    [
        *("filename", "url", "hashes", "requires-python", "size", "upload-time", "yanked"),
        *("core-metadata", "data-dist-info-metadata", "gpg-sig", "provenance", "_x"),
    ]
)


@given(
    files=st.lists(_json | st.dictionaries(_keys, _json).map(lambda odd: listed() | odd)),
    odd=st.dictionaries(
        st.sampled_from(["versions", "project-status", "meta", "name", "x"]), _json
    ),
)
def test_any_document_is_a_page_or_unreadable(files: list[object], odd: dict[str, object]) -> None:
    outcome = page_or_failure(lambda: from_json(document(*files) | odd))
    if not isinstance(outcome, str):
        assert len(outcome.files) + outcome.dropped == len(files)


@given(body=st.binary(), form=st.sampled_from(Form))
def test_any_bytes_are_a_page_or_unreadable(body: bytes, form: Form) -> None:
    page_or_failure(lambda: read.page(body, content_type=form, url=URL, project=FOO))
    page_or_failure(lambda: read.project_list(body, content_type=form, url=URL))


_marks = st.text(alphabet="/.:%2eEfF?#\\ @[]a~\n;", max_size=20)


@given(start=st.sampled_from(["", "/", "//h.example.test/", FILES, "file:///"]), rest=_marks)
def test_138_no_address_leaves_the_web_or_climbs(start: str, rest: str) -> None:
    file = listed() | {"url": start + rest}
    outcome = page_or_failure(lambda: from_json(document(listed("foo-2.0.tar.gz"), file)))
    assert not isinstance(outcome, str)
    for kept in outcome.files:
        parts = urlsplit(kept.url)
        assert parts.scheme in {"http", "https"}
        assert parts.hostname
        assert not {".", ".."} & set(unquote(parts.path).split("/"))
        assert kept.url.isascii()
        assert not set(kept.url) & set(" \\\n#")


_sloppy = {
    "filename": st.sampled_from(["foo-2.0.tar.gz", "Foo-1-py3-none-any.whl", "a-1.zip", "foo-1.0"]),
    "url": st.builds(str.__add__, st.sampled_from([FILES, "/", "http://h:80/"]), _marks),
    "hashes": st.sampled_from([{}, {"sha256": SHA}, {"sha256": " " * 64}, {"sha256": "F" * 64}]),
    "upload-time": st.sampled_from(
        ["2024-01-01T00:00:00Z", "2024-W01-1T00:00:00Z", "20240101T000000Z0000", "2024-01-01"]
    ),
    "core-metadata": st.sampled_from([None, True, False, {}, {"sha256": SHA}, {"md5": "x"}]),
    "dist-info-metadata": st.booleans(),
    "provenance": st.sampled_from([None, "https://p.example.test/", "x", "https://"]),
}


@example(odd={"url": f"{FILES}foo-1.0.tar.gz;"})
@given(odd=st.fixed_dictionaries({}, optional=_sloppy))
def test_the_quick_and_the_careful_way_read_alike(odd: dict[str, object]) -> None:
    page = document(listed("foo-9.0.tar.gz"), listed() | odd)
    careful = document(*(file | {"_x": 1} for file in page["files"]))
    files = from_json(careful).files
    assert from_json(page).files == tuple(msgspec.structs.replace(f, extra={}) for f in files)
