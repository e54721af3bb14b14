"""Measure how long it takes to assess every project of a large index.

`python -m tests.bench.whole_index FOLDER` works on the store that `tests.bench.history FOLDER` made
(700,000 projects and 26 weeks), in as many processes as there are processors, and prints time,
memory and what one project takes.
"""

import argparse
import os
import resource
import time
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path

from indexgate.day_reading import WEEKS_COMPARED, WEEKS_OF_MOVEMENT
from indexgate.store.database import open_store
from indexgate.whole_index import assess_whole_index
from tests.bench.history import INDEX, LAST


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    given = arguments.parse_args()
    now = datetime.combine(LAST + timedelta(days=2), clock_time(6), UTC)
    [place] = given.folder.glob("*.sqlite3")
    for what, weeks in (("half a year", WEEKS_OF_MOVEMENT), ("a further day", WEEKS_COMPARED)):
        began = time.perf_counter()
        _note_movement(place, now, weeks)
        print(f"how the index moved, {what}: {time.perf_counter() - began:.0f} s", flush=True)
    began, worked = time.perf_counter(), _worked()
    counted = assess_whole_index(
        place, INDEX, now, workers=given.workers, tell=lambda done: print(f"{done:,}", flush=True)
    )
    took, worked = time.perf_counter() - began, _worked() - worked
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(f"{counted.assessed:,} projects, {counted.flagged:,} with a flag, in {took:.0f} s")
    print(f"{1e6 * took * given.workers / max(1, counted.assessed):.0f} us a project and processor")
    print(f"{worked:.0f} s of work in all processes; load average {os.getloadavg()[0]:.1f}")
    print(f"{own / 1024:.0f} MB here, at most {largest / 1024:.0f} MB in each of the others")


def _worked() -> float:
    """Return the seconds of processor time of this process and of those that it waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _note_movement(place: Path, now: datetime, weeks: int) -> None:
    """Do what reading a day of the whole index does before anything is assessed."""
    from indexgate_policy.downloads.movement import movement

    store = open_store(place, lambda: now)
    store.history.save_movement(INDEX, movement(store.history.panels(INDEX, now.date(), 7 * weeks)))
    store.close()


if __name__ == "__main__":
    main()
