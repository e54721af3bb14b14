"""What an index lists is listed at once where that is quick, and else in a thread."""

import threading
from datetime import UTC, datetime

import pytest
from packaging.utils import NormalizedName

from indexgate.index.protocol import Snapshot
from indexgate.listed_index import ListedIndex
from indexgate.simple.model import PageFile, ProjectPage

NAME = NormalizedName("demo")
NOW = datetime(2026, 11, 22, tzinfo=UTC)
WAYS = "-".join(f"1x{part}" for part in range(20))  # to read a name: a project at each dash


class NoIndex:
    """An index that nobody asks: who tests has the pages."""

    bytes_in_memory = joined = 0

    async def snapshot(
        self, project: NormalizedName, *, max_age: float | None = None, stand_in: bool = True
    ) -> Snapshot:
        raise AssertionError(project, max_age, stand_in)

    def holds(self, project: NormalizedName) -> bool:
        raise AssertionError(project)

    def at_hand(self, project: NormalizedName) -> Snapshot | None:
        raise AssertionError(project)


class Listing(ListedIndex):
    """Tells in which thread it read what is listed, and which addresses are to be remembered."""

    def __init__(self) -> None:
        self.threads: list[str] = []
        self.remembered: list[str] = []
        super().__init__(
            NoIndex(),
            index_id="i",
            public=True,
            first_seen=lambda _project, _asked: NOW,
            watched_since=NOW,
            remember=lambda path, _project: self.remembered.append(path),
        )

    def read(self, *what: object) -> object:  # type: ignore[override]
        self.threads.append(threading.current_thread().name)
        return super().read(*what)  # type: ignore[arg-type]


def snapshot(names: list[str]) -> Snapshot:
    """Return the page of *names*, as it was fetched a moment ago."""
    files = tuple(
        PageFile(filename=name, url=f"https://files.example.test/{name}", hashes={})
        for name in names
    )
    return Snapshot(
        project=NAME,
        packed=b"",
        content_type="",
        url="",
        digest="d",
        fetched_at=NOW,
        at_hand=ProjectPage(name=NAME, files=files),
    )


@pytest.mark.parametrize(
    ("name", "files", "thread"),
    [
        ("demo-{}.tar.gz", 500, "MainThread"),
        ("demo-{}.tar.gz", 1_000, "large-pages_0"),
        ("demo-" + WAYS + "-{}.tar.gz", 10, "MainThread"),
        ("demo-" + WAYS + "-{}.tar.gz", 100, "large-pages_0"),
    ],
)
async def test_what_takes_long_to_list_keeps_nobody_waiting(
    name: str, files: int, thread: str
) -> None:
    listings = Listing()
    listed = await listings.by(snapshot([name.format(number) for number in range(files)]))
    assert listings.threads == [thread]
    assert len(listed.page.files) == files
    assert len(listings.remembered) == (files if WAYS in name else 0)
