"""Listings: small ones stay, a huge one stays for a moment, and none is read twice at once."""

import asyncio
import threading
from datetime import UTC, datetime

import pytest
from packaging.utils import NormalizedName

from indexgate.index.listing import Listing, listing
from indexgate.index.packing import pack
from indexgate.index.protocol import Snapshot, UpstreamFailed
from indexgate.index.subjects import releases
from indexgate.listings import Listings

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def read(name: str, files: int, digest: str = "d") -> Listing:
    links = "".join(f'<a href="{name}-{n}.tar.gz">{name}-{n}.tar.gz</a>' for n in range(files))
    snapshot = Snapshot(
        project=NormalizedName(name),
        packed=pack(links.encode()),
        content_type="text/html",
        url=f"https://index.example.test/simple/{name}/",
        digest=digest,
        fetched_at=NOW,
    )
    page = snapshot.page()
    return listing(snapshot, page, *releases(page, index_id="i", public=True, first_seen=NOW))


def names(listings: Listings, *asked: str) -> list[str]:
    return [name for name in asked if listings.of(NormalizedName(name), "d") is not None]


async def test_many_small_ones_and_the_latest_huge_one_are_kept() -> None:
    listings = Listings(10, stays=100)
    for name, files in (("a", 3), ("b", 3), ("huge", 350), ("huger", 370), ("c", 3)):
        listings.keep(read(name, files))
    assert names(listings, "a", "b", "c", "huge", "huger") == ["b", "c", "huger"]


async def test_large_ones_do_not_drive_out_small_ones() -> None:
    listings = Listings(10, stays=100)
    for name, files in (("a", 3), ("b", 3), ("large", 30), ("larger", 148), ("largest", 151)):
        listings.keep(read(name, files))
    assert names(listings, "a", "b", "large", "larger", "largest") == ["a", "b", "largest"]


async def test_a_page_that_became_large_takes_the_place_of_the_small_one_and_back() -> None:
    listings = Listings(10, stays=100)
    for files in (1, 20, 350, 2):
        listings.keep(read("a", files, digest=f"of {files}"))
        for other in (1, 20, 350, 2):
            found = listings.of(NormalizedName("a"), f"of {other}")
            assert (found is not None) == (other == files)


async def test_another_state_of_the_page_is_another_listing() -> None:
    listings = Listings(10)
    listings.keep(read("a", 1, digest="old"))
    assert names(listings, "a") == []
    listings.keep(read("a", 1))
    assert names(listings, "a") == ["a"]


@pytest.mark.parametrize("files", [50, 350])
async def test_a_large_one_goes_by_itself(monkeypatch: pytest.MonkeyPatch, files: int) -> None:
    listings = Listings(10, stays=0)
    due: list[object] = []
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "call_later", lambda _seconds, work: due.append(work))
    listings.keep(read("a", files))
    assert len(due) == 1
    assert names(listings, "a") == []


async def test_all_who_ask_at_once_share_one_reading_that_outlives_them() -> None:
    listings = Listings(10)
    begun, go, count = threading.Event(), threading.Event(), 0

    def reading() -> Listing:
        nonlocal count
        count += 1
        begun.set()
        go.wait(30)
        return read("a", 1)

    asks = [asyncio.create_task(listings.read(NormalizedName("a"), "d", reading)) for _ in range(5)]
    await asyncio.to_thread(begun.wait, 30)
    for ask in asks[:4]:
        ask.cancel()
    go.set()
    assert (await asks[4]).project.name == "a"
    assert count == 1
    assert names(listings, "a") == ["a"]


async def test_what_cannot_be_read_is_told_and_tried_again() -> None:
    def broken() -> Listing:
        raise UpstreamFailed("garbage", "sent garbage")

    listings = Listings(10)
    for _ in range(2):
        with pytest.raises(UpstreamFailed):
            await listings.read(NormalizedName("a"), "d", broken)
    found = await listings.read(NormalizedName("a"), "d", lambda: read("a", 1))
    assert found.page.files
