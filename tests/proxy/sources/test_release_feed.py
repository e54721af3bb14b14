from contextlib import suppress
from datetime import UTC, datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexgate.sources.protocol import SourceFailed
from indexgate.sources.release_feed import MOST, Released, ReleaseFeed, address, read
from tests.proxy.sources.asking import NOW, OTHER, SAMPLE, budget
from tests.standins.faults import CutOff, Fault, Huge, Status, captive_portal, garbage
from tests.standins.release_feed import PATH, ReleaseFeedService, feed

FIRST = ("Sample.Project", "4.0.0", "Tue, 01 Sep 2026 10:00:00 GMT")
SECOND = ("other-project", "1.0rc1", "Tue, 01 Sep 2026 13:00:00 +0200")


def source(asking: httpx.AsyncClient, service: ReleaseFeedService) -> ReleaseFeed:
    return ReleaseFeed(asking, budget("release-feed"), index_url=service.url)


async def test_releases_are_told_newest_first(asking: httpx.AsyncClient) -> None:
    async with ReleaseFeedService(FIRST, SECOND) as service:
        found = await source(asking, service).recent(NOW)
    assert found == (
        Released(project=OTHER, version="1.0rc1", at=datetime(2026, 9, 1, 11, tzinfo=UTC)),
        Released(project=SAMPLE, version="4.0.0", at=datetime(2026, 9, 1, 10, tzinfo=UTC)),
    )


async def test_what_is_still_to_come_is_left_out(asking: httpx.AsyncClient) -> None:
    async with ReleaseFeedService(("x", "1", "Thu, 01 Jan 2099 00:00:00 GMT")) as service:
        assert await source(asking, service).recent(NOW) == ()


@pytest.mark.parametrize(
    ("index_url", "expected"),
    [
        ("https://index.example.test/simple/", "https://index.example.test/rss/updates.xml"),
        ("https://index.example.test/x/simple", "https://index.example.test/x/rss/updates.xml"),
        ("https://index.example.test/", None),
    ],
)
def test_the_feed_stands_beside_the_simple_index(index_url: str, expected: str | None) -> None:
    assert address(index_url) == expected


async def test_an_index_without_a_known_place_for_it_is_not_asked(
    asking: httpx.AsyncClient,
) -> None:
    lone = ReleaseFeed(asking, budget("release-feed"), index_url="http://example.test/packages/")
    with pytest.raises(SourceFailed, match="does not end in `/simple/`"):
        await lone.recent(NOW)


@pytest.mark.parametrize(
    "entry",
    [
        ("../sample", "1.0", FIRST[2]),
        ("sample", "one", FIRST[2]),
        ("", "1.0", FIRST[2]),
        ("sample", "1.0", "yesterday"),
        ("sample", "1.0", ""),
    ],
)
def test_an_entry_that_is_no_release_is_left_out(entry: tuple[str, str, str]) -> None:
    assert [found.version for found in read(feed(entry, FIRST))] == ["4.0.0"]


LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'
    b"<rss><channel><item><title>&b; 1.0</title></item></channel></rss>"
)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Status(status=404), "answered 404 Not Found"),
        (Status(status=500), "answered 500 Internal Server Error"),
        (CutOff(after=60), "broke off in the middle of the answer"),
        (Huge(size=MOST + 1_000_000), "answered more than 2,000,000 bytes"),
        (captive_portal(), "with declarations of its own"),
        (garbage(b""), "answered what is not a feed"),
        (garbage(b"<rss><channel>"), "answered what is not a feed"),
        (garbage(b"<feed/>"), "answered what is not a feed"),
        (garbage(LAUGHS), "with declarations of its own"),
        (garbage(LAUGHS.decode().encode("utf-16")), "answered what is not a feed"),
        (garbage(b"\xff\xfe<rss/>"), "answered what is not a feed"),
    ],
)
async def test_what_is_no_feed_is_a_failure(
    asking: httpx.AsyncClient, fault: Fault, reason: str
) -> None:
    async with ReleaseFeedService(FIRST) as service:
        service.fault(PATH, fault)
        with pytest.raises(SourceFailed, match=reason):
            await source(asking, service).recent(NOW)


@given(st.binary(max_size=80), st.integers(0, 500), st.integers(0, 80))
def test_other_bytes_in_a_feed_are_read_or_garbage(others: bytes, place: int, less: int) -> None:
    body = feed(FIRST, SECOND)
    with suppress(SourceFailed):
        list(read(body[:place] + others + body[place + less :]))
