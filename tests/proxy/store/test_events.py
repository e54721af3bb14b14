from datetime import UTC, datetime, timedelta

from packaging.utils import NormalizedName

from indexgate.store.database import Store
from indexgate_policy.events import Event

INDEX = "0" * 64
FOO, BAR = NormalizedName("foo"), NormalizedName("bar")
THEN = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def event(text: str = "1.2", days: int = 0, size: float | None = None) -> Event:
    at = THEN + timedelta(days=days)
    return Event(kind="release", at=at, text=text, source="index", size=size)


async def test_events_come_back_in_order_of_time_from_a_moment_on(store: Store) -> None:
    for days in (5, 1, 3):
        await store.events.note(INDEX, FOO, event(days=days, size=days / 2))
    await store.events.note(INDEX, BAR, event(days=4))
    found = store.events.of(INDEX, FOO, THEN + timedelta(days=3))
    assert found == (event(days=3, size=1.5), event(days=5, size=2.5))
    assert store.events.of("1" * 64, FOO, THEN) == ()


async def test_an_event_told_again_is_kept_once(store: Store) -> None:
    for _ in range(2):
        await store.events.note(INDEX, FOO, event())
    assert store.events.of(INDEX, FOO, THEN) == (event(),)


async def test_an_event_known_by_its_key_keeps_the_time_it_was_first_told(store: Store) -> None:
    for days in (0, 1):
        await store.events.note(INDEX, FOO, event("1.2 yanked", days), key="yank 1.2")
    assert store.events.of(INDEX, FOO, THEN) == (event("1.2 yanked"),)


async def test_many_events_are_noted_at_once(store: Store) -> None:
    told = [(event(str(n), n), f"release {n}") for n in range(50)]
    await store.events.note_all(INDEX, FOO, [*told, *told])
    await store.events.note_all(INDEX, FOO, [])
    assert store.events.of(INDEX, FOO, THEN) == tuple(one for one, _ in told)
