"""File addresses: upstream's with a prefix, whatever client escapes it how."""

from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexgate.index.addresses import address_of, canonical, parse, side_url

NAMES = st.text("abcXYZ019-_.+!~ %", min_size=1, max_size=30).filter(
    lambda name: name.strip(". ") and not name.endswith((".metadata", ".asc"))
)
FOLDERS = st.lists(st.text("abc019-_%+ ", min_size=1, max_size=8), max_size=4)


@pytest.mark.parametrize(
    ("url", "filename", "address"),
    [
        ("https://f.example.test/a/x-1.whl", "x-1.whl", "files/https/f.example.test/a/x-1.whl"),
        ("https://F.Example.test/x-1.whl", "x-1.whl", "files/https/f.example.test/x-1.whl"),
        ("http://[::1]:80/x-1.whl", "x-1.whl", "files/http/[::1]:80/x-1.whl"),
        (
            "https://me:pw@f.example.test/x.whl?token=1#a",
            "x.whl",
            "files/https/f.example.test/x.whl",
        ),
        ("https://f.example.test/x%2B1.whl", "x+1.whl", "files/https/f.example.test/x%2B1.whl"),
        ("https://f.example.test/get?id=7", "x-1.whl", "files/https/f.example.test/get/x-1.whl"),
        ("https://f.example.test/", "x-1.whl", "files/https/f.example.test//x-1.whl"),
    ],
)
def test_the_address_is_a_prefix_swap(url: str, filename: str, address: str) -> None:
    assert address_of(url, filename) == address
    asked = parse("/" + address)
    assert asked is not None
    assert asked.filename == filename
    assert asked.path == canonical(address)


@given(NAMES, FOLDERS)
def test_a_listed_file_is_found_by_its_address_however_it_is_escaped(
    name: str, folders: list[str]
) -> None:
    path = "/".join(quote(part, safe="") for part in [*folders, name])
    address = address_of(f"https://f.example.test:8443/{path}", name)
    for spelling in (address, canonical(address), "/".join(map(_loose, address.split("/")))):
        asked = parse("/" + spelling)
        assert asked is not None
        assert (asked.path, asked.filename) == (canonical(address), name)


def _loose(part: str) -> str:
    return quote(unquote(part), safe="!:[]@~+")


@given(st.text(max_size=200))
def test_any_text_is_an_address_or_none(text: str) -> None:
    asked = parse(text)
    if asked is not None:
        assert asked.filename.isprintable()
        assert "/" not in asked.filename


@pytest.mark.parametrize(
    "path",
    [
        "/files/ftp/h/x.whl",
        "/files/http/h/",
        "/files/http//x.whl",
        "/files/http/h",
        "/other/http/h/x.whl",
        "/files/http/h/..%2fx.whl",
        "/files/http/h/a%5cx.whl",
        "/files/http/h/x%0d%0a.whl",
    ],
)
def test_what_cannot_be_a_file_is_none(path: str) -> None:
    assert parse(path) is None


@pytest.mark.parametrize("side", [".metadata", ".asc"])
def test_side_files_belong_to_their_file(side: str) -> None:
    asked = parse(f"/files/https/h.example.test/x-1.whl{side}")
    assert asked is not None
    assert (asked.filename, asked.side) == ("x-1.whl", side)
    assert side_url("https://h.example.test/x-1.whl?a=1#b", side) == (
        f"https://h.example.test/x-1.whl{side}?a=1"
    )
