"""Measure the store's history at the size of a large index, on invented counts.

`python -m tests.bench.history FOLDER` fills a store of 700,000 projects and 26 weeks in FOLDER
(some minutes, about a gigabyte), keeps it for the next run, and prints what it takes to load a day,
to roll over, to read everything for scoring, and to read one project.
"""

import argparse
import os
import random
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from packaging.utils import NormalizedName

from indexgate.store import history_days
from indexgate.store.database import Store, open_store
from indexgate.store.history_codes import UNKNOWN, Codes, encode
from indexgate.store.history_days import LoadedDay
from indexgate.store.history_numbers import (
    AT_ONCE,
    IN_TILE,
    INDEX_SHIFT,
    HistoryNumbers,
    number,
    number_index,
    tiles,
)
from indexgate.store.history_tiles import MIXES, Part, Tile, edit, monday, week_of
from indexgate.store.writer import in_turn
from indexgate_policy.downloads.day_counts import DayCounts
from indexgate_policy.downloads.kinds import INSTALLERS, REGIONS

INDEX = "0" * 64
LAST = date(2026, 11, 15)  # a Sunday
HABITS = np.array([0.5, 0.1, 0.3, 0.2, 1.0, 0.5, 0.3])


class Invented:
    """Counts of projects of very different sizes, each with its own steady habits."""

    def __init__(self, projects: int) -> None:
        self.names = [NormalizedName(f"project-{n}") for n in range(projects)]
        self._random = np.random.default_rng(1)
        size = np.exp(self._random.normal(-1, 2.2, (projects, 1)))
        # Mirrors and scanners fetch what nobody uses, too.
        self._means = size * HABITS + np.array([25, 0, 8, 6, 0, 0, 0])
        self._shares = self._random.dirichlet(np.full(len(MIXES), 0.3), projects)

    def day(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return (N, 7) classes and (N, 22) parts of the mixes of another day."""
        drawn = self._random.poisson(self._random.gamma(8, self._means / 8))
        classes = drawn * self._random.uniform(0.7, 1.3, drawn.shape).round(2)
        consumers = classes[:, 4:].sum(axis=1, keepdims=True)
        mixes = np.rint(self._shares * consumers * self._random.uniform(0.8, 1.2, (1, len(MIXES))))
        return classes.astype(np.float32), mixes.astype(np.float32)

    def counts(self, day: date) -> Iterator[DayCounts]:
        """Yield another day as the log gives it."""
        classes, mixes = self.day()
        installers, regions = len(INSTALLERS), len(INSTALLERS) + len(REGIONS)
        for row, name in enumerate(self.names):
            yield DayCounts(
                project=name,
                day=day,
                classes=classes[row],
                installers=mixes[row, :installers],
                regions=mixes[row, installers:regions],
                version_ages=mixes[row, regions:],
                n=0,
            )


def fill(store: Store, invented: Invented, weeks: int) -> None:
    """Write whole weeks at once, as loading them day by day would have left them.

    There are three different weeks, which take turns: to invent them takes longer than to write.
    """
    write = store.writer.wait
    index_number = write(partial(number_index, index_id=INDEX))
    for some in in_turn(invented.names, AT_ONCE):
        write(partial(number, index_number=index_number, projects=some))
    newest = week_of(LAST)
    invented_weeks = [Week(invented) for _ in range(min(weeks, 3))]
    for week in range(newest - weeks, newest):
        settled = week < newest - 3
        codes = invented_weeks[week % len(invented_weeks)]
        for part, numbers in (
            (Part.COUNTS, codes.counts),
            (Part.MIXES, codes.settled if settled else codes.mixes),
        ):

            def change(tile: int, _week: int, _old: Tile, numbers: Codes = numbers) -> Tile:
                first = tile * IN_TILE - (index_number << INDEX_SHIFT)
                return numbers[first : first + IN_TILE]

            ids = HistoryNumbers(store.reader, store.writer).ids(index_number)
            for some_tiles in in_turn(tiles(ids), 256):
                places = [(tile, week) for tile in some_tiles]
                write(partial(edit, part=part, places=places, change=change))
        for n in range(7):
            note(store, index_number, monday(week) + timedelta(days=n), len(invented.names))
        if settled:
            write(partial(history_days.folded, index_number=index_number, first=monday(week)))


class Week:
    """The codes of a week of all projects, as many as whole tiles take."""

    def __init__(self, invented: Invented) -> None:
        days = [invented.day() for _ in range(7)]
        self.counts = _whole_tiles(np.stack([encode(classes) for classes, _ in days], axis=1))
        self.mixes = _whole_tiles(np.stack([encode(mixes) for _, mixes in days], axis=1))
        self.settled = _whole_tiles(encode(np.sum([mixes for _, mixes in days], axis=0)))


def _whole_tiles(codes: Codes) -> Codes:
    lacking = [(0, -len(codes) % IN_TILE)] + [(0, 0)] * (codes.ndim - 1)
    return np.pad(codes, lacking, constant_values=UNKNOWN)


def note(store: Store, index_number: int, day: date, projects: int) -> None:
    at = datetime.now(UTC)
    loaded = LoadedDay(
        day=day, source="bench", whole=True, complete=True, projects=projects, loaded_at=at
    )
    store.writer.wait(lambda to: history_days.begin(to, index_number, day, "bench", at))
    store.writer.wait(lambda to: history_days.done(to, index_number, loaded))


@contextmanager
def measured(what: str) -> Iterator[None]:
    began, worked = time.perf_counter(), time.process_time()
    yield
    took, work = time.perf_counter() - began, time.process_time() - worked
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{what}: {took:.2f} s ({work:.2f} s of work), peak {peak:.0f} MB", flush=True)


def forget(path: Path) -> None:
    """Let the system drop what it holds of the file, so that reading it is cold."""
    for file in path.parent.iterdir():
        handle = os.open(file, os.O_RDONLY)
        os.fsync(handle)
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(handle)


def singles(store: Store, path: Path, invented: Invented, *, cold: bool) -> str:
    chosen, times = random.Random(2), []
    for _ in range(200):
        project = chosen.choice(invented.names)
        if cold:
            forget(path)
        began = time.perf_counter()
        store.history.panel(INDEX, project, LAST)
        times.append((time.perf_counter() - began) * 1000)
    times.sort()
    return f"median {times[100]:.2f} ms, 95 % {times[190]:.2f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--projects", type=int, default=700_000)
    parser.add_argument("--weeks", type=int, default=25)
    asked = parser.parse_args()
    path = asked.folder / "history.sqlite3"
    new = not path.exists()
    store = open_store(path, lambda: datetime.now(UTC))
    invented = Invented(asked.projects)
    if new:
        with measured(f"fill {asked.weeks} weeks"):
            fill(store, invented, asked.weeks)
    for n in (6, 1, 0):
        day = LAST - timedelta(days=n)
        with measured(f"invent a day of {asked.projects:,}"):
            for _ in invented.counts(day):
                pass
        with measured("invent and load a day"):
            store.history.load_day(INDEX, day, invented.counts(day), source="bench")
    print(f"on disk: {sum(f.stat().st_size for f in asked.folder.iterdir()) / 1e6:,.0f} MB")
    store.history.panel(INDEX, invented.names[0], LAST)
    print(f"one project, warm: {singles(store, path, invented, cold=False)}")
    print(f"one project, cold: {singles(store, path, invented, cold=True)}")
    with measured("read all panels"):
        read = sum(len(panel.names) for panel in store.history.panels(INDEX, LAST))
    print(f"panels of {read:,} projects")
    with measured("roll over one week"):
        dropped = store.history.roll_over(LAST - timedelta(days=7 * asked.weeks - 7))
    print(f"rows dropped: {dropped:,}")
    store.close()


if __name__ == "__main__":
    main()
