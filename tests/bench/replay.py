"""Measure the replay of a long record.

`python -m tests.bench.replay FOLDER` makes up a record of 100,000 decisions about 2,000 projects in
FOLDER (a minute; it is kept for the next run), each project's page with 200 files and its facts of
every day with 25 signals, and prints what it takes to try `strict` on it beside `balanced`: time
and the most memory.
"""

import argparse
import random
import resource
import time
from pathlib import Path

from indexgate.replay.kept_pages import KeptPages
from indexgate.replay.of_record import replay_record
from indexgate.replay.replaying import Replaying
from indexgate.store.engines import STORE_FILE
from indexgate.store.past_alone import past_at
from indexgate.upstream_choice import UpstreamChoice
from indexgate_policy import policies
from indexgate_policy.rules import document
from indexgate_policy.rules.document import Policy
from indexgate_policy.signal_table import SIGNALS
from indexgate_policy.signals import Signal
from tests.proxy.replay.made import DAY, DAYS, INDEX, NOW, fill, made


def main() -> None:
    """Fill the folder if it is empty, replay it, and print the figures."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folder", type=Path)
    options.add_argument("--decisions", type=int, default=100_000)
    options.add_argument("--projects", type=int, default=2_000)
    options.add_argument("--files", type=int, default=200, help="files of a page")
    given = options.parse_args()
    draft, in_force = shipped("strict"), shipped("balanced")
    if not (given.folder / STORE_FILE).exists():
        record = made(given.decisions, given.projects)
        fill(given.folder, record, in_force.digest, signals=signals(), older=given.files - 4)
        print(f"made a record of {len(record):,} decisions; run it again to measure")
        return
    print(measured(given.folder, draft, in_force))


def shipped(name: str) -> Policy:
    """Return a shipped policy."""
    return document.parse(policies.shipped(name), source=name, now=NOW)


def signals() -> tuple[Signal, ...]:
    """Return as many signals as a project has, with values of some length."""
    chosen = random.Random(1)
    return tuple(
        Signal(name=kind.name, value=chosen.randrange(1_000_000), source="made", observed_at=NOW)
        for kind in SIGNALS[:25]
        if kind.name != "owners"
    )


def measured(folder: Path, draft: Policy, in_force: Policy) -> str:
    """Return a line with the figures of a replay of *folder*."""
    choice = UpstreamChoice(
        url="https://index.example.test/simple/", index_id=INDEX, public=True, origin="bench"
    )
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    begin, processor = time.perf_counter(), time.process_time()
    with past_at(folder / STORE_FILE, lambda: NOW) as kept:
        replayed = replay_record(
            KeptPages(folder / "pages", choice.all, kept),
            Replaying(draft, in_force, "explain"),
            places=("strict", "balanced"),
            since=NOW - DAYS * DAY,
            now=NOW,
        )
    took, used = time.perf_counter() - begin, time.process_time() - processor
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return (
        f"{replayed.asks:,} asks for {replayed.files:,} files of {replayed.projects:,} projects:"
        f" {took:.1f} s ({used:.1f} s of processor), at most {most:.0f} MB (before: {before:.0f})"
    )


if __name__ == "__main__":
    main()
