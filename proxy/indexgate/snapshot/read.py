"""Reading a snapshot: nothing of it is believed before its maker's signature is found right.

First the signature over the manifest's bytes, then the format, then each file by the digest that
the manifest names. Only then is a table read, from the very file that was looked at.
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from msgspec import Struct

from indexgate.snapshot import manifest as manifests
from indexgate.snapshot import signing
from indexgate.snapshot.faults import SnapshotFailed, unreadable
from indexgate.snapshot.manifest import (
    ASSESSMENTS,
    MANIFEST,
    SIGNATURE,
    Manifest,
    SnapshotFile,
)
from indexgate_policy.assessment import Assessment

_MOST_BYTES = 1_000_000
_BLOCK = 1 << 20
_ROWS = 500


class SignedSnapshot(Struct, frozen=True, kw_only=True):
    """A snapshot whose manifest is signed by `key`; `digest` is the manifest's SHA-256 in hex."""

    folder: Path
    manifest: Manifest
    key: str
    digest: str


def open_snapshot(folder: Path, keys: Iterable[str]) -> SignedSnapshot:
    """Return the snapshot in *folder*, signed by one of the public *keys*.

    Raises SnapshotFailed: what `signing.signer` and `manifest.decode` raise, and
    `snapshot-missing`, `snapshot-unreadable` about the files.
    """
    content = _small(folder / MANIFEST)
    key = signing.signer(content, _small(folder / SIGNATURE), keys)
    return SignedSnapshot(
        folder=folder,
        manifest=manifests.decode(content),
        key=key,
        digest=hashlib.sha256(content).hexdigest(),
    )


@contextmanager
def checked_file(snapshot: SignedSnapshot, said: SnapshotFile) -> Iterator[BinaryIO]:
    """Give the open file that the manifest calls *said*, once its bytes are found to be the same.

    Raises SnapshotFailed `snapshot-missing`, `snapshot-tampered`, `snapshot-unreadable`.
    """
    path = snapshot.folder / said.name
    with _opened(path) as file:
        try:
            size = os.fstat(file.fileno()).st_size
            if size != said.size:
                how = "cut off or changed" if size < said.size else "changed"
                raise SnapshotFailed(
                    "snapshot-tampered",
                    f"`{path}` has {size:,} bytes and was signed with {said.size:,}: it was {how}",
                    "Get the snapshot again.",
                )
            digest = hashlib.sha256()
            while block := file.read(_BLOCK):
                digest.update(block)
        except OSError as error:
            raise unreadable(path, error) from error
        if digest.hexdigest() != said.sha256:
            raise SnapshotFailed(
                "snapshot-tampered",
                f"`{path}` is not the file that was signed: its SHA-256 is"
                f" {digest.hexdigest()}, and the manifest says {said.sha256}",
                "Get the snapshot again.",
            )
        file.seek(0)
        yield file


def check(snapshot: SignedSnapshot, tell: Callable[[str], None] = lambda _: None) -> None:
    """Check every file of *snapshot*, and that its tables are what they should be.

    *tell* is given each file's name before it is read. Raises SnapshotFailed.
    """
    for said in snapshot.manifest.files:
        tell(said.name)
        with checked_file(snapshot, said) as file:
            opened_table(file, said)


def assessments(snapshot: SignedSnapshot, index_id: str) -> Iterator[list[Assessment]]:
    """Yield the assessments of *snapshot*, some hundred at a time, as those of *index_id*.

    Raises SnapshotFailed.
    """
    said = snapshot.manifest.file(ASSESSMENTS)
    if said is None:
        return
    with checked_file(snapshot, said) as file:
        from indexgate.snapshot.columns import assessments_of

        for batch in batches(opened_table(file, said), said.name):
            yield list(assessments_of(batch, index_id))


def batches(table: Any, name: str, **options: Any) -> Iterator[Any]:
    """Yield the rows of a parquet file *table* in batches. Raises SnapshotFailed."""
    from pyarrow import ArrowException  # type: ignore[import-untyped]

    found = table.iter_batches(batch_size=_ROWS, use_threads=False, **options)
    while True:
        try:
            batch = next(found, None)
        except (ArrowException, OSError) as error:
            raise _broken(name, error) from error
        if batch is None:
            return
        yield batch


def opened_table(file: BinaryIO, said: SnapshotFile) -> Any:
    """Return the parquet file in *file*. Raises SnapshotFailed when it is not what is *said*."""
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile  # type: ignore[import-untyped]

    from indexgate.snapshot import columns, downloads

    expected = columns.SCHEMA if said.name == ASSESSMENTS else downloads.SCHEMA
    try:
        table = ParquetFile(file)
        schema = table.schema_arrow
    except (ArrowException, OSError) as error:
        raise _broken(said.name, error) from error
    if not schema.equals(expected):
        raise _broken(said.name, "it has other columns than this release knows")
    if table.metadata.num_rows != said.rows:
        raise _broken(said.name, f"it has {table.metadata.num_rows:,} rows and not {said.rows:,}")
    return table


def _broken(name: str, error: object) -> SnapshotFailed:
    words = str(error).splitlines() or [""]
    return SnapshotFailed(
        "snapshot-unreadable",
        f"`{name}` is the file that was signed, but cannot be read: {words[0][:200]}",
        "Its maker has to make it anew.",
    )


def _small(path: Path) -> bytes:
    with _opened(path) as file:
        content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise SnapshotFailed("snapshot-manifest", f"`{path}` is larger than any manifest")
    return content


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        file = path.open("rb")
    except FileNotFoundError as error:
        there = path.parent.is_dir()
        missing = f"`{path.name}` is missing from the snapshot `{path.parent}`"
        raise SnapshotFailed(
            "snapshot-missing",
            missing if there else f"there is no snapshot `{path.parent}`",
            "Get the snapshot again." if there else "Name the folder that has `manifest.json`.",
        ) from error
    except OSError as error:
        raise unreadable(path, error) from error
    with file:
        yield file
