import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from packaging.utils import NormalizedName

from indexgate.sources.osv_records import AdvisorySink, FeedState, Record
from indexgate.store.database import Store, open_store
from indexgate.store.engines import StoreFailed
from indexgate_policy.advisories import Advisory, Range
from indexgate_policy.flags import Severity
from indexgate_policy.signals import Unknown
from tests.proxy.store.conftest import Clock

FOO, BAR, BAZ = NormalizedName("foo"), NormalizedName("bar"), NormalizedName("baz")


def advisory(record: str) -> Advisory:
    return Advisory(
        id=record,
        kind="malware",
        severity=Unknown(reason="not rated") if record.endswith("0") else Severity.HIGH,
        summary="Steals keys",
        aliases=("GHSA-1",),
        versions=("1.0",),
        ranges=(Range(introduced="0", fixed="2"),),
    )


def record(name: str, *projects: NormalizedName) -> Record:
    return Record(
        id=name,
        modified=Clock().now,
        withdrawn=not projects,
        advisories=tuple((project, advisory(name)) for project in projects),
    )


def state(records: int = 1) -> FeedState:
    now = Clock().now
    return FeedState(fetched_at=now, newest_modified=None, etag='"1"', records=records)


def found(store: Store, project: NormalizedName) -> list[str]:
    return [a.id for a in store.advisories.of(project)]


def rows(store: Store) -> int:
    count = "SELECT count(*) FROM advisories"
    return int(store.writer.wait(lambda to: to.exec_driver_sql(count).scalar_one()))


def test_the_store_is_a_sink_for_the_feed(store: Store) -> None:
    sink: AdvisorySink = store.advisories
    assert sink.feed_state() is None
    assert sink.replace_all([record("MAL-1", FOO), record("MAL-2", FOO, BAR)], state()) == 3
    assert sink.feed_state() == state()
    assert store.advisories.of(BAR) == (advisory("MAL-2"),)
    assert found(store, FOO) == ["MAL-1", "MAL-2"]
    assert found(store, BAZ) == []


def test_an_advisory_comes_back_as_it_went_in(store: Store) -> None:
    store.advisories.replace_all([record("MAL-10", FOO)], state())
    assert store.advisories.of(FOO) == (advisory("MAL-10"),)


def test_a_new_reading_replaces_the_old_and_leaves_nothing_of_it(store: Store) -> None:
    store.advisories.replace_all([record("MAL-1", FOO), record("MAL-2", BAR)], state())
    store.advisories.replace_all([record("MAL-2", BAZ)], state())
    assert [found(store, name) for name in (FOO, BAR, BAZ)] == [[], [], ["MAL-2"]]
    assert rows(store) == 1


def test_more_records_than_a_transaction_takes_are_all_there(store: Store) -> None:
    names = [NormalizedName(f"project-{n}") for n in range(1201)]
    records = [record(f"MAL-{n}", name) for n, name in enumerate(names)]
    assert store.advisories.replace_all(records, state(1201)) == 1201
    assert [found(store, name) for name in names] == [[f"MAL-{n}"] for n in range(1201)]
    assert store.advisories.replace_all(records[:600], state(600)) == 600
    assert rows(store) == 600


def test_a_reading_that_breaks_off_changes_nothing(store: Store) -> None:
    def broken() -> Iterator[Record]:
        for n in range(700):
            yield record(f"MAL-{n}", BAR)
        raise ValueError("cut off")

    store.advisories.replace_all([record("MAL-1", FOO)], state())
    before = store.advisories.revision()
    with pytest.raises(ValueError, match="cut off"):
        store.advisories.replace_all(broken(), state(700))
    assert (found(store, FOO), found(store, BAR)) == (["MAL-1"], [])
    assert store.advisories.revision() == before
    assert rows(store) == 1


def test_changes_replace_their_record_and_withdrawn_ones_go(store: Store) -> None:
    store.advisories.replace_all(
        [record("MAL-1", FOO), record("MAL-2", FOO), record("MAL-3", BAR)], state(3)
    )
    later = FeedState(fetched_at=Clock().now, newest_modified=Clock().now, etag=None, records=3)
    changed = [record("MAL-1", FOO, BAZ), record("MAL-3"), record("MAL-4", BAR)]
    assert store.advisories.apply(changed, later) == 3
    assert found(store, FOO) == ["MAL-1", "MAL-2"]
    assert found(store, BAR) == ["MAL-4"]
    assert found(store, BAZ) == ["MAL-1"]
    assert store.advisories.feed_state() == later


def test_changes_may_come_before_the_first_whole_reading(store: Store) -> None:
    changed = [record(f"MAL-{n}", FOO) for n in range(501)]  # two transactions
    store.advisories.apply(changed, state())
    assert len(found(store, FOO)) == 501


def test_the_last_of_several_changes_of_one_record_holds(store: Store) -> None:
    store.advisories.apply([record("MAL-1", FOO), record("MAL-1", BAR)], state())
    store.advisories.replace_all([record("MAL-1", FOO), record("MAL-1", BAR)], state())
    assert (found(store, FOO), found(store, BAR)) == ([], ["MAL-1"])


def test_the_revision_grows_with_changes_only(store: Store) -> None:
    assert store.advisories.revision() == 0
    store.advisories.replace_all([record("MAL-1", FOO)], state())
    first = store.advisories.revision()
    store.advisories.apply([], state())
    assert store.advisories.revision() == first
    store.advisories.apply([record("MAL-1")], state())
    assert store.advisories.revision() == first + 1


def test_another_worker_sees_changes_within_a_second(file: Path, clock: Clock) -> None:
    mine, other = open_store(file, clock), open_store(file, clock)
    assert found(other, FOO) == []
    mine.advisories.replace_all([record("MAL-1", FOO)], state())
    assert found(mine, FOO) == ["MAL-1"]
    clock.pass_by(timedelta(seconds=1))
    assert found(other, FOO) == ["MAL-1"]
    mine.advisories.replace_all([record("MAL-2", FOO)], state())
    assert found(other, FOO) == ["MAL-2"]
    mine.close()
    other.close()


async def test_projects_are_found_while_a_new_reading_goes_on(store: Store) -> None:
    names = [NormalizedName(f"project-{n}") for n in range(1500)]
    records = [record(f"MAL-{n}", name) for n, name in enumerate(names)]
    store.advisories.replace_all(records, state())
    reading = asyncio.create_task(asyncio.to_thread(store.advisories.replace_all, records, state()))
    looked = 0
    while not reading.done():
        assert found(store, names[looked % 1500]) == [f"MAL-{looked % 1500}"]
        looked += 1
        await asyncio.sleep(0)
    assert await reading == 1500
    assert looked > 1


def test_an_advisory_that_cannot_be_read_is_an_error_and_not_nothing(store: Store) -> None:
    store.advisories.replace_all([record("MAL-1", FOO)], state())
    broken = "UPDATE advisories SET advisory = '{}'"
    store.writer.wait(lambda to: to.exec_driver_sql(broken))
    with pytest.raises(StoreFailed, match="store-unreadable"):
        store.advisories.of(FOO)
