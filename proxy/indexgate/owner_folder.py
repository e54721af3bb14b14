"""Who owned a project, kept on the disk: what the indexes before its owner said, and when.

A page on the disk does not tell that. It may have come while its index stood alone, or was asked
by name, or while an earlier index could not be asked; then it says nothing about that one.
"""

import os
import tempfile
from contextlib import suppress
from datetime import datetime
from hashlib import blake2b
from pathlib import Path

import msgspec
from packaging.utils import NormalizedName

MOST = 50_000
"""How many projects are remembered at most; those not confirmed for longest go first."""

_PRUNE_EVERY = 5000


class Witnessed(msgspec.Struct, array_like=True, frozen=True):
    """All indexes before that of `index_id` had no such project at `confirmed_at`."""

    project: str
    index_id: str
    confirmed_at: datetime


class OwnerFolder:
    """The owners of projects among indexes that stand in one order; *folder* is theirs alone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._saves = 0

    def load(self, project: NormalizedName) -> Witnessed | None:
        """Return what was kept of *project*; None when nothing was, or it cannot be read."""
        try:
            kept = msgspec.msgpack.decode(self._path(project).read_bytes(), type=Witnessed)
        except (OSError, msgspec.MsgspecError):
            return None
        return kept if kept.project == project else None

    def save(self, project: NormalizedName, index_id: str, confirmed_at: datetime) -> None:
        """Keep that *index_id* owned *project*. Raises OSError; nothing old is left then."""
        path = self._path(project)
        self.forget(project)
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=path.parent, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(msgspec.msgpack.encode(Witnessed(project, index_id, confirmed_at)))
            Path(part).replace(path)
        except BaseException:
            Path(part).unlink(missing_ok=True)
            raise
        self._saves += 1
        if self._saves % _PRUNE_EVERY == 1:
            self.prune()

    def forget(self, project: NormalizedName) -> None:
        """Drop what was kept of *project*: it is no more so."""
        with suppress(OSError):
            self._path(project).unlink(missing_ok=True)

    def prune(self) -> None:
        """Remove what was not confirmed for longest, until there are no more than `MOST`."""
        found: list[tuple[float, Path]] = []
        for path in self._folder.glob("*/*"):
            with suppress(OSError):
                found.append((path.stat().st_mtime, path))
        for _, path in sorted(found)[: max(0, len(found) - MOST)]:
            with suppress(OSError):
                path.unlink()

    def _path(self, project: NormalizedName) -> Path:
        name = blake2b(project.encode(), digest_size=16).hexdigest()
        return self._folder / name[:2] / name
