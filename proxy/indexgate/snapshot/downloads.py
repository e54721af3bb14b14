"""The daily downloads of projects that many fetch, as a table of weeks. Needs pyarrow and numpy.

A row is a project's week: seven days by class, and the week's mixes. Others, and days before, are
left out: they would be most of the snapshot and tell hardly anything.
"""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
from packaging.utils import NormalizedName, canonicalize_name

from indexgate.snapshot import read
from indexgate.snapshot.faults import SnapshotFailed
from indexgate.snapshot.manifest import DOWNLOADS
from indexgate.snapshot.read import SignedSnapshot
from indexgate.store.database import Store
from indexgate.store.history import PANEL_DAYS
from indexgate_policy.downloads.day_counts import DayCounts
from indexgate_policy.downloads.kinds import CLASSES, INSTALLERS, REGIONS, VERSION_AGES

if TYPE_CHECKING:
    from pathlib import Path

    from indexgate_policy.downloads.panel import Panel

LEAST_A_DAY: Final = 10.0
SOURCE: Final = "snapshot"
_JUDGED_BY = 28  # days
_CLASSES, _MIXES = len(CLASSES), len(INSTALLERS) + len(REGIONS) + len(VERSION_AGES)

SCHEMA: Final = pa.schema(
    [
        pa.field("week", pa.date32(), nullable=False),  # its Monday
        pa.field("project", pa.string(), nullable=False),
        pa.field("downloads", pa.list_(pa.float32(), 7 * _CLASSES), nullable=False),
        pa.field("mixes", pa.list_(pa.float32(), _MIXES), nullable=False),
    ]
)
"""The table of downloads, in order of weeks; not-a-number where nobody knows."""


def writer(store: Store, index_id: str, until: date) -> "Callable[[Path], int]":
    """Return what writes the history of *index_id* up to *until* to a file and returns its rows."""

    def write(path: "Path") -> int:
        from pyarrow import parquet

        wanted, last = _wanted(store, index_id, until)
        rows = 0
        with parquet.ParquetWriter(path, SCHEMA, compression="zstd", compression_level=6) as file:
            for monday in _mondays(last):
                end = min(monday + timedelta(days=6), last)
                for panel in store.history.panels(index_id, end, (end - monday).days + 1):
                    table = _table(panel, wanted)
                    if panel.first_day == monday and table.num_rows:
                        file.write_table(table)
                        rows += table.num_rows
        return rows

    return write


def take_in(
    store: Store,
    snapshot: SignedSnapshot,
    index_id: str,
    *,
    tell: Callable[[str], None] = lambda _: None,
) -> int:
    """Put the downloads of *snapshot* into the history of *index_id*; return how many days.

    Days that were loaded here for the whole index stay as they are. It blocks. Raises
    SnapshotFailed, StoreFailed.
    """
    said = snapshot.manifest.file(DOWNLOADS)
    if said is None:
        return 0
    ours = {day.day for day in store.history.days(index_id) if day.whole}
    count = 0
    with read.checked_file(snapshot, said) as file:
        table = read.opened_table(file, said)
        for monday, week in _weeks(read.batches(table, said.name)):
            tell(f"week of {monday}")
            for place in range(7):
                day = monday + timedelta(days=place)
                if day not in ours and week.knows(place):
                    counts = week.counts(place, day)
                    store.history.load_day(index_id, day, counts, source=SOURCE, whole=False)
                    count += 1
    return count


class _Week:
    """A week of many projects: names, (N, 7, 7) downloads, (N, 22) mixes."""

    def __init__(self, names: list[str], downloads: Any, mixes: Any) -> None:
        self.names = names
        self.downloads = downloads
        self.mixes = mixes

    def knows(self, place: int) -> bool:
        """Tell whether anything is known of a day of the week."""
        return bool(np.isfinite(self.downloads[:, place]).any())

    def counts(self, place: int, day: date) -> Iterator[DayCounts]:
        """Yield the counts of a day; each carries its part of the week's mixes."""
        shares = self.mixes / np.float32(7)
        installers, regions = len(INSTALLERS), len(INSTALLERS) + len(REGIONS)
        for row, name in enumerate(self.names):
            yield DayCounts(
                project=NormalizedName(name),
                day=day,
                classes=self.downloads[row, place],
                installers=shares[row, :installers],
                regions=shares[row, installers:regions],
                version_ages=shares[row, regions:],
                n=0,
            )


