from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pytest

from indexgate_policy.downloads.classes import attribute
from indexgate_policy.downloads.human_range import human_range
from indexgate_policy.downloads.kinds import CLASSES
from indexgate_policy.downloads.panel import Panel
from indexgate_policy.downloads.summary import GIVES, summaries, weekend_doubts
from indexgate_policy.signal_table import BY_NAME
from indexgate_policy.signals import Unknown, Value
from tests.policy.downloads.panels import panel, steady
from tests.policy.downloads.rows import mixtures, worked_example

NOW = datetime(2026, 11, 22, tzinfo=UTC)
HUMAN = CLASSES.index("human")


def told(history: Panel, row: int = 0) -> dict[str, Value | Unknown]:
    signals = list(summaries(history, observed_at=NOW, source="download-log"))[row]
    assert tuple(signal.name for signal in signals) == GIVES
    return {signal.name: signal.value for signal in signals}


def test_it_gives_only_signals_of_the_table() -> None:
    for signal in next(summaries(panel(steady()), observed_at=NOW, source="log")):
        assert signal.name in BY_NAME
        assert (signal.source, signal.observed_at, signal.licence) == ("log", NOW, "CC-BY-4.0")


def test_a_steady_month_is_summed_over_thirty_days() -> None:
    history = panel(steady(mirror=10, cache=5, bot=3, ci=20, pipeline=30, human=40))
    values = told(history)
    assert values["downloads"] == pytest.approx(30 * 108)
    assert values["consumer_downloads"] == pytest.approx(30 * 90)
    assert values["human_installs"] == pytest.approx(30 * 40)
    assert values["cache_share"] == pytest.approx(5 / 95)
    assert values["certain_share"] == pytest.approx(35 / 108)
    assert values["human_persistence"] == 1
    assert values["downloads_until"] == "2026-11-01"
    low, middle, high = (values[f"human_installs{end}"] for end in ("_low", "", "_high"))
    assert isinstance(low, float)
    assert isinstance(middle, float)
    assert isinstance(high, float)
    assert 0 < low < middle < high
    assert values["people_low"] == pytest.approx(low / 20)
    assert values["people_high"] == pytest.approx(high / 4)


def test_missing_days_are_scaled_over_and_too_many_make_it_unknown() -> None:
    classes = steady(human=10)
    classes[:, -9:] = np.nan
    values = told(panel(classes))
    assert values["human_installs"] == pytest.approx(300)
    assert values["downloads_until"] == "2026-10-23"
    classes[:, -10:] = np.nan
    values = told(panel(classes))
    for name in ("downloads", "human_installs", "people", "people_low", "human_installs_high"):
        value = values[name]
        assert isinstance(value, Unknown)
        assert "fewer than 21 of the last 30 days" in value.reason


def test_an_incomplete_day_is_not_counted() -> None:
    classes = steady(human=10)
    classes[:, -3] = 1
    incomplete = np.zeros(182, np.bool_)
    incomplete[-3] = True
    assert told(panel(classes, incomplete=incomplete))["human_installs"] == pytest.approx(300)


def test_days_before_the_first_release_are_known_and_empty() -> None:
    classes = np.full((1, 182, len(CLASSES)), np.nan, np.float32)
    classes[:, -14:] = 0
    classes[:, -14:, HUMAN] = 10
    values = told(panel(classes, born=np.array([168], np.int32)))
    assert values["human_installs"] == pytest.approx(140)
    assert values["human_persistence"] == pytest.approx(2 / 26)
    assert values["first_week_downloads"] == values["first_week_human_installs"] == 70


@pytest.mark.parametrize("born", [-1, 176, 1_000_000])
def test_a_first_week_that_is_not_there_is_unknown(born: int) -> None:
    values = told(panel(steady(human=10), born=np.array([born], np.int32)))
    assert isinstance(values["first_week_downloads"], Unknown)
    assert isinstance(values["first_week_human_installs"], Unknown)


def test_persistence_counts_weeks_with_a_quarter_of_the_median() -> None:
    classes = steady(human=10)
    classes[0, :70, HUMAN] = 2
    assert told(panel(classes))["human_persistence"] == pytest.approx(16 / 26)
    assert told(panel(steady(bot=100)))["human_persistence"] == 0
    classes[:, :98] = np.nan
    assert isinstance(told(panel(classes))["human_persistence"], Unknown)


def test_version_ages_are_shares_of_the_last_four_weeks() -> None:
    ages = np.zeros((1, 26, 4), np.float32)
    ages[:, -4:] = [10, 20, 40, 30]
    values = told(panel(steady(human=10), version_ages=ages))
    assert values["old_version_share"] == pytest.approx(0.3)
    assert values["recent_version_share"] == pytest.approx(0.3 + 0.4 * 0.505, abs=0.001)
    ages[:, -3:] = np.nan
    assert isinstance(told(panel(steady(), version_ages=ages))["old_version_share"], Unknown)


def test_a_project_that_nobody_knows_is_unknown_in_everything() -> None:
    classes = np.full((1, 182, len(CLASSES)), np.nan, np.float32)
    ages = np.full((1, 26, 4), np.nan, np.float32)
    for value in told(panel(classes, version_ages=ages)).values():
        assert isinstance(value, Unknown)
        assert value.reason


def test_a_short_history_says_what_it_can() -> None:
    values = told(panel(steady(days=5, human=10)))
    assert isinstance(values["downloads"], Unknown)
    assert isinstance(values["human_persistence"], Unknown)
    assert values["downloads_until"] == date(2026, 5, 8).isoformat()


def test_each_project_of_a_panel_has_its_own_numbers() -> None:
    classes = np.concatenate([steady(human=10), steady(ci=7)])
    both = panel(classes)
    assert told(both, 0) == told(both.only(slice(0, 1)))
    assert told(both, 1) == told(both.only(slice(1, 2)))
    assert told(both, 0)["human_installs"] != told(both, 1)["human_installs"]


def test_the_range_from_classes_covers_mixtures_as_the_rows_do() -> None:
    covered, wider, count = 0, [], 300
    for mixture in mixtures(count, seed=7):
        found = attribute(mixture.rows)
        classes = np.array([found.classes[name].middle for name in CLASSES], np.float32)
        low, high = human_range(classes)
        assert low <= classes[HUMAN] * 1.0001
        assert high >= classes[HUMAN] * 0.9999
        covered += bool(low <= mixture.human_share * found.n <= high)
        own = found.classes["human"]
        wider.append(float(high - low) / max(own.high - own.low, 1.0))
    assert covered / count >= 0.90
    assert np.median(wider) <= 1.5


def test_the_range_of_the_worked_example_is_near_the_rows_own() -> None:
    found = attribute(worked_example())
    classes = np.array([found.classes[name].middle for name in CLASSES], np.float32)
    low, high = human_range(classes)
    assert float(low) == pytest.approx(143, rel=0.2)
    assert float(high) == pytest.approx(708, rel=0.2)


def test_a_weekend_that_works_contradicts_people() -> None:
    resting: Any = steady(human=100)
    weekday = np.arange(182) % 7
    resting[0, weekday >= 5, HUMAN] = 45
    working = steady(human=100)
    assert weekend_doubts(panel(np.concatenate([resting, working]))).tolist() == [False, True]
    unknown = np.full((1, 182, len(CLASSES)), np.nan, np.float32)
    assert weekend_doubts(panel(unknown)).tolist() == [False]
