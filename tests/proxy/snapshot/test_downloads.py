"""Daily downloads in a snapshot: of whom, and that they come out as they went in."""

import asyncio
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from packaging.utils import NormalizedName

from indexgate.index.page_folder import PageFolder
from indexgate.snapshot import downloads, read
from indexgate.snapshot.assess_again import AssessAgain
from indexgate.snapshot.give_out import give_out
from indexgate.snapshot.read import SignedSnapshot
from indexgate.store.database import Store
from indexgate_policy.downloads.day_counts import DayCounts
from indexgate_policy.downloads.panel import Panel
from tests.proxy.snapshot.made import DAY, INDEX, NOW, POPULAR, Key

BUSY, QUIET = NormalizedName("busy"), NormalizedName("quiet")
LAST = date(2026, 11, 21)  # a Saturday, so that a week is under way


def counts(project: NormalizedName, day: date, scale: int) -> DayCounts:
    classes = np.array([1, 2, 3, 4, 5, 6, day.day], np.float32) * scale
    return DayCounts(
        project=project,
        day=day,
        classes=classes,
        installers=np.full(6, scale, np.float32),
        regions=np.full(12, scale, np.float32),
        version_ages=np.full(4, scale, np.float32),
        n=int(classes.sum()),
    )


def fill(store: Store, days: int) -> None:
    for back in range(days):
        day = LAST - timedelta(days=back)
        rows: Iterator[DayCounts] = iter((counts(BUSY, day, 10), counts(QUIET, day, 0)))
        store.history.load_day(INDEX.id, day, rows, source="bigquery")


def snapshot_of(store: Store, folder: Path, key: Key) -> SignedSnapshot:
    with asyncio.Runner() as runner:
        again = AssessAgain(
            store=store,
            index_id=INDEX.id,
            public=True,
            pages=PageFolder(folder.parent, INDEX.id, 1),
            popular=POPULAR,
            now=NOW,
            runner=runner,
            log=lambda _event, text: None,
        )
        further = downloads.writer(store, INDEX.id, NOW.date())
        give_out(folder, INDEX, key=key.path, lasts=DAY, again=again, now=NOW, further=further)
    return read.open_snapshot(folder, [key.public])


def panel(store: Store, project: NormalizedName) -> Panel:
    found = store.history.panel(INDEX.id, project, LAST)
    assert isinstance(found, Panel)
    return found


def test_what_many_fetch_comes_out_as_it_went_in(
    store: Store, other: Store, tmp_path: Path, key: Key
) -> None:
    fill(store, 20)
    snapshot = snapshot_of(store, tmp_path / "s", key)
    assert downloads.take_in(other, snapshot, INDEX.id) == 20
    ours, theirs = panel(other, BUSY), panel(store, BUSY)
    assert ours.last_day == theirs.last_day == LAST
    known = np.isfinite(theirs.classes)
    assert known.any()
    np.testing.assert_allclose(ours.classes[known], theirs.classes[known], rtol=0.01)
    for name in ("installers", "regions", "version_ages"):
        theirs_mix, ours_mix = getattr(theirs, name), getattr(ours, name)
        known = np.isfinite(theirs_mix)
        assert known.any()
        np.testing.assert_allclose(ours_mix[known], theirs_mix[known], rtol=0.02)


def test_what_hardly_anybody_fetches_stays_out(
    store: Store, other: Store, tmp_path: Path, key: Key
) -> None:
    fill(store, 8)
    snapshot = snapshot_of(store, tmp_path / "s", key)
    downloads.take_in(other, snapshot, INDEX.id)
    assert not isinstance(other.history.panel(INDEX.id, QUIET, LAST), Panel)
    assert b"quiet" not in (tmp_path / "s" / "downloads.parquet").read_bytes()


def test_repeating_changes_nothing(store: Store, other: Store, tmp_path: Path, key: Key) -> None:
    fill(store, 10)
    snapshot = snapshot_of(store, tmp_path / "s", key)
    downloads.take_in(other, snapshot, INDEX.id)
    before = panel(other, BUSY)
    downloads.take_in(other, snapshot, INDEX.id)
    after = panel(other, BUSY)
    np.testing.assert_array_equal(after.classes, before.classes)
    np.testing.assert_array_equal(after.regions, before.regions)


def test_days_that_were_loaded_here_stay(
    store: Store, other: Store, tmp_path: Path, key: Key
) -> None:
    fill(store, 10)
    other.history.load_day(INDEX.id, LAST, iter((counts(BUSY, LAST, 3),)), source="bigquery")
    before = panel(other, BUSY).classes[0, -1]
    snapshot = snapshot_of(store, tmp_path / "s", key)
    assert downloads.take_in(other, snapshot, INDEX.id) == 9
    np.testing.assert_array_equal(panel(other, BUSY).classes[0, -1], before)
    days = {day.day: day.source for day in other.history.days(INDEX.id)}
    assert days[LAST] == "bigquery"
    assert days[LAST - timedelta(days=1)] == downloads.SOURCE


@pytest.mark.parametrize("days", [0, 1])
def test_a_short_history_makes_a_snapshot_too(
    store: Store, other: Store, tmp_path: Path, key: Key, days: int
) -> None:
    fill(store, days)
    snapshot = snapshot_of(store, tmp_path / "s", key)
    read.check(snapshot)
    assert downloads.take_in(other, snapshot, INDEX.id) == days
