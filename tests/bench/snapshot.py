"""Measure snapshots at the size of a large index, on invented assessments.

`python -m tests.bench.snapshot size FOLDER --projects 886000` fills a store in FOLDER (kept for the
next run) and prints what it takes to export it, to verify, to import it into an empty store, and to
import it once more. `python -m tests.bench.snapshot serving FOLDER` measures warm pages of a real
gate while nothing else happens and while the snapshot of the same FOLDER is imported, in turns.
"""

import argparse
import asyncio
import os
import random
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path

from packaging.utils import NormalizedName

from indexgate.index.page_folder import PageFolder
from indexgate.snapshot import read, signing
from indexgate.snapshot.assess_again import AssessAgain
from indexgate.snapshot.give_out import give_out
from indexgate.snapshot.manifest import IndexIdentity
from indexgate.snapshot.take_in import take_in
from indexgate.store.database import open_store
from indexgate.store.engines import STORE_FILE
from indexgate.upstream_choice import index_id
from indexgate_policy.assessment import Assessment, Case, Context
from indexgate_policy.flags import Flag, Severity
from indexgate_policy.health.score import score
from indexgate_policy.lookalike import PopularNameList
from indexgate_policy.signals import Signal, Signals, Unknown, Value
from indexgate_policy.subject import Project
from tests.end_to_end.gate import serving
from tests.standins.packages import project, wheel
from tests.standins.upstream import Upstream

URL = "http://127.0.0.1:9/simple/"
NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
NOBODY = PopularNameList(tuple)
CONTEXT = Context(popular=NOBODY)
UNTOLD = Unknown(reason="not told")
PAGES = 20


def invented(projects: int) -> Iterator[Assessment]:
    """Yield assessments with some 30 signals each, their scores made from them."""
    chance = random.Random(1)
    for number in range(projects):
        name = NormalizedName(f"project-{number:07}")
        signals = tuple(_signals(chance, name))
        case = Case(
            project=Project(
                name=name,
                index_id=index_id(URL),
                public=True,
                first_upload=NOW - timedelta(days=chance.randrange(20, 4000)),
                first_seen=UNTOLD,
                releases=chance.randrange(1, 60),
            ),
            releases=(),
            signals=Signals(signals),
            context=CONTEXT,
            now=NOW,
        )
        flag = Flag(
            check="downloads-without-engagement",
            severity=Severity.MEDIUM,
            evidence=f"{chance.randrange(10_000):,} downloads and nobody who speaks of it",
        )
        yield Assessment(
            index_id=index_id(URL),
            project=name,
            formula="fl-1",
            inputs=tuple(sorted(signals, key=lambda signal: signal.name)),
            flags=(flag,) if chance.random() < 0.02 else (),
            score=score(case),
            assessed_at=NOW,
            valid_until=NOW + timedelta(days=1),
        )


def _signals(chance: random.Random, name: str) -> Iterator[Signal]:
    size = chance.lognormvariate(3, 3)
    owners = tuple(f"owner-{chance.randrange(300_000)}" for _ in range(chance.randrange(1, 4)))
    sources: dict[str, tuple[str, dict[str, Value]]] = {
        "project-json": (
            "facts",
            {
                "owners": owners,
                "repository": f"https://forge.example.test/{owners[0]}/{name}",
                "summary": f"What {name} does in {chance.randrange(10**6)} words",
                "latest_version": f"{chance.randrange(9)}.{chance.randrange(30)}",
                "release_count": chance.randrange(1, 60),
                "first_release_at": f"{NOW - timedelta(days=chance.randrange(4000)):%Y-%m-%d}",
                "requires": tuple(f"project-{chance.randrange(9999)}" for _ in range(4)),
            },
        ),
        "download-log": (
            "CC-BY-4.0",
            {
                "downloads": round(size * 40),
                "consumer_downloads": round(size * 9, 1),
                "human_installs": round(size, 1),
                "human_installs_low": round(size / 2, 1),
                "human_installs_high": round(size * 2, 1),
                "people_low": round(size / 9, 1),
                "people": round(size / 4, 1),
                "people_high": round(size, 1),
                "certain_share": round(chance.random(), 3),
                "downloads_until": "2026-11-21",
            },
        ),
        "deps-dev": (
            "CC-BY-4.0",
            {
                "dependents": round(size / 9),
                "dependent_owners": round(size / 20),
                "similar_names": (),
            },
        ),
        "scorecard": ("CDLA-Permissive-2.0", {"scorecard": round(chance.uniform(2, 9), 1)}),
        "github": (
            "facts",
            {
                "stars": round(size / 3),
                "forks": round(size / 30),
                "contributors": chance.randrange(1, 40),
                "last_commit_on": f"{NOW - timedelta(days=chance.randrange(2000)):%Y-%m-%d}",
                "repository_archived": False,
                "security_policy": chance.random() < 0.3,
            },
        ),
    }
    for source, (licence, values) in sources.items():
        at = NOW - timedelta(seconds=chance.randrange(86_400))
        for signal, value in values.items():
            yield Signal(name=signal, value=value, source=source, observed_at=at, licence=licence)


