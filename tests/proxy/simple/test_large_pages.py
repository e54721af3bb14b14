"""Large pages are read and written in pieces; nobody can tell from what comes of it."""

import msgspec
import pytest
from packaging.utils import NormalizedName

from indexgate.simple import read, read_json, write
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
