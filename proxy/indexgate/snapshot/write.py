"""Writing a snapshot: beside its place first, and there at once when all of it is written."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from msgspec import Struct

from indexgate.snapshot import manifest as manifests
from indexgate.snapshot import signing
from indexgate.snapshot.faults import SnapshotFailed, must_be_installed
from indexgate.snapshot.manifest import (
    ASSESSMENTS,
    FORMAT,
    LICENCE,
    MANIFEST,
    SIGNATURE,
    IndexIdentity,
    LeftOut,
    Manifest,
    SnapshotFile,
    SourceDates,
)
from indexgate.snapshot.passable import attribution
from indexgate.store.writer import in_turn
from indexgate_policy.assessment import Assessment
from indexgate_policy.health.result import HealthScore
from indexgate_policy.signals import Signal, Unknown

ROWS_AT_ONCE = 2_000
"""Assessments of a row group: some ten megabytes of them are in memory at a time."""

_COMPRESSION = 6
_BLOCK = 1 << 20


class Label(Struct, frozen=True, kw_only=True):
    """What a snapshot is called: see `Manifest`. *key* is the file of the private key."""

    serial: int
    created: datetime
    expires: datetime
    made_by: str
    index: IndexIdentity
    key: Path


def write(
    folder: Path,
    label: Label,
    assessments: Iterable[Assessment],
    left_out: Callable[[], LeftOut],
    further: Callable[[Path], int] | None = None,
) -> Manifest:
    """Write *assessments* and what *further* writes to the new *folder*; return the manifest.

    *left_out* is asked at the end; *further* writes the table of downloads to the given path and
    returns its rows. Raises SnapshotFailed `snapshot-exists`, `snapshot-unwritable`; whatever is
    raised, nothing is left behind.
    """
    must_be_installed()
    signing.public_key(label.key)  # better now than after an hour
    if os.path.lexists(folder):
        raise SnapshotFailed(
            "snapshot-exists", f"`{folder}` is there already", "Name a new folder."
        )
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".part", dir=folder.parent))
        try:
            made = _write_all(part, label, assessments, left_out, further)
            part.chmod(0o755)
            part.rename(folder)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
    except OSError as error:
        reason = (error.strerror or str(error) or type(error).__name__).lower()
        raise SnapshotFailed(
            "snapshot-unwritable", f"cannot write the snapshot `{folder}`: {reason}"
        ) from error
    return made


def _write_all(
    part: Path,
    label: Label,
    assessments: Iterable[Assessment],
    left_out: Callable[[], LeftOut],
    further: Callable[[Path], int] | None,
) -> Manifest:
    seen = _Seen()
    rows = _write_assessments(part / ASSESSMENTS, seen.each(assessments))
    files = [_described(part / ASSESSMENTS, rows)]
    if further is not None:
        path = part / manifests.DOWNLOADS
        files.append(_described(path, further(path)))
    made = Manifest(
        format=FORMAT,
        serial=label.serial,
        created=label.created,
        expires=label.expires,
        made_by=label.made_by,
        index=label.index,
        formulas=tuple(sorted(seen.formulas)),
        licence=LICENCE,
        attribution=attribution(seen.sources),
        sources=tuple(seen.dates()),
        left_out=left_out(),
        files=tuple(files),
    )
    content = manifests.encode(made)
    for name, what in ((MANIFEST, content), (SIGNATURE, signing.sign(content, label.key))):
        with (part / name).open("wb") as file:
            file.write(what)
            file.flush()
            os.fsync(file.fileno())
    return made


def _write_assessments(path: Path, assessments: Iterable[Assessment]) -> int:
    from pyarrow import parquet  # type: ignore[import-untyped]

    from indexgate.snapshot.columns import SCHEMA, table_of

    rows = 0
    with parquet.ParquetWriter(
        path, SCHEMA, compression="zstd", compression_level=_COMPRESSION
    ) as writer:
        for some in in_turn(assessments, ROWS_AT_ONCE):
            writer.write_table(table_of(some))
            rows += len(some)
    return rows


def _described(path: Path, rows: int) -> SnapshotFile:
    digest = hashlib.sha256()
    with path.open("rb+") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
        os.fsync(file.fileno())
        size = file.tell()
    return SnapshotFile(name=path.name, sha256=digest.hexdigest(), size=size, rows=rows)


class _Seen:
    """What went by: formulas, and the sources with their dates."""

    def __init__(self) -> None:
        self.formulas: set[str] = set()
        self.sources: dict[tuple[str, str], list[Any]] = {}

    def each(self, assessments: Iterable[Assessment]) -> Iterator[Assessment]:
        """Yield *assessments* and note what they were made from."""
        for one in assessments:
            self.formulas.add(one.formula)
            if isinstance(one.score, HealthScore):
                self.formulas.add(one.score.formula)
            for signal in one.inputs:
                if not isinstance(signal.value, Unknown):
                    self._note(signal)
            yield one

    def dates(self) -> Iterator[SourceDates]:
        """Yield what was seen of each source."""
        for (source, licence), (signals, oldest, newest) in sorted(self.sources.items()):
            yield SourceDates(
                source=source, licence=licence, signals=signals, oldest=oldest, newest=newest
            )

    def _note(self, signal: Signal) -> None:
        key, at = (signal.source, signal.licence), signal.observed_at
        kept = self.sources.setdefault(key, [0, at, at])
        kept[0] += 1
        kept[1] = min(kept[1], at)
        kept[2] = max(kept[2], at)
