"""Large pages are read and written in pieces; nobody can tell from what comes of it."""

import msgspec
import pytest
from packaging.utils import NormalizedName

from indexgate.simple import page_pieces, read, read_json, write
from indexgate.simple.model import ProjectPage, Unreadable
from tests.standins.pages import JSON_TYPE

ENTRIES = [
    {
        "filename": f"demo-{n}.0.tar.gz",
        "url": f"https://f.example.test/{n}/demo-{n}.0.tar.gz",
        "hashes": {"sha256": f"{n:064x}"},
        "size": n,
        "requires-python": ">=3.8,<4" if n % 3 else None,
        "yanked": "broken, and \u2028 more" if n % 7 == 0 else False,
    }
    for n in range(2501)
]


def page(*more: object) -> bytes:
    files = [*ENTRIES, *more]
    return msgspec.json.encode(
        {"meta": {"api-version": "1.1"}, "name": "demo", "versions": ["1.0"], "files": files}
    )


def reading(body: bytes) -> ProjectPage:
    return read.page(
        body,
        content_type=JSON_TYPE,
        url="https://index.example.test/simple/demo/",
        project=NormalizedName("demo"),
    )


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"filename": "demo-9999.0.tar.gz", "url": "../x.tar.gz", "hashes": {}, "new-key": [1]},
        {"filename": 7, "url": "https://f.example.test/x", "hashes": {}},
        {"filename": "other-1.0.tar.gz", "url": "https://f.example.test/x", "hashes": {}},
    ],
    ids=["nothing", "a new key", "a wrong value", "another's file"],
)
def test_pieces_make_the_same_page(odd: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    body = page(odd) if odd else page()
    whole = reading(body)
    written = write.json(whole)
    monkeypatch.setattr(read_json, "_LARGE", 0)
    assert reading(body) == whole
    monkeypatch.setattr(write, "_PIECE", 10_000)
    assert write.json(whole) == written
    assert len(msgspec.json.decode(written)["files"]) >= len(ENTRIES)


def test_a_large_page_that_is_cut_off_is_no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_json, "_LARGE", 0)
    with pytest.raises(Unreadable, match="cut off"):
        reading(page()[:-20])


FILE = (
    b'{"filename":"demo-%d.0.tar.gz","url":"https://f.example.test/demo-%d.0.tar.gz","hashes":{}}'
)
LISTED = b",".join(FILE % (n, n) for n in range(3))
HEAD = b'"meta":{"api-version":"1.1"},"name":"demo"'


@pytest.mark.parametrize(
    "body",
    [
        b'{"files":[%b],%b}' % (LISTED, HEAD),
        b'{%b,"files":[%b]}' % (HEAD, LISTED),
        b'{%b, "files": [%b] }' % (HEAD, LISTED.replace(b",{", b", {")),
        b'{"alternate-locations":[],"files":[%b],%b,"versions":["1"]}' % (LISTED, HEAD),
        b'{"files":[%b],%b}' % (LISTED[:-1] + b',"yanked":"},{"}', HEAD),
        b'{"files":[%b],%b}' % (LISTED[:-1] + b',"yanked":"}],"}', HEAD),
        b'{"files":[%b],%b,"namespaces":[{"files":[]}]}' % (LISTED, HEAD),
        b'{"files":[%b],%b,"files":[]}' % (LISTED, HEAD),
        b'{"files":[%b],%b,"f\\u0069les":[]}' % (LISTED, HEAD),
        b'{"files":[],%b,"files":[%b]}' % (HEAD, LISTED),
        b'{"namespaces":{"files":[%b]},%b,"files":[]}' % (LISTED, HEAD),
        b'{"namespaces":"\\"files\\":[","files":[%b],%b}' % (LISTED, HEAD),
        b'{"namespaces":[{"a":1}],"files":[],%b}' % HEAD,
        b'{"files":[%b,],%b}' % (LISTED, HEAD),
        b'{"files":[%b]],%b}' % (LISTED, HEAD),
        b'{"files":[%b],%b' % (LISTED, HEAD),
        b'[{"files":[%b]}]' % LISTED,
        b'{"files":[%b,{}],%b}' % (LISTED, HEAD),
    ],
)
def test_wherever_a_page_is_cut_it_is_what_it_is_as_a_whole(
    body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def said() -> ProjectPage | str:
        try:
            return reading(body)
        except Unreadable as error:
            return error.reason

    whole = said()
    monkeypatch.setattr(read_json, "_LARGE", 0)
    monkeypatch.setattr(page_pieces, "_PIECE", 1)
    assert said() == whole


def test_a_page_like_those_of_most_indexes_is_decoded_in_pieces(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(page_pieces, "_PIECE", 1)
    for body in (b'{"files":[%b],%b}' % (LISTED, HEAD), b'{%b,"files":[%b]}' % (HEAD, LISTED)):
        pieces = page_pieces.in_pieces(body)
        assert pieces is not None
        assert [file.filename for file in pieces[1]] == [f"demo-{n}.0.tar.gz" for n in range(3)]
