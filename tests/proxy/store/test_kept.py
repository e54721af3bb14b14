from pathlib import Path

from indexgate.store.database import Store, open_store
from tests.proxy.store.conftest import Clock


def test_what_is_kept_outlives_the_process(file: Path, clock: Clock) -> None:
    first = open_store(file, clock)
    first.kept.keep_first("upstream", "https://index.example.test/simple/")
    first.close()
    second = open_store(file, clock)
    assert second.kept.get("upstream") == "https://index.example.test/simple/"
    second.close()


def test_the_first_value_wins_where_that_is_asked_for(store: Store) -> None:
    assert store.kept.keep_first("id", "mine") == "mine"
    assert store.kept.keep_first("id", "yours") == "mine"
