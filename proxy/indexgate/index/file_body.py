"""The places that the bytes of a file come from: memory, the disk, a running fetch, upstream."""

import os
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from concurrent.futures import Executor
from contextlib import aclosing
from functools import partial
from typing import BinaryIO, TypeAlias

from indexgate.index.file_check import FileCheck, approve
from indexgate.index.file_flight import Flight, NotKept
from indexgate.index.files import CHUNK, HELD_BACK, Fetch, Pin, Wanted
from indexgate.index.off_loop import off_loop
from indexgate.index.protocol import UpstreamFailed

ReadBack: TypeAlias = Callable[[int, int], Awaitable[bytes]]
"""Return the bytes that a client already has: where they start, and how many."""


class BodyAtHand:
    """A small file in memory. It was checked before it came there."""

    kept: BinaryIO | None = None

    def __init__(self, data: bytes) -> None:
        self.at_hand: bytes | None = data
        self.size = len(data)
        self._data = data

    async def read(self, start: int = 0, stop: int | None = None) -> AsyncGenerator[bytes, None]:
        """Yield the bytes asked for, at once."""
        if piece := self._data[start:stop]:
            yield piece

    def close(self) -> None:
        """Nothing is held open."""


class KeptBody:
    """A finished file. It was checked before it was kept."""

    at_hand: bytes | None = None

    def __init__(
        self, file: BinaryIO, size: int, *, pool: Executor, on_close: Callable[[], None]
    ) -> None:
        self.size = size
        self.kept: BinaryIO | None = file
        self._pool = pool
        self._on_close = on_close

    async def read(self, start: int = 0, stop: int | None = None) -> AsyncGenerator[bytes, None]:
        """Yield the bytes asked for. Raises OSError."""
        end = self.size if stop is None else min(stop, self.size)
        while start < end and self.kept is not None:
            length = min(CHUNK, end - start)
            piece = await off_loop(self._pool, partial(_read_at, self.kept, start, length))
            start += len(piece)
            yield piece

    def close(self) -> None:
        """Let the file be removed again. Closing twice is closing once."""
        if self.kept is not None:
            self.kept = None
            self._on_close()


class GrowingBody:
    """A file that is being fetched into the cache.

    If the disk gives out on the way, the rest comes straight from upstream by *fetch*, and what the
    reader already has is compared with it.
    """

    kept: BinaryIO | None = None

    def __init__(self, flight: Flight, fetch: Fetch, pin: Pin) -> None:
        self._flight = flight
        self._fetch = fetch
        self._pin = pin
        self._open = True
        flight.join()

    @property
    def size(self) -> int | None:
        """The number of bytes, once upstream told it or all were received."""
        return self._flight.size

    @property
    def at_hand(self) -> bytes | None:
        """All bytes of a small file, once they were checked."""
        return self._flight.whole

    async def read(self, start: int = 0, stop: int | None = None) -> AsyncGenerator[bytes, None]:
        """Yield the bytes asked for as they become safe. Raises UpstreamFailed."""
        position = start
        try:
            while stop is None or position < stop:
                safe = await self._flight.beyond(position)
                if safe <= position:
                    return
                end = safe if stop is None else min(safe, stop)
                piece = await self._flight.read(position, end - position)
                position += len(piece)
                yield piece
        except NotKept:
            rest = pass_through(
                self._flight.wanted,
                self._fetch,
                self._pin,
                start=start,
                stop=stop,
                sent=position - start,
                read_back=self._flight.read,
            )
            async with aclosing(rest):
                async for piece in rest:
                    yield piece

    def close(self) -> None:
        """Leave the fetch, which goes on without this reader."""
        if self._open:
            self._open = False
            self._flight.leave()


class PassingBody:
    """A file that goes from upstream to one reader and is kept nowhere."""

    kept: BinaryIO | None = None
    at_hand: bytes | None = None

    def __init__(self, wanted: Wanted, fetch: Fetch, pin: Pin) -> None:
        self.size = wanted.size
        self._wanted = wanted
        self._fetch = fetch
        self._pin = pin

    async def read(self, start: int = 0, stop: int | None = None) -> AsyncGenerator[bytes, None]:
        """Yield the bytes asked for. Raises UpstreamFailed."""
        pieces = pass_through(self._wanted, self._fetch, self._pin, start=start, stop=stop)
        async with aclosing(pieces):
            async for piece in pieces:
                yield piece

    def close(self) -> None:
        """Nothing is held open between reads."""


async def pass_through(
    wanted: Wanted,
    fetch: Fetch,
    pin: Pin,
    *,
    start: int,
    stop: int | None,
    sent: int = 0,
    read_back: ReadBack | None = None,
) -> AsyncGenerator[bytes, None]:
    """Yield the bytes from *start* to *stop*, straight from upstream, the last block checked.

    The reader already has *sent* of these bytes, from an earlier fetch that was never checked:
    they are read back and compared, since only this fetch's bytes are hashed. Raises
    UpstreamFailed.
    """
    check = FileCheck(wanted)
    held: deque[bytes] = deque()
    position = 0  # of the first byte held
    resume = start + sent
    async with fetch() as upstream:
        check.expect(upstream.length)
        async for chunk in upstream.chunks():
            check.update(chunk)
            if read_back is not None:
                await _compare(chunk, check.received - len(chunk), start, resume, read_back)
            held.append(chunk)
            while check.received - position - len(held[0]) >= HELD_BACK:
                piece = held.popleft()
                if wish := _cut(piece, position, resume, stop):
                    yield wish
                position += len(piece)
            if stop is not None and position >= stop:
                return
    await approve(check, wanted, pin)
    for piece in held:
        if wish := _cut(piece, position, resume, stop):
            yield wish
        position += len(piece)


async def _compare(chunk: bytes, at: int, start: int, stop: int, read_back: ReadBack) -> None:
    """Compare the part of *chunk* between *start* and *stop* with what the reader has."""
    first, last = max(start, at), min(stop, at + len(chunk))
    while first < last:
        earlier = await read_back(first, min(CHUNK, last - first))
        if not earlier or earlier != chunk[first - at : first - at + len(earlier)]:
            raise UpstreamFailed("hash", "sent other bytes when it was asked a second time")
        first += len(earlier)


def _cut(piece: bytes, at: int, start: int, stop: int | None) -> bytes:
    """Return what of *piece*, whose first byte is number *at*, lies between *start* and *stop*."""
    end = len(piece) if stop is None else max(0, stop - at)
    return piece[max(0, start - at) : end]


def _read_at(file: BinaryIO, start: int, length: int) -> bytes:
    piece = os.pread(file.fileno(), length, start)
    if not piece:
        raise OSError(f"`{file.name}` became shorter while it was read")
    return piece
