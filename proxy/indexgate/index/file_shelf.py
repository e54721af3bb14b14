"""Finished files on disk, by sha256: 256 folders, bounded by bytes, the longest unread go first.

The folder itself is the only record, so that several processes can share it: a file's modification
time is when it was last opened, and what is there is counted by looking. A look at every file is
needed rarely, because making room frees a twentieth more than was asked for.
"""

import errno
import os
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from indexgate.index.part_file import PartFile, remove_leftovers

_SPARE = 0.05
_DIGEST_LENGTH = 64


def free_bytes(folder: Path) -> int:
    """Return the bytes that the disk of *folder* has left for us."""
    return shutil.disk_usage(folder).free


class _Kept(Struct, frozen=True, order=True):
    opened_ns: int
    size: int
    path: Path


class FileShelf:
    """The finished files in *folder*, at most *max_bytes* of them.

    `open` and `close` are quick and belong to one thread; the others block, and any thread may call
    them. *clock* gives nanoseconds since 1970. Files that are being read are never removed.
    """

    def __init__(
        self,
        folder: Path,
        max_bytes: int,
        *,
        clock: Callable[[], int] = time.time_ns,
        create: Callable[[Path, Path | None], PartFile] = PartFile,
        free: Callable[[Path], int] = free_bytes,
    ) -> None:
        self.folder = folder
        self.max_bytes = max_bytes
        self._clock = clock
        self._create = create
        self._free = free
        self._parts = folder / "parts"
        self._making_room = threading.Lock()
        self._reading: Counter[str] = Counter()
        self._total: int | None = None  # bytes of finished files, None before the first look

    def tidy(self) -> None:
        """Remove what a killed process left, and count what is there. Raises OSError."""
        self._parts.mkdir(parents=True, exist_ok=True)
        remove_leftovers(self._parts)
        with self._making_room:
            self._evict(0)

    @property
    def total(self) -> int | None:
        """The bytes of the finished files; None before the first look."""
        return self._total

    def path(self, sha256: str) -> Path:
        """Return where the finished file with *sha256* is, or would be."""
        return self.folder / sha256[:2] / sha256

    def open(self, sha256: str, size: int | None = None) -> BinaryIO | None:
        """Open the finished file, or return None.

        A file of another *size* than the listed one was damaged from outside and is removed.
        Give it back by `close`.
        """
        try:
            file = self.path(sha256).open("rb", buffering=0)
        except OSError:
            return None
        if size is not None and os.fstat(file.fileno()).st_size != size:
            file.close()
            self.remove(sha256)
            return None
        now = self._clock()
        with suppress(OSError):  # a read-only folder still serves
            os.utime(file.fileno(), ns=(now, now))
        self._reading[sha256] += 1
        return file

    def close(self, sha256: str, file: BinaryIO) -> None:
        """Take back what `open` gave."""
        file.close()
        self._reading[sha256] -= 1
        if not self._reading[sha256]:
            del self._reading[sha256]

    def remove(self, sha256: str) -> None:
        """Remove a file that was damaged from outside."""
        with suppress(OSError):
            self.path(sha256).unlink()

    def new_part(self, digest: str | None, size: int | None) -> PartFile:
        """Return the file to write *size* bytes with *digest* into, after making room for them.

        It is not `ours` when another process writes it already.

        Raises OSError when there can be none.
        """
        self._parts.mkdir(parents=True, exist_ok=True)
        with self._making_room:
            if self._total is not None and self._total + (size or 0) > self.max_bytes:
                self._evict(size or 0)
        if size is not None and self._free(self._parts) < size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return self._create(self._parts, None if digest is None else self.path(digest))

    def keep(
        self, part: PartFile, sha256: str, size: int, *, unwritten: bytes | None = None
    ) -> None:
        """Put a checked file under its final name, after what is *unwritten*. Raises OSError.

        One that comes *unwritten* is small: a power cut may take it, since it is checked again
        whenever it is taken from the disk.
        """
        final = self.path(sha256)
        if unwritten is not None:
            part.write(unwritten)
        part.finish(final, lasting=unwritten is None)
        now = self._clock()
        os.utime(final, ns=(now, now))
        with self._making_room:
            if self._total is not None:
                self._total += size
                if self._total > self.max_bytes:
                    self._evict(0)

    def _evict(self, needed: int) -> None:
        """Look at every file, and remove the longest unread until *needed* bytes fit in."""
        files = sorted(self._files())
        total = sum(file.size for file in files)
        if total + needed > self.max_bytes:
            bound = self.max_bytes * (1 - _SPARE) - needed
            for file in files:
                if total <= bound:
                    break
                if file.path.name not in self._reading:
                    with suppress(OSError):
                        file.path.unlink()
                        total -= file.size
        self._total = total

    def _files(self) -> Iterator[_Kept]:
        for folder in self.folder.glob("[0-9a-f][0-9a-f]"):
            with os.scandir(folder) as entries:
                for entry in entries:
                    if len(entry.name) == _DIGEST_LENGTH:
                        with suppress(FileNotFoundError):  # another process removed it
                            found = entry.stat(follow_symlinks=False)
                            yield _Kept(found.st_mtime_ns, found.st_size, Path(entry.path))
