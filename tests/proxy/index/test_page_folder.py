"""Pages on disk: whole or not at all, and within their bound."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from packaging.utils import NormalizedName

from indexgate.index.packing import digest_of, pack
from indexgate.index.page_folder import PageFolder
from indexgate.index.protocol import Snapshot

DEMO = NormalizedName("demo")


def snapshot(name: str = "demo", body: bytes = b'{"files": []}') -> Snapshot:
    return Snapshot(
        project=NormalizedName(name),
        packed=pack(body),
        content_type="application/vnd.pypi.simple.v1+json",
        url=f"https://index.example.test/simple/{name}/",
        digest=digest_of(body),
        fetched_at=datetime(2026, 11, 22, tzinfo=UTC),
        etag='"e"',
        serial="7",
    )


def test_a_kept_page_comes_back_as_it_was(tmp_path: Path) -> None:
    folder = PageFolder(tmp_path, "i", 1_000_000)
    folder.save(snapshot())
    assert PageFolder(tmp_path, "i", 1_000_000).load(DEMO) == snapshot()


def test_indexes_do_not_share_pages(tmp_path: Path) -> None:
    PageFolder(tmp_path, "i", 1_000_000).save(snapshot())
    assert PageFolder(tmp_path, "j", 1_000_000).load(DEMO) is None


def test_a_forgotten_page_is_gone(tmp_path: Path) -> None:
    folder = PageFolder(tmp_path, "i", 1_000_000)
    folder.save(snapshot())
    folder.forget(DEMO)
    folder.forget(DEMO)
    assert folder.load(DEMO) is None


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "other"])
def test_a_damaged_page_counts_as_none(tmp_path: Path, damage: str) -> None:
    folder = PageFolder(tmp_path, "i", 1_000_000)
    folder.save(snapshot(body=os.urandom(3000)))
    [path] = tmp_path.rglob("??/*")
    content = bytearray(path.read_bytes())
    if damage == "cut":
        content = content[: len(content) // 2]
    elif damage == "flip":
        content[-200] ^= 1
    elif damage == "empty":
        content = bytearray()
    else:
        content = bytearray(b"something else")
    path.write_bytes(content)
    assert folder.load(DEMO) is None


def test_the_pages_not_used_for_longest_go_first(tmp_path: Path) -> None:
    folder = PageFolder(tmp_path, "i", 9_000)
    for place, name in enumerate(("a", "b", "c", "d")):
        folder.save(snapshot(name, os.urandom(3_000)))
        kept = max(tmp_path.rglob("??/*"), key=lambda path: path.stat().st_mtime_ns)
        os.utime(kept, (place, place))
    assert folder.load(NormalizedName("a")) is not None  # used: now it is the newest
    folder.prune()
    left = {name for name in "abcd" if folder.load(NormalizedName(name))}
    assert "a" in left
    assert "b" not in left
    assert sum(path.stat().st_size for path in tmp_path.rglob("??/*")) <= 9_000
