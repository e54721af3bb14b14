from datetime import UTC, datetime, timedelta

import pytest
from packaging.utils import NormalizedName

from indexgate.store.database import Store
from indexgate.store.standing import SOURCE
from indexgate_policy.signal_table import BY_NAME
from indexgate_policy.signals import Unknown, Value

INDEX = "0" * 64
FOO = NormalizedName("foo")
THEN = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LATER = THEN + timedelta(days=9)


def told(store: Store) -> dict[str, Value | Unknown]:
    signals = store.standing.signals(INDEX, FOO)
    assert {signal.source for signal in signals} <= {SOURCE}
    assert {signal.name for signal in signals} <= set(BY_NAME)
    return {signal.name: signal.value for signal in signals}


def happened(store: Store) -> list[tuple[str, str]]:
    return [(event.kind, event.text) for event in store.events.of(INDEX, FOO, THEN)]


async def test_what_was_never_looked_at_gives_no_signals(store: Store) -> None:
    assert told(store) == {}


async def test_a_first_sight_is_no_change_but_begins_the_watch(store: Store) -> None:
    assert await store.standing.note_owners(INDEX, FOO, ("bo", "ann"), THEN) is None
    signals = told(store)
    assert signals["owners_watched_since"] == "2026-03-01"
    assert isinstance(signals["owners_changed_on"], Unknown)
    assert "2026-03-01" in signals["owners_changed_on"].reason
    assert happened(store) == []


@pytest.mark.parametrize(
    ("before", "after", "added", "removed", "text"),
    [
        (("ann",), ("bo",), ("bo",), ("ann",), "owner `ann` replaced by `bo`"),
        (("ann",), ("ann", "bo"), ("bo",), (), "owner `bo` added"),
        (("ann", "bo", "cy"), ("bo",), (), ("ann", "cy"), "owner `ann`, `cy` removed"),
        ((), ("bo",), ("bo",), (), "owner `bo` added"),
    ],
)
async def test_a_change_of_owners_is_told_as_signals_and_as_an_event(
    store: Store,
    *,
    before: tuple[str, ...],
    after: tuple[str, ...],
    added: tuple[str, ...],
    removed: tuple[str, ...],
    text: str,
) -> None:
    await store.standing.note_owners(INDEX, FOO, before, THEN)
    change = await store.standing.note_owners(INDEX, FOO, after, LATER)
    assert change is not None
    assert (change.added, change.removed, change.at) == (added, removed, LATER)
    signals = told(store)
    assert signals["owners_changed_on"] == "2026-03-10"
    assert (signals["owners_added"], signals["owners_removed"]) == (added, removed)
    assert signals["owners_watched_since"] == "2026-03-01"
    assert happened(store) == [("owner-change", text)]


async def test_the_same_owners_in_another_order_are_no_change(store: Store) -> None:
    await store.standing.note_owners(INDEX, FOO, ("ann", "bo"), THEN)
    assert await store.standing.note_owners(INDEX, FOO, ("bo", "ann", "bo"), LATER) is None
    assert happened(store) == []


async def test_the_same_sight_told_twice_is_one_change(store: Store) -> None:
    await store.standing.note_owners(INDEX, FOO, ("ann",), THEN)
    changes = [await store.standing.note_owners(INDEX, FOO, ("bo",), LATER) for _ in range(2)]
    assert [change is None for change in changes] == [False, True]
    assert len(happened(store)) == 1
    assert told(store)["owners_added"] == ("bo",)


async def test_a_sight_that_is_told_late_changes_nothing(store: Store) -> None:
    await store.standing.note_owners(INDEX, FOO, ("ann",), LATER)
    assert await store.standing.note_owners(INDEX, FOO, ("bo",), THEN) is None
    assert await store.standing.note_owners(INDEX, FOO, ("ann",), LATER) is None


async def test_a_repository_that_changes_is_told_with_the_one_before(store: Store) -> None:
    await store.standing.note_repository(INDEX, FOO, "https://git.example.test/a", THEN)
    assert isinstance(told(store)["repository_before"], Unknown)
    await store.standing.note_repository(INDEX, FOO, "https://git.example.test/b", LATER)
    assert told(store) == {
        "repository_before": "https://git.example.test/a",
        "repository_changed_on": "2026-03-10",
    }
    assert happened(store) == [
        (
            "repository-change",
            "repository `https://git.example.test/a` replaced by `https://git.example.test/b`",
        )
    ]


async def test_a_repository_that_is_claimed_for_the_first_time_is_a_change_too(
    store: Store,
) -> None:
    await store.standing.note_repository(INDEX, FOO, "", THEN)
    await store.standing.note_repository(INDEX, FOO, "https://git.example.test/b", LATER)
    signals = told(store)
    assert isinstance(signals["repository_before"], Unknown)
    assert signals["repository_changed_on"] == "2026-03-10"
