"""One fetch of one file, which any number of readers follow while it is written.

The fetch belongs to nobody: a reader that goes away does not end it. Who keeps up with it reads
from memory, all others from disk, so that the slowest of them slows nobody and memory stays flat. A
small file is given out when it is whole and checked, and comes to the disk after that.
"""

import asyncio
import copy
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from typing import TypeVar

from indexgate.index.file_check import FileCheck, approve
from indexgate.index.file_writing import Writing
from indexgate.index.files import CHUNK, HELD_BACK, SMALL_FILE, Fetch, Pin, UpstreamBody, Wanted
from indexgate.index.off_loop import off_loop
from indexgate.index.part_file import PartFile

T = TypeVar("T")

_LOOK_EVERY = 0.01  # seconds between looks at a file that another process writes


class NotKept(Exception):
    """The file does not come to the cache, for `reason`; upstream may well give it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class DiskFailed(NotKept):
    """The disk cannot take or give the bytes of the file."""


class Flight:
    """The state of one fetch: how far it is, how far it may be read, how it ended.

    `size` is the size of the file when it is known, `safe` the number of bytes that readers may
    have, `whole` a small file, once it was checked. *create* opens the file to write to. Blocking
    work is done in *pool*.
    """

    def __init__(
        self, wanted: Wanted, *, create: Callable[[], PartFile], limit: int, pool: Executor
    ) -> None:
        self.wanted = wanted
        self.size = wanted.size
        self.safe = 0
        self.whole: bytes | None = None
        self.part: PartFile | None = None
        self._writing: Writing | None = None
        self._create = create
        self._limit = limit
        self._pool = pool
        self._users = 1  # the fetch itself
        self._begun = False
        self._ended = False
        self._failure: Exception | None = None
        self._moved = asyncio.Event()

    async def fetch(self, fetch: Fetch, pin: Pin) -> str:
        """Fetch and check the file; return its sha256 once readers may have all of it.

        Raises UpstreamFailed, NotKept, and whatever *pin* raises.
        """
        self._has_room(self.wanted.size)
        check = FileCheck(self.wanted)
        self.part = part = await self._on_disk(self._create)
        if not part.ours:
            return await self._follow(part, check)
        async with fetch() as upstream:
            self.size = check.expect(upstream.length)
            self._has_room(self.size)
            if self.size is not None and self.size <= SMALL_FILE:
                whole = await self._in_memory(upstream, check)
            else:
                whole = None
                await self._to_disk(upstream, check, part)
        sha256 = await approve(check, self.wanted, pin)
        self.whole = whole
        self._land(check.received)
        return sha256

    async def _in_memory(self, upstream: UpstreamBody, check: FileCheck) -> bytes:
        chunks = []
        async for chunk in upstream.chunks():
            check.update(chunk)
            chunks.append(chunk)
        return b"".join(chunks)

    async def _to_disk(self, upstream: UpstreamBody, check: FileCheck, part: PartFile) -> None:
        """Have readers follow, and return when all is written."""
        writing = self._writing = Writing(part, check, self._pool)
        self._begun = True
        self._tell()
        try:
            async for chunk in upstream.chunks():
                writing.add(chunk)
                self._advance(writing.received)
                await writing.keep_up()
            await writing.finish()
        except OSError as error:
            raise DiskFailed(error.strerror or str(error)) from error
        finally:
            await writing.settle()

    async def _follow(self, part: PartFile, check: FileCheck) -> str:
        """Read along while another process fetches the same bytes, until it has checked them.

        Raises NotKept when it does not finish: then everyone asks upstream for themselves.
        """
        self._begun = self.size is not None
        self._tell()
        while not await self._on_disk(part.writer_left):
            if self.size is not None:
                self._advance(await self._on_disk(part.written))
            await asyncio.sleep(_LOOK_EVERY)
        if not await self._on_disk(part.finished):
            raise NotKept("another process could not finish the file")
        written = await self._on_disk(part.written)
        self._land(check.expect(written) or 0)
        return self.wanted.digest or check.finish()

    def _land(self, size: int) -> None:
        self.size = self.safe = size
        self._ended = True
        self._tell()

    def fail(self, failure: Exception) -> None:
        """Tell all readers that no more will come. A file that was complete stays complete."""
        if not self._ended:
            self._failure = failure
            self._ended = True
            self._tell()

    async def begin(self) -> None:
        """Wait until upstream has answered, or a small file is whole; `size` is what it will be.

        Raises the failure of the fetch.
        """
        while not (self._begun or self._ended):
            await self._moved.wait()
        self._raise_failure()

    async def beyond(self, offset: int) -> int:
        """Wait for bytes beyond *offset*; return `safe`, not above *offset* at the end of the file.

        Raises the failure of the fetch.
        """
        while self.safe <= offset and not self._ended:
            await self._moved.wait()
        self._raise_failure()
        return self.safe

    async def read(self, start: int, length: int) -> bytes:
        """Return up to *length* bytes that are safe to read. Raises DiskFailed."""
        if self.whole is not None:
            return self.whole[start : start + length]
        if self._writing is not None:
            recent = self._writing.read(start, length)
            if recent is not None:
                return recent
        if self.part is None:
            raise DiskFailed("the file was never opened")
        return await self._on_disk(partial(self.part.read, start, min(length, CHUNK)))

    def join(self) -> None:
        """Count one more reader: the file stays open until all have left."""
        self._users += 1

    def leave(self) -> None:
        """Count one reader less."""
        self._users -= 1
        if not self._users and self.part is not None:
            self.part.close()

    def _advance(self, written: int) -> None:
        end = written if self.size is None else self.size
        self.safe = max(0, min(written, end - HELD_BACK))
        self._has_room(written)
        self._tell()

    def _has_room(self, size: int | None) -> None:
        if size is not None and size > self._limit:
            raise NotKept(f"the file is larger than the {self._limit} bytes of the whole cache")

    def _tell(self) -> None:
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            # A copy each: one exception raised in many tasks would gather all their tracebacks.
            raise copy.copy(self._failure)

    async def _on_disk(self, work: Callable[[], T]) -> T:
        """Do *work* off the loop. Raises DiskFailed, and what *work* raises."""
        try:
            return await off_loop(self._pool, work)
        except OSError as error:
            raise DiskFailed(error.strerror or str(error)) from error
