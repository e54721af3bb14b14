"""Pages on their way to the disk: read there, written in the end, and never more than fits."""

import asyncio
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from packaging.utils import NormalizedName

from indexgate.index import page_saver
from indexgate.index.packing import digest_of, pack
from indexgate.index.page_folder import PageFolder
from indexgate.index.page_saver import PageSaver
from indexgate.index.protocol import Snapshot

DEMO, OTHER = NormalizedName("demo"), NormalizedName("other")


def page(project: NormalizedName, body: bytes = b"one") -> Snapshot:
    return Snapshot(
        project=project,
        packed=pack(body),
        content_type="text/html",
        url="https://index.example.test/simple/demo/",
        digest=digest_of(body),
        fetched_at=datetime(2026, 11, 22, tzinfo=UTC),
    )


class Case:
    def __init__(self, tmp_path: Path) -> None:
        self.folder = PageFolder(tmp_path, "i", 1_000_000)
        self.said: list[tuple[str, str]] = []
        self.saver = PageSaver(self.folder, lambda event, text: self.said.append((event, text)))


async def test_a_page_can_be_read_before_it_is_written_and_after(tmp_path: Path) -> None:
    case = Case(tmp_path)
    case.saver.save(page(DEMO))
    assert case.saver.waiting(DEMO) == page(DEMO)
    assert case.folder.load(DEMO) is None
    await case.saver.written()
    assert case.saver.waiting(DEMO) is None
    assert case.folder.load(DEMO) == page(DEMO)


async def test_nobody_has_to_wait_for_a_page_to_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_saver, "_REST", 0.0)
    written = asyncio.Event()
    loop = asyncio.get_running_loop()
    save = PageFolder.save

    def saved(folder: PageFolder, snapshot: Snapshot) -> None:
        save(folder, snapshot)
        loop.call_soon_threadsafe(written.set)

    monkeypatch.setattr(PageFolder, "save", saved)
    case = Case(tmp_path)
    case.saver.save(page(DEMO))
    await written.wait()
    assert case.folder.load(DEMO) == page(DEMO)


async def test_the_newest_of_a_project_is_the_one_that_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, go = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()
    save = PageFolder.save

    def slow(folder: PageFolder, snapshot: Snapshot) -> None:
        loop.call_soon_threadsafe(began.set)
        go.wait()
        save(folder, snapshot)

    monkeypatch.setattr(PageFolder, "save", slow)
    case = Case(tmp_path)
    case.saver.save(page(DEMO, b"one"))
    writing = asyncio.create_task(case.saver.written(DEMO))
    await began.wait()
    case.saver.save(page(DEMO, b"two"))
    case.saver.save(page(OTHER))
    go.set()
    await writing
    await case.saver.written()
    assert case.folder.load(DEMO) == page(DEMO, b"two")
    assert case.folder.load(OTHER) == page(OTHER)


async def test_a_page_that_is_forgotten_on_its_way_does_not_come_back(tmp_path: Path) -> None:
    case = Case(tmp_path)
    case.saver.save(page(DEMO))
    await case.saver.forget(DEMO)
    await case.saver.written()
    assert case.saver.waiting(DEMO) is None
    assert case.folder.load(DEMO) is None


async def test_a_page_that_cannot_be_written_costs_the_others_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = PageFolder.save

    def fails(folder: PageFolder, snapshot: Snapshot) -> None:
        if snapshot.project == DEMO:
            raise ValueError("odd")
        save(folder, snapshot)

    monkeypatch.setattr(PageFolder, "save", fails)
    case = Case(tmp_path)
    case.saver.save(page(DEMO))
    case.saver.save(page(OTHER))
    await case.saver.written()
    assert case.folder.load(OTHER) == page(OTHER)
    assert case.said == [("page-not-kept", "demo: ValueError('odd'); kept in memory only")]


async def test_a_disk_that_is_too_slow_does_not_fill_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_saver, "_TOO_MUCH", len(page(DEMO).packed))
    case = Case(tmp_path)
    case.saver.save(page(DEMO))
    case.saver.save(page(OTHER))
    await case.saver.written()
    assert case.folder.load(DEMO) == page(DEMO)
    assert case.folder.load(OTHER) is None
    assert case.said == [("page-not-kept", "other: the disk is too slow; kept in memory only")]
