"""Time all series flags of the newest day over a whole index, in chunks, on one core.

    python -m tests.evaluation.newest_day [--projects 700000] [--chunk 4000] [--days 1]

The index is drawn by chance: half of it under 3 downloads a day, one in four over 15. Drawing is
not timed; the memory told is the peak of the whole process.
"""

import argparse
import resource
import time
from datetime import date

import numpy as np
from packaging.utils import canonicalize_name

from indexgate_policy.downloads.kinds import CLASSES, INSTALLERS, REGIONS, VERSION_AGES
from indexgate_policy.downloads.movement import movement
from indexgate_policy.downloads.panel import Counts, Panel
from indexgate_policy.series.findings import findings

DAYS = 182


def main() -> None:
    """Print the seconds of each step and the peak of memory."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--projects", type=int, default=700_000)
    arguments.add_argument("--chunk", type=int, default=4_000)
    arguments.add_argument("--days", type=int, default=1, help="newest days to look at")
    chosen = arguments.parse_args()
    moved, found, moving, looking = None, 0, 0.0, 0.0
    for begin in range(0, chosen.projects, chosen.chunk):
        panel = drawn(min(chosen.chunk, chosen.projects - begin), seed=begin)
        start = time.process_time()
        if moved is None:  # a sample of the index tells how it moves
            moved = movement([panel])
            moving = time.process_time() - start
        start = time.process_time()
        found += len(findings(panel, moved, first=DAYS - chosen.days))
        looking += time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{chosen.projects:,} projects x {DAYS} days, chunks of {chosen.chunk:,}")
    print(f"movement of the index from one chunk {moving:.1f} s of processor")
    print(f"all flags of {chosen.days} day(s) {looking:.1f} s of processor, {found} findings")
    print(f"peak of memory {peak:.2f} GB")


def drawn(rows: int, *, seed: int) -> Panel:
    """Return a panel of *rows* projects by chance."""
    random = np.random.default_rng(seed)
    usual = np.minimum(0.7 * np.exp(random.exponential(2.2, rows)), 1e6)
    shares = random.dirichlet(np.ones(len(CLASSES)), rows).astype(np.float32)
    noise = random.standard_normal((rows, DAYS), np.float32) * 0.4
    daily = usual[:, None].astype(np.float32) * np.exp(noise)
    classes = np.rint(daily[:, :, None] * shares[:, None, :]).astype(np.float32)
    weekly = classes[:, :, 4:].sum(axis=2).reshape(rows, -1, 7).sum(axis=2)

    def mix(parts: int) -> Counts:
        usual_shares = random.dirichlet(np.ones(parts), rows).astype(np.float32)
        strayed = usual_shares[:, None] * random.uniform(0.7, 1.3, (rows, DAYS // 7, parts))
        counts: Counts = np.rint(weekly[:, :, None] * strayed).astype(np.float32)
        return counts

    none = np.zeros((rows, DAYS), np.float32)
    return Panel(
        names=tuple(canonicalize_name(f"p{row}") for row in range(rows)),
        first_day=date(2024, 1, 1),
        classes=classes,
        installers=mix(len(INSTALLERS)),
        regions=mix(len(REGIONS)),
        version_ages=mix(len(VERSION_AGES)),
        stars=random.poisson(0.05, (rows, DAYS)).astype(np.float32),
        people=none,
        releases=none,
        inflow=none,
        born=np.where(random.random(rows) < 0.1, random.integers(0, DAYS, rows), -1).astype(
            np.int32
        ),
        incomplete=np.zeros(DAYS, bool),
    )


if __name__ == "__main__":
    main()
