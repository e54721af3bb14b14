"""A page that is taken as it stands reads, and is written, as one that is read with care."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import NormalizedName

from indexgate.simple import ordinary, read_json, write
from indexgate.simple.model import PageFile, ProjectPage
from indexgate.simple.ordinary_files import OrdinaryFiles

FOO = NormalizedName("foo")
URL = "https://index.example.test/simple/foo/"
SHA = "0123456789abcdef" * 4


def body(*files: dict[str, Any], api: str = "1.3") -> bytes:
    return msgspec.json.encode(
        {"meta": {"api-version": api}, "name": "foo", "files": files, "versions": ["1.0"]}
    )


def listed(filename: str, **members: object) -> dict[str, Any]:
    named = {key.replace("_", "-"): value for key, value in members.items()}
    given = {
        "filename": filename,
        "url": f"https://files.example.test/a/{filename}",
        "hashes": {"sha256": SHA},
        "size": 1,
    }
    return given | named


def reading(page: bytes, *, known: bool = False) -> ProjectPage:
    return read_json.read_page(page, url=URL, project=FOO, known=known)


def with_care(page: bytes, monkeypatch: pytest.MonkeyPatch) -> ProjectPage:
    with monkeypatch.context() as patch:
        patch.setattr(read_json, "ordinary", lambda _files, _project, *, known: None)
        return reading(page)


def below(prefix: str) -> Callable[[str], str]:
    return lambda origin: prefix + origin.replace("://", "/", 1)


def moved(page: ProjectPage, prefix: str) -> ProjectPage:
    assert isinstance(page.files, OrdinaryFiles)
    return msgspec.structs.replace(page, files=page.files.moved(below(prefix), {}))


ORDINARY = [
    listed("foo-1.0.tar.gz"),
    listed("Foo-1.0-py3-none-any.whl", requires_python=">=3.8", core_metadata={"sha256": SHA}),
    listed("foo-1.1.tar.gz", yanked='broken: "url":"https://files.example.test/'),
    listed("foo-1.2.tar.gz", upload_time="2024-02-29T10:00:00.123456Z", yanked=True),
    listed("foo-1.3.tar.gz", upload_time="2024-02-29T10:00:00Z", core_metadata=False),
    listed("foo-1.4.zip", url="http://other.example.test:8080/foo-1.4.zip", gpg_sig=True),
    listed("foo-1.5+cu1-py3-none-any.whl", url="https://f.example.test/foo-1.5%2Bcu1-py3-none-any.whl"),
    listed("foo-1.6.tar.gz", core_metadata=True, data_dist_info_metadata={"sha256": SHA}),
    listed("foo-1.7-py2.7-linux-i686.egg", provenance="https://p.example.test/foo-1.7"),
    listed("foo-1.8.win32-py2.7.exe", provenance=None, requires_python=None, core_metadata=None),
]  # fmt: skip


def test_what_is_known_to_be_ordinary_reads_the_same_without_another_look() -> None:
    first, again = reading(body(*ORDINARY)), reading(body(*ORDINARY), known=True)
    assert isinstance(first.files, OrdinaryFiles)
    assert isinstance(again.files, OrdinaryFiles)
    assert again == first
    assert again.files.versions == first.files.versions
    assert write.json(again) == write.json(first)
    odd = body(listed("foo-1.0.tar.gz", url="foo-1.0.tar.gz#sha256=1"))
    assert isinstance(reading(odd, known=True).files, OrdinaryFiles)
    assert not isinstance(reading(odd).files, OrdinaryFiles)


def test_ordinary_files_read_as_they_would_with_care(monkeypatch: pytest.MonkeyPatch) -> None:
    page = reading(body(*ORDINARY))
    assert isinstance(page.files, OrdinaryFiles)
    careful = with_care(body(*ORDINARY), monkeypatch)
    assert isinstance(careful.files, tuple)
    assert tuple(page.files) == careful.files
    assert page.files[-1] == careful.files[-1]
    assert page.files[1:3] == careful.files[1:3]
    assert list(page.files.filenames) == [file.filename for file in careful.files]


@pytest.mark.parametrize("api", ["1.0", "1.1", "1.3", "1.4"])
@pytest.mark.parametrize("form", [write.json, write.html])
def test_ordinary_files_are_written_as_they_would_be_with_care(
    form: Any, api: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = body(*ORDINARY, api=api)
    assert form(reading(page)) == form(with_care(page, monkeypatch))


@pytest.mark.parametrize("form", [write.json, write.html])
@pytest.mark.parametrize("prefix", ["../../files/", "https://gate.example.test/a/files/"])
def test_only_addresses_are_other_ones_when_files_are_moved(
    form: Any, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = body(*ORDINARY)
    careful = with_care(page, monkeypatch)
    one_by_one = tuple(
        msgspec.structs.replace(file, url=prefix + file.url.replace("://", "/", 1))
        for file in careful.files
    )
    by_hand = msgspec.structs.replace(careful, files=one_by_one)
    assert form(moved(reading(page), prefix)) == form(by_hand)
    assert tuple(moved(reading(page), prefix).files) == one_by_one


def test_a_file_instead_of_another_is_moved_with_it() -> None:
    files = reading(body(*ORDINARY)).files
    assert isinstance(files, OrdinaryFiles)
    other = msgspec.structs.replace(files[1], yanked='"url":"https://x.example.test/')
    shown = files.moved(below("../../files/"), {1: other})
    assert shown[1].yanked == other.yanked
    assert shown[1].url == "../../files/https/files.example.test/a/Foo-1.0-py3-none-any.whl"
    written = write.json(msgspec.structs.replace(reading(body(*ORDINARY)), files=shown))
    entries = msgspec.json.decode(written)["files"]
    assert entries[1]["yanked"] == other.yanked
    assert [entry["url"] for entry in entries] == [file.url for file in shown]


def test_files_are_left_out_by_name() -> None:
    files = reading(body(*ORDINARY)).files
    assert isinstance(files, OrdinaryFiles)
    left = files.without({"foo-1.0.tar.gz", "foo-1.4.zip", "not-there"})
    assert list(left) == [f for f in files if f.filename not in {"foo-1.0.tar.gz", "foo-1.4.zip"}]
    assert len(left.uploads) == len(left)
    assert files.without({"not-there"}) is files


@pytest.mark.parametrize(
    "odd",
    [
        listed("foo-9.tar.gz", url="../foo-9.tar.gz"),
        listed("foo-9.tar.gz", url="https://files.example.test/a/../foo-9.tar.gz"),
        listed("foo-9.tar.gz", url="https://files.example.test/a/%2e%2e/foo-9.tar.gz"),
        listed("foo-9.tar.gz", url="https://files.example.test//foo-9.tar.gz"),
        listed("foo-9.tar.gz", url="https://files.example.test/other-9.tar.gz"),
        listed("foo-9.tar.gz", url="https://files.example.test/foo-9.tar.gz#sha256=1"),
        listed("foo-9.tar.gz", url="https://files.example.test/foo-9.tar.gz?a=1"),
        listed("foo-9.tar.gz", url="https://Files.example.test/foo-9.tar.gz"),
        listed("foo-9.tar.gz", url="https://me@files.example.test/foo-9.tar.gz"),
        listed("foo-9.tar.gz", url="https://files.example.test:99999/foo-9.tar.gz"),
        listed("foo-9.tar.gz", url="https:///a/foo-9.tar.gz"),
        listed("foo-9.tar.gz", url="https:/files.example.test//foo-9.tar.gz"),
        listed("foo-9.tar.gz", url="https://files.example.test/.a/foo-9.tar.gz"),
        listed("foo-9.tar.gz", url="https://files.example.test/\u00e4/foo-9.tar.gz"),
        listed("foo-9.tar.gz", url="https://files.example.test/a/\nhttps://b.test/a/foo-9.tar.gz"),
        listed("foo-9.tar.gz", url="https://files.example.test/a\nb/foo-9.tar.gz"),
        listed("foo-9.tar.gz", url="ftp://files.example.test/foo-9.tar.gz"),
        listed("foo-9.tar.gz", hashes={}),
        listed("foo-9.tar.gz", hashes={"sha256": SHA.upper()}),
        listed("foo-9.tar.gz", hashes={"sha256": SHA[1:]}),
        listed("foo-9.tar.gz", hashes={"sha256": f"{SHA}0"}),
        listed("foo-9.tar.gz", hashes={"sha2560": SHA[1:]}),
        listed("foo-9.tar.gz", hashes={"sha256": SHA, "md5": "0" * 32}),
        listed("foo-9.tar.gz", hashes=["sha256"]),
        listed("foo-9.tar.gz", core_metadata={"sha512": "0" * 128}),
        listed("foo-9.tar.gz", core_metadata="true"),
        listed("foo-9.tar.gz", core_metadata=7),
        listed("foo-9.tar.gz", dist_info_metadata=True),
        listed("foo-9.tar.gz", core_metadata=None, data_dist_info_metadata=True),
        listed("foo-9.tar.gz", upload_time="2024-02-30T10:00:00.123456Z"),
        listed("foo-9.tar.gz", upload_time="2024-02-29 10:00:00.123456Z"),
        listed("foo-9.tar.gz", upload_time="2024-02-29T10:00:00.123456"),
        listed("foo-9.tar.gz", upload_time="2024-02-29T10:00:00+00:00"),
        listed("foo-9.tar.gz", upload_time=""),
        listed("foo-9.tar.gz", upload_time="2024-02-29T10:00:00.12345Z"),
        listed("foo-9.tar.gz", upload_time="20240-2-29T10:00:00.123456Z"),
        listed("foo-9.tar.gz", upload_time="2024-02-29T10:00:00Z\n2024-02-29T10:00:00Z"),
        listed("foo-9.tar.gz", provenance="relative"),
        listed("foo-1.0.tar.gz"),
        listed("bar-1.0.tar.gz"),
        listed("bar-1.0-py3-none-any.whl"),
        listed("foo-..-1.0.tar.gz"),
        listed("foo 1.0.tar.gz", url="https://files.example.test/foo%201.0.tar.gz"),
        listed("foo-" + "1" * 255 + ".tar.gz"),
        listed(".foo-9-1.tar.gz"),
        listed("foo-9.tar.gz", url="https://foo-9.tar.gz"),
        listed("foo-9.tar.gz", url="foo-9.tar.gz"),
        listed("foo-9.tar.gz", url="https://files.example.test/\nfoo-9.tar.gz"),
        listed("foo-9.tar.gz", url="https://files.example.test/a/foo-9.tar.gz/"),
        listed("foo-9.tar.gz", url="https://files.example.test/a/foo-8.tar.gz/"),
        listed("foo-9.tar.gz", url="https://files.example.test/a/xfoo-9.tar.gz"),
    ],
)
def test_one_odd_file_and_the_page_is_read_with_care(
    odd: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for others in (ORDINARY, ORDINARY[:1]):  # the latter's addresses all end in the names
        page = body(*others, odd)
        assert reading(page) == with_care(page, monkeypatch)
        assert isinstance(reading(page).files, tuple)


NAMES = st.from_regex(
    r"(foo|Foo|f)[-.][0-9a.+-]{0,6}(\.tar\.gz|\.zip|-py3-none-any\.whl)", fullmatch=True
)
PLACES = st.sampled_from(["https://a.test/", "http://b.test/x/", "https://a.test/%41/", "../", ""])
MEMBERS = st.fixed_dictionaries(
    {},
    optional={
        "upload-time": st.sampled_from(["2024-01-01T00:00:00Z", "2024-01-01T00:00:00.5Z", "x"]),
        "core-metadata": st.sampled_from([True, False, None, {"sha256": SHA}, {"sha256": "0"}, {}]),
        "dist-info-metadata": st.sampled_from([True, None, {"sha256": SHA}]),
        "hashes": st.sampled_from([{}, {"sha256": SHA}, {"sha256": SHA[:63] + "G"}]),
        "yanked": st.sampled_from([False, True, "why"]),
        "provenance": st.sampled_from([None, "https://p.test/x", "https://p.test/x?y"]),
    },
)  # fmt: skip


@given(st.lists(st.tuples(NAMES, PLACES, MEMBERS), min_size=1, max_size=4))
def test_no_page_tells_how_it_was_read(sent: list[tuple[str, str, dict[str, Any]]]) -> None:
    page = body(*(listed(name, url=at + name) | more for name, at, more in sent))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ordinary, "_IN_NAMES", b"")  # then nothing is ordinary
        try:
            careful = reading(page)
        except Exception as error:
            patch.undo()
            with pytest.raises(type(error)):
                reading(page)
            return
    assert isinstance(careful.files, tuple)
    assert all(isinstance(file, PageFile) for file in careful.files)
    assert reading(page) == careful
    assert write.json(reading(page)) == write.json(careful)
