"""A day's way from the log into the history: read, rolled up, kept."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest
from google.auth.credentials import AnonymousCredentials
from packaging.utils import NormalizedName

from indexgate.sources.bigquery import BigQueryLog, Patience
from indexgate.sources.protocol import SourceFailed
from indexgate.sources.spending import Budget
from indexgate.store.database import Store, open_store
from indexgate.store.spending import StoredLedger
from indexgate_policy.downloads.panel import Panel
from indexgate_policy.downloads.roll_up import roll_up
from tests.standins.bigquery import Ask, BigQueryService, Fault, Wrong, reads
from tests.standins.download_rows import an_ordinary_day

DAY = date(2026, 11, 18)
NOW = datetime(2026, 11, 22, 5, tzinfo=UTC)
INDEX = "0" * 64
SEVEN = NormalizedName("project-07")


@pytest.fixture
def service() -> Iterator[BigQueryService]:
    with BigQueryService() as running:
        running.downloads.insert(an_ordinary_day(DAY))
        yield running


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "state" / "indexgate.sqlite3", lambda: NOW)
    yield opened
    opened.close()


@pytest.fixture
def load(service: BigQueryService, store: Store) -> Iterator[Callable[[], int]]:
    ledger = StoredLedger(store.reader, store.writer)
    log = BigQueryLog(
        project="lab",
        budget=Budget(ledger, source="bigquery", monthly=10**12),
        endpoint=service.url,
        credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
        page=10,
        patience=Patience(answer=5, again=0.05, pause=0.01, query=20, look=0),
    )

    def load_day() -> int:
        rows = log.rows(DAY, None, NOW)
        counts = roll_up(rows, lambda _project, _version: None, sorted_by_project=True)
        return store.history.load_day(INDEX, DAY, counts, source=log.name, complete=True)

    yield load_day
    log.close()


def seven(store: Store) -> list[float]:
    panel = store.history.panel(INDEX, SEVEN, DAY)
    assert isinstance(panel, Panel)
    return [float(count) for count in panel.classes[0, -1]]


def after(pages: int) -> Fault:
    """Break off when so many pages were given."""
    given: list[Ask] = []

    def fault(ask: Ask) -> Wrong | None:
        given.extend([ask] if reads(ask) else [])
        return Wrong(cut=100) if len(given) > pages else None

    return fault


def test_a_day_is_kept_as_it_was_counted(
    service: BigQueryService, store: Store, load: Callable[[], int]
) -> None:
    assert load() == 40
    assert np.isclose(sum(seven(store)), 5, rtol=0.01)
    ledger = StoredLedger(store.reader, store.writer)
    assert ledger.spent("bigquery", "2026-11") == service.billed > 0


@pytest.mark.parametrize("pages", [0, 1, 7])
def test_a_load_that_breaks_off_marks_nothing_and_repeated_gives_the_same(
    service: BigQueryService, store: Store, load: Callable[[], int], pages: int
) -> None:
    service.faults.append(after(pages))
    with pytest.raises(SourceFailed):
        load()
    assert not any(day.complete for day in store.history.days(INDEX))
    service.faults.clear()
    load()
    first = seven(store)
    (day,) = store.history.days(INDEX)
    assert day.complete
    load()
    assert seven(store) == first
    assert [one.day for one in store.history.days(INDEX)] == [DAY]
