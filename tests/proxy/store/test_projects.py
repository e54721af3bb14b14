from datetime import timedelta
from pathlib import Path

from packaging.utils import NormalizedName
from sqlalchemy import select

from indexgate.store.database import Store, open_store
from indexgate.store.schema import projects as table
from tests.proxy.store.conftest import Clock

INDEX = "0" * 64
FOO = NormalizedName("foo")
A, B = "a" * 64, "b" * 64


def test_a_project_is_first_seen_once(file: Path, clock: Clock) -> None:
    store = open_store(file, clock)
    first = clock.now
    assert store.projects.first_seen(INDEX, FOO) is None
    store.projects.seen(INDEX, FOO, first)
    assert store.projects.first_seen(INDEX, FOO) == first
    store.projects.seen(INDEX, FOO, clock.pass_by(timedelta(days=2)))
    store.close()
    again = open_store(file, clock)
    assert again.projects.first_seen(INDEX, FOO) == first
    assert again.projects.first_seen("1" * 64, FOO) is None
    again.close()


def test_when_a_project_was_last_asked_for_is_exact_to_the_hour(store: Store, clock: Clock) -> None:
    def last_asked() -> object:
        return store.writer.wait(lambda to: to.execute(select(table.c.last_asked)).scalar_one())

    first = clock.now
    store.projects.seen(INDEX, FOO, first)
    store.projects.seen(INDEX, FOO, clock.pass_by(timedelta(minutes=59)))
    assert last_asked() == first
    later = clock.pass_by(timedelta(minutes=1))
    store.projects.seen(INDEX, FOO, later)
    assert last_asked() == later


async def test_an_address_tells_its_project(store: Store) -> None:
    path = "/packages/aa/bb/legacy-name-1.0.tar.gz"
    assert store.projects.project_of_address(INDEX, path) is None
    store.projects.remember_address(INDEX, path, FOO)
    await store.writer.commit(lambda _to: None)
    assert store.projects.project_of_address(INDEX, path) == FOO
    assert store.projects.project_of_address("1" * 64, path) is None


async def test_the_first_hash_is_pinned_and_a_change_is_seen(store: Store, clock: Clock) -> None:
    address = "https://files.example.test/foo-1.0.tar.gz"
    assert store.projects.pinned(INDEX, address) is None
    assert await store.projects.pin(INDEX, address, A, clock.now) == A
    assert await store.projects.pin(INDEX, address, B, clock.now) == A
    assert store.projects.pinned(INDEX, address) == A


async def test_two_workers_that_pin_at_once_agree(file: Path, clock: Clock) -> None:
    one, two = open_store(file, clock), open_store(file, clock)
    for n in range(20):
        address = f"https://files.example.test/foo-{n}.tar.gz"
        first = one.projects.pin(INDEX, address, A, clock.now)
        second = two.projects.pin(INDEX, address, B, clock.now)
        assert await first == await second
    one.close()
    two.close()
