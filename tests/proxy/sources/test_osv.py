import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from indexgate.sources.osv import OsvFeed
from indexgate.sources.osv_archive import Limits
from indexgate.sources.osv_records import FeedState, Record
from indexgate.sources.outbound import client
from indexgate.sources.protocol import SourceFailed
from tests.standins.faults import (
    CutOff,
    Edited,
    Fault,
    Hold,
    Huge,
    Status,
    captive_portal,
    garbage,
    redirect,
    too_many_requests,
)
from tests.standins.osv import WRITTEN, OsvBucket, archive, malware, vulnerability

NOW = datetime(2026, 9, 2, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
ZIP = "/PyPI/all.zip"
LIST = "/PyPI/modified_id.csv"
BOMB = Huge(size=40_000_000, compressed=True)


class Held:
    """A sink in memory that changes all at once or not at all, as the contract says."""

    def __init__(self) -> None:
        self.records: dict[str, Record] = {}
        self.state: FeedState | None = None
        self.applied: list[str] = []

    def replace_all(self, records: Iterable[Record], feed: FeedState) -> int:
        self.records, self.state = {record.id: record for record in records}, feed
        return len(self.records)

    def apply(self, changed: Iterable[Record], feed: FeedState) -> int:
        for record in changed:
            self.applied.append(record.id)
            if record.withdrawn:
                self.records.pop(record.id, None)
            else:
                self.records[record.id] = record
        self.state = feed
        return len(self.applied)

    def feed_state(self) -> FeedState | None:
        return self.state

    def names(self) -> set[str]:
        return {name for record in self.records.values() for name, _ in record.advisories}


@pytest.fixture
async def bucket() -> AsyncIterator[OsvBucket]:
    async with OsvBucket(malware(7, "bad"), vulnerability(8, "weak")) as running:
        yield running


@pytest.fixture
async def asking() -> AsyncIterator[httpx.AsyncClient]:
    async with client(timeout=10) as opened:
        yield opened


@pytest.fixture
def sink() -> Held:
    return Held()


def feed_of(bucket: OsvBucket, asking: httpx.AsyncClient, sink: Held, **more: Any) -> OsvFeed:
    return OsvFeed(asking, sink, base=bucket.origin, **more)


async def test_the_first_refresh_takes_the_whole_feed(
    bucket: OsvBucket, asking: httpx.AsyncClient, sink: Held
) -> None:
    state = await feed_of(bucket, asking, sink).refresh(NOW)
    assert sink.names() == {"ancient", "bad", "weak"}
    assert state == FeedState(fetched_at=NOW, newest_modified=WRITTEN, etag=None, records=3)
    assert sink.state == state
    assert bucket.log == [ZIP]
    assert bucket.headers[ZIP]["User-Agent"].startswith("indexgate/")


async def test_later_only_what_changed_is_fetched_and_then_nothing(
    bucket: OsvBucket, asking: httpx.AsyncClient, sink: Held
) -> None:
    feed = feed_of(bucket, asking, sink)
    await feed.refresh(NOW)
    changed = NOW + timedelta(minutes=30)
    bucket.put(malware(9, "new", modified=changed))
    bucket.log.clear()

    state = await feed.refresh(LATER)
    assert "new" in sink.names()
    assert state.newest_modified == changed
    assert ZIP not in bucket.log

    bucket.log.clear()
    again = await feed.refresh(LATER + timedelta(hours=1))
    assert bucket.log == [LIST]
    assert again == FeedState(
        fetched_at=LATER + timedelta(hours=1),
        newest_modified=changed,
        etag=state.etag,
        records=3,
    )
    assert sink.state == again


async def test_a_record_that_arrives_out_of_order_is_not_missed(
    bucket: OsvBucket, asking: httpx.AsyncClient, sink: Held
) -> None:
    feed = feed_of(bucket, asking, sink)
    await feed.refresh(NOW)
    bucket.put(malware(9, "late", modified=WRITTEN - timedelta(minutes=50)))
    await feed.refresh(LATER)
    assert "late" in sink.names()


async def test_a_record_is_fetched_once_although_the_overlap_shows_it_again(
    bucket: OsvBucket, asking: httpx.AsyncClient, sink: Held
) -> None:
    feed = feed_of(bucket, asking, sink)
    await feed.refresh(NOW)
    bucket.put(malware(9, "one", modified=WRITTEN + timedelta(minutes=5)))
    await feed.refresh(LATER)
    bucket.put(malware(10, "two", modified=WRITTEN + timedelta(minutes=6)))
    bucket.log.clear()
    await feed.refresh(LATER)
    assert bucket.log == [LIST, "/PyPI/MAL-2026-10.json"]


async def test_a_record_that_was_withdrawn_or_left_pypi_is_handed_over_as_gone(
    bucket: OsvBucket, asking: httpx.AsyncClient, sink: Held
) -> None:
    feed = feed_of(bucket, asking, sink)
    await feed.refresh(NOW)
    bucket.put({**malware(7, "bad", modified=NOW), "withdrawn": "2026-09-02T00:00:00Z"})
    left = vulnerability(8, "weak", modified=NOW)
    left["affected"][0]["package"]["ecosystem"] = "npm"
    bucket.put(left)
    await feed.refresh(LATER)
    assert sink.names() == {"ancient"}
    assert {"MAL-2026-7", "PYSEC-2026-8"} <= set(sink.applied)


async def test_withdrawn_records_of_the_archive_are_not_handed_over(
    bucket: OsvBucket, asking: httpx.AsyncClient, sink: Held
) -> None:
    bucket.put({**malware(7, "bad"), "withdrawn": "2026-09-02T00:00:00Z"})
    state = await feed_of(bucket, asking, sink).refresh(NOW)
    assert sink.names() == {"ancient", "weak"}
    assert state.records == 2


async def test_with_too_many_changes_the_whole_feed_is_taken_again(
    bucket: OsvBucket, asking: httpx.AsyncClient, sink: Held
) -> None:
    feed = feed_of(bucket, asking, sink, most_changes=2)
    await feed.refresh(NOW)
    bucket.put(*(malware(n, f"new-{n}", modified=NOW) for n in range(10, 14)))
    bucket.log.clear()
    await feed.refresh(LATER)
    assert bucket.log == [LIST, ZIP]
    assert "new-13" in sink.names()


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda body: b"\n".join(reversed(body.split(b"\n"))), id="oldest-first"),
        pytest.param(lambda body: body.split(b"\n")[0], id="ends-too-early"),
    ],
)
async def test_when_the_list_cannot_tell_what_changed_the_whole_feed_is_taken(
    bucket: OsvBucket,
    asking: httpx.AsyncClient,
    sink: Held,
    spoil: Callable[[bytes], bytes],
) -> None:
    feed = feed_of(bucket, asking, sink)
    await feed.refresh(NOW)
    bucket.put(malware(9, "new", modified=NOW), malware(10, "newer", modified=LATER))
    # So that the oldest line is no reason to call the list stale.
    bucket.files[LIST] = b"\n".join(bucket.files[LIST].split(b"\n")[:4])
    bucket.fault(LIST, Edited(edit=spoil))
    bucket.log.clear()
    await feed.refresh(LATER)
    assert bucket.log == [LIST, ZIP]
    assert {"new", "newer"} <= sink.names()


