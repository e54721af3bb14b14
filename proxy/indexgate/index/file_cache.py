"""Files by their hash, on disk, each fetched once however many ask for it at the same time."""

import asyncio
import hashlib
import os
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeVar

from cachetools import LRUCache

from indexgate.index.file_body import BodyAtHand, GrowingBody, KeptBody, PassingBody
from indexgate.index.file_check import FileCheck
from indexgate.index.file_flight import DiskFailed, Flight, NotKept
from indexgate.index.file_shelf import FileShelf
from indexgate.index.files import CHUNK, SMALL_FILE, Fetch, FileBody, Pin, Wanted, pin_nothing
from indexgate.index.off_loop import off_loop
from indexgate.index.part_file import PartFile
from indexgate.index.protocol import UpstreamFailed

_THREADS = 4
_KEEPING_THREADS = 2
IN_MEMORY = 32 * 1024 * 1024
"""Bytes of small files that are in memory."""

_GOING_DOWN = UpstreamFailed("offline", "the gate is going down")

T = TypeVar("T")


def say_nothing(_sentence: str) -> None:
    """Take a warning and drop it."""


class FileCache:
    """The finished files in *folder*, at most *max_bytes*, and the fetches that are running.

    *pin* remembers the first sha256 of files that the index lists without one. *warn* is told once
    when files can no longer be kept, and again only after one could be; meanwhile they pass
    through unkept but checked. Work on the disk has threads of its own, so that a slow disk holds
    up no page; what makes files last over a power cut has others, as that is the slowest of all.
    The small files that were asked for last are in memory as well. `joined` counts those who found
    their file being fetched for somebody else.
    """

    def __init__(
        self,
        folder: Path,
        max_bytes: int,
        *,
        pin: Pin = pin_nothing,
        warn: Callable[[str], None] = say_nothing,
        shelf: FileShelf | None = None,
    ) -> None:
        self._shelf = shelf or FileShelf(folder, max_bytes)
        self._pin = pin
        self._warn = warn
        self._keeps = True
        self.joined = 0
        self._flights: dict[Wanted, Flight] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._at_hand: LRUCache[str, bytes] = LRUCache(IN_MEMORY, getsizeof=len)
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="files")
        self._keeping = ThreadPoolExecutor(_KEEPING_THREADS, thread_name_prefix="files-keep")

    def start(self) -> None:
        """Begin to tidy the folder and to count what is there, in the background."""
        self._spawn(self._tidy())

    async def settle(self) -> None:
        """Wait until all fetches, and what they leave to do on disk, have ended."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def close(self) -> None:
        """End all fetches; what is not finished is thrown away."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for flight in self._flights.values():  # those that were cancelled before their first step
            flight.fail(_GOING_DOWN)
        self._pool.shutdown(wait=False)
        self._keeping.shutdown(wait=False)

    @property
    def bytes_kept(self) -> int | None:
        """The bytes of the finished files on disk; None before they were counted."""
        return self._shelf.total

    @property
    def bytes_in_memory(self) -> int:
        """The bytes of the small files in memory."""
        return int(self._at_hand.currsize)

    @property
    def keeps(self) -> bool:
        """Whether files can be kept: False after the disk failed, until it takes one again."""
        return self._keeps

    async def open_kept(self, wanted: Wanted) -> KeptBody | BodyAtHand | None:
        """Return the finished file, or None when it must be fetched."""
        digest = wanted.digest
        if digest is None:
            return None
        known_by_digest = wanted.sha256 is not None or not wanted.hashes
        data = self._at_hand.get(digest) if known_by_digest else None
        if data is not None and wanted.size in {None, len(data)}:
            return BodyAtHand(data)
        file = self._shelf.open(digest, wanted.size)
        if file is None:
            return None
        body = KeptBody(
            file,
            os.fstat(file.fileno()).st_size,
            pool=self._pool,
            on_close=partial(self._shelf.close, digest, file),
        )
        if known_by_digest:
            return await self._taken_in(body, digest) if body.size <= SMALL_FILE else body
        # Kept under the hash that was first seen, which says nothing of the listed ones.
        try:
            if await self._on_disk(partial(_passes, wanted, file)):
                return body
        except BaseException:
            body.close()
            raise
        body.close()
        return None

    async def _taken_in(self, body: KeptBody, digest: str) -> BodyAtHand | None:
        """Return the small file *body* out of memory; None if it is damaged. Raises OSError."""
        try:
            data = b"".join([piece async for piece in body.read()])
        finally:
            body.close()
        if hashlib.sha256(data).hexdigest() == digest:
            self._at_hand[digest] = data
        elif digest not in self._at_hand:  # else somebody was quicker, and has fetched it anew
            self._shelf.remove(digest)
            return None
        return BodyAtHand(self._at_hand[digest])

    async def open(self, wanted: Wanted, fetch: Fetch) -> FileBody:
        """Return the file: the kept one, else the one being fetched, else *fetch* it.

        Returns when upstream has answered; a small file is then at hand. The fetch goes on when the
        caller goes away. Raises UpstreamFailed.
        """
        flight = self._flights.get(wanted)
        if flight is None:
            if kept := await self.open_kept(wanted):
                return kept
            # Where nothing was found nothing was awaited since: no fetch can have landed.
            flight = self._flights.get(wanted) or self._take_off(wanted, fetch)
        else:
            self.joined += 1
        body = GrowingBody(flight, fetch, self._pin)
        try:
            await flight.begin()
        except NotKept:
            body.close()
            return PassingBody(wanted, fetch, self._pin)
        except BaseException:
            body.close()
            raise
        return body

    def _take_off(self, wanted: Wanted, fetch: Fetch) -> Flight:
        flight = Flight(
            wanted,
            create=partial(self._shelf.new_part, wanted.sha256, wanted.size),
            limit=self._shelf.max_bytes,
            pool=self._pool,
        )
        self._flights[wanted] = flight
        self._spawn(self._fly(flight, fetch))
        return flight

    async def _fly(self, flight: Flight, fetch: Fetch) -> None:
        """Fetch the file and keep it. Failures go to the readers, the disk's also to *warn*."""
        try:
            sha256 = await flight.fetch(fetch, self._pin)
            await self._keep(flight, sha256)
        except DiskFailed as failure:
            flight.fail(failure)
            self._cannot_keep(failure.reason)
        except Exception as failure:
            flight.fail(failure)
        finally:
            del self._flights[flight.wanted]
            flight.fail(_GOING_DOWN)
            if flight.part is not None:
                self._let_go(flight.part)
            flight.leave()

    async def _keep(self, flight: Flight, sha256: str) -> None:
        if flight.whole is not None:
            self._at_hand[sha256] = flight.whole
        part = flight.part
        if part is None or not part.ours:
            return
        work = partial(self._shelf.keep, part, sha256, flight.safe, unwritten=flight.whole)
        try:
            await off_loop(self._keeping, work)
        except OSError as error:
            raise DiskFailed(error.strerror or str(error)) from error
        self._keeps = True

    def _let_go(self, part: PartFile) -> None:
        try:
            part.release()
        except OSError as error:
            self._cannot_keep(error.strerror or str(error))

    async def _tidy(self) -> None:
        try:
            await self._on_disk(self._shelf.tidy)
        except OSError as error:
            self._cannot_keep(error.strerror or str(error))

    async def _on_disk(self, work: Callable[[], T]) -> T:
        return await off_loop(self._pool, work)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _cannot_keep(self, reason: str) -> None:
        if self._keeps:
            self._keeps = False
            self._warn(f"files pass through without being kept in `{self._shelf.folder}`: {reason}")


def _passes(wanted: Wanted, file: BinaryIO) -> bool:
    """Read all of *file* and tell whether it is the wanted one."""
    check = FileCheck(wanted)
    try:
        while piece := file.read(CHUNK):
            check.update(piece)
        check.finish()
    except UpstreamFailed:
        return False
    return True
