"""Which bytes of a file a request asks for (RFC 9110, sections 13.1.5 and 14)."""

import re

from msgspec import Struct

_SINGLE = re.compile(r"([0-9]{1,18})-([0-9]{0,18})|-([0-9]{1,18})")
_STRONG_ETAG = re.compile(r'"[\x21\x23-\x7e\x80-\xff]*"')


class ByteRange(Struct, frozen=True, kw_only=True):
    """The bytes from `start` up to but without `stop`, of a file of `size` bytes."""

    start: int
    stop: int
    size: int

    @property
    def length(self) -> int:
        """The number of bytes asked for, at least one."""
        return self.stop - self.start

    @property
    def content_range(self) -> str:
        """The value of `Content-Range` for a 206."""
        return f"bytes {self.start}-{self.stop - 1}/{self.size}"

    def is_meant_by(self, content_range: str | None) -> bool:
        """Tell whether a `Content-Range` names these bytes; `*` is for a size that is not known."""
        told = " ".join((content_range or "").lower().split())
        return told in {self.content_range, f"{self.content_range.partition('/')[0]}/*"}


class RangeNotSatisfiable(Exception):
    """The range lies outside of the file: answer 416 with `content_range`."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.content_range = f"bytes */{size}"


def asked_range(
    range_header: str | None, if_range: str | None, *, size: int, etag: str | None
) -> ByteRange | None:
    """Return the one range asked for, or None when the whole file is to be sent.

    *etag* is the file's own, with its quotes. A header that is malformed, in another unit or asks
    for several ranges is ignored, which is always allowed. A failed `If-Range` asks for the whole
    file; it compares strongly, and a date never holds since files are sent without Last-Modified.

    Raises RangeNotSatisfiable.
    """
    if range_header is None or not _same_file(if_range, etag):
        return None
    unit, _, wish = range_header.partition("=")
    parts = [part.strip(" \t") for part in wish.split(",") if part.strip(" \t")]
    if unit.strip(" \t").lower() != "bytes" or len(parts) != 1:
        return None
    match = _SINGLE.fullmatch(parts[0])
    if match is None:
        return None
    first, last, suffix = match.groups()
    if suffix is not None:
        return _suffix(int(suffix), size)
    start = int(first)
    stop = int(last) + 1 if last else size
    if start >= stop and last:
        return None
    if start >= size:
        raise RangeNotSatisfiable(size)
    return ByteRange(start=start, stop=min(stop, size), size=size)


def _suffix(length: int, size: int) -> ByteRange | None:
    if length == 0:
        raise RangeNotSatisfiable(size)
    if size == 0:
        return None  # satisfiable, but an empty Content-Range cannot be written
    return ByteRange(start=max(0, size - length), stop=size, size=size)


def _same_file(if_range: str | None, etag: str | None) -> bool:
    if if_range is None:
        return True
    return if_range == etag and _STRONG_ETAG.fullmatch(if_range) is not None