async def test_damaged_members_are_counted_and_left_out(
    bucket: OsvBucket, asking: httpx.AsyncClient, sink: Held
) -> None:
    good = json.dumps(malware(7, "bad")).encode()
    bucket.files[ZIP] = archive(
        {
            "MAL-2026-7.json": good,
            "MAL-2026-8.json": b"{",
            "MAL-2026-9.json": b" " * 5000 + good,
            "README.md": b"not a record",
            "twice.json": good,
        }
    )
    feed = feed_of(bucket, asking, sink, limits=Limits(record=4000))
    state = await feed.refresh(NOW)
    assert sink.names() == {"bad"}
    assert state.records == 1
    assert [line.split(" ")[0] for line in feed.unreadable] == [
        "'MAL-2026-8.json'",
        "'MAL-2026-9.json'",
        "'twice.json'",
    ]
    assert feed.unreadable[1].endswith("is larger than 4,000 bytes")


async def test_a_time_in_the_far_future_does_not_hide_later_changes(
    bucket: OsvBucket, asking: httpx.AsyncClient, sink: Held
) -> None:
    bucket.put(malware(9, "future", modified=NOW + timedelta(days=3650)))
    feed = feed_of(bucket, asking, sink)
    await feed.refresh(NOW)
    await feed.refresh(NOW)
    bucket.put(malware(10, "next", modified=NOW + timedelta(minutes=1)))
    state = await feed.refresh(LATER)
    assert {"future", "next"} <= sink.names()
    assert state.newest_modified is not None
    assert state.newest_modified <= LATER + timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A fault on a path, and what is to be told of it."""

    path: str = ZIP
    fault: Fault
    kind: str
    reason: str


WHOLE_FAULTS: list[tuple[str, Fault, str, str]] = [
    ("cut off", CutOff(after=60), "cut-off", "broke off in the middle of the answer"),
    ("429", too_many_requests(7), "status", "answered 429 Too Many Requests"),
    ("500", Status(status=500), "status", "answered 500 Internal Server Error"),
    ("empty", Status(status=200), "garbage", "has an archive that cannot be read"),
    ("portal", captive_portal(), "garbage", "has an archive that cannot be read"),
    ("no end", Edited(edit=lambda b: b[:-30]), "garbage", "has an archive that cannot be read"),
    ("huge", Huge(size=9_000_000), "too-large", "answered more than 1,000,000 bytes"),
    (
        "bomb",
        BOMB,
        "too-large",
        "answered more than 1,000,000 bytes",
    ),
    ("elsewhere", redirect("http://example.test/"), "redirect", "leads to `example.test`, which"),
    ("circle", redirect(ZIP), "redirect", "redirects more than 5 times"),
    ("nowhere", Status(status=302), "redirect", "redirects without saying where to"),
    (
        "other coding",
        Status(status=200, headers={"Content-Encoding": "br"}, body=b"x"),
        "garbage",
        "answered in a coding that was not asked for",
    ),
    (
        "other ecosystem",
        garbage(archive({"a.json": b'{"id":"A-1","modified":"2026-01-01T00:00:00Z"}'})),
        "garbage",
        "has an archive without any record about PyPI",
    ),
    (
        "unpacks to too much",
        garbage(archive({f"{n}.json": b"\0" * 90_000 for n in range(60)})),
        "garbage",
        "has an archive of more than 5,000,000 bytes",
    ),
    (
        "too many members",
        garbage(archive({f"{n:0200}.json": b"" for n in range(500)})),
        "garbage",
        "has an archive with too many members",
    ),
    (
        "shrunken",
        garbage(archive({"a.json": json.dumps(malware(1, "bad")).encode()})),
        "garbage",
        "has an archive of 1 records where it had 3 before",
    ),
]
LIMITS = Limits(archive=1_000_000, unpacked=5_000_000, record=100_000, directory=100_000)


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(Failure(fault=fault, kind=kind, reason=reason), id=name)
        for name, fault, kind, reason in WHOLE_FAULTS
    ],
)
async def test_an_archive_that_fails_is_told_why_and_the_sink_keeps_what_it_had(
    bucket: OsvBucket, asking: httpx.AsyncClient, sink: Held, case: Failure
) -> None:
    feed = feed_of(bucket, asking, sink, limits=LIMITS, most_changes=0)
    await failing(bucket, feed, sink, case)


async def test_an_archive_that_never_comes_is_given_up(
    bucket: OsvBucket, asking: httpx.AsyncClient, sink: Held
) -> None:
    await feed_of(bucket, asking, sink).refresh(NOW)
    feed = feed_of(bucket, asking, sink, most_changes=0, archive_within=0.3)
    bucket.put(malware(9, "new", modified=NOW))
    bucket.fault(ZIP, Hold())
    with pytest.raises(SourceFailed, match=r"did not finish within 0\.3 s") as caught:
        await feed.refresh(LATER)
    assert caught.value.kind == "timeout"
    assert sink.names() == {"ancient", "bad", "weak"}


async def failing(bucket: OsvBucket, feed: OsvFeed, sink: Held, case: Failure) -> None:
    before = await feed.refresh(NOW)
    bucket.put(malware(9, "new", modified=NOW), malware(10, "other", modified=NOW))
    bucket.fault(case.path, case.fault)
    with pytest.raises(SourceFailed) as caught:
        await feed.refresh(LATER)
    assert (caught.value.source, caught.value.kind) == ("osv", case.kind)
    assert caught.value.reason.startswith(case.reason)
    assert caught.value.reason.isascii()
    assert caught.value.retry_after == (7 if caught.value.status == 429 else None)
    assert sink.state == before
    assert sink.names() == {"ancient", "bad", "weak"}

    bucket.heal()
    await feed.refresh(LATER)
    assert {"new", "other"} <= sink.names()


CHANGE_FAULTS: list[tuple[str, str, Fault, str, str]] = [
    ("list cut off", LIST, CutOff(after=9), "cut-off", "broke off in the middle"),
    ("list 429", LIST, too_many_requests(7), "status", "answered 429 Too Many"),
    ("list 503", LIST, Status(status=503), "status", "answered 503 Service Unavailable"),
    ("list 304 unasked", LIST, Status(status=304), "status", "answered 304 Not Modified"),
    ("list empty", LIST, Status(status=200), "garbage", "answered an empty list of changes"),
    ("list is a page", LIST, captive_portal(), "garbage", "answered a list of changes that cannot"),
    ("list too large", LIST, Huge(size=70_000_000), "too-large", "answered more than 64,000,000"),
    ("list names a path", LIST, garbage(b"2026-09-02T00:00:00Z,../x\n"), "garbage", "answered a "),
    (
        "list is old",
        LIST,
        garbage(b"2026-08-01T00:00:00Z,MAL-2026-7\n"),
        "stale",
        "has a list of changes older than the one read before",
    ),
    ("record cut off", "*-9.json", CutOff(after=9), "cut-off", "broke off in the middle"),
    ("record 429", "*-9.json", too_many_requests(7), "status", "answered 429 Too Many"),
    ("record 500", "*-9.json", Status(status=500), "status", "answered 500 Internal"),
    ("record 403", "*-9.json", Status(status=403), "status", "answered 403 Forbidden"),
    ("record elsewhere", "*-9.json", redirect("http://[::1]/"), "redirect", "leads to `::1`"),
]


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(Failure(path=path, fault=fault, kind=kind, reason=reason), id=name)
        for name, path, fault, kind, reason in CHANGE_FAULTS
    ],
)
async def test_changes_that_fail_are_told_why_and_the_sink_keeps_what_it_had(
    bucket: OsvBucket, asking: httpx.AsyncClient, sink: Held, case: Failure
) -> None:
    await failing(bucket, feed_of(bucket, asking, sink), sink, case)


@pytest.mark.parametrize("path", [LIST, "*-9.json"])
async def test_a_list_or_record_that_never_comes_is_given_up(
    bucket: OsvBucket, asking: httpx.AsyncClient, sink: Held, path: str
) -> None:
    await feed_of(bucket, asking, sink).refresh(NOW)
    bucket.put(malware(9, "new", modified=NOW))
    bucket.fault(path, Hold())
    with pytest.raises(SourceFailed, match=r"did not finish within 0\.3 s"):
        await feed_of(bucket, asking, sink, within=0.3).refresh(LATER)
    assert "new" not in sink.names()


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (Status(status=404), "`MAL-2026-9` answered 404 Not Found"),
        (garbage(b"{"), "`MAL-2026-9` is not an OSV record"),
        (captive_portal(), "`MAL-2026-9` is not an OSV record"),
        (Huge(size=9_000_000), "`MAL-2026-9` answered more than 8,000,000 bytes"),
        (
            garbage(json.dumps(malware(666, "another")).encode()),
            "`MAL-2026-9` is the record `MAL-2026-666`",
        ),
    ],
)
async def test_one_bad_record_is_told_and_asked_for_again_and_the_others_are_applied(
    bucket: OsvBucket, asking: httpx.AsyncClient, sink: Held, fault: Fault, told: str
) -> None:
    feed = feed_of(bucket, asking, sink)
    await feed.refresh(NOW)
    bucket.put(malware(9, "new", modified=NOW), malware(10, "other", modified=NOW))
    bucket.fault("*-9.json", fault)
    await feed.refresh(LATER)
    assert sink.names() == {"ancient", "bad", "weak", "other"}
    (line,) = feed.unreadable
    assert line.startswith(told)

    bucket.heal()
    bucket.log.clear()
    await feed.refresh(LATER)
    assert "new" in sink.names()
    assert bucket.log == [LIST, "/PyPI/MAL-2026-9.json"]
    assert feed.unreadable == ()


async def test_an_old_copy_of_a_record_is_asked_for_again(
    bucket: OsvBucket, asking: httpx.AsyncClient, sink: Held
) -> None:
    feed = feed_of(bucket, asking, sink)
    await feed.refresh(NOW)
    old = bucket.files["/PyPI/MAL-2026-7.json"]
    bucket.put(malware(7, "bad-indeed", modified=NOW))
    bucket.fault("*-7.json", garbage(old))
    await feed.refresh(LATER)
    bucket.heal()
    bucket.put(malware(9, "new", modified=NOW))
    await feed.refresh(LATER)
    assert sink.names() == {"ancient", "bad-indeed", "weak", "new"}


async def test_a_bucket_that_is_down_is_told(asking: httpx.AsyncClient, sink: Held) -> None:
    async with OsvBucket() as bucket:
        feed = feed_of(bucket, asking, sink)
        before = await feed.refresh(NOW)
    with pytest.raises(SourceFailed, match="osv refused the connection") as caught:
        await feed.refresh(LATER)
    assert caught.value.kind == "refused"
    assert sink.state == before


async def test_without_a_place_for_the_archive_the_disk_is_named(
    bucket: OsvBucket, asking: httpx.AsyncClient, sink: Held, tmp_path: Path
) -> None:
    feed = feed_of(bucket, asking, sink, spool=tmp_path / "missing")
    with pytest.raises(SourceFailed, match="finds no place") as caught:
        await feed.refresh(NOW)
    assert caught.value.kind == "disk"


async def test_a_refresh_can_be_cancelled_while_it_waits(
    bucket: OsvBucket, asking: httpx.AsyncClient, sink: Held
) -> None:
    hold = Hold()
    bucket.fault(ZIP, hold)
    refreshing = asyncio.create_task(feed_of(bucket, asking, sink).refresh(NOW))
    await hold.reached()
    refreshing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await refreshing
    assert sink.state is None
