"""A day of the log is read as a whole or not at all, about those whom clients asked for."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from packaging.utils import NormalizedName

from indexgate.day_reading import (
    BREAK_EVEN,
    CATCH_UP,
    WEEKS_COMPARED,
    WEEKS_OF_MOVEMENT,
    DayReader,
)
from indexgate.index.listing import Listing
from indexgate.sources.day_log import Batch, Plan
from indexgate.sources.protocol import SourceFailed
from indexgate.store.database import Store, open_store
from indexgate.store.history import History
from indexgate_policy.downloads.log_row import COLUMNS
from indexgate_policy.downloads.movement import movement
from indexgate_policy.downloads.panel import Panel
from indexgate_policy.signals import Unknown
from tests.proxy.sources_said import Clock

INDEX = "0123456789abcdef"
SETTLED = date(2026, 11, 20)


@dataclass
class Log:
    """A log that gives *rows* of every project it is asked about, and may break off."""

    name: str = "bigquery"
    reads_whole_index: bool = True
    breaks_after: int | None = None
    unknown: frozenset[str] = frozenset()
    everybody: frozenset[str] = frozenset({"demo", "other"})
    asked: list[tuple[date, frozenset[str] | None]] = field(default_factory=list)

    def plan(self, day: date, projects: frozenset[str] | None, now: datetime) -> Plan:
        return Plan(
            source=self.name,
            day=day,
            settled=True,
            jobs=1,
            most_bytes=2**30,
            likely_bytes=2**20,
            likely_dollars=0.01,
            left_bytes=2**40,
            labels={},
        )

    def rows(self, day: date, projects: frozenset[str] | None, now: datetime) -> Iterator[Batch]:
        self.asked.append((day, projects))
        found = (projects or self.everybody) - self.unknown
        for number, project in enumerate(sorted(found)):
            if number == self.breaks_after:
                raise SourceFailed(self.name, "cut-off", "gave 1 row of 2")
            row: dict[str, object] = dict.fromkeys(COLUMNS)
            row |= {"project": project, "installer": "pip", "system": "Darwin", "n": 100}
            row |= {"day": day, "version": "1.0", "python": "3.12"}
            yield {name: [value] for name, value in row.items()}

    def close(self) -> None:
        """Keep nothing open."""


class Bench:
    def __init__(self, folder: Path, *asked: str, log: Log | None = None) -> None:
        self.clock = Clock()
        self.store: Store = open_store(folder / "store", self.clock)
        self.log = log or Log()
        self.looked_up: list[str] = []
        names = frozenset(map(NormalizedName, asked))
        self.reader = DayReader(
            self.log,
            self.store.history,
            index_id=INDEX,
            projects=lambda: names,
            listing=self._listing,
            clock=self.clock,
        )

    def _listing(self, project: NormalizedName) -> Listing | None:
        self.looked_up.append(project)
        return None

    def downloads(self, project: str) -> float | None:
        panel = self.store.history.panel(INDEX, NormalizedName(project), SETTLED)
        return None if isinstance(panel, Unknown) else float(panel.classes[0, -1].sum())


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path, "demo")
    yield made
    made.store.close()


def test_the_days_of_the_last_week_are_due_until_they_are_read(bench: Bench) -> None:
    week = [SETTLED - timedelta(days=back) for back in range(CATCH_UP.days + 1)]
    assert list(bench.reader.due()) == week
    bench.reader.read(week[0])
    assert list(bench.reader.due()) == week[1:]
    bench.clock.turn(days=1)
    assert bench.reader.due()[0] == SETTLED + timedelta(days=1)


def test_nothing_is_due_before_anybody_has_asked_for_anything(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    assert bench.reader.due() == ()
    bench.store.close()


def test_a_day_goes_into_the_history_about_those_that_clients_asked_for(bench: Bench) -> None:
    heard: list[int] = []
    read = bench.reader.read(SETTLED, tell=heard.append)
    assert bench.log.asked == [(SETTLED, frozenset({"demo"}))]
    assert (read.projects, read.rows, heard) == (1, 1, [1])
    assert bench.downloads("demo") == pytest.approx(100, rel=0.01)
    assert bench.looked_up == ["demo"]


def test_who_was_asked_about_and_is_not_in_the_log_had_no_downloads(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "demo", "quiet", log=Log(unknown=frozenset({"quiet"})))
    assert bench.reader.read(SETTLED).projects == 1
    assert bench.downloads("quiet") == 0
    assert bench.downloads("never-asked") is None
    bench.store.close()


def test_from_some_hundred_projects_on_the_whole_index_is_read(tmp_path: Path) -> None:
    many = [f"p{number}" for number in range(BREAK_EVEN + 1)]
    bench = Bench(tmp_path, *many)
    assert bench.reader.read(SETTLED).projects == 2
    assert bench.log.asked == [(SETTLED, None)]
    assert bench.looked_up == []
    assert bench.downloads("other") == pytest.approx(100, rel=0.01)
    bench.store.close()
    bench = Bench(tmp_path / "b", *many, log=Log(reads_whole_index=False))
    bench.reader.read(SETTLED)
    assert bench.log.asked == [(SETTLED, frozenset(many))]
    bench.store.close()


@pytest.mark.parametrize("breaks_after", [0, 1])
def test_a_day_that_breaks_off_is_still_due_and_the_same_when_read_again(
    breaks_after: int, tmp_path: Path
) -> None:
    bench = Bench(tmp_path, "demo", "other", log=Log(breaks_after=breaks_after))
    with pytest.raises(SourceFailed):
        bench.reader.read(SETTLED)
    assert bench.reader.due()[0] == SETTLED
    bench.log.breaks_after = None
    bench.reader.read(SETTLED)
    once = bench.downloads("demo")
    bench.reader.read(SETTLED)
    assert bench.downloads("demo") == once == pytest.approx(100, rel=0.01)
    bench.store.close()


def test_a_listener_can_end_a_reading_and_the_day_stays_due(bench: Bench) -> None:
    def enough(_rows: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bench.reader.read(SETTLED, tell=enough)
    assert bench.reader.due()[0] == SETTLED


def test_a_plan_is_of_what_would_be_read(bench: Bench) -> None:
    assert bench.reader.plan(SETTLED).jobs == 1
    assert bench.log.asked == []
    assert bench.reader.source == "bigquery"


def test_a_further_day_is_compared_with_what_it_needs_and_says_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    everybody = frozenset(f"project-{number}" for number in range(40))
    many = [f"p{number}" for number in range(BREAK_EVEN + 1)]
    bench = Bench(tmp_path, *many, log=Log(everybody=everybody))
    history, compared = bench.store.history, []
    panels = history.panels

    def counted(index_id: str, until: date, days: int) -> Iterator[Panel]:
        compared.append(days)
        return panels(index_id, until, days)

    monkeypatch.setattr(History, "panels", lambda _self, *given: counted(*given))
    for back in range(90, -1, -1):
        bench.reader.read(SETTLED - timedelta(days=back))
    assert compared[0] == 7 * WEEKS_OF_MOVEMENT
    assert compared[-1] == 7 * WEEKS_COMPARED
    whole = movement(panels(INDEX, SETTLED, 7 * WEEKS_OF_MOVEMENT))
    held = history.movement(INDEX, whole.first_day, len(whole.consumers))
    assert not isinstance(held, Unknown)
    assert np.isfinite(held.consumers[-1])
    np.testing.assert_allclose(held.consumers, whole.consumers, atol=0.01)
    np.testing.assert_allclose(held.installers, whole.installers, atol=0.01)
    bench.store.close()
