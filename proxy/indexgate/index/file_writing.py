"""The bytes of one file on their way to the disk: hashed and written in a thread, in order.

Until they are written, and a little longer, they can be read from memory: a reader who keeps up
with the fetch waits for no disk. Memory stays flat however slow the disk is: then the fetch waits.
"""

import asyncio
from concurrent.futures import Executor
from contextlib import suppress
from functools import partial
from typing import TypeAlias

from indexgate.index.file_check import FileCheck
from indexgate.index.off_loop import off_loop
from indexgate.index.part_file import PartFile

_AT_ONCE = 256 * 1024
_MOST_WAITING = 3 * _AT_ONCE
_SOON = 0.01  # seconds in which less is written: other processes read along from the disk

_Piece: TypeAlias = tuple[int, bytes]
"""Where in the file the bytes begin, and the bytes."""


class Writing:
    """Hashes into *check* and writes to *part*, in *pool*. `received` bytes were added so far."""

    def __init__(self, part: PartFile, check: FileCheck, pool: Executor) -> None:
        self.received = 0
        self._take = partial(_take, check, part)
        self._pool = pool
        self._job: asyncio.Task[None] | None = None
        self._latest: list[_Piece] = []
        self._waiting: list[_Piece] = []
        self._waiting_bytes = 0
        self._soon: asyncio.TimerHandle | None = None

    def add(self, chunk: bytes) -> None:
        """Take the next bytes into memory."""
        self._waiting.append((self.received, chunk))
        self._waiting_bytes += len(chunk)
        self.received += len(chunk)

    async def keep_up(self) -> None:
        """Have what was added written before long; return when there is room in memory for more.

        Raises OSError, and UpstreamFailed for too many bytes.
        """
        if self._job is not None and (self._job.done() or self._waiting_bytes >= _MOST_WAITING):
            await self._end_job()
        if self._job is None and self._waiting_bytes >= _AT_ONCE:
            self._begin_job()
        elif self._soon is None:
            self._soon = asyncio.get_running_loop().call_later(_SOON, self._begin_job_soon)

    async def finish(self) -> None:
        """Return when all is written. Raises as `keep_up` does."""
        while self._job is not None or self._waiting:
            if self._job is None:
                self._begin_job()
            await self._end_job()

    async def settle(self) -> None:
        """Return when no thread uses the file any more, whatever came of it."""
        if self._soon is not None:
            self._soon.cancel()
        if self._job is not None:
            with suppress(Exception):
                await self._job

    def read(self, start: int, length: int) -> bytes | None:
        """Return up to *length* bytes from *start*; None when they are no longer in memory."""
        for pieces in (self._latest, self._waiting):
            for at, chunk in pieces:
                if at <= start < at + len(chunk):
                    return chunk[start - at : start - at + length]
        return None

    def _begin_job_soon(self) -> None:
        self._soon = None
        if self._job is None and self._waiting:
            self._begin_job()

    def _begin_job(self) -> None:
        self._latest, self._waiting, self._waiting_bytes = self._waiting, [], 0
        work = partial(self._take, [chunk for _, chunk in self._latest])
        self._job = asyncio.create_task(off_loop(self._pool, work))

    async def _end_job(self) -> None:
        if self._job is not None:
            await self._job
            self._job = None


def _take(check: FileCheck, part: PartFile, chunks: list[bytes]) -> None:
    for chunk in chunks:
        check.update(chunk)
        part.write(chunk)
