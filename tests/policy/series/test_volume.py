from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from indexgate_policy.downloads.movement import movement
from indexgate_policy.downloads.panel import Counts, Movement, Panel
from indexgate_policy.series.finding import Finding
from indexgate_policy.series.findings import findings
from tests.policy.series.panels import DAYS, FIRST_DAY, level, panel_of

DAY = 150


def changed(usual: float, factor: float | Counts, *, days: int = DAYS, seed: int = 1) -> Counts:
    series = level(usual, days, seed=seed)
    return np.concatenate([series[:DAY], np.floor(series[DAY:] * factor)]).astype(np.float32)


def volume(panel: Panel, moved: Movement | None = None) -> list[Finding]:
    return [one for one in findings(panel, moved, first=60) if one.kind in {"surge", "drop"}]


def neighbours(count: int, factor: Counts | None = None) -> list[Counts]:
    """Return series of other projects, each multiplied by *factor* (T,)."""
    one = np.ones(DAYS, np.float32) if factor is None else factor
    return [
        np.floor(level(40 * (1 + seed % 9), seed=100 + seed) * one).astype(np.float32)
        for seed in range(count)
    ]


@pytest.mark.parametrize(
    ("usual", "factor", "why"),
    [
        (70, 10.0, "step"),
        (70, 100.0, "step"),
        (7_000, 6.0, "step"),
        (5, 60.0, "step"),
        (70, 2.5, None),  # less than four times
        (2, 8.0, None),  # fewer than 200 more a week
        (70, 0.0, "stopped"),
        (7_000, 0.0, "stopped"),
        (7_000, 0.2, "part"),
        (7_000, 0.6, None),
        (0.3, 0.0, None),  # nothing much to miss
    ],
)
def test_a_change_of_level_is_told_by_its_size(
    usual: float, factor: float, why: str | None
) -> None:
    found = volume(panel_of(changed(usual, factor)))
    assert [one.why for one in found] == ([why] if why else [])
    assert all(DAY <= one.onset <= DAY + 2 and one.day - DAY < 10 for one in found)


def test_a_rise_by_and_by_is_a_drip() -> None:
    rise = np.exp(np.linspace(0, np.log(20), DAYS - DAY))
    found = volume(panel_of(changed(100, rise.astype(np.float32))))
    assert [(one.kind, one.day > DAY + 10) for one in found] == [("surge", True)]


def test_a_batch_job_of_two_days_is_no_surge() -> None:
    series = level(70)
    series[DAY : DAY + 2] *= 30
    assert volume(panel_of(series)) == []


def test_a_small_project_falls_silent_when_it_never_was_so_long() -> None:
    assert [one.why for one in volume(panel_of(changed(3, 0.0)))] == ["stopped"]


def test_a_project_that_is_often_silent_has_not_stopped() -> None:
    series = level(6)
    series[np.arange(DAYS) % 21 < 9] = 0  # nine days of every three weeks
    assert volume(panel_of(series)) == []


def test_falling_back_from_a_surge_is_no_drop() -> None:
    series = level(100)
    series[DAY - 12 : DAY] *= 20
    assert [one.kind for one in volume(panel_of(series))] == ["surge"]


@pytest.mark.parametrize(
    ("young", "kinds"), [(30, []), (100, ["surge"])], ids=["newborn", "settled"]
)
def test_a_newborn_has_no_usual_level(young: int, kinds: list[str]) -> None:
    series = changed(70, 15.0)
    series[: DAY - young] = 0
    found = volume(panel_of(series, born=DAY - young).until(DAY + 20))
    assert [one.kind for one in found] == kinds


def test_days_that_are_not_known_are_neither_zero_nor_a_drop() -> None:
    series = level(700)
    series[DAY : DAY + 20] = np.nan
    assert volume(panel_of(series)) == []
    assert volume(panel_of(np.full(DAYS, np.nan, np.float32))) == []


def test_incomplete_days_are_not_a_drop() -> None:
    series = changed(700, 1.0)
    series[DAY : DAY + 6] = 0
    lacking = np.zeros(DAYS, bool)
    assert [one.kind for one in volume(panel_of(series, incomplete=lacking))] == ["drop"]
    lacking[DAY : DAY + 6] = True
    assert volume(panel_of(series, incomplete=lacking)) == []


def test_a_lost_day_or_a_holiday_of_everybody_is_nobodys_drop() -> None:
    for factor in (0.0, 0.3):
        falls = np.ones(DAYS, np.float32)
        falls[DAY : DAY + 4] = factor
        others = neighbours(60, falls)
        own = level(700) * falls
        alone = panel_of(own)
        moved = movement([panel_of(*others, own)])
        assert volume(alone, moved) == []


