"""File addresses: upstream's with a prefix, whatever client escapes it how."""

from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexgate.index.addresses import (
    address_of,
    authority_of,
    canonical,
    origin_of,
    parse,
    side_url,
)

NAMES = st.text("abcXYZ019-_.+!~ %", min_size=1, max_size=30).filter(
    lambda name: name.strip(". ") and not name.endswith((".metadata", ".asc"))
)
FOLDERS = st.lists(st.text("abc019-_%+ ", min_size=1, max_size=8), max_size=4)


@pytest.mark.parametrize(
    ("url", "filename", "address"),
    [
        ("https://f.example.test/a/x-1.whl", "x-1.whl", "files/https/f.example.test/a/x-1.whl"),
        ("https://F.Example.test/x-1.whl", "x-1.whl", "files/https/f.example.test/x-1.whl"),
        ("http://127.0.0.1:80/a/x-1.whl", "x-1.whl", "files/http/127.0.0.1~80/a/x-1.whl"),
        ("http://me@H:80/x-1.whl?a=1", "x-1.whl", "files/http/h~80/x-1.whl"),
        ("http://h:80/get?id=7", "x-1.whl", "files/http/h~80/get/x-1.whl"),
        ("http://h~80/~me/x-1.whl", "x-1.whl", "files/http/h~80/~me/x-1.whl"),
        ("http://h/a~80/x~1.whl", "x~1.whl", "files/http/h/a~80/x~1.whl"),
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


HOSTS = st.from_regex(r"[a-z0-9]([a-z0-9.-]{0,8}[a-z0-9])?", fullmatch=True)
PORTS = st.one_of(st.none(), st.integers(0, 65535))


@given(HOSTS, PORTS, NAMES, FOLDERS)
def test_a_port_is_found_behind_a_tilde_and_behind_a_colon(
    host: str, port: int | None, name: str, folders: list[str]
) -> None:
    path = "/".join(quote(part, safe="") for part in [*folders, name])
    authority = host if port is None else f"{host}:{port}"
    address = address_of(f"http://{authority}/{path}", name)
    start, rest = origin_of(f"http://{authority}/"), f"/{path}"
    assert address == start + path
    marks = ("~", "%7E", "%7e", ":", "%3A", "%3a") if port is not None else ("",)
    for mark in marks:
        written = host if port is None else f"{host}{mark}{port}"
        asked = parse(f"/files/http/{written}{rest}")
        assert asked is not None
        assert asked.path == canonical(address)
        assert authority_of(written) == authority


def test_what_is_stored_by_its_address_is_found_again() -> None:
    address = address_of("http://127.0.0.1:8081/a/x-1.whl", "x-1.whl")
    assert canonical(address) == "files/http/127.0.0.1%3A8081/a/x-1.whl"


@pytest.mark.parametrize("segment", ["h~", "~80", "h~80~80", "h~x", "H~80", "[::1]~80"])
def test_no_other_tilde_is_a_ports(segment: str) -> None:
    assert authority_of(segment) == segment
    assert canonical(f"files/http/{segment}/x") == f"files/http/{quote(segment, safe='')}/x"


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
