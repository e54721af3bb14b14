"""Taking in: what is new, what is joined with what is known here, and that repeating is safe."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from packaging.utils import NormalizedName
from sqlalchemy import func, select

from indexgate.cli.main import run
from indexgate.snapshot import read, signing
from indexgate.snapshot.passable import IMPORTED
from indexgate.snapshot.read import SignedSnapshot
from indexgate.snapshot.take_in import AT_ONCE, TakenIn, take_in
from indexgate.store.database import Store, open_store
from indexgate.store.schema import assessments as table
from indexgate.upstream_choice import index_id
from indexgate_policy.assessment import Assessment
from indexgate_policy.flags import Flag, Severity
from indexgate_policy.health.result import HealthScore
from indexgate_policy.signals import Signals, Unknown
from tests.proxy.snapshot.made import DAY, INDEX, NOW, Key, assessed, exported, signal
from tests.standins.packages import project, wheel
from tests.standins.upstream import Upstream

DEMO = NormalizedName("demo")


def made(store: Store, folder: Path, key: Key, *known: Assessment) -> SignedSnapshot:
    store.assessments.save_many(known)
    exported(store, folder, key)
    return read.open_snapshot(folder, [key.public])


def current(store: Store, name: str = "demo", index_id: str = INDEX.id) -> Assessment:
    found = store.assessments.current(index_id, NormalizedName(name))
    assert found is not None
    return found


def test_what_is_new_comes_as_it_went_and_says_where_from(
    store: Store, other: Store, tmp_path: Path, key: Key
) -> None:
    flag = Flag(check="typosquat", severity=Severity.HIGH, evidence="looks like `demon`")
    theirs = replace(assessed("demo", signal("scorecard", 8.5)), flags=(flag,))
    snapshot = made(store, tmp_path / "s", key, theirs)
    assert take_in(other, snapshot, INDEX.id, NOW) == TakenIn(new=1)
    got = current(other)
    assert replace(got, inputs=theirs.inputs) == theirs
    mark = Signals(got.inputs)[IMPORTED]
    assert mark.observed_at == NOW
    assert isinstance(mark.value, str)
    assert str(snapshot.manifest.serial) in mark.value
    assert signing.key_id(key.public) in mark.value


def test_a_mirror_takes_it_in_as_its_own_index(
    store: Store, other: Store, tmp_path: Path, key: Key
) -> None:
    snapshot = made(store, tmp_path / "s", key, assessed("demo"))
    take_in(other, snapshot, "1" * 16, NOW)
    assert current(other, index_id="1" * 16).index_id == "1" * 16
    assert other.assessments.current(INDEX.id, DEMO) is None


def test_repeating_changes_nothing(store: Store, other: Store, tmp_path: Path, key: Key) -> None:
    names = [f"demo-{n}" for n in range(2 * AT_ONCE + 1)]
    known = [assessed(name, signal("scorecard", 5.0)) for name in names]
    snapshot = made(store, tmp_path / "s", key, *known)
    assert take_in(other, snapshot, INDEX.id, NOW).new == len(names)
    before = {name: current(other, name) for name in names}
    assert take_in(other, snapshot, INDEX.id, NOW + DAY) == TakenIn(same=len(names))
    assert {name: current(other, name) for name in names} == before
    rows = other.reader.first(select(func.count()).select_from(table))
    assert rows is not None
    assert rows[0] == len(names)


def test_what_was_assessed_here_keeps_its_result_and_learns(
    store: Store, other: Store, tmp_path: Path, key: Key
) -> None:
    ours = assessed(
        "demo",
        signal("stars", 3, source="github", licence="facts", at=NOW),
        signal("dependents", 4, at=NOW),
        signal("people", Unknown(reason="pypistats is off"), source="pypistats"),
        at=NOW,
    )
    other.assessments.save_many([ours])
    theirs = assessed(
        "demo",
        signal("dependents", 9),
        signal("people", 12, source="pypistats"),
        signal("human_installs", 700, source="download-log"),
        signal("scorecard", Unknown(reason="it could not be asked")),
    )
    snapshot = made(store, tmp_path / "s", key, theirs)
    assert take_in(other, snapshot, INDEX.id, NOW) == TakenIn(joined=1)
    got = current(other)
    assert (got.score, got.flags) == (ours.score, ours.flags)
    assert timedelta(0) < got.assessed_at - ours.assessed_at < timedelta(seconds=1)
    assert got.valid_until == NOW
    told = Signals(got.inputs)
    assert told.value("stars") == 3
    assert told.value("dependents") == 4
    assert told.value("people") == 12
    assert told.value("human_installs") == 700
    assert IMPORTED not in told
    assert take_in(other, snapshot, INDEX.id, NOW + DAY) == TakenIn(same=1)
    assert current(other) == got


def test_what_another_gate_remembers_is_not_mixed_up_with_our_memory(
    store: Store, other: Store, tmp_path: Path, key: Key
) -> None:
    theirs = assessed(
        "demo",
        signal("human_installs", 700, source="download-log"),
        signal("owners_changed_on", "2026-11-01", source="watched"),
        signal("dependents", 9),
    )
    take_in(other, made(store, tmp_path / "s", key, theirs), INDEX.id, NOW)
    sources = {one.name: one.source for one in current(other).inputs}
    assert sources["human_installs"] == "snapshot-download-log"
    assert sources["owners_changed_on"] == "snapshot-watched"
    assert sources["dependents"] == "deps-dev"


def test_a_newer_snapshot_takes_the_place_of_an_older_one(
    store: Store, other: Store, tmp_path: Path, key: Key
) -> None:
    first = made(store, tmp_path / "1", key, assessed("demo", signal("stars", 1), at=NOW - 2 * DAY))
    second = made(store, tmp_path / "2", key, assessed("demo", signal("stars", 2)))
    for snapshot in (first, second):
        assert take_in(other, snapshot, INDEX.id, NOW) == TakenIn(new=1)
    assert Signals(current(other).inputs).value("stars") == 2


def test_what_was_taken_in_can_be_given_on(
    store: Store, other: Store, tmp_path: Path, key: Key
) -> None:
    theirs = assessed("demo", signal("human_installs", 700, source="download-log"))
    take_in(other, made(store, tmp_path / "1", key, theirs), INDEX.id, NOW)
    exported(other, tmp_path / "2", key, now=NOW + DAY)
    again = read.open_snapshot(tmp_path / "2", [key.public])
    [[got]] = read.assessments(again, INDEX.id)
    assert [one.source for one in got.inputs] == ["snapshot-download-log"]
    assert any("download log" in line for line in again.manifest.attribution)


KILLED = """
import os, sys
from datetime import datetime
from pathlib import Path
from indexgate.snapshot import read
from indexgate.snapshot.take_in import take_in
from indexgate.store.database import open_store

