"""What two snapshots have otherwise."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from indexgate.snapshot.difference import Difference, Flagged, Moved, difference
from indexgate.snapshot.faults import SnapshotFailed
from indexgate.snapshot.read import open_snapshot
from indexgate.store.database import Store
from indexgate_policy.assessment import Assessment
from indexgate_policy.flags import Flag, Severity
from indexgate_policy.health.result import HealthScore
from indexgate_policy.signals import Unknown
from tests.proxy.snapshot.made import DAY, NOW, Key, assessed, exported


def scored(name: str, value: float | None, *flags: str) -> Assessment:
    score: HealthScore | Unknown = Unknown(reason="nobody knows")
    if value is not None:
        score = HealthScore(
            formula="hs-1", value=value, uncapped=value, confidence=0.5, grade="C", lines=()
        )
    found = tuple(Flag(check=flag, severity=Severity.LOW, evidence="it is") for flag in flags)
    return replace(assessed(name), score=score, flags=found)


BEFORE = (
    scored("falls", 70.0),
    scored("flagged", 50.0, "yanked", "typosquat"),
    scored("gone", 50.0),
    scored("loses", 40.0),
    scored("same", 50.0, "yanked"),
    scored("wobbles", 50.0),
    scored("unknown", None),
)
AFTER = (
    scored("falls", 20.0),
    scored("flagged", 50.0, "yanked", "clockwork"),
    scored("loses", None),
    scored("new", 50.0, "yanked"),
    scored("same", 50.0, "yanked"),
    scored("wobbles", 54.9),
    scored("unknown", None),
)


@pytest.fixture
def found(store: Store, other: Store, tmp_path: Path, key: Key) -> Difference:
    for at, assessments, name, day in ((store, BEFORE, "a", 0), (other, AFTER, "b", 1)):
        at.assessments.save_many(assessments)
        exported(at, tmp_path / name, key, now=NOW + day * DAY)
    before, after = (open_snapshot(tmp_path / name, [key.public]) for name in ("a", "b"))
    return difference(before, after, 5.0)


def test_names_scores_and_flags_are_told(found: Difference) -> None:
    assert found.added == ("new",)
    assert found.removed == ("gone",)
    assert found.moved == (
        Moved(project="falls", before=70.0, after=20.0),
        Moved(project="loses", before=40.0, after=None),
    )
    assert found.flagged == (Flagged(project="flagged", came=("clockwork",), went=("typosquat",)),)
    assert found.before < found.after


def test_nothing_is_different_from_itself(store: Store, tmp_path: Path, key: Key) -> None:
    store.assessments.save_many(BEFORE)
    exported(store, tmp_path / "s", key)
    snapshot = open_snapshot(tmp_path / "s", [key.public])
    found = difference(snapshot, snapshot, 0.1)
    assert (found.added, found.removed, found.moved, found.flagged) == ((), (), (), ())


@pytest.mark.usefixtures("found")
def test_what_was_changed_is_compared_with_nothing(tmp_path: Path, key: Key) -> None:
    path = tmp_path / "b" / "assessments.parquet"
    path.write_bytes(path.read_bytes()[:-1])
    snapshots = [open_snapshot(tmp_path / name, [key.public]) for name in ("a", "b")]
    with pytest.raises(SnapshotFailed, match="cut off"):
        difference(snapshots[0], snapshots[1], 5.0)
