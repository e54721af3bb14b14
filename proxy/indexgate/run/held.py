"""Locks that end with the process that holds them, however it ends.

A program that is started meanwhile does not inherit them.
"""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

if sys.platform == "win32":
    POSSIBLE = False

    def _lock(file: IO[str], *, shared: bool, wait: bool) -> bool:
        raise OSError("this platform has no such locks")

else:
    import fcntl

    POSSIBLE = True

    def _lock(file: IO[str], *, shared: bool, wait: bool) -> bool:
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(file.fileno(), kind if wait else kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@contextlib.contextmanager
def held(path: Path, *, shared: bool = False) -> Iterator[None]:
    """Hold the lock at *path*, waiting for it; several may hold a *shared* one."""
    with path.open("a", encoding="utf-8") as file:
        _lock(file, shared=shared, wait=True)
        yield


@contextlib.contextmanager
def try_alone(path: Path) -> Iterator[bool]:
    """Hold the lock at *path* alone if nobody else holds it; give whether that is so."""
    with path.open("a", encoding="utf-8") as file:
        yield _lock(file, shared=False, wait=False)
