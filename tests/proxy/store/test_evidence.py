from datetime import date, timedelta

from packaging.utils import NormalizedName

from indexgate.store.database import Store
from indexgate.store.evidence import Evidence, EvidenceKind
from tests.proxy.store.conftest import Clock

INDEX = "0" * 64
FOO, BAR = NormalizedName("foo"), NormalizedName("bar")
DAY = date(2026, 2, 1)


def enter(
    store: Store, kind: EvidenceKind = "contact", name: NormalizedName = FOO, day: date = DAY
) -> int:
    return store.evidence.add(INDEX, name, kind=kind, text="met them", day=day, author="ann")


def test_an_entry_comes_back_as_it_was_made(store: Store, clock: Clock) -> None:
    number = enter(store)
    assert store.evidence.of(INDEX, FOO) == (
        Evidence(
            id=number,
            project=FOO,
            kind="contact",
            text="met them",
            day=DAY,
            author="ann",
            entered_at=clock.now,
        ),
    )


def test_entries_are_those_of_one_index_by_project_and_day(store: Store) -> None:
    later = enter(store, "talk", day=DAY + timedelta(days=1))
    earlier = enter(store, "review")
    other = enter(store, "mention", BAR)
    assert [entry.id for entry in store.evidence.of(INDEX, FOO)] == [earlier, later]
    assert [entry.id for entry in store.evidence.of(INDEX)] == [other, earlier, later]
    assert store.evidence.of("1" * 64) == ()


def test_entries_are_removed_all_or_none(store: Store) -> None:
    first, second = enter(store), enter(store)
    assert store.evidence.remove(INDEX, (first, 999)) == (999,)
    assert store.evidence.remove("1" * 64, (first,)) == (first,)
    assert len(store.evidence.of(INDEX)) == 2
    assert store.evidence.remove(INDEX, (first, second)) == ()
    assert store.evidence.of(INDEX) == ()
