"""Projects that wait to be assessed again: what clients asked for first, then what is due."""

import asyncio
from itertools import chain

from packaging.utils import NormalizedName

MOST = 10_000


class WaitingLine:
    """A line of projects, each in it once. It holds *most*; what is too much is dropped.

    What is merely due gives way to what a client asked for: it is due again in a while. A project
    that is being assessed waits until that is `done`.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._asked: dict[NormalizedName, None] = {}
        self._due: dict[NormalizedName, None] = {}
        self._under_way: set[NormalizedName] = set()
        self._wake = asyncio.Event()

    def __len__(self) -> int:
        return len(self._asked) + len(self._due)

    def add(self, project: NormalizedName, *, asked: bool) -> None:
        """Put *project* in the line: *asked* says that a client wants it now."""
        if asked:
            self._due.pop(project, None)
            if len(self) >= self._most and self._due:
                self._due.popitem()
        if project in self._asked or len(self) >= self._most:
            return
        (self._asked if asked else self._due)[project] = None
        self._wake.set()

    async def next(self) -> NormalizedName:
        """Wait for the next project, and take it out of the line; call `done` after it."""
        while (project := self._first()) is None:
            self._wake.clear()
            await self._wake.wait()
        self._asked.pop(project, None)
        self._due.pop(project, None)
        self._under_way.add(project)
        return project

    def done(self, project: NormalizedName) -> None:
        """Say that *project*, which `next` gave, has been assessed, or could not be."""
        self._under_way.discard(project)
        self._wake.set()

    def _first(self) -> NormalizedName | None:
        waiting = chain(self._asked, self._due)
        return next((project for project in waiting if project not in self._under_way), None)
