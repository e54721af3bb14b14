from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from indexgate.store.database import Store, open_store


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, time: timedelta) -> datetime:
        self.now += time
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "indexgate.sqlite3"


@pytest.fixture
def store(file: Path, clock: Clock) -> Iterator[Store]:
    opened = open_store(file, clock)
    yield opened
    opened.close()
