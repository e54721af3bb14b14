"""A history as columns: sums that are honest about what is not known."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexgate.charts.columns import LAYERS, columns, round_up, short
from indexgate_policy.downloads.kinds import CLASSES
from indexgate_policy.downloads.panel import Panel
from tests.policy.timeline.cases import DAYS, panel_of

NAN = float("nan")


def steady(**known: float) -> Panel:
    """Return a panel with so many downloads of each class a day, 10 where none is told."""
    row = [known.get(name, 10.0) for name in CLASSES]
    return panel_of("demo", np.tile(np.array(row, np.float32), (DAYS, 1)))


def test_many_days_are_weeks_and_few_are_days() -> None:
    weeks = columns(steady(), DAYS - 63)
    assert (weeks.length, len(weeks.columns), weeks.unit) == (7, 9, "downloads a week")
    days = columns(steady(), DAYS - 62)
    assert (days.length, len(days.columns), days.unit) == (1, 62, "downloads a day")


def test_the_last_week_is_whole_and_the_first_is_brought_to_a_week() -> None:
    shown = columns(steady(ci=3, pipeline=5, human=2), DAYS - 65).columns
    assert [column.days for column in shown] == [2] + [7] * 9
    assert {column.layers for column in shown} == {(14.0, 21.0, 35.0)}
    assert shown[-1].first + timedelta(days=6) == steady().last_day
    assert list(LAYERS) == ["people", "CI", "pipelines"]


@pytest.mark.parametrize(("unknown", "total"), [(0, 70), (3, 70), (4, None), (7, None)])
def test_some_unknown_days_are_taken_to_be_like_the_others_and_many_are_not(
    unknown: int, total: float | None
) -> None:
    panel = steady(ci=10, pipeline=0, human=0)
    panel.classes[0, DAYS - 7 : DAYS - 7 + unknown] = NAN
    assert columns(panel, DAYS - 70).columns[-1].total == total


def test_an_incomplete_day_is_not_known() -> None:
    panel = steady()
    panel.incomplete[DAYS - 1] = True
    last = columns(panel, DAYS - 20).columns[-1]
    assert (last.layers, last.others) == (None, None)


def test_bots_that_nobody_told_are_left_out_of_the_others() -> None:
    panel = steady(bot=NAN, cache=NAN, mirror=4, scanner=6)
    assert columns(panel, DAYS - 20).columns[0].others == 10


def test_no_star_is_known_where_nobody_looked() -> None:
    panel = steady()
    panel.stars[:] = NAN
    assert {column.stars for column in columns(panel, DAYS - 20).columns} == {None}


@pytest.mark.parametrize("first", [0, 1, DAYS - 65, DAYS - 20, DAYS - 1])
def test_every_day_lies_in_the_column_that_holds_it(first: int) -> None:
    panel = steady()
    shown = columns(panel, first)
    for day in range(first, DAYS):
        at = panel.first_day + timedelta(days=day)
        column = shown.columns[int(shown.place(at) * len(shown.columns))]
        assert column.first <= at < column.first + timedelta(days=column.days)
    assert shown.place(panel.last_day + timedelta(days=1)) > 1


@given(st.floats(0, 1e11))
def test_the_top_of_the_scale_is_round_and_not_far_above(value: float) -> None:
    top = round_up(value)
    assert top >= value * (1 - 1e-6)
    assert top <= max(1, 2.01 * value)
    assert len(short(top)) <= 6


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (999, "999"),
        (999.7, "1k"),
        (1_250, "1.2k"),
        (9_960, "10k"),
        (50_000, "50k"),
        (999_600, "1M"),
        (2.5e9, "2.5G"),
    ],
)
def test_a_number_is_short(value: float, text: str) -> None:
    assert short(value) == text