place, folder, key, index, now = sys.argv[1:]
now = datetime.fromisoformat(now)
turns = iter(range(2))

def rest():
    if next(turns, None) is None:
        os._exit(9)

snapshot = read.open_snapshot(Path(folder), [key])
take_in(open_store(Path(place), lambda: now), snapshot, index, now, rest=rest)
"""


def test_one_that_was_killed_in_the_middle_goes_on_to_the_same_end(
    store: Store, tmp_path: Path, key: Key
) -> None:
    names = [f"demo-{n}" for n in range(5 * AT_ONCE)]
    made(store, tmp_path / "s", key, *(assessed(name, signal("stars", 1)) for name in names))
    snapshot = read.open_snapshot(tmp_path / "s", [key.public])
    places = {kind: tmp_path / kind / "indexgate.sqlite3" for kind in ("whole", "killed")}
    arguments = [str(places["killed"]), str(tmp_path / "s"), key.public, INDEX.id, NOW.isoformat()]
    ended = subprocess.run([sys.executable, "-c", KILLED, *arguments], check=False)
    assert ended.returncode == 9
    stores = {kind: open_store(place, lambda: NOW) for kind, place in places.items()}
    try:
        there = list(stores["killed"].assessments.every(INDEX.id))
        assert 0 < len(there) < len(names)
        again = take_in(stores["killed"], snapshot, INDEX.id, NOW)
        assert again.same == len(there)
        take_in(stores["whole"], snapshot, INDEX.id, NOW)
        killed, whole = (
            {one.project: one for one in stores[kind].assessments.every(INDEX.id)}
            for kind in ("killed", "whole")
        )
        assert killed == whole
        assert len(whole) == len(names)
    finally:
        for opened in stores.values():
            opened.close()


def test_every_assessment_comes_out_of_the_store_once(store: Store) -> None:
    names = [f"demo-{n}" for n in range(25)]
    store.assessments.save_many([assessed(name) for name in names])
    store.assessments.save_many([assessed(name, at=NOW) for name in names[:5]])
    for at_once in (1, 7, 25, 100):
        found = [one.project for one in store.assessments.every(INDEX.id, at_once)]
        assert found == sorted(names)


def test_an_assessment_that_cannot_be_read_hides_no_other(store: Store) -> None:
    store.assessments.save_many([assessed(f"demo-{n}") for n in range(9)])

    def spoil(connection: object) -> None:
        assert hasattr(connection, "exec_driver_sql")
        connection.exec_driver_sql("UPDATE assessments SET inputs = '[3]' WHERE project = 'demo-4'")

    store.writer.wait(spoil)
    found = [one.project for one in store.assessments.every(INDEX.id, 4)]
    assert found == [f"demo-{n}" for n in range(9) if n != 4]


@pytest.mark.parametrize("names", [[], ["demo"], ["demo", "nowhere"]])
def test_when_projects_were_assessed_is_told_of_those_that_were(
    store: Store, names: list[str]
) -> None:
    store.assessments.save_many([assessed("demo", at=NOW - 2 * DAY), assessed("else")])
    found = store.assessments.assessed_when(INDEX.id, [NormalizedName(name) for name in names])
    assert found == ({DEMO: NOW - 2 * DAY} if names else {})


def test_the_next_refresh_makes_something_of_what_was_joined(
    store: Store, tmp_path: Path, key: Key
) -> None:
    with Upstream(project("demo", wheel("demo", "1.0"))) as upstream:
        here = ["--upstream", upstream.url, "--state", str(tmp_path / "gate")]
        assert run(["refresh", "demo", *here, "--source", "project-json"]) == 0
        index = replace(INDEX, id=index_id(upstream.url))
        theirs = replace(
            assessed("demo", signal("human_installs", 700, source="download-log")),
            index_id=index.id,
        )
        store.assessments.save_many([theirs])
        exported(store, tmp_path / "s", key, index=index)
        snapshot = read.open_snapshot(tmp_path / "s", [key.public])
        gate = open_store(tmp_path / "gate" / "indexgate.sqlite3", lambda: datetime.now(UTC))
        assert take_in(gate, snapshot, index.id, datetime.now(UTC)) == TakenIn(joined=1)
        gate.close()
        assert run(["refresh", "demo", *here, "--source", "project-json"]) == 0
        gate = open_store(tmp_path / "gate" / "indexgate.sqlite3", lambda: datetime.now(UTC))
        got = current(gate, index_id=index.id)
        gate.close()
    assert Signals(got.inputs).value("human_installs") == 700
    assert isinstance(got.score, HealthScore)
    assert any("700" in line.evidence for line in got.score.lines)
