"""The feed's archive of all records, read member by member in bounded memory."""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from datetime import datetime
from typing import IO

from msgspec import Struct

from indexgate.sources.osv_records import Record, Unreadable, parse

_READABLE = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_NO_ZIP = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    NotImplementedError,
    ValueError,  # a name that says it is UTF-8 and is not, for one
    OverflowError,
)
"""What zipfile raises for bytes that are no archive, or none that it can read."""


class Limits(Struct, frozen=True, kw_only=True):
    """What an archive may be at most, in bytes.

    The list of members is bounded for itself because it is held in memory; 16 MB are about 200,000
    members. A record beyond its limit is left out, an archive beyond one is refused.
    """

    archive: int = 256_000_000
    directory: int = 16_000_000
    record: int = 8_000_000
    unpacked: int = 4_000_000_000


class Census(Struct, frozen=True, kw_only=True):
    """What is in an archive: how many records hold, the newest change, what could not be read.

    `newest` leaves out times after the one it was taken with: no clock error of one record may
    hide all later changes. `unreadable` has one line a record, at most a hundred of them.
    """

    records: int
    newest: datetime | None
    skipped: int
    unreadable: tuple[str, ...]


class BrokenArchive(Exception):
    """The archive as a whole cannot be read; `reason` is one ASCII clause."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def census(archive: IO[bytes], limits: Limits, no_later_than: datetime) -> Census:
    """Read all of *archive* once and tell what is in it. Raises BrokenArchive."""
    records = skipped = 0
    newest: datetime | None = None
    unreadable: list[str] = []
    for found in _members(archive, limits):
        if isinstance(found, str):
            skipped += 1
            if len(unreadable) < 100:
                unreadable.append(found)
            continue
        records += not found.withdrawn
        if found.modified <= no_later_than and (newest is None or found.modified > newest):
            newest = found.modified
    return Census(records=records, newest=newest, skipped=skipped, unreadable=tuple(unreadable))


def holding(archive: IO[bytes], limits: Limits) -> Iterator[Record]:
    """Yield every record of *archive* that is readable and not withdrawn. Raises BrokenArchive."""
    for found in _members(archive, limits):
        if isinstance(found, Record) and not found.withdrawn:
            yield found


def _members(archive: IO[bytes], limits: Limits) -> Iterator[Record | str]:
    """Yield each member's record, or the line that says why it has none."""
    unpacked = 0
    ids: set[str] = set()
    try:
        with zipfile.ZipFile(_Cautious(archive, limits.directory)) as opened:
            for member in opened.infolist():
                if not member.filename.endswith(".json"):
                    continue
                size, found = _read(opened, member, limits.record)
                unpacked += size
                if unpacked > limits.unpacked:
                    raise BrokenArchive(f"has an archive of more than {limits.unpacked:,} bytes")
                if isinstance(found, Record):
                    if found.id in ids:
                        found = f"{member.filename[:140]!a} has the id of another record"
                    else:
                        ids.add(found.id)
                if found is not None:
                    yield found
    except _NO_ZIP as error:
        raise BrokenArchive("has an archive that cannot be read") from error


def _read(
    opened: zipfile.ZipFile, member: zipfile.ZipInfo, limit: int
) -> tuple[int, Record | str | None]:
    """Return the member's size, and its record, the line why it is none, None if not about PyPI."""
    size = min(member.file_size, limit)  # zipfile never unpacks more than a member states
    try:
        return size, parse(_unpack(opened, member, limit))
    except Unreadable as bad:
        return size, f"{member.filename[:140]!a} {bad.reason}"


def _unpack(opened: zipfile.ZipFile, member: zipfile.ZipInfo, limit: int) -> bytes:
    """Return the member's bytes. Raises Unreadable for one that is damaged or too large."""
    if member.compress_type not in _READABLE or member.flag_bits & 1:
        raise Unreadable("is packed in a way that is not read here")
    try:
        with opened.open(member) as stream:
            document = stream.read(limit + 1)
    except _NO_ZIP as error:
        raise Unreadable("is damaged") from error
    if len(document) > limit:
        raise Unreadable(f"is larger than {limit:,} bytes")
    return document


class _Cautious(io.RawIOBase):
    """A file whose single reads are bounded: zipfile reads the list of members in one piece."""

    def __init__(self, file: IO[bytes], most: int) -> None:
        self._file = file
        self._most = most

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def read(self, size: int = -1) -> bytes:
        piece = self._file.read(self._most + 1 if size < 0 else min(size, self._most + 1))
        if len(piece) > self._most:
            raise BrokenArchive("has an archive with too many members")
        return piece
