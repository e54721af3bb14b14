from datetime import timedelta

import pytest
from sqlalchemy import bindparam, select

from indexgate.store.database import Store
from indexgate.store.engines import StoreFailed
from indexgate.store.schema import projects
from tests.proxy.store.conftest import Clock

_OLDEST = (
    select(projects.c.project, projects.c.first_seen)
    .where(projects.c.index_id == "i", projects.c.first_seen >= bindparam("since"))
    .order_by(projects.c.first_seen)
    .limit(1)
)


@pytest.fixture
def filled(store: Store, clock: Clock) -> Store:
    rows = [
        {"index_id": "i", "project": name, "first_seen": moment, "last_asked": moment}
        for name, moment in (
            ("a", clock.now),
            ("b", clock.now + timedelta(days=1, microseconds=1)),
            ("c", clock.now + timedelta(days=2)),
        )
    ]
    store.writer.wait(lambda to: to.execute(projects.insert(), rows))
    return store


@pytest.mark.parametrize(("days", "name"), [(-1, "a"), (0, "a"), (1, "b"), (2, "c")])
def test_the_quick_way_gives_what_the_long_way_gives(
    filled: Store, clock: Clock, days: int, name: str
) -> None:
    since = clock.now + timedelta(days=days)
    quick = filled.reader.quick(_OLDEST, since=since)
    long = filled.reader.first(_OLDEST, since=since)
    assert quick is not None
    assert long is not None
    assert tuple(quick) == tuple(long)
    assert (quick.project, quick.first_seen) == (name, long.first_seen)


def test_all_rows_are_the_same_the_quick_way_as_the_long_way(filled: Store, clock: Clock) -> None:
    several = _OLDEST.limit(2)
    for since, names in ((clock.now, ["a", "b"]), (clock.now + timedelta(days=3), [])):
        quick = filled.reader.quick_all(several, since=since)
        assert [tuple(row) for row in quick] == [
            tuple(row) for row in filled.reader.all(several, since=since)
        ]
        assert [row.project for row in quick] == names


def test_the_quick_way_finds_nothing_where_nothing_is(filled: Store, clock: Clock) -> None:
    assert filled.reader.quick(_OLDEST, since=clock.now + timedelta(days=3)) is None


def test_the_quick_way_sees_what_was_committed_since(filled: Store, clock: Clock) -> None:
    assert filled.reader.quick(_OLDEST, since=clock.now) is not None
    filled.writer.wait(lambda to: to.execute(projects.delete()))
    assert filled.reader.quick(_OLDEST, since=clock.now) is None


def test_the_quick_way_tells_a_broken_store_as_the_long_way_does(
    filled: Store, clock: Clock
) -> None:
    filled.writer.wait(lambda to: to.exec_driver_sql("DROP TABLE projects"))
    with pytest.raises(StoreFailed):
        filled.reader.quick(_OLDEST, since=clock.now)
    with pytest.raises(StoreFailed):
        filled.reader.quick_all(_OLDEST, since=clock.now)
    assert filled.kept.get("created-at")  # the next read starts afresh
    filled.close()
    with pytest.raises(StoreFailed, match="store-closed"):
        filled.reader.quick(_OLDEST, since=clock.now)
