from collections.abc import Iterator
from pathlib import Path

import pytest

from indexgate.snapshot import signing
from indexgate.store.database import Store, open_store
from tests.proxy.snapshot.made import NOW, Key


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "state" / "indexgate.sqlite3", lambda: NOW)
    yield opened
    opened.close()


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "other" / "indexgate.sqlite3", lambda: NOW)
    yield opened
    opened.close()


@pytest.fixture
def key(tmp_path: Path) -> Key:
    path = tmp_path / "key.pem"
    return Key(path=path, public=signing.new_key(path))
