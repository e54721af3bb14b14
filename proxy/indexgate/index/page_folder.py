"""Project pages on disk, so that a restart, or a day without upstream, loses nothing.

One file a project, written beside and renamed, so that a page is there whole or not at all. The
folder is bounded by bytes: when it grows over, the pages not used for longest go.
"""

import os
from contextlib import suppress
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO

import msgspec
from packaging.utils import NormalizedName

from indexgate.index.packing import BrokenPacking, digest_of, unpack
from indexgate.index.protocol import Snapshot

_FORMAT = 2
_PRUNE_EVERY = 500


class _Kept(msgspec.Struct, array_like=True):
    format: int
    index_id: str
    project: str
    content_type: str
    url: str
    digest: str
    fetched_at: datetime
    etag: str | None
    last_modified: str | None
    serial: str | None
    packed: bytes


class PageFolder:
    """The folder of kept pages of one index."""

    def __init__(self, folder: Path, index_id: str, max_bytes: int) -> None:
        self._folder = folder / index_id
        self.index_id = index_id
        self._max_bytes = max_bytes
        self._saves = 0

    def holds(self, project: NormalizedName) -> bool:
        """Tell whether a page of *project* is kept, readable or not."""
        return os.path.exists(self._path(project))  # noqa: PTH110 - see `_path`

    def load(self, project: NormalizedName) -> Snapshot | None:
        """Return the kept page of *project*; None when there is none, or it cannot be read."""
        path = self._path(project)
        try:
            kept = msgspec.msgpack.decode(Path(path).read_bytes(), type=_Kept)
            body = unpack(kept.packed)
        except (OSError, msgspec.MsgspecError, BrokenPacking):
            return None
        intact = digest_of(body) == kept.digest
        if kept.format != _FORMAT or kept.project != project or not intact:
            return None
        with suppress(OSError):
            os.utime(path)
        return Snapshot(
            project=project,
            packed=kept.packed,
            content_type=kept.content_type,
            url=kept.url,
            digest=kept.digest,
            fetched_at=kept.fetched_at,
            etag=kept.etag,
            last_modified=kept.last_modified,
            serial=kept.serial,
        )

    def save(self, snapshot: Snapshot) -> None:
        """Keep *snapshot*. Raises OSError when the disk is full or cannot be written."""
        path = self._path(snapshot.project)
        kept = _Kept(
            _FORMAT,
            self.index_id,
            snapshot.project,
            snapshot.content_type,
            snapshot.url,
            snapshot.digest,
            snapshot.fetched_at,
            snapshot.etag,
            snapshot.last_modified,
            snapshot.serial,
            snapshot.packed,
        )
        part = f"{path}-{token_hex(8)}.part"
        try:
            with _new(part) as file:
                file.write(msgspec.msgpack.encode(kept))
            Path(part).replace(path)
        except BaseException:
            Path(part).unlink(missing_ok=True)
            raise
        self._saves += 1
        if self._saves % _PRUNE_EVERY == 1:
            self.prune()

    def forget(self, project: NormalizedName) -> None:
        """Drop the kept page of *project*: upstream says there is no such project."""
        with suppress(OSError):
            Path(self._path(project)).unlink(missing_ok=True)

    def prune(self) -> None:
        """Remove the pages not used for longest, until the folder is within its bound."""
        found: list[tuple[float, int, Path]] = []
        for path in self._folder.glob("*/*"):
            with suppress(OSError):
                stat = path.stat()
                found.append((stat.st_mtime, stat.st_size, path))
        total = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if total <= self._max_bytes:
                break
            with suppress(OSError):
                path.unlink()
                total -= size

    def _path(self, project: NormalizedName) -> str:
        # As text: to make a Path and to look at it takes thrice as long as to look.
        name = blake2b(project.encode(), digest_size=16).hexdigest()
        return f"{self._folder}/{name[:2]}/{name}"


def _new(path: str) -> BinaryIO:
    """Create the file *path*, which is nobody else's to read, and its folder where it lacks."""
    try:
        return open(path, "xb", opener=_private)
    except FileNotFoundError:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        return open(path, "xb", opener=_private)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
