"""A timeline as the store and the page tell it, today and as of a day of the past."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from indexgate.charts.story import story
from indexgate.charts.view import View
from indexgate.errors import GateError
from indexgate.web.timelined import told
from indexgate_policy.downloads.day_counts import DayCounts
from indexgate_policy.events import Event
from indexgate_policy.signals import Unknown
from tests.policy.timeline.cases import DAYS, FIRST_DAY, bought, movement_of
from tests.proxy.web.running import NOW, Running, running
from tests.standins.packages import project, wheel
from tests.standins.upstream import Upstream

NAME = bought().name
TODAY = NOW.date()
RELEASES = {"1.2.0": date(2026, 6, 14), "1.3.1": date(2026, 10, 27)}


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def page() -> list[object]:
    wheels = [wheel(NAME, version, upload_time=noon(day)) for version, day in RELEASES.items()]
    return [project(NAME, *wheels)]


async def remember(gate: Running) -> None:
    """Put the story's downloads, its index and a change of owners into the store of *gate*."""
    panel, parts = bought().panel, gate.parts
    counts = [
        DayCounts(
            project=NAME,
            day=FIRST_DAY + timedelta(days=day),
            classes=panel.classes[0, day],
            installers=panel.installers[0, day // 7] / 7,
            regions=panel.regions[0, day // 7] / 7,
            version_ages=panel.version_ages[0, day // 7] / 7,
            n=int(panel.classes[0, day].sum()),
        )
        for day in range(DAYS)
    ]
    await parts.store.history.add(parts.gate.index_id, NAME, counts)
    begins = FIRST_DAY + timedelta(days=(7 - FIRST_DAY.weekday()) % 7)
    parts.store.history.save_movement(parts.gate.index_id, replace(movement_of(), first_day=begins))
    changed = Event(
        kind="owner-change",
        at=noon(date(2026, 10, 19)),
        text="owner `ann` replaced by `bo1987`",
        source="watched",
    )
    await parts.store.events.note(parts.gate.index_id, NAME, changed)


@pytest.fixture
async def gate(tmp_path: Path) -> AsyncIterator[Running]:
    """Return a gate that remembers the story, in front of an index that has its releases."""
    with Upstream(*page()) as upstream:  # type: ignore[arg-type]
        async with running(upstream, tmp_path) as started:
            await remember(started)
            yield started


async def asked(gate: Running, until: date | None = None, days: int = 182) -> View:
    return await told(gate.parts, NAME, until=until, days=days)


async def test_today_has_the_surge_with_its_flag_and_what_happened_beside_it(
    gate: Running,
) -> None:
    view = await asked(gate)
    [change] = view.timeline.changes
    assert change.flag == "download-surge"
    assert change.severity is not None
    assert change.onset == date(2026, 10, 29)
    assert change.explanation.says == "unexplained, and its owners changed"
    assert [cause.event.text for cause in change.explanation.causes] == [
        "release 1.3.1",
        "owner `ann` replaced by `bo1987`",
    ]
    assert not isinstance(view.history, Unknown)
    assert (view.until, view.history.last_day) == (TODAY, TODAY - timedelta(days=1))
    assert view.timeline.first_day == TODAY - timedelta(days=181)


async def test_a_day_before_the_surge_knows_nothing_of_it(gate: Running) -> None:
    until = date(2026, 10, 20)
    view = await asked(gate, until)
    assert view.is_past
    assert view.timeline.changes == ()
    assert view.timeline.flags == ()
    assert {entry.event.text for entry in view.timeline.entries} == {
        "first release, 1.2.0",
        "owner `ann` replaced by `bo1987`",
        "the index no longer counts metadata and signature fetches as downloads",
    }
    assert not isinstance(view.history, Unknown)
    assert view.history.last_day == until
    assert any("left out" in note for note in view.notes)


async def test_the_first_day_that_tells_the_surge_tells_less_than_today(gate: Running) -> None:
    view = await asked(gate, date(2026, 11, 3))
    [change] = view.timeline.changes
    today = (await asked(gate)).timeline.changes[0]
    assert change.onset == today.onset
    assert change.now < today.now


async def test_days_that_were_loaded_later_are_told(gate: Running) -> None:
    parts = gate.parts
    for day in (date(2026, 10, 1), date(2026, 10, 2)):
        parts.store.history.load_day(parts.gate.index_id, day, (), source="log")
    view = await asked(gate, date(2026, 10, 20))
    assert any(note.startswith("2 of these days were loaded") for note in view.notes)
    assert not any("loaded" in note for note in (await asked(gate)).notes)


async def test_counts_by_class_are_told_to_be_sorted_by_rule(gate: Running) -> None:
    assert any("told apart by rule" in note for note in (await asked(gate)).notes)


async def test_counts_without_classes_are_told_to_be_bounds(tmp_path: Path) -> None:
    blind = np.array([5, np.nan, np.nan, 1, 2, 3, 4], np.float32)
    counts = [
        DayCounts(
            project=NAME,
            day=FIRST_DAY + timedelta(days=day),
            classes=blind,
            installers=np.full(6, np.nan, np.float32),
            regions=np.full(12, np.nan, np.float32),
            version_ages=np.full(4, np.nan, np.float32),
            n=15,
        )
        for day in range(DAYS)
    ]
    with Upstream(*page()) as upstream:  # type: ignore[arg-type]
        async with running(upstream, tmp_path) as started:
            parts = started.parts
            await parts.store.history.add(parts.gate.index_id, NAME, counts)
            assert any("bounded by systems" in note for note in (await asked(started)).notes)


async def test_a_break_in_the_counting_is_told_and_what_is_made_of_it(gate: Running) -> None:
    [note] = [one for one in (await asked(gate)).notes if "2026-08-24" in one]
    assert "brought to the same way" in note
    assert not any("2026-08-24" in one for one in (await asked(gate, days=60)).notes)


async def test_what_nobody_knows_is_said_to_be_unknown(tmp_path: Path) -> None:
    with Upstream() as upstream:
        async with running(upstream, tmp_path) as gate:
            with pytest.raises(GateError) as raised:
                await asked(gate)
    assert raised.value.reference == "no-such-project"


async def test_a_project_that_left_the_index_keeps_its_past(tmp_path: Path) -> None:
    with Upstream() as upstream:
        async with running(upstream, tmp_path) as gate:
            await remember(gate)
            view = await asked(gate)
    [change] = view.timeline.changes
    assert change.severity is None
    assert any("page cannot be had" in note for note in view.notes)


async def test_a_project_without_downloads_has_its_releases(tmp_path: Path) -> None:
    with Upstream(*page()) as upstream:  # type: ignore[arg-type]
        async with running(upstream, tmp_path) as gate:
            view = await asked(gate)
    assert [entry.event.text for entry in view.timeline.entries] == [
        "first release, 1.2.0",
        "release 1.3.1",
    ]
    assert any(note.startswith("No chart, since") for note in story(view).notes)


async def test_a_history_that_ended_long_ago_makes_no_chart(gate: Running) -> None:
    gate.clock.turn(timedelta(days=100))
    view = await asked(gate, days=30)
    assert isinstance(view.history, Unknown)
    assert "2026-11-21" in view.history.reason
