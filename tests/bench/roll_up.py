"""How fast rows of the log are rolled up: run `python -m tests.bench.roll_up 2000000`.

The rows are made up: 12 a project, 20 versions of each, some 1,000 kinds of clients. Only the
rolling up is timed; the memory is what it adds to the made-up rows.
"""

import argparse
import resource
import time
from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
from packaging.utils import NormalizedName

from indexgate_policy.downloads.numbered_rows import Batch
from indexgate_policy.downloads.roll_up import Upload, roll_up

DAY = date(2026, 10, 1)
BATCH = 100_000
ROWS_A_PROJECT = 12

CLIENTS: dict[str, tuple[Sequence[Any], Sequence[float] | None]] = {
    "installer": (
        ["pip", "uv", "poetry", None, "requests", "Browser", "bandersnatch", "Nexus"],
        [0.6, 0.15, 0.05, 0.06, 0.05, 0.02, 0.05, 0.02],
    ),
    "installer_version": (["26.1", "25.3", "24.0", "20.0", "18.1"], [0.5, 0.2, 0.2, 0.08, 0.02]),
    "ci": ([True, None], [0.3, 0.7]),
    "system": (["Linux", "Darwin", "Windows", None], [0.8, 0.1, 0.05, 0.05]),
    "distro": (["Ubuntu", "Debian GNU/Linux", "Alpine Linux", "Amazon Linux", None], None),
    "kernel": ([None, "cloud", "wsl"], [0.7, 0.25, 0.05]),
    "python": (["3.10", "3.11", "3.12", "3.13", None], None),
    "country": (["US", "DE", "FR", "CN", "IN", "SE", None], None),
    "file_type": (["bdist_wheel", "sdist"], [0.85, 0.15]),
}


def made_up(rows: int, *, in_order: bool) -> list[Batch]:
    """Return *rows* rows in batches, by project or in any order."""
    rng = np.random.default_rng(1)
    batches: list[Batch] = []
    for start in range(0, rows, BATCH):
        if in_order:
            ends = start // ROWS_A_PROJECT, (start + BATCH) // ROWS_A_PROJECT
            projects = np.sort(rng.integers(*ends, BATCH))
        else:
            projects = rng.integers(0, rows // ROWS_A_PROJECT, BATCH)
        columns: dict[str, Any] = {
            name: np.array(values, object)[rng.choice(len(values), BATCH, p=shares)].tolist()
            for name, (values, shares) in CLIENTS.items()
        }
        columns["project"] = [f"project-{number:07}" for number in projects.tolist()]
        columns["day"] = [DAY] * BATCH
        columns["version"] = [f"1.{number}" for number in rng.integers(0, 20, BATCH).tolist()]
        columns["n"] = rng.integers(1, 50, BATCH)
        batches.append(columns)
    return batches


def peak() -> int:
    """Return the most memory that the process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> None:
    """Time both orders and print a line for each."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("rows", type=int, nargs="?", default=2_000_000)
    rows = asked.parse_args().rows
    upload = Upload(on=date(2026, 1, 1), wheel=True)

    def uploads(project: NormalizedName, version: str) -> Upload:
        return upload

    for in_order in (True, False):
        batches = made_up(rows, in_order=in_order)
        before, start = peak(), time.process_time()
        counted = sum(one.n for one in roll_up(batches, uploads, sorted_by_project=in_order))
        seconds = time.process_time() - start
        order = "by project" if in_order else "in any order"
        print(
            f"{rows:,} rows {order}: {rows / seconds:,.0f} rows a second of processor time, "
            f"{counted:,} downloads, {peak() - before} MB more than the rows themselves"
        )
        del batches


if __name__ == "__main__":
    main()
