"""Measure how long a look-up of an assessment takes in a store of the size of a large index.

`python -m tests.bench.assessments FOLDER` saves invented assessments of 886,000 projects in FOLDER
(some minutes, some gigabytes), keeps them for the next run, and prints what looking one up takes.
"""

import argparse
import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec.structs import replace
from packaging.utils import NormalizedName

from indexgate.store.database import Store, open_store
from indexgate_policy.assessment import Assessment
from indexgate_policy.flags import Flag, Severity
from indexgate_policy.health.result import HealthScore, Line
from indexgate_policy.signal_table import SIGNALS, SignalKind
from indexgate_policy.signals import Signal, Value

INDEX = "0" * 64
NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)


def invented(count: int) -> Iterator[Assessment]:
    """Yield assessments with as many signals and score lines as a whole index has of each."""
    chosen = random.Random(1)
    models = [_invented(chosen, flagged=n % 5 == 0) for n in range(500)]
    for n in range(count):
        yield replace(models[n % len(models)], project=NormalizedName(f"project-{n}"))


def _invented(chosen: random.Random, *, flagged: bool) -> Assessment:
    flag = Flag(
        check="dormant-release",
        severity=Severity.LOW,
        evidence="1.4 came after 614 days of silence",
        facts={"silent_days": 614, "version": "1.4"},
    )
    lines = tuple(
        Line(
            dimension="maintenance",
            input=f"input_{n}",
            points=round(chosen.uniform(0, 4), 3),
            most=4.0,
            known=n % 3 > 0,
            evidence=f"{chosen.randrange(99)} releases in a year, the newest {n} days ago",
        )
        for n in range(28)
    )
    value = round(sum(line.points for line in lines), 3)
    return Assessment(
        index_id=INDEX,
        project=NormalizedName("model"),
        formula="fl-1",
        inputs=tuple(_signal(chosen, kind) for kind in SIGNALS[:25]),
        flags=(flag,) if flagged else (),
        score=HealthScore(
            formula="hs-1",
            value=value,
            uncapped=value,
            confidence=0.62,
            grade="B",
            lines=lines,
        ),
        assessed_at=NOW,
        valid_until=NOW + timedelta(days=1),
    )


def _signal(chosen: random.Random, kind: SignalKind) -> Signal:
    values: dict[str, Value] = {
        "number": round(chosen.uniform(0, 5000), 1),
        "text": "https://git.example.test/somebody/something",
        "texts": ("ann", "bo"),
        "truth": True,
        "day": "2026-11-02",
    }
    return Signal(name=kind.name, value=values[kind.type], source="bigquery", observed_at=NOW)


def look_up(store: Store, projects: int, *, lines: bool) -> str:
    chosen, times = random.Random(2), []
    for _ in range(5_000):
        project = NormalizedName(f"project-{chosen.randrange(projects)}")
        began = time.perf_counter()
        found = store.assessments.current(INDEX, project, lines=lines)
        times.append((time.perf_counter() - began) * 1e6)
        assert found is not None
    times.sort()
    return f"median {times[2500]:.0f} us, 95 % {times[4750]:.0f} us"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--projects", type=int, default=886_000)
    asked = parser.parse_args()
    path = asked.folder / "assessments.sqlite3"
    new = not path.exists()
    store = open_store(path, lambda: datetime.now(UTC))
    if new:
        began, worked = time.perf_counter(), time.process_time()
        store.assessments.save_many(invented(asked.projects))
        took, work = time.perf_counter() - began, time.process_time() - worked
        print(f"save {asked.projects:,}: {took:.0f} s ({work:.0f} s of work)", flush=True)
    print(f"on disk: {path.stat().st_size / 1e6:,.0f} MB")
    for turn in ("first", "second"):
        print(f"{turn} look, for a verdict: {look_up(store, asked.projects, lines=False)}")
        print(f"{turn} look, with lines: {look_up(store, asked.projects, lines=True)}")
    store.close()


if __name__ == "__main__":
    main()
