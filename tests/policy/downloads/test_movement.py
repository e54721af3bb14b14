from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from indexgate_policy.downloads.breaks import BREAKS, applied, events, lost_days
from indexgate_policy.downloads.kinds import CLASSES
from indexgate_policy.downloads.movement import mix_changes, movement
from indexgate_policy.downloads.panel import Movement, Panel
from indexgate_policy.signals import Unknown
from tests.policy.downloads.panels import panel, steady

NOT_KNOWN = Unknown(reason="no movement")
BREAK = date(2026, 8, 24)


def index(projects: int = 60, days: int = 182, seed: int = 3, **given: Any) -> Panel:
    """Return projects of 40 to 4,000 consumer downloads a day, with noise and weekends."""
    rng = np.random.default_rng(seed)
    level = np.exp(rng.uniform(np.log(40), np.log(4000), projects))
    rest = np.where(np.arange(days) % 7 >= 5, 0.6, 1.0)
    expected = level[:, None] * rest * np.exp(rng.normal(0, 0.1, (projects, days)))
    classes = np.zeros((projects, days, len(CLASSES)), np.float32)
    classes[:, :, CLASSES.index("ci")] = rng.poisson(expected)
    shares = np.array([0.6, 0.2, 0.1, 0.05, 0.04, 0.01])
    weeks = classes.sum(axis=2)[:, : days // 7 * 7].reshape(projects, -1, 7).sum(axis=2)
    installers = rng.poisson(weeks[:, :, None] * shares).astype(np.float32)
    return panel(classes, **({"installers": installers} | given))


def test_a_day_that_fell_for_all_shows_and_others_do_not() -> None:
    whole = index()
    whole.classes[:, 100] *= 0.4
    moved = movement([whole])
    assert float(moved.consumers[100]) == pytest.approx(np.log(0.4), abs=0.06)
    others = np.delete(moved.consumers[28:], 100 - 28)
    assert float(np.abs(others).max()) < 0.1


def test_one_projects_fall_does_not_move_the_index() -> None:
    whole = index()
    before = movement([whole])
    whole.classes[0, 100:] = 0
    after = movement([whole])
    assert float(np.nanmax(np.abs(after.consumers - before.consumers))) < 0.05


def test_panels_one_after_the_other_say_what_one_says() -> None:
    whole = index()
    parts = [whole.only(slice(start, start + 7)) for start in range(0, 60, 7)]
    together, apart = movement([whole]), movement(reversed(parts))
    for name in ("consumers", "installers", "regions", "version_ages"):
        np.testing.assert_array_equal(getattr(together, name), getattr(apart, name))


def test_the_median_is_that_of_the_projects() -> None:
    ratios = np.linspace(0.5, 1.6, 41)
    classes = steady(days=40, projects=41, ci=2000.0)
    classes[:, 35] *= ratios[:, None]
    moved = movement([panel(classes)])
    assert float(moved.consumers[35]) == pytest.approx(np.log(np.median(ratios)), abs=0.003)
    assert float(moved.consumers[34]) == pytest.approx(0, abs=0.003)


@pytest.mark.parametrize("day", [60, 100, 150])
def test_movement_says_nothing_that_lay_in_the_future(day: int) -> None:
    whole = index()
    until, ever = movement([whole.until(day)]), movement([whole])
    np.testing.assert_array_equal(until.consumers, ever.consumers[: day + 1])
    np.testing.assert_array_equal(until.installers, ever.installers[: (day + 1) // 7])


def test_too_few_projects_or_too_small_ones_tell_nothing() -> None:
    assert np.isnan(movement([index(projects=29)]).consumers).all()
    assert np.isnan(movement([panel(steady(projects=60, ci=5))]).consumers).all()
    assert np.isnan(movement([index()]).consumers[:14]).all()


def test_unknown_days_and_incomplete_references_do_not_count() -> None:
    whole = index()
    whole.classes[:, 100] = np.nan
    whole.classes[:, 93] *= 0.1
    whole.incomplete[93] = True
    moved = movement([whole])
    assert np.isnan(moved.consumers[100])
    assert float(np.abs(moved.consumers[101:]).max()) < 0.1


def test_what_everybody_takes_up_is_drift_of_the_mix() -> None:
    whole = index()
    taken = whole.installers[:, -1, 0] * 0.5
    whole.installers[:, -1, 0] -= taken
    whole.installers[:, -1, 1] += taken
    drift = movement([whole]).installers
    assert float(drift[-1, 0]) == pytest.approx(np.log(0.5), abs=0.05)
    assert float(drift[-1, 1]) == pytest.approx(np.log(0.5 / 0.2), abs=0.05)
    assert float(np.abs(drift[9:-1, :4]).max()) < 0.1
    assert np.isnan(drift[:9]).all()


def test_a_mix_with_an_unknown_week_in_its_base_tells_nothing() -> None:
    mix = np.full((1, 20, 4), 1000, np.float32)
    mix[0, 5] = np.nan
    known = np.isfinite(mix_changes(mix)[0, :, 0])
    assert np.flatnonzero(known).tolist() == [15, 16, 17, 18, 19]


def test_panels_of_other_days_and_none_are_errors() -> None:
    with pytest.raises(ValueError, match="same days"):
        movement([index(), index(days=100)])
    with pytest.raises(ValueError, match="no panel"):
        movement([])


def broken(factor: float = 0.6, first_day: date = date(2026, 5, 4)) -> tuple[Panel, Movement]:
    whole = index(projects=80)
    day = (BREAK - first_day).days
    whole.classes[:, day:] *= factor
    return whole, movement([whole])


def test_a_lasting_break_is_nobodys_drop() -> None:
    whole, moved = broken()
    day = (BREAK - whole.first_day).days
    assert float(moved.consumers[day]) == pytest.approx(np.log(0.6), abs=0.06)
    mended, still = applied(whole, moved)
    before = mended.consumers[:, day - 28 : day].sum(axis=1)
    after = mended.consumers[:, day : day + 28].sum(axis=1)
    assert float(np.median(after / before)) == pytest.approx(1.0, abs=0.03)
    np.testing.assert_array_equal(mended.classes[:, day:], whole.classes[:, day:])
    assert isinstance(still, Movement)
    assert float(np.abs(still.consumers[28:]).max()) < 0.15
    again = movement([mended])
    np.testing.assert_allclose(still.consumers[28:], again.consumers[28:], atol=0.08)


def test_a_break_of_unknown_size_makes_the_days_before_unknown() -> None:
    whole, _ = broken()
    day = (BREAK - whole.first_day).days
    mended, same = applied(whole.only(slice(0, 1)), NOT_KNOWN)
    assert np.isnan(mended.consumers[:, :day]).all()
    assert np.isfinite(mended.consumers[:, day:]).all()
    assert np.isnan(mended.installers[:, : day // 7]).all()
    assert np.isfinite(mended.stars).all()
    assert same is NOT_KNOWN


@pytest.mark.parametrize("first_day", [date(2025, 12, 20), BREAK, date(2026, 9, 1)])
def test_a_panel_that_a_break_does_not_cut_stays_as_it_is(first_day: date) -> None:
    history = panel(steady(ci=10), first_day=first_day)
    mended, _ = applied(history, NOT_KNOWN)
    np.testing.assert_array_equal(mended.classes, history.classes)


def test_breaks_are_events_of_the_days_they_touch() -> None:
    (one,) = events(date(2026, 8, 1), date(2026, 8, 31))
    assert (one.kind, one.at.date()) == ("counting-break", BREAK)
    assert "metadata" in one.text
    assert events(date(2026, 8, 25), date(2026, 12, 1)) == ()
    (stood,) = events(date(2025, 12, 10), date(2025, 12, 11), "clickhouse")
    assert stood.kind == "lost-day"
    assert events(date(2025, 12, 10), date(2025, 12, 11)) == ()


def test_days_on_which_the_whole_index_fell_are_lost_days_but_a_break_is_not() -> None:
    whole = index()
    whole.classes[:, 60] *= 0.1
    (lost,) = lost_days(movement([whole]))
    assert lost.kind == "lost-day"
    assert lost.at == datetime.combine(
        whole.first_day + timedelta(days=60), datetime.min.time(), lost.at.tzinfo
    )
    _, moved = broken(factor=0.3)
    assert lost_days(moved) == ()


def test_breaks_are_in_order_and_say_one_clause() -> None:
    for known in BREAKS:
        assert known.says
        assert not known.says.endswith(".")
        assert known.last is None or known.last >= known.first
