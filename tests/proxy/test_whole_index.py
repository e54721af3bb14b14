import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from packaging.utils import NormalizedName

from indexgate.assessing import is_without_page
from indexgate.store.database import Store, open_store
from indexgate.whole_index import assess_part, assess_whole_index
from indexgate.without_page import Part, assessed_chunks
from indexgate_policy.assessment import Assessment, Lookalike
from indexgate_policy.checks import CHECKS
from indexgate_policy.downloads.day_counts import DayCounts
from indexgate_policy.downloads.movement import movement
from indexgate_policy.health.result import HealthScore
from tests.policy.checks.cases import OneLookalike

INDEX = "0" * 64
LAST = date(2026, 11, 15)  # a Sunday
NOW = datetime(2026, 11, 17, 6, tzinfo=UTC)
CALM = [NormalizedName(f"calm-{number}") for number in range(40)]
BOUGHT = NormalizedName("bought")
DAYS = 84


def day_counts(project: NormalizedName, day: date, consumers: float) -> DayCounts:
    classes = np.array([20, 0, 5, 2, consumers / 2, consumers / 4, consumers / 4], np.float32)
    return DayCounts(
        project=project,
        day=day,
        classes=classes,
        installers=np.full(6, consumers / 6, np.float32),
        regions=np.full(12, consumers / 24, np.float32),
        version_ages=np.full(4, consumers / 4, np.float32),
        n=int(classes.sum()),
    )


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a whole index: forty projects of about 100 a day, and one that is bought."""
    path = tmp_path_factory.mktemp("filled") / "store.sqlite3"
    store = open_store(path, lambda: NOW)
    chance = np.random.default_rng(1)
    for back in range(DAYS - 1, -1, -1):
        day = LAST - timedelta(days=back)
        usual = 60 if day.weekday() >= 5 else 110
        rows = [day_counts(name, day, float(chance.poisson(usual))) for name in CALM]
        rows.append(day_counts(BOUGHT, day, 9000 if back < 6 else usual))
        store.history.load_day(INDEX, day, rows, source="log")
    store.history.save_movement(INDEX, movement(store.history.panels(INDEX, LAST)))
    store.close()
    return path


@pytest.fixture
def place(filled: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(filled, tmp_path))


@pytest.fixture
def store(place: Path) -> Iterator[Store]:
    opened = open_store(place, lambda: NOW)
    yield opened
    opened.close()


def in_force(store: Store, name: NormalizedName) -> Assessment:
    found = store.assessments.current(INDEX, name)
    assert found is not None
    return found


def test_every_project_is_assessed_and_the_bought_one_is_flagged(place: Path, store: Store) -> None:
    told: list[int] = []
    counted = assess_part(place, INDEX, NOW, Part(), told.append)
    assert (counted.assessed, counted.flagged) == (41, 1)
    assert told == [41]
    (flag,) = in_force(store, BOUGHT).flags
    assert flag.check == "download-surge"
    assert in_force(store, CALM[0]).flags == ()


def test_an_assessment_without_page_says_so_and_has_a_score_without_lines(
    place: Path, store: Store
) -> None:
    assess_part(place, INDEX, NOW, Part())
    found = in_force(store, CALM[0])
    assert is_without_page(found)
    assert isinstance(found.score, HealthScore)
    assert found.score.lines == ()


def test_looking_at_all_together_first_finds_what_looking_at_each_does(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    [quick] = assessed_chunks(store, INDEX, NOW, OneLookalike(None), Part())
    monkeypatch.setattr("indexgate.without_page._CALM", CHECKS)
    [thorough] = assessed_chunks(store, INDEX, NOW, OneLookalike(None), Part())
    assert [one.flags for one in quick] == [one.flags for one in thorough]
    assert sum(bool(one.flags) for one in quick) == 1


def test_one_that_speaks_for_others_says_what_is_found_of_each(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def chunk() -> list[Assessment]:
        [found] = assessed_chunks(store, INDEX, NOW, OneLookalike(None), Part())
        return found

    monkeypatch.setattr("indexgate_policy.checks.quiet._FEW", 1e6)  # all but the bought one
    monkeypatch.setattr("indexgate_policy.checks.quiet._FEW_PEOPLE", 1e6)
    monkeypatch.setattr("indexgate_policy.checks.automation_only.LEAST", 1e6)
    monkeypatch.setattr("indexgate_policy.checks.clockwork.LEAST_A_DAY", 1e6)
    monkeypatch.setattr("indexgate_policy.checks.region_concentration.LEAST", 1e6)
    quick = chunk()
    monkeypatch.setattr("indexgate_policy.alike.Quiet.alike", lambda *_: None)
    assert quick == chunk()


def test_parts_share_the_index_among_them(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexgate.without_page.CHUNK", 10)
    parts = [assess_part(place, INDEX, NOW, Part(number=n, of=3)) for n in range(3)]
    assert sum(part.assessed for part in parts) == 41
    assert min(part.assessed for part in parts) > 0


def test_processes_share_the_work(place: Path, store: Store) -> None:
    counted = assess_whole_index(place, INDEX, NOW, workers=2, tell=lambda _done: None)
    assert (counted.assessed, counted.flagged) == (41, 1)
    assert in_force(store, BOUGHT).flags


async def test_a_project_that_clients_asked_for_keeps_the_assessment_of_its_page(
    place: Path, store: Store
) -> None:
    store.projects.seen(INDEX, BOUGHT, NOW)
    await store.assessments.prune(NOW)  # a write that is waited for comes after those that are not
    assert assess_part(place, INDEX, NOW, Part()).assessed == 40
    assert store.assessments.current(INDEX, BOUGHT) is None


def test_doing_it_again_keeps_what_sources_said_before(place: Path, store: Store) -> None:
    assess_part(place, INDEX, NOW, Part())
    first = in_force(store, CALM[1])
    assess_part(place, INDEX, NOW, Part())
    assert in_force(store, CALM[1]).inputs == first.inputs


def test_a_name_that_resembled_nothing_is_not_looked_up_again(place: Path, store: Store) -> None:
    assess_part(place, INDEX, NOW, Part())

    class Refusing(OneLookalike):
        def lookalike(self, name: NormalizedName) -> Lookalike | None:
            raise AssertionError(f"{name} was looked up again")

    [again] = assessed_chunks(store, INDEX, NOW, Refusing(None), Part())
    assert not any(one.name.startswith("check_failed:") for each in again for one in each.inputs)
