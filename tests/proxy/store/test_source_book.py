"""Budgets and last answers outlive the process."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from indexgate.sources.budgets import NOTHING_SPENT, Spent, Window
from indexgate.store.database import Store, open_store
from indexgate.store.engines import StoreFailed
from indexgate.store.source_book import READ_EVERY, Entry, SourceBook
from tests.proxy.sources_said import NOW, Clock

SPENT = Spent(
    windows=(Window(seconds=60, started=NOW, used=3),),
    paused_until=NOW + timedelta(hours=1),
    failures=2,
)


def _book(store: Store, clock: Clock) -> SourceBook:
    return SourceBook(store.kept, clock)


def test_what_was_kept_is_there_after_a_restart(tmp_path: Path) -> None:
    clock = Clock()
    store = open_store(tmp_path / "store", clock)
    book = _book(store, clock)
    assert book.spent("deps-dev") == NOTHING_SPENT
    book.keep("deps-dev", SPENT)
    book.succeeded("deps-dev", NOW)
    book.failed("pepy", NOW, "answered 500")
    book.flush()
    store.close()
    store = open_store(tmp_path / "store", clock)
    book = _book(store, clock)
    assert book.entry("deps-dev") == Entry(spent=SPENT, succeeded_at=NOW)
    assert book.entry("pepy").failure == "answered 500"
    store.close()


def test_another_process_sees_it_before_long(tmp_path: Path) -> None:
    clock = Clock()
    store, other = open_store(tmp_path / "store", clock), open_store(tmp_path / "store", clock)
    mine, theirs = _book(store, clock), _book(other, clock)
    assert theirs.spent("deps-dev") == NOTHING_SPENT
    mine.keep("deps-dev", SPENT)
    store.close()
    clock.turn(seconds=READ_EVERY.total_seconds())
    assert theirs.spent("deps-dev") == SPENT
    other.close()


@pytest.mark.parametrize(
    ("mine", "stored", "merged"),
    [
        ((NOW, 5), (NOW, 3), (NOW, 5)),
        ((NOW, 3), (NOW, 5), (NOW, 5)),
        ((NOW, 5), (NOW + timedelta(minutes=1), 1), (NOW + timedelta(minutes=1), 1)),
    ],
)
def test_of_two_counts_the_later_window_or_the_larger_count_holds(
    mine: tuple[datetime, int],
    stored: tuple[datetime, int],
    merged: tuple[datetime, int],
    tmp_path: Path,
) -> None:
    def spent(window: tuple[datetime, int]) -> Spent:
        return Spent(windows=(Window(seconds=60, started=window[0], used=window[1]),))

    clock = Clock()
    store, another = open_store(tmp_path / "store", clock), open_store(tmp_path / "store", clock)
    book = _book(store, clock)
    book.keep("deps-dev", spent(mine))
    store.writer.wait(lambda _: None)
    _book(another, clock).keep("deps-dev", spent(stored))
    another.close()
    clock.turn(seconds=READ_EVERY.total_seconds())
    assert book.spent("deps-dev") == spent(merged)
    store.close()


def test_a_store_that_fails_leaves_a_book_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object, **__: object) -> None:
        raise StoreFailed("store-failed", "the disk is gone")

    clock = Clock()
    store = open_store(tmp_path / "store", clock)
    monkeypatch.setattr(type(store.reader), "_connection", gone)
    monkeypatch.setattr(type(store.writer), "soon", lambda *_: False)
    book = _book(store, clock)
    book.keep("deps-dev", SPENT)
    clock.turn(minutes=5)
    assert book.spent("deps-dev") == SPENT
    monkeypatch.undo()
    store.close()
