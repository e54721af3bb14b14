"""A page as it travels: bounded in size, also after decompression, which never takes long at once.

Gzip and zstd are asked for and undone. A few kilobytes may unpack to gigabytes, so that the packed
bytes are undone in pieces and counted as they come, and the event loop has its turn between them;
much of it is undone in a thread.
A packed body may be several streams, one behind the other (RFC 1952, 2.2; RFC 8878, 3.1): the first
one alone would be a part taken for the whole. What came as gzip is not packed again to be kept.
"""

import asyncio
import sys
from collections.abc import Callable, Iterator
from functools import partial
from io import SEEK_END, BytesIO
from typing import NamedTuple, Protocol

import aiohttp
from isal import isal_zlib

from indexgate.index.protocol import UpstreamFailed
from indexgate.index.trouble import failure

CODINGS = "gzip, zstd"
"""What upstream may pack pages with (Accept-Encoding)."""

_PIECE = 1 << 18  # bytes, undone in less than a millisecond
_LARGE_PIECE = 1 << 23  # bytes: where others need not wait for it, most pages are one piece
_MUCH = 1 << 17  # bytes: more are undone off the event loop
_TOO_MUCH = 1 << 22  # bytes: more do not wait for the rest
_BARE_HEAD = b"\x1f\x8b\x08\x00"  # gzip, and nothing in its head but what it must have
_WORTH_KEEPING = 2  # times smaller than what it holds; ours is four times
_ZSTD_WINDOW = 23  # log2: the largest window that zstd may need as a content coding (RFC 9659)


class PageBody(NamedTuple):
    """A page, and the gzip that it came as; None where it is to be packed anew to be kept."""

    plain: bytes
    gzip: bytes | None = None


class _Unpacker(Protocol):
    def pieces(self, packed: bytes, size: int) -> Iterator[bytes]:
        """Yield what *packed* adds; no piece unpacks to more than *size* bytes. Raises _Broken."""

    def ended(self) -> bool:
        """Tell whether the packed stream has come to its end."""

    @property
    def one_gzip(self) -> bool:
        """Whether what has ended is one stream of gzip and nothing else."""


class _Broken(Exception):
    """The packed bytes are none."""


async def read_page_body(response: aiohttp.ClientResponse, limit: int) -> PageBody:
    """Read a whole body, decompressed, of at most *limit* bytes. Raises UpstreamFailed."""
    coding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if coding not in _UNPACKERS:
        raise UpstreamFailed("garbage", f"answered in the coding {coding!a}, not asked for")
    page = _Unpacked(_UNPACKERS[coding](), limit)
    received: list[bytes] = []
    waiting: list[bytes] = []
    arrived = size = 0
    try:
        async for chunk in response.content.iter_any():
            received.append(chunk)
            waiting.append(chunk)
            arrived += len(chunk)
            size += len(chunk)
            page.check(arrived)  # much may come that holds nothing
            if size > _TOO_MUCH:
                await asyncio.to_thread(page.take, b"".join(waiting))
                waiting.clear()
                size = 0
        if size > _MUCH:
            await asyncio.to_thread(page.take, b"".join(waiting))
        else:
            for _ in page.taking(b"".join(waiting), _PIECE):
                await asyncio.sleep(0)
    except _Broken as error:
        raise UpstreamFailed("garbage", "sent a page whose compression is broken") from error
    except (aiohttp.ClientError, OSError) as error:
        raise failure(error, "the page") from error
    if not page.unpacker.ended():
        raise UpstreamFailed("cut-off", "broke off in the middle of the page")
    packed = b"".join(received) if page.unpacker.one_gzip else b""
    as_good = packed.startswith(_BARE_HEAD) and len(packed) * _WORTH_KEEPING <= page.size
    return PageBody(page.plain, packed if as_good else None)


class _Unpacked:
    """What has been unpacked so far, of at most *limit* bytes."""

    def __init__(self, unpacker: _Unpacker, limit: int) -> None:
        self.unpacker = unpacker
        self.size = 0
        self._limit = limit
        self._first = b""
        self._all: BytesIO | None = None  # of more pieces than the first

    @property
    def plain(self) -> bytes:
        """What was packed."""
        return self._first if self._all is None else self._all.getvalue()

    def check(self, size: int) -> None:
        """Raise UpstreamFailed if that is too much."""
        if size > self._limit:
            raise UpstreamFailed("too-large", f"sent a page of more than {self._limit:,} bytes")

    def taking(self, packed: bytes, step: int) -> Iterator[None]:
        """Take in what came next, in steps of so many bytes. Raises _Broken."""
        for piece in self.unpacker.pieces(packed, step):
            self._add(piece)
            self.size += len(piece)
            self.check(self.size)
            if len(piece) == step:
                yield

    def take(self, packed: bytes) -> None:
        """Take in what came next. Raises _Broken."""
        for _ in self.taking(packed, _LARGE_PIECE):
            pass

    def _add(self, piece: bytes) -> None:
        if not self.size:
            self._first = piece
            return
        if self._all is None:  # it grows by being moved: to join many pieces takes long at once
            self._all = BytesIO(self._first)
            self._all.seek(0, SEEK_END)
        self._all.write(piece)


class _Plain:
    one_gzip = False

    def pieces(self, packed: bytes, size: int) -> Iterator[bytes]:
        yield packed

    def ended(self) -> bool:
        return True  # the connection knows


class _Gzip:
    def __init__(self) -> None:
        self._inflate = isal_zlib.decompressobj(wbits=31)
        self.one_gzip = True

    def pieces(self, packed: bytes, size: int) -> Iterator[bytes]:
        try:
            while packed:
                if self._inflate.eof:
                    self._inflate = isal_zlib.decompressobj(wbits=31)
                    self.one_gzip = False
                yield self._inflate.decompress(packed, size)
                packed = self._inflate.unconsumed_tail or self._inflate.unused_data
        except isal_zlib.error as error:  # type: ignore[misc]  # its stubs call the class a value
            raise _Broken from error

    def ended(self) -> bool:
        return self._inflate.eof


class _Zstd:
    one_gzip = False

    def __init__(self) -> None:
        # Here, not above: few indexes speak it, and the start shall not wait for it.
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd

        window = {int(zstd.DecompressionParameter.window_log_max): _ZSTD_WINDOW}
        self._new = partial(zstd.ZstdDecompressor, options=window)
        self._unpacker = self._new()
        self._error = zstd.ZstdError

    def pieces(self, packed: bytes, size: int) -> Iterator[bytes]:
        try:
            while packed or not (self._unpacker.eof or self._unpacker.needs_input):
                if self._unpacker.eof:
                    self._unpacker = self._new()
                yield self._unpacker.decompress(packed, size)
                packed = self._unpacker.unused_data
        except self._error as error:
            raise _Broken from error

    def ended(self) -> bool:
        return self._unpacker.eof


_UNPACKERS: dict[str, Callable[[], _Unpacker]] = {
    "identity": _Plain,
    "": _Plain,
    "gzip": _Gzip,
    "x-gzip": _Gzip,
    "zstd": _Zstd,
}