@contextmanager
def measured(what: str) -> Iterator[None]:
    began, worked = time.perf_counter(), time.process_time()
    yield
    took, work = time.perf_counter() - began, time.process_time() - worked
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{what}: {took:.1f} s ({work:.1f} s of work), peak {peak:.0f} MB", flush=True)


def filled(folder: Path, projects: int) -> Path:
    """Return the folder of a snapshot of so many projects, made if it is not there."""
    snapshot, place = folder / f"snapshot-{projects}", folder / f"maker-{projects}" / STORE_FILE
    if snapshot.exists():
        return snapshot
    made = place.exists()
    store = open_store(place, lambda: NOW)
    if not made:
        with measured(f"invent and store {projects:,} assessments"):
            store.assessments.save_many(invented(projects))
    print(f"store: {place.stat().st_size / 1e6:,.0f} MB")
    key = folder / "key.pem"
    if not key.exists():
        signing.new_key(key)
    with measured("export"), asyncio.Runner() as runner:
        again = AssessAgain(
            store=store,
            index_id=index_id(URL),
            public=True,
            pages=PageFolder(folder / "pages", index_id(URL), 1),
            popular=NOBODY,
            now=NOW,
            runner=runner,
            log=lambda _event, text: print(text),
        )
        index = IndexIdentity(url=URL, id=index_id(URL), public=True)
        give_out(snapshot, index, key=key, lasts=timedelta(days=3650), again=again, now=NOW)
    store.close()
    return snapshot


def size(folder: Path, projects: int) -> None:
    snapshot = filled(folder, projects)
    total = sum(file.stat().st_size for file in snapshot.iterdir())
    print(f"snapshot: {total / 1e6:,.1f} MB, {total / projects:,.0f} bytes a project")
    opened = read.open_snapshot(snapshot, [signing.public_key(folder / "key.pem")])
    with measured("verify"):
        read.check(opened)
    taker = folder / "taker"
    shutil.rmtree(taker, ignore_errors=True)
    store = open_store(taker / STORE_FILE, lambda: NOW)
    for what in ("import", "import again"):
        with measured(what):
            print(take_in(store, opened, index_id(URL), NOW))
    store.close()
    print(f"store: {(taker / STORE_FILE).stat().st_size / 1e6:,.0f} MB")


def load(origin: str, seconds: float) -> list[float]:
    """Ask for warm pages one after the other, and return how long each took, in ms."""
    host, _, port = origin.removeprefix("http://").partition(":")
    connection, times, turn = HTTPConnection(host, int(port)), [], 0
    end = time.perf_counter() + seconds
    while (began := time.perf_counter()) < end:
        connection.request(
            "GET",
            f"/simple/demo-{turn % PAGES}/",
            headers={"Accept": "application/vnd.pypi.simple.v1+json"},
        )
        answer = connection.getresponse()
        body = answer.read()
        times.append((time.perf_counter() - began) * 1000)
        assert answer.status == 200
        assert body
        turn += 1
        time.sleep(0.001)
    connection.close()
    return times


def p99(times: list[float]) -> float:
    return sorted(times)[int(len(times) * 0.99)]


def serve(folder: Path, projects: int, seconds: float, turns: int) -> None:
    snapshot = filled(folder, projects)
    public = signing.public_key(folder / "key.pem")
    demos = [project(f"demo-{n}", wheel(f"demo-{n}", "1.0")) for n in range(PAGES)]
    ratios = []
    with Upstream(*demos) as upstream:
        for turn in range(turns):
            state = folder / f"serving-{turn}"
            shutil.rmtree(state, ignore_errors=True)
            gate = serving(
                state=state, policy="balanced", upstream=upstream.url, environment=os.environ,
                options=("--upstream-public", "yes", "--sources", "none"),
            )  # fmt: skip
            with gate as running:
                load(running.origin, 2)
                idle = load(running.origin, seconds)
                command = [
                    sys.executable, "-m", "indexgate", "snapshot", "import", str(snapshot),
                    "--snapshot-key", public, "--state", str(state), "--upstream", upstream.url,
                    "--upstream-public", "yes",
                ]  # fmt: skip
                with subprocess.Popen(command, stdout=subprocess.DEVNULL) as importing:
                    busy = load(running.origin, seconds)
                    assert importing.poll() is None, "the import ended before the measurement"
                    importing.terminate()
            shutil.rmtree(state, ignore_errors=True)
            ratios.append(p99(busy) / p99(idle))
            print(
                f"p99 of {len(idle):,} and {len(busy):,} warm pages: idle {p99(idle):.2f} ms,"
                f" importing {p99(busy):.2f} ms, ratio {ratios[-1]:.2f};"
                f" medians {sorted(idle)[len(idle) // 2]:.2f} and"
                f" {sorted(busy)[len(busy) // 2]:.2f} ms",
                flush=True,
            )
    print(f"ratio, median of {turns}: {sorted(ratios)[turns // 2]:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("what", choices=["size", "serving"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--projects", type=int, default=886_000)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--turns", type=int, default=7)
    asked = parser.parse_args()
    if asked.what == "size":
        size(asked.folder, asked.projects)
    else:
        serve(asked.folder, asked.projects, asked.seconds, asked.turns)


if __name__ == "__main__":
    main()
