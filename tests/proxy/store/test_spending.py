import threading
from datetime import date, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from indexgate.sources.spending import Budget, Spending
from indexgate.store.database import Store, open_store
from indexgate.store.spending import StoredLedger
from tests.proxy.store.conftest import Clock


@pytest.fixture
def ledger(store: Store) -> StoredLedger:
    return StoredLedger(store.reader, store.writer)


@pytest.fixture
def spending(clock: Clock) -> Spending:
    return Spending(
        job="a",
        source="bigquery",
        month="2026-03",
        purpose="downloads",
        day=date(2026, 2, 27),
        bytes_billed=2**41,
        settled=False,
        at=clock.now,
    )


def test_what_is_set_aside_counts_until_it_is_settled(
    ledger: StoredLedger, spending: Spending
) -> None:
    assert ledger.reserve(spending, most=2**42)
    assert ledger.spent("bigquery", "2026-03") == 2**41
    assert ledger.unsettled("bigquery") == (spending,)
    ledger.settle("a", 10)
    assert ledger.spent("bigquery", "2026-03") == 10
    assert ledger.unsettled("bigquery") == ()


def test_a_job_counts_once_however_often_it_is_written(
    ledger: StoredLedger, spending: Spending
) -> None:
    for _ in range(3):
        assert ledger.reserve(spending, most=2**41)
    ledger.settle("a", 10)
    assert ledger.reserve(spending, most=2**41)
    assert ledger.spent("bigquery", "2026-03") == 10


def test_a_month_and_a_source_have_sums_of_their_own(
    ledger: StoredLedger, spending: Spending
) -> None:
    for other in (
        replace(spending, job="b", month="2026-04"),
        replace(spending, job="c", source="other"),
        replace(spending, job="d", day=None, bytes_billed=7),
    ):
        assert ledger.reserve(other, most=2**41)
    assert not ledger.reserve(spending, most=2**41)
    assert ledger.spent("bigquery", "2026-03") == 7
    assert ledger.unsettled("other")[0].job == "c"
    assert ledger.unsettled("bigquery")[-1].day is None
    assert ledger.spent("bigquery", "2025-01") == 0


def test_jobs_are_given_oldest_first(
    ledger: StoredLedger, spending: Spending, clock: Clock
) -> None:
    ledger.reserve(spending, most=2**60)
    ledger.reserve(replace(spending, job="z", at=clock.now - timedelta(hours=1)), most=2**60)
    assert [one.job for one in ledger.unsettled("bigquery")] == ["z", "a"]


def test_the_sum_outlives_the_process(file: Path, spending: Spending, clock: Clock) -> None:
    for job in ("a", "b"):
        store = open_store(file, clock)
        StoredLedger(store.reader, store.writer).reserve(replace(spending, job=job), most=2**42)
        store.close()
    store = open_store(file, clock)
    ledger = StoredLedger(store.reader, store.writer)
    assert ledger.spent("bigquery", "2026-03") == 2**42
    assert not ledger.reserve(replace(spending, job="c", bytes_billed=1), most=2**42)
    store.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest) -> Path | str:
    if request.param == "sqlite":
        file: Path = request.getfixturevalue("file")
        return file
    return str(request.getfixturevalue("postgresql").new_database())


def test_two_processes_together_stay_within_the_budget(
    place: Path | str, spending: Spending, clock: Clock
) -> None:
    stores = [open_store(place, clock) for _ in range(2)]
    taken: list[bool] = []

    def take(number: int) -> None:
        ledger = StoredLedger(stores[number].reader, stores[number].writer)
        for turn in range(20):
            job = replace(spending, job=f"{number}-{turn}", bytes_billed=10)
            taken.append(ledger.reserve(job, most=250))

    threads = [threading.Thread(target=take, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ledger = StoredLedger(stores[0].reader, stores[0].writer)
    assert Budget(ledger, source="bigquery", monthly=250).left(clock.now) == 0
    assert sum(taken) == 25
    for store in stores:
        store.close()
