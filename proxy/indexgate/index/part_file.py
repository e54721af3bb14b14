"""A file that is still being written, and how it becomes a finished one (POSIX only)."""

import fcntl
import os
import tempfile
from contextlib import suppress
from pathlib import Path

SUFFIX = ".part"


class PartFile:
    """A file in *folder* on its way to be *final*.

    Whoever opens it first writes it and holds its lock; all others, in this process or another,
    find `ours` false and read what grows, or what was finished a moment ago. A killed writer's
    lock is gone, and so a leftover can be told from the work of a living one: it is put away and
    begun anew, never written over, since somebody may still read it. Without *final* the file is
    ours alone.

    All methods block and raise OSError.
    """

    def __init__(self, folder: Path, final: Path | None = None) -> None:
        if final is None:
            self._fd, name = tempfile.mkstemp(suffix=SUFFIX, dir=folder)
            self.path = Path(name)
            self.ours = _lock(self._fd, fcntl.LOCK_EX)
            return
        self.path = folder / f"{final.name}{SUFFIX}"
        while not self._claim():
            os.close(self._fd)
        if self.ours and final.exists():  # finished between our look for it and our claim
            self.release()
            os.close(self._fd)
            self._fd = os.open(final, os.O_RDONLY | os.O_CLOEXEC)
            self.ours = False

    def _claim(self) -> bool:
        """Open the file at the path; return False if it went away or had to."""
        self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self.ours = _lock(self._fd, fcntl.LOCK_EX)
            if self.ours and self._at_its_path() and self.written():
                self.path.unlink()
            return not self.ours or self._at_its_path()
        except OSError:
            os.close(self._fd)
            raise

    def written(self) -> int:
        """Return how many bytes there are."""
        return os.fstat(self._fd).st_size

    def writer_left(self) -> bool:
        """Tell whether the one who wrote the file has finished, discarded or abandoned it."""
        left = _lock(self._fd, fcntl.LOCK_SH)
        if left:
            fcntl.flock(self._fd, fcntl.LOCK_UN)
        return left

    def finished(self) -> bool:
        """Tell, once the writer left, whether it gave the file its final name."""
        return os.fstat(self._fd).st_nlink > 0 and not self._at_its_path()

    def write(self, data: bytes) -> None:
        """Append *data*."""
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._fd, rest) :]

    def read(self, start: int, length: int) -> bytes:
        """Return up to *length* bytes from *start*."""
        return os.pread(self._fd, length, start)

    def finish(self, final: Path, *, lasting: bool = True) -> None:
        """Give the file its *final* name, and let others know that we write no more.

        If it is to be *lasting*, its bytes are safe on the disk before: without the first sync a
        power cut could leave the name without the bytes.
        """
        if lasting:
            os.fsync(self._fd)
        final.parent.mkdir(parents=True, exist_ok=True)
        self.path.replace(final)
        if lasting:
            folder = os.open(final.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        self._leave()

    def release(self) -> None:
        """Let others know that we write no more; a file that has no final name is removed."""
        if self.ours:
            if self._at_its_path():
                self.path.unlink()
            self._leave()

    def _leave(self) -> None:
        fcntl.flock(self._fd, fcntl.LOCK_UN)
        self.ours = False

    def close(self) -> None:
        """Close the file; those who have it open read on."""
        os.close(self._fd)

    def _at_its_path(self) -> bool:
        try:
            return os.path.samestat(self.path.stat(), os.fstat(self._fd))
        except FileNotFoundError:
            return False


def remove_leftovers(folder: Path) -> None:
    """Remove the part files in *folder* that no living process writes."""
    for path in folder.glob(f"*{SUFFIX}"):
        with suppress(OSError), path.open("rb") as part:
            if _lock(part.fileno(), fcntl.LOCK_EX):
                path.unlink()


def _lock(fd: int, kind: int) -> bool:
    try:
        fcntl.flock(fd, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
