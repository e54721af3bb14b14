from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from packaging.utils import canonicalize_name

from indexgate_policy.downloads.bounded import GIVES, day_counts, signals
from indexgate_policy.downloads.kinds import CLASSES
from indexgate_policy.signal_table import BY_NAME
from indexgate_policy.signals import Unknown, Value

NOW = datetime(2026, 11, 22, tzinfo=UTC)
LAST = date(2026, 11, 20)


@dataclass(frozen=True)
class Day:
    day: date
    everything: int | None = None
    without_mirrors: int | None = None
    systems: Mapping[str, int] | None = None


def days(count: int = 180, **given: object) -> list[Day]:
    told: dict[str, object] = {
        "everything": 1000,
        "without_mirrors": 600,
        "systems": {"Linux": 500, "Darwin": 30, "Windows": 20, "other": 5, "null": 45},
    }
    return [
        Day(LAST - timedelta(days=ago), **(told | given))  # type: ignore[arg-type]
        for ago in reversed(range(count))
    ]


def told(counted: list[Day], first_release: date | None = None) -> dict[str, Value | Unknown]:
    found = signals(
        counted, observed_at=NOW, source="stats", licence="facts", first_release=first_release
    )
    assert [one.name for one in found] == list(GIVES)
    assert all(one.name in BY_NAME for one in found)
    return {one.name: one.value for one in found}


def test_desktops_bound_people_from_below_and_all_without_mirrors_from_above() -> None:
    values = told(days())
    assert values["downloads"] == 30_000
    assert values["human_installs_low"] == pytest.approx(0.87 * 30 * 50)
    assert values["human_installs_high"] == pytest.approx(0.87 * 30 * 600)
    middle = values["human_installs"]
    assert isinstance(middle, float)
    assert 0.87 * 30 * 50 <= middle <= 0.87 * 30 * 150
    assert values["downloads_until"] == "2026-11-20"
    assert values["people_low"] == pytest.approx(0.87 * 30 * 50 / 20)


def test_days_left_out_between_others_had_no_downloads() -> None:
    values = told([days()[0], days()[-1]])
    assert values["downloads"] == 1000


def test_counts_that_reach_back_too_short_are_unknown_unless_the_project_is_new() -> None:
    short = told(days(10))
    assert isinstance(short["downloads"], Unknown)
    assert isinstance(short["human_installs"], Unknown)
    assert short["downloads_until"] == "2026-11-20"
    newborn = told(days(10), first_release=LAST - timedelta(days=12))
    assert newborn["downloads"] == 10_000


def test_what_is_not_told_is_unknown() -> None:
    values = told(days(systems=None))
    assert values["downloads"] == 30_000
    assert isinstance(values["human_installs"], Unknown)
    assert isinstance(told(days(everything=None))["downloads"], Unknown)
    for value in told([]).values():
        assert isinstance(value, Unknown)


def test_a_day_becomes_classes_as_far_as_it_tells() -> None:
    project = canonicalize_name("example")
    counts = list(day_counts(project, days(2)))
    assert [one.day for one in counts] == [LAST - timedelta(days=1), LAST]
    classes = dict(zip(CLASSES, counts[0].classes.tolist(), strict=True))
    assert classes["mirror"] == 400
    assert np.isnan([classes["cache"], classes["bot"]]).all()
    assert 0 < classes["human"] < classes["ci"] + classes["pipeline"]
    known = sum(value for value in classes.values() if not np.isnan(value))
    assert known == pytest.approx(1000, rel=0.01)
    assert counts[0].n == 1000
    assert np.isnan(counts[0].installers).all()
    assert np.isnan(counts[0].regions).all()


def test_a_day_without_systems_tells_no_consumers() -> None:
    (one,) = day_counts(canonicalize_name("example"), days(1, systems=None))
    assert one.classes[CLASSES.index("mirror")] == 400
    assert np.isnan(one.classes[CLASSES.index("human")])