def test_a_new_way_of_counting_is_nobodys_drop_and_nobodys_surge() -> None:
    for factor in (0.1, 0.3, 8.0):
        recounted = np.ones(DAYS, np.float32)
        recounted[DAY:] = factor
        panel = panel_of(*neighbours(60, recounted))
        found = [
            one
            for row in range(0, 60, 12)
            for one in volume(panel.only(slice(row, row + 1)), movement([panel]))
        ]
        assert found == []


def test_who_falls_when_nobody_else_does_is_told_with_the_movement_of_the_index() -> None:
    own = changed(700, 0.0)
    moved = movement([panel_of(*neighbours(60), own)])
    assert [one.why for one in volume(panel_of(own), moved)] == ["stopped"]


def test_a_movement_that_began_whole_weeks_earlier_fits() -> None:
    falls = np.ones(DAYS, np.float32)
    falls[DAY : DAY + 4] = 0
    whole = panel_of(*neighbours(60, falls))
    moved = movement([whole])
    alone = whole.only(slice(3, 4))
    cut = replace(
        alone,
        first_day=FIRST_DAY + timedelta(days=21),
        **{
            name: getattr(alone, name)[:, 21:]
            for name in ("classes", "stars", "people", "releases", "inflow")
        },
        **{name: getattr(alone, name)[:, 3:] for name in ("installers", "regions", "version_ages")},
        incomplete=alone.incomplete[21:],
    )
    assert volume(cut, moved) == []


def test_without_the_index_a_known_break_is_not_told_as_a_drop() -> None:
    first_day = date(2026, 8, 24) - timedelta(days=DAY)
    series = changed(700, 0.2)
    assert volume(panel_of(series, first_day=first_day)) == []
    assert [one.why for one in volume(panel_of(series))] == ["part"]


@pytest.mark.parametrize(
    ("events", "explained", "by"),
    [
        ({}, False, ""),
        ({"inflow": 630.0}, True, "new-dependents"),
        ({"inflow": 100.0}, False, "new-dependents"),
        ({"releases": 1.0}, True, "release"),
        ({"stars": 8.0, "writers": 1.0}, True, "stars"),
        ({"stars": 8.0, "writers": 1.0, "people": 0.02}, False, ""),  # stars without an audience
    ],
)
def test_what_known_events_carry_is_told_as_explained(
    events: dict[str, float], explained: bool, by: str
) -> None:
    since = (np.arange(DAYS) >= DAY).astype(np.float32)
    shown: dict[str, Any] = {
        name: value * since for name, value in events.items() if name != "people"
    }
    panel = panel_of(
        changed(70, 10.0 if by != "release" else 7.0),
        people=events.get("people", 0.5),
        **shown,
    )
    (first, *_) = volume(panel)
    assert (first.is_explained, first.by) == (explained, by)


def test_an_explanation_that_no_longer_carries_a_surge_opens_it_again() -> None:
    inflow = np.where((np.arange(DAYS) >= DAY - 3) & (np.arange(DAYS) < DAY + 1), 630.0, 0.0)
    series = changed(70, 10.0)
    series[DAY + 12 :] *= 10
    found = volume(panel_of(series, inflow=inflow))
    assert [one.is_explained for one in found] == [True, False]


@pytest.mark.parametrize(
    ("born", "a_day", "stars", "writers", "told"),
    [
        (DAY, 2_000, 0.0, 0.0, [False]),
        (DAY, 2_000, 6.0, 1.0, [True]),
        (DAY, 2_000, 6.0, 0.0, [False]),  # stars, and nobody writes
        (DAY, 1_000, 0.0, 0.0, []),
        (-1, 2_000, 0.0, 0.0, []),
    ],
)
def test_a_first_week_of_ten_thousand_is_told_with_what_was_heard_of_it(
    born: int, a_day: float, stars: float, writers: float, told: list[bool]
) -> None:
    series = level(a_day)
    series[: max(born, 0)] = 0
    panel = panel_of(series, born=born, stars=stars, writers=writers)
    found = [one for one in volume(panel) if one.why == "first-week"]
    assert [one.is_explained for one in found] == told


def test_no_scale_is_an_alarm_by_itself() -> None:
    for usual in (0, 1, 10, 1_000, 1e6, 1e8):
        quiet = level(usual) if usual < 1e7 else np.full(DAYS, usual, np.float32)
        assert volume(panel_of(quiet)) == []
