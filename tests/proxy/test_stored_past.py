"""What the store remembers of a project: counts, events, and what the page shows beside them."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from indexgate.index.listing import Listing, listing
from indexgate.index.packing import pack
from indexgate.index.protocol import Snapshot
from indexgate.index.subjects import releases
from indexgate.simple.model import PageFile, ProjectPage
from indexgate.sources.osv_records import FeedState, Record
from indexgate.sources.protocol import DailyCounts, DayCount
from indexgate.store.database import Store, open_store
from indexgate.store.engines import StoreFailed
from indexgate.stored_past import CLEANED, StoredPast
from indexgate_policy.advisories import Advisory
from indexgate_policy.downloads.day_counts import (
    NO_INSTALLERS,
    NO_REGIONS,
    NO_VERSION_AGES,
    DayCounts,
)
from indexgate_policy.flags import Severity
from indexgate_policy.signals import Signal, Signals, Unknown
from tests.proxy.index.test_subjects import listed, of
from tests.proxy.sources_said import DEMO, NOW, Clock

INDEX = "0123456789abcdef"
SETTLED = date(2026, 11, 20)
NOTHING = Signals()


def seen(*files: PageFile, digest: str = "a") -> Listing:
    page: ProjectPage = of(*files)
    snapshot = Snapshot(
        project=DEMO, packed=pack(b""), content_type="", url="", digest=digest, fetched_at=NOW
    )
    unknown = Unknown(reason="not looked up")
    return listing(snapshot, page, *releases(page, index_id=INDEX, public=True, first_seen=unknown))


FIRST = listed("demo-1.0.tar.gz", "2026-09-01T00:00:00Z")
SECOND = listed("demo-2.0.tar.gz", "2026-11-18T00:00:00Z")


class Memory:
    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.store: Store = open_store(folder / "store", self.clock)
        self.log: list[tuple[str, str]] = []
        self.past = StoredPast(
            self.store, INDEX, lambda event, text: self.log.append((event, text))
        )

    def signal(self, name: str, value: object, source: str = "project-json") -> Signals:
        return Signals(
            [Signal(name=name, value=value, source=source, observed_at=self.clock.now)]  # type: ignore[arg-type]
        )

    async def events(self, page: Listing) -> list[tuple[str, str]]:
        recalled = await self.past.recall(DEMO, page, self.clock.now)
        return [(event.kind, event.text) for event in recalled.events]


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    made = Memory(tmp_path)
    yield made
    made.store.close()


async def test_nothing_is_remembered_of_a_project_that_was_never_noted(memory: Memory) -> None:
    recalled = await memory.past.recall(DEMO, seen(FIRST), NOW)
    assert isinstance(recalled.history, Unknown)
    assert recalled.events == ()
    assert {signal.name for signal in recalled.signals} == {
        *("yanked_versions", "index_status"),
        *("asked_here_by_people", "asked_here_by_ci", "asked_before_it_existed"),
    }


async def test_releases_are_events_once_however_often_they_are_seen(memory: Memory) -> None:
    for digest in "ab":
        await memory.past.note(seen(FIRST, SECOND, digest=digest), NOTHING, NOTHING)
    assert await memory.events(seen(FIRST, SECOND)) == [
        ("first-release", "first release, 1.0"),
        ("release", "release 2.0"),
    ]


async def test_a_change_of_status_or_a_yank_needs_a_look_before(memory: Memory) -> None:
    yanked = listed("demo-1.0.tar.gz", "2026-09-01T00:00:00Z", yanked=True)
    await memory.past.note(seen(yanked), NOTHING, NOTHING)
    assert [kind for kind, _ in await memory.events(seen(yanked))] == ["first-release"]
    recalled = await memory.past.recall(DEMO, seen(FIRST), NOW)
    before = Signals(recalled.signals)
    await memory.past.note(seen(yanked, digest="b"), NOTHING, before)
    assert ("yank", "version 1.0 yanked") in await memory.events(seen(yanked))


async def test_what_came_out_before_anything_is_remembered_is_not_noted(memory: Memory) -> None:
    old = listed("demo-0.1.tar.gz", "2020-01-01T00:00:00Z")
    await memory.past.note(seen(old, FIRST), NOTHING, NOTHING)
    ever = memory.store.events.of(INDEX, DEMO, datetime(2019, 1, 1, tzinfo=NOW.tzinfo))
    assert [(event.kind, event.text) for event in ever] == [("release", "release 1.0")]


async def test_of_very_many_yanked_versions_none_is_taken_for_new(memory: Memory) -> None:
    at = "2026-09-01T00:00:00Z"
    many = [listed(f"demo-{number}.0.tar.gz", at, yanked=True) for number in range(1, 600)]
    recalled = await memory.past.recall(DEMO, seen(*many), NOW)
    await memory.past.note(seen(*many, digest="b"), NOTHING, Signals(recalled.signals))
    assert not any(kind == "yank" for kind, _ in await memory.events(seen(*many)))


async def test_stars_of_those_who_count_on_other_days_make_no_history(memory: Memory) -> None:
    for source, total in (("github", 100), ("github", 101), ("deps-dev", 5000), ("github", 102)):
        stars = memory.signal("stars", total, source=source)
        await memory.past.note(seen(FIRST), stars, NOTHING)
        memory.clock.turn(days=1)
    today = memory.clock.now.date()
    await memory.store.history.add(INDEX, DEMO, [quiet_day(today)])
    panel = memory.store.history.panel(INDEX, DEMO, today, 7)
    assert not isinstance(panel, Unknown)
    assert np.nanmax(panel.stars) == 1


async def test_what_the_store_could_not_take_is_noted_at_the_next_sight(
    memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object, **__: object) -> None:
        raise StoreFailed("store-full", "the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(type(memory.store.writer), "commit", full)
        await memory.past.note(seen(FIRST), NOTHING, NOTHING)
    await memory.past.note(seen(FIRST), NOTHING, NOTHING)
    assert [kind for kind, _ in await memory.events(seen(FIRST))] == ["first-release"]


async def test_only_the_index_itself_can_change_the_owners(memory: Memory) -> None:
    await memory.past.note(seen(FIRST), memory.signal("owners", ("ann",)), NOTHING)
    memory.clock.turn(days=1)
    other = memory.signal("owners", ("bo",), source="ecosystems")
    await memory.past.note(seen(FIRST), other, NOTHING)
    assert not any(kind == "owner-change" for kind, _ in await memory.events(seen(FIRST)))
    await memory.past.note(seen(FIRST), memory.signal("owners", ("bo",)), NOTHING)
    assert ("owner-change", "owner `ann` replaced by `bo`") in await memory.events(seen(FIRST))


async def test_counts_by_the_day_become_a_history_with_the_releases_of_the_page(
    memory: Memory,
) -> None:
    days = tuple(
        DayCount(
            day=SETTLED - timedelta(days=back),
            everything=120,
            without_mirrors=100,
            systems={"Darwin": 40, "Linux": 60},
        )
        for back in range(40)
    )
    await memory.past.counted(
        DailyCounts(project=DEMO, days=days, source="pypistats", observed_at=NOW)
    )
    recalled = await memory.past.recall(DEMO, seen(FIRST, SECOND), NOW)
    panel = recalled.history
    assert not isinstance(panel, Unknown)
    assert panel.last_day == SETTLED
    assert panel.of_class("mirror")[0, -1] == pytest.approx(20, rel=0.01)
    assert panel.releases[0, -4:].tolist() == [0, 1, 0, 0]
    assert panel.first_day + timedelta(days=int(panel.born[0])) == date(2026, 9, 1)
    # Who fetched is not told, so nothing is made of it beyond what the service said itself.
    assert not any(signal.source == CLEANED for signal in recalled.signals)


async def test_days_of_the_log_give_signals_on_downloads(memory: Memory) -> None:
    await memory.store.history.add(
        INDEX,
        DEMO,
        [quiet_day(SETTLED - timedelta(days=back)) for back in range(30)],
    )
    recalled = await memory.past.recall(DEMO, seen(FIRST), NOW)
    told = Signals(recalled.signals)
    assert told.value("downloads") == pytest.approx(3000, rel=0.01)
    assert told["downloads"].source == CLEANED
    assert told["downloads"].observed_at < NOW
    assert {signal.source for signal in recalled.signals} <= memory.past.speaks_as


async def test_what_clients_asked_and_operators_entered_is_recalled(memory: Memory) -> None:
    store = memory.store
    store.asked.count(INDEX, DEMO, "person", NOW)
    store.asked.miss(INDEX, DEMO, NOW - timedelta(days=200))
    day = NOW.date()
    store.evidence.add(INDEX, DEMO, kind="talk", text="a talk", day=day, author="ann")
    assert await store.asked.flush()
    recalled = await memory.past.recall(DEMO, seen(FIRST), NOW)
    told = Signals(recalled.signals)
    assert told.value("asked_here_by_people") == 1
    assert told.value("asked_before_it_existed") == 1
    assert told.value("evidence") == (f"talk on {day} by ann: a talk",)
    assert {signal.source for signal in recalled.signals} <= memory.past.speaks_as


async def test_stars_that_came_in_a_burst_are_told_as_a_share_of_all(memory: Memory) -> None:
    stars = memory.store.stars
    total = 1000
    for back in range(120, -1, -1):
        total += 400 if back in (5, 4) else 1
        day = SETTLED - timedelta(days=back)
        await stars.note(INDEX, DEMO, day, total)
        await memory.store.history.add(INDEX, DEMO, [quiet_day(day)])
    await memory.past.note(seen(FIRST), memory.signal("stars", total, source="github"), NOTHING)
    recalled = await memory.past.recall(DEMO, seen(FIRST), NOW)
    share = Signals(recalled.signals).value("star_burst_share")
    assert share == pytest.approx(800 / total, abs=0.02)


async def test_an_advisory_is_an_event_of_the_day_it_came_out(memory: Memory) -> None:
    published = NOW - timedelta(days=3)
    advisory = Advisory(
        id="X-1",
        kind="vulnerability",
        severity=Severity.HIGH,
        summary="reads too far",
        published=published,
    )
    record = Record(id="X-1", modified=NOW, withdrawn=False, advisories=((DEMO, advisory),))
    memory.store.advisories.replace_all(
        [record], FeedState(fetched_at=NOW, newest_modified=NOW, etag=None, records=1)
    )
    recalled = await memory.past.recall(DEMO, seen(FIRST), NOW)
    (event,) = [event for event in recalled.events if event.kind == "advisory"]
    assert (event.at, event.text) == (published, "X-1 published: reads too far")


def quiet_day(day: date) -> DayCounts:
    return DayCounts(
        project=DEMO,
        day=day,
        classes=np.array([10, 0, 5, 5, 30, 20, 30], np.float32),
        installers=NO_INSTALLERS,
        regions=NO_REGIONS,
        version_ages=NO_VERSION_AGES,
        n=100,
    )


async def test_a_store_that_fails_leaves_out_what_it_cannot_tell(
    memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object, **__: object) -> None:
        raise StoreFailed("store-failed", "the disk is gone")

    monkeypatch.setattr(type(memory.store.reader), "_connection", gone)
    monkeypatch.setattr(type(memory.store.writer), "commit", gone)
    await memory.past.note(seen(FIRST), memory.signal("owners", ("ann",)), NOTHING)
    recalled = await memory.past.recall(DEMO, seen(FIRST), datetime.max.replace(tzinfo=NOW.tzinfo))
    assert isinstance(recalled.history, Unknown)
    assert "the disk is gone" in recalled.history.reason
    assert [event for event, _ in memory.log] == ["store-failed", "store-failed"]
