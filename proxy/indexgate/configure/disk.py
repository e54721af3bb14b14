"""Settings files on the disk: read as they are, and given new content all at once."""

import os
import secrets
import stat
from pathlib import Path

from indexgate.errors import GateError

LARGEST = 4_000_000
"""Bytes of a settings file that is read; the largest `pyproject.toml` has a tenth of it."""


def read(path: Path) -> bytes | None:
    """Return what is in *path*, None where there is no such file. Raises GateError."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise GateError("configure-unreadable", f"cannot read `{path}`: {_why(error)}") from error
    if len(content) > LARGEST:
        raise GateError("configure-unreadable", f"`{path}` is too large for a settings file")
    return content


def put(path: Path, content: bytes, *, private: bool = False) -> tuple[Path, ...]:
    """Give *path* its new *content* and return the folders that were made for it.

    Nobody ever reads half of it, and the file's mode stays. Raises GateError, also for a file that
    is marked as read-only: whoever marked it shall decide.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    made: list[Path] = []
    try:
        mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else None
        if mode is not None and not mode & stat.S_IWUSR:
            raise GateError(
                "configure-unwritable",
                f"`{path}` is read-only",
                f"Make it writable first (`chmod u+w {path}`), or have whoever manages it add it.",
            )
        made = _folders(path.parent)
        with part.open("xb") as file:
            if private or mode is not None:
                part.chmod(0o600 if mode is None else mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        without(tuple(made))
        raise GateError("configure-unwritable", f"cannot write `{path}`: {_why(error)}") from error
    return tuple(made)


def remove(path: Path, folders: tuple[Path, ...]) -> None:
    """Remove *path*, and those of *folders* that are empty then. Raises GateError."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise GateError("configure-unwritable", f"cannot remove `{path}`: {_why(error)}") from error
    without(folders)


def without(folders: tuple[Path, ...]) -> None:
    """Remove those of *folders* that are empty, the innermost first."""
    for folder in sorted(folders, key=lambda each: len(each.parts), reverse=True):
        try:
            folder.rmdir()
        except OSError:
            return


def _folders(folder: Path) -> list[Path]:
    """Make *folder* and return what had to be made, the outermost first."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return missing[::-1]


def _why(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