def _wanted(store: Store, index_id: str, until: date) -> tuple[frozenset[str], date]:
    """Return the projects with enough downloads a day, and the newest day that is known."""
    wanted: set[str] = set()
    last = until
    for panel in store.history.panels(index_id, until, _JUDGED_BY):
        last = panel.last_day
        everything = panel.classes.sum(axis=2)
        known = np.isfinite(everything)
        means = np.nansum(everything, axis=1) / np.maximum(known.sum(axis=1), 1)
        wanted.update(panel.names[row] for row in np.flatnonzero(means >= LEAST_A_DAY))
    return frozenset(wanted), last


def _mondays(last: date) -> Iterator[date]:
    """Yield the Mondays of the weeks up to *last* that a panel looks back on."""
    first = last - timedelta(days=PANEL_DAYS - 1)
    monday = first - timedelta(days=first.weekday())
    while monday <= last:
        yield monday
        monday += timedelta(days=7)


def _table(panel: "Panel", wanted: frozenset[str]) -> Any:
    rows = [row for row, name in enumerate(panel.names) if name in wanted]
    downloads = np.full((len(rows), 7, _CLASSES), np.nan, np.float32)
    downloads[:, : panel.days] = panel.classes[rows, :7]
    mixes = np.full((len(rows), _MIXES), np.nan, np.float32)
    if panel.days >= 7:
        parts = panel.installers, panel.regions, panel.version_ages
        mixes[:] = np.concatenate([part[rows, 0] for part in parts], axis=1)
    return pa.table(
        {
            "week": pa.array([panel.first_day] * len(rows), pa.date32()),
            "project": pa.array([panel.names[row] for row in rows], pa.string()),
            "downloads": pa.FixedSizeListArray.from_arrays(downloads.ravel(), 7 * _CLASSES),
            "mixes": pa.FixedSizeListArray.from_arrays(mixes.ravel(), _MIXES),
        },
        schema=SCHEMA,
    )


def _weeks(batches: Iterator[Any]) -> Iterator[tuple[date, _Week]]:
    """Yield each week with all its projects. Raises SnapshotFailed."""
    parts: list[tuple[list[str], Any, Any]] = []
    current: date | None = None
    for batch in batches:
        for monday, part in _parts(batch):
            if current is not None and monday != current:
                if monday < current:
                    raise SnapshotFailed(
                        "snapshot-unreadable", f"`{DOWNLOADS}` does not have its weeks in order"
                    )
                yield current, _joined(parts)
                parts = []
            current = monday
            parts.append(part)
    if current is not None:
        yield current, _joined(parts)


def _parts(batch: Any) -> Iterator[tuple[date, tuple[list[str], Any, Any]]]:
    weeks = batch["week"].to_pylist()
    names = batch["project"].to_pylist()
    downloads = batch["downloads"].flatten().to_numpy(zero_copy_only=False)
    mixes = batch["mixes"].flatten().to_numpy(zero_copy_only=False)
    downloads = downloads.reshape(len(names), 7, _CLASSES)
    mixes = mixes.reshape(len(names), _MIXES)
    for name, monday in zip(names, weeks, strict=True):
        if canonicalize_name(name) != name or monday.weekday() != 0:
            raise SnapshotFailed(
                "snapshot-unreadable", f"`{DOWNLOADS}` has a row of no project or no week"
            )
    edges = [n for n in range(1, len(weeks)) if weeks[n] != weeks[n - 1]]
    for first, end in zip([0, *edges], [*edges, len(weeks)], strict=True):
        if end > first:
            part = names[first:end], downloads[first:end], mixes[first:end]
            yield weeks[first], part


def _joined(parts: list[tuple[list[str], Any, Any]]) -> _Week:
    return _Week(
        [name for names, _, _ in parts for name in names],
        np.concatenate([downloads for _, downloads, _ in parts]),
        np.concatenate([mixes for _, _, mixes in parts]),
    )
