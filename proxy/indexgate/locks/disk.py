"""Lock files on the disk: read as they are, and given a new text all at once."""

import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

_LARGEST = 64_000_000


def read_text(path: Path) -> str | None:
    """Return the text of *path*, line ends untouched; None for what is no lock."""
    try:
        if path.stat().st_size > _LARGEST:
            return None
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def change_text(path: Path, change: Callable[[str], str]) -> bool:
    """Give *path* its changed text, all at once; tell whether anything had to be changed.

    Raises OSError.
    """
    text = read_text(path)
    if text is None or (new := change(text)) == text:
        return False
    descriptor, part = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(new.encode("utf-8"))
            file.flush()
            os.fsync(file.fileno())
        Path(part).chmod(stat.S_IMODE(path.stat().st_mode))
        Path(part).replace(path)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise
    return True
