"""Pages from memory, disk or upstream: fresh, waited for, or standing in."""

import asyncio
import errno
import os
import threading
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from msgspec.structs import replace
from packaging.utils import NormalizedName

from indexgate.index.cached import CachedIndex, Freshness
from indexgate.index.once import EachAlone
from indexgate.index.packing import digest_of, pack
from indexgate.index.page_folder import PageFolder
from indexgate.index.protocol import NoSuchProject, Snapshot, UpstreamFailed

T = TypeVar("T")
NAME = NormalizedName("demo")
NOW = datetime(2026, 11, 22, tzinfo=UTC)


class Turned:
    """A clock that the test turns."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


class Source:
    """Pages as a test tells: the next answers, each let go by `open`."""

    def __init__(self, clock: Turned) -> None:
        self._clock = clock
        self.answers: list[bytes | Exception] = []
        self.asked: list[str | None] = []
        self.reads = False
        self.open = asyncio.Event()
        self.open.set()
        self.reached = asyncio.Event()

    async def page(self, project: NormalizedName, known: Snapshot | None) -> Snapshot:
        self.asked.append(None if known is None else known.digest)
        self.reached.set()
        await self.open.wait()
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        snapshot = Snapshot(
            project=project,
            packed=pack(answer),
            content_type="text/html",
            url="https://index.example.test/simple/demo/",
            digest=digest_of(answer),
            fetched_at=self._clock(),
        )
        return replace(snapshot, at_hand=snapshot.page()) if self.reads else snapshot


class Case:
    """An index over a source and a folder."""

    def __init__(self, folder: Path, **freshness: float) -> None:
        self.clock = Turned()
        self.source = Source(self.clock)
        self.said: list[str] = []
        self.index = CachedIndex(
            self.source,
            PageFolder(folder, "i", 1_000_000),
            freshness=Freshness(**{"patience": 30.0, **freshness}),
            clock=self.clock,
            max_bytes=1_000_000,
            log=lambda event, _text: self.said.append(event),
        )

    def later(self, **by: float) -> None:
        self.clock.now += timedelta(**by)


async def test_a_fresh_page_is_not_asked_for_again(tmp_path: Path) -> None:
    case = Case(tmp_path)
    case.source.answers = [b"one", b"two"]
    first = await case.index.snapshot(NAME)
    case.later(seconds=599)
    assert await case.index.snapshot(NAME) is first
    case.later(seconds=2)
    assert (await case.index.snapshot(NAME)).digest == digest_of(b"two")
    assert case.source.asked == [None, first.digest]


async def test_a_client_may_ask_for_a_newer_page(tmp_path: Path) -> None:
    case = Case(tmp_path)
    case.source.answers = [b"one", b"two"]
    await case.index.snapshot(NAME)
    case.later(seconds=5)
    assert (await case.index.snapshot(NAME, max_age=1)).digest == digest_of(b"two")


async def test_pages_outlive_the_process(tmp_path: Path) -> None:
    first = Case(tmp_path)
    first.source.answers = [b"one"]
    snapshot = await first.index.snapshot(NAME)
    await first.index.close()
    second = Case(tmp_path)
    assert await second.index.snapshot(NAME) == snapshot
    assert second.source.asked == []


async def test_a_page_that_is_gone_while_it_is_read_is_not_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Case(tmp_path)
    first.source.answers = [b"one"]
    await first.index.snapshot(NAME)
    await first.index.close()
    case = Case(tmp_path)
    case.source.answers = [NoSuchProject(NAME)]
    loop, load = asyncio.get_running_loop(), PageFolder.load

    def late(folder: PageFolder, project: NormalizedName) -> Snapshot | None:
        loaded = load(folder, project)
        asyncio.run_coroutine_threadsafe(gone(), loop).result()
        return loaded

    async def gone() -> None:
        case.index.hear(NAME, False)

    monkeypatch.setattr(PageFolder, "load", late)
    with pytest.raises(NoSuchProject):
        await case.index.snapshot(NAME)
    assert case.index.at_hand(NAME) is None


class OneAtATime(EachAlone):
    """Has work done for several workers; `ended` is set while none is under way."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()

    async def once(
        self,
        key: str,
        do: Callable[[], Awaitable[T]],
        there: Callable[[], Awaitable[T | None]],
    ) -> T:
        self.ended.clear()
        try:
            return await do()
        finally:
            self.ended.set()


