"""Pages on their way to the disk: answers do not wait for it, and bursts of new pages go first.

What waits can be read here. One thread writes, all that has gathered in one go. A gate that stops
writes everything; one that is killed loses the pages of the last moments, which upstream has.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from cachetools import LRUCache
from packaging.utils import NormalizedName

from indexgate.index.page_folder import PageFolder
from indexgate.index.protocol import Snapshot

_REST = 0.2
"""Seconds without a new page after which what waits is written."""

_LONGEST_WAIT = 5.0
"""Seconds after which it is written all the same."""

_MUCH = 32_000_000
"""Bytes that are written without waiting for anything; a run of an installer brings less."""

_TOO_MUCH = 64_000_000
"""Bytes beyond which the disk is too slow to keep pages at all."""

_MOST_UNKEPT = 10_000


class PageSaver:
    """Writes pages into *folder*; the log is told what could not be written."""

    def __init__(self, folder: PageFolder, log: Callable[[str, str], None]) -> None:
        self._folder = folder
        self._log = log
        self._waiting: dict[NormalizedName, Snapshot] = {}
        self._unkept: LRUCache[NormalizedName, bool] = LRUCache(_MOST_UNKEPT)
        self._bytes = 0
        self._latest = 0.0
        self._hurry = asyncio.Event()
        self._round = asyncio.Event()
        self._writing: asyncio.Task[None] | None = None

    def save(self, snapshot: Snapshot) -> None:
        """Have *snapshot* written before long."""
        project, size = snapshot.project, len(snapshot.packed)
        self._drop(project)
        self._unkept.pop(project, None)
        if self._bytes + size > _TOO_MUCH:
            self._not_kept(project, "the disk is too slow")
            return
        self._waiting[project] = snapshot
        self._bytes += size
        if self._bytes > _MUCH:
            self._hurry.set()
        loop = asyncio.get_running_loop()
        self._latest = loop.time()
        if self._writing is None or self._writing.done():
            self._writing = loop.create_task(self._write_all())

    def waiting(self, project: NormalizedName) -> Snapshot | None:
        """Return the page of *project* if it is not on the disk yet."""
        return self._waiting.get(project)

    def unkept(self, project: NormalizedName) -> bool:
        """Tell whether the page of *project* that was saved last could not be written."""
        return project in self._unkept

    async def forget(self, project: NormalizedName) -> None:
        """Drop the page of *project*, wherever it is."""
        if project in self._waiting:
            await self.written(project)  # it may be under way
        if self._folder.holds(project):
            await asyncio.to_thread(self._folder.forget, project)

    async def written(self, project: NormalizedName | None = None) -> None:
        """Return when the page of *project*, by default each, is on the disk, or cannot be."""
        while self._waiting if project is None else project in self._waiting:
            self._hurry.set()
            await self._round.wait()

    async def _write_all(self) -> None:
        while self._waiting:
            await self._rest()
            some = list(self._waiting.values())
            failures = await asyncio.to_thread(self._write, some)
            for snapshot in some:
                if self._waiting.get(snapshot.project) is snapshot:
                    self._drop(snapshot.project)
            for project, why in failures:
                self._not_kept(project, why)
            ended, self._round = self._round, asyncio.Event()
            ended.set()
        self._hurry.clear()

    async def _rest(self) -> None:
        """Let a burst of new pages pass, but not for ever, and not while somebody waits."""
        loop = asyncio.get_running_loop()
        end = loop.time() + _LONGEST_WAIT
        while (rest := min(self._latest + _REST, end) - loop.time()) > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._hurry.wait(), rest)
                return

    def _write(self, some: list[Snapshot]) -> list[tuple[NormalizedName, str]]:
        failures = []
        for snapshot in some:
            try:
                self._folder.save(snapshot)
            except OSError as error:
                failures.append((snapshot.project, error.strerror or str(error)))
            except Exception as error:
                # Whatever one page is, the others are written.
                failures.append((snapshot.project, repr(error)))
        return failures

    def _drop(self, project: NormalizedName) -> None:
        snapshot = self._waiting.pop(project, None)
        if snapshot is not None:
            self._bytes -= len(snapshot.packed)

    def _not_kept(self, project: NormalizedName, why: str) -> None:
        self._unkept[project] = True
        self._log("page-not-kept", f"{project}: {why}; kept in memory only")
