"""Assessments in memory: the store is asked once, and again for what others have made."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace
from packaging.utils import NormalizedName

from indexgate import assessment_memory
from indexgate.assessment_memory import LOOKED_EVERY, AssessmentMemory
from indexgate.store.engines import StoreFailed
from indexgate_policy.assessment import Assessment

NOW = datetime(2026, 11, 22, tzinfo=UTC)
DEMO = NormalizedName("demo")
MADE = Assessment(
    index_id="i", project=DEMO, formula="1", inputs=(), flags=(), assessed_at=NOW, valid_until=NOW
)


class Stored:
    """A store that counts how often it is asked, and whether for a whole assessment."""

    def __init__(self) -> None:
        self.there: Assessment | None = None
        self.broken = False
        self.looked = self.read = 0

    def made_at(self, index_id: str, project: NormalizedName) -> datetime | None:
        self.looked += 1
        if self.broken:
            raise StoreFailed("store-failed", "The store failed")
        return None if self.there is None else self.there.assessed_at

    def current(self, index_id: str, project: NormalizedName) -> Assessment | None:
        self.read += 1
        return self.there

    def in_force_since(
        self, index_id: str, project: NormalizedName, since: datetime
    ) -> Assessment | None:
        return self.there

    async def save(self, assessment: Assessment) -> None:
        self.there = assessment

    def save_soon(self, assessment: Assessment) -> None:
        self.there = assessment

    async def saved(self) -> None:
        pass


class Case:
    def __init__(self) -> None:
        self.now = NOW
        self.stored = Stored()
        self.memory = AssessmentMemory("i", self.stored, lambda: self.now)

    def newest(self) -> Assessment | None:
        return self.memory.newest(DEMO).assessment


def test_that_there_is_none_is_asked_once_as_well() -> None:
    case = Case()
    assert [case.newest() for _ in range(3)] == [None, None, None]
    assert (case.stored.looked, case.stored.read) == (1, 0)


def test_what_another_process_made_is_seen_within_a_minute() -> None:
    case = Case()
    case.memory.put(MADE, "page")
    case.stored.there = theirs = replace(MADE, assessed_at=NOW + timedelta(seconds=5))
    case.now += LOOKED_EVERY - timedelta(seconds=1)
    assert case.newest() is MADE
    case.now += timedelta(seconds=1)
    assert case.newest() is theirs
    assert case.memory.newest(DEMO).page == "page"


def test_what_has_not_changed_is_not_read_again() -> None:
    case = Case()
    case.memory.put(MADE, "page")
    case.stored.there = MADE
    case.now += LOOKED_EVERY
    assert case.newest() is MADE
    assert (case.stored.looked, case.stored.read) == (1, 0)


def test_the_store_is_asked_at_once_where_that_is_wanted() -> None:
    case = Case()
    case.memory.put(MADE, "page")
    case.stored.there = replace(MADE, assessed_at=NOW + timedelta(seconds=5))
    case.memory.look_again(DEMO)
    assert case.newest() is case.stored.there
    assert case.memory.newest(DEMO).made_at == NOW + timedelta(seconds=5)


@pytest.mark.parametrize("gives_way", [True, False])
def test_what_gives_way_does_so_to_what_others_made_before_it(gives_way: bool) -> None:
    case = Case()
    case.memory = AssessmentMemory(
        "i", case.stored, lambda: case.now, gives_way=lambda _assessment: gives_way
    )
    case.stored.there = theirs = replace(MADE, assessed_at=NOW - timedelta(seconds=5))
    case.memory.put(MADE, "page")
    case.memory.look_again(DEMO)
    assert case.newest() is (theirs if gives_way else MADE)


def test_without_the_store_what_is_known_stays_known() -> None:
    case = Case()
    case.stored.broken = True
    with pytest.raises(StoreFailed):
        case.newest()
    case.memory.put(MADE, "page")
    case.now += LOOKED_EVERY
    assert case.newest() is MADE


def test_it_holds_no_more_than_it_has_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assessment_memory, "_MOST", 2)
    case = Case()
    for name in ("a", "b", "c"):
        case.memory.put(replace(MADE, project=NormalizedName(name)), "")
    assert [one.project for one in case.memory.assessments] == ["b", "c"]