class Several(Case):
    """An index of which other workers are told."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.told: list[tuple[str, bool]] = []
        self.once = OneAtATime()
        self.index = CachedIndex(
            self.source,
            PageFolder(folder, "i", 1_000_000),
            freshness=Freshness(ttl=600),
            clock=self.clock,
            max_bytes=1_000_000,
            once=self.once,
            learned=lambda project, there: self.told.append((project, there)),
        )


async def test_a_client_has_a_page_before_the_disk_and_other_workers_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = Several(tmp_path)
    disk, save = threading.Event(), PageFolder.save

    def slow(folder: PageFolder, snapshot: Snapshot) -> None:
        disk.wait()
        save(folder, snapshot)

    monkeypatch.setattr(PageFolder, "save", slow)
    case.source.answers = [b"one"]
    try:
        assert (await case.index.snapshot(NAME)).digest == digest_of(b"one")
        assert case.told == []
        assert not case.once.ended.is_set()  # whoever else wants it waits, and does not ask too
    finally:
        disk.set()
    await case.once.ended.wait()
    assert case.told == [(NAME, True)]
    await case.index.close()


async def test_other_workers_hear_of_a_page_only_if_the_disk_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = Several(tmp_path)

    def full(_folder: PageFolder, _snapshot: Snapshot) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    case.source.answers = [b"one", b"two"]
    with monkeypatch.context() as patched:
        patched.setattr(PageFolder, "save", full)
        assert (await case.index.snapshot(NAME)).digest == digest_of(b"one")
        await case.once.ended.wait()
    assert case.told == []
    case.later(seconds=601)
    assert (await case.index.snapshot(NAME, stand_in=False)).digest == digest_of(b"two")
    await case.once.ended.wait()
    assert case.told == [(NAME, True)]
    await case.index.close()


async def test_all_who_ask_at_once_share_one_flight(tmp_path: Path) -> None:
    case = Case(tmp_path)
    case.source.answers = [b"one"]
    case.source.open.clear()
    asks = [asyncio.create_task(case.index.snapshot(NAME)) for _ in range(10)]
    await case.source.reached.wait()
    asks[0].cancel()
    case.source.open.set()
    results = await asyncio.gather(*asks, return_exceptions=True)
    assert isinstance(results[0], asyncio.CancelledError)
    assert {result.digest for result in results[1:] if isinstance(result, Snapshot)} == {
        digest_of(b"one")
    }
    assert case.source.asked == [None]


async def test_a_slow_upstream_is_waited_for_only_where_nothing_can_stand_in(
    tmp_path: Path,
) -> None:
    case = Case(tmp_path, patience=0.0)
    case.source.answers = [b"one", b"two"]
    await case.index.snapshot(NAME)
    case.later(hours=1)
    case.source.open.clear()
    stale = await case.index.snapshot(NAME)
    assert stale.stale == "is slow to answer"
    waiting = asyncio.create_task(case.index.snapshot(NAME, max_age=1, stand_in=False))
    await case.source.reached.wait()
    case.source.open.set()
    assert (await waiting).digest == digest_of(b"two")
    assert (await case.index.snapshot(NAME)).stale is None


async def test_a_failing_upstream_is_left_alone_for_a_moment(tmp_path: Path) -> None:
    case = Case(tmp_path)
    case.source.answers = [b"one", UpstreamFailed("dns", "has no address"), b"two"]
    await case.index.snapshot(NAME)
    case.later(hours=1)
    for _ in range(3):
        assert (await case.index.snapshot(NAME)).stale == "has no address"
    assert len(case.source.asked) == 2
    case.later(seconds=3)
    assert (await case.index.snapshot(NAME)).digest == digest_of(b"two")
    assert case.said == ["page-failed"]


async def test_an_unforeseen_failure_is_stood_in_for_too(tmp_path: Path) -> None:
    case = Case(tmp_path)
    case.source.answers = [b"one", ZeroDivisionError("oops")]
    await case.index.snapshot(NAME)
    case.later(hours=1)
    assert (await case.index.snapshot(NAME)).stale == "sent what the gate cannot take in"


async def test_a_page_beyond_its_time_does_not_stand_in(tmp_path: Path) -> None:
    case = Case(tmp_path, max_stale=86400.0)
    case.source.answers = [b"one", UpstreamFailed("dns", "has no address")]
    await case.index.snapshot(NAME)
    case.later(days=2)
    with pytest.raises(UpstreamFailed):
        await case.index.snapshot(NAME)


async def test_a_page_beyond_its_time_waits_for_a_slow_upstream(tmp_path: Path) -> None:
    case = Case(tmp_path, patience=0.0, max_stale=86400.0)
    case.source.answers = [b"one", b"two"]
    await case.index.snapshot(NAME)
    case.later(days=2)
    case.source.reached.clear()
    case.source.open.clear()
    asking = asyncio.create_task(case.index.snapshot(NAME))
    await case.source.reached.wait()
    case.source.open.set()
    assert (await asking).digest == digest_of(b"two")


async def test_a_page_from_the_future_is_asked_for_anew(tmp_path: Path) -> None:
    case = Case(tmp_path)
    case.source.answers = [b"one", b"two"]
    case.later(days=1)
    await case.index.snapshot(NAME)
    case.later(days=-1)
    assert (await case.index.snapshot(NAME)).digest == digest_of(b"two")
    assert (await case.index.snapshot(NAME)).digest == digest_of(b"two")
    assert len(case.source.asked) == 2


async def test_a_page_that_was_read_a_moment_ago_is_not_kept_as_objects(tmp_path: Path) -> None:
    case = Case(tmp_path)
    case.source.answers = [b"<a href='demo-1.0.tar.gz'>demo-1.0.tar.gz</a>"]
    case.source.reads = True
    first = await case.index.snapshot(NAME)
    assert first.page() is first.at_hand
    kept = await case.index.snapshot(NAME)
    assert kept == first.put_away()
    assert kept.at_hand is None
    assert kept.page() == first.at_hand


async def test_a_project_that_went_is_forgotten(tmp_path: Path) -> None:
    case = Case(tmp_path)
    case.source.answers = [b"one", NoSuchProject("demo"), UpstreamFailed("dns", "has no address")]
    await case.index.snapshot(NAME)
    case.later(hours=1)
    for _ in range(2):
        with pytest.raises(NoSuchProject):
            await case.index.snapshot(NAME)
    assert len(case.source.asked) == 2
    assert PageFolder(tmp_path, "i", 1_000_000).load(NAME) is None


async def test_a_disk_that_is_full_costs_no_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_folder: PageFolder, _snapshot: Snapshot) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(PageFolder, "save", full)
    case = Case(tmp_path)
    case.source.answers = [b"one"]
    await case.index.snapshot(NAME)
    await case.index.snapshot(NAME)
    await case.index.close()
    assert case.said == ["page-not-kept"]
    assert case.source.asked == [None]


async def test_closing_ends_what_is_under_way(tmp_path: Path) -> None:
    case = Case(tmp_path)
    case.source.open.clear()
    ask = asyncio.create_task(case.index.snapshot(NAME))
    await case.source.reached.wait()
    await case.index.close()
    with pytest.raises(asyncio.CancelledError):
        await ask
