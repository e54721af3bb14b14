"""A file that is still being written, and how it becomes a finished one (POSIX only)."""

import fcntl
import os
import tempfile
from contextlib import suppress
from pathlib import Path

SUFFIX = ".part"


class PartFile:
    """A new file in *folder* that its writer alone writes, and that anyone may read meanwhile.

    It is locked while it is open, so that a leftover of a killed process can be told from the
    work of a living one. All methods block and raise OSError.
    """

    def __init__(self, folder: Path) -> None:
        self._fd, name = tempfile.mkstemp(suffix=SUFFIX, dir=folder)
        self.path = Path(name)
        fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def write(self, data: bytes) -> None:
        """Append *data*."""
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._fd, rest) :]

    def read(self, start: int, length: int) -> bytes:
        """Return up to *length* bytes from *start*."""
        return os.pread(self._fd, length, start)

    def finish(self, final: Path) -> None:
        """Give the file its *final* name, once its bytes are safe on the disk.

        Without the first sync a power cut could leave the name without the bytes.
        """
        os.fsync(self._fd)
        final.parent.mkdir(parents=True, exist_ok=True)
        self.path.replace(final)
        folder = os.open(final.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def discard(self) -> None:
        """Remove the file; those who have it open read on."""
        self.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)


def remove_leftovers(folder: Path) -> None:
    """Remove the part files in *folder* that no living process writes."""
    for path in folder.glob(f"*{SUFFIX}"):
        with suppress(OSError), path.open("rb") as part:
            fcntl.flock(part, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
