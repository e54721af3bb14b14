"""The flags that the download history raises, on the newest day of it."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from indexgate_policy.assessment import Case, Lookalike
from indexgate_policy.checks import (
    automation_shift,
    download_surge,
    drop_part,
    drop_to_zero,
    installer_mix_shift,
    region_shift,
    star_inflation,
    version_shift,
)
from indexgate_policy.downloads.movement import movement
from indexgate_policy.downloads.panel import Panel
from indexgate_policy.flags import Flag
from indexgate_policy.signals import Unknown, Value
from tests.policy.checks.cases import UNTOLD, OneLookalike, case_of, label, release_of
from tests.policy.series.panels import DAYS, HUMAN, PIPELINE, level, panel_of
from tests.policy.series.test_mix import shifted

DAY = 170
NOW = datetime.combine(panel_of(level(1)).last_day, time(12), UTC) + timedelta(days=1)
OLD = NOW - timedelta(days=900)
ALL = (
    automation_shift,
    download_surge,
    drop_part,
    drop_to_zero,
    installer_mix_shift,
    region_shift,
    star_inflation,
    version_shift,
)


def history(factor: float, *, usual: float = 70, **events: Any) -> Panel:
    series = level(usual, seed=1)
    series[DAY:] = np.floor(series[DAY:] * factor)
    return panel_of(series, **events)


def case(panel: Panel | Unknown, *, now: datetime = NOW, **told: Any) -> Case:
    return case_of("quiet-name", **{"first_upload": OLD, "history": panel, "now": now, **told})


def changed_owners(days_ago: int) -> dict[str, Value | Unknown]:
    return {"owners_changed_on": (NOW - timedelta(days=days_ago)).date().isoformat()}


SQUAT = OneLookalike(
    Lookalike(imitates="quite-name", confusability=0.9, rank=3, downloads=10**7, relation="swap")
)


@pytest.mark.parametrize(
    ("factor", "told", "severity"),
    [
        (1.0, {}, "none"),
        (6.0, {}, "low"),
        (20.0, {}, "medium"),
        (100.0, {}, "medium"),  # never high by itself
        (100.0, {"signals": changed_owners(10)}, "high"),
        (100.0, {"signals": changed_owners(60)}, "medium"),
        (100.0, {"first_upload": NOW - timedelta(days=80)}, "high"),
        (100.0, {"popular": SQUAT}, "high"),
        (6.0, {"signals": changed_owners(10)}, "low"),
    ],
)
def test_a_surge_weighs_by_what_nothing_explains(
    factor: float, told: dict[str, Any], severity: str
) -> None:
    assert label(download_surge.check(case(history(factor), **told))) == severity


def test_a_surge_that_dependents_bring_is_information() -> None:
    since = np.arange(DAYS) >= DAY
    flag = download_surge.check(case(history(20.0, inflow=np.where(since, 1_400, 0))))
    assert isinstance(flag, Flag)
    assert (label(flag), flag.facts["explained_by"]) == ("info", "new dependents")
    assert flag.explained > 0.9
    assert "known events carry" in flag.evidence


def test_the_evidence_of_a_surge_can_be_read_aloud() -> None:
    flag = download_surge.check(case(history(20.0)))
    assert isinstance(flag, Flag)
    assert flag.began == datetime(2024, 6, 19, tzinfo=UTC)
    assert flag.evidence.endswith(
        "downloads a week since 2024-06-19; no new dependents, stars or releases explain it"
    )
    assert flag.ends == datetime(2024, 7, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("unknown", "said"),
    [
        (("inflow",), "no stars or releases explain it, nothing is known of new dependents"),
        (
            ("inflow", "stars"),
            "no releases explain it, nothing is known of new dependents or stars",
        ),
        (
            ("inflow", "stars", "releases"),
            "nothing is known of new dependents, stars or releases",
        ),
    ],
)
def test_what_was_not_counted_is_not_said_to_be_absent(unknown: tuple[str, ...], said: str) -> None:
    nothing: dict[str, Any] = dict.fromkeys(unknown, np.full(DAYS, np.nan))
    flag = download_surge.check(case(history(20.0, **nothing)))
    assert isinstance(flag, Flag)
    assert flag.evidence.endswith(said)


@pytest.mark.parametrize(
    ("told", "severity"),
    [
        ({}, "medium"),
        ({"status": "archived"}, "high"),
        ({"signals": changed_owners(3)}, "high"),
        ({"releases": (release_of("1.0", OLD, yanked="broken"),)}, "high"),
        ({"releases": (release_of("1.0", OLD),)}, "medium"),
    ],
)
def test_stopped_downloads_weigh_more_when_the_project_was_withdrawn(
    told: dict[str, Any], severity: str
) -> None:
    flag = drop_to_zero.check(case(history(0.0), **told))
    assert label(flag) == severity
    assert label(drop_part.check(case(history(0.0), **told))) == "none"


def test_a_fall_to_a_fifth_is_a_drop_in_part() -> None:
    fallen = case(history(0.2, usual=7_000))
    assert label(drop_part.check(fallen)) == "low"
    assert label(drop_to_zero.check(fallen)) == "none"


@pytest.mark.parametrize(
    ("check", "kind", "part", "name", "severity"),
    [
        (installer_mix_shift.check, "installer", 4, "script", "low"),
        (region_shift.check, "region", 8, "RU", "low"),
        (version_shift.check, "version", 3, "versions 2 years or older", "medium"),
    ],
)
def test_a_shift_names_the_part_that_rose(
    check: Callable[[Case], Any], kind: str, part: int, name: str, severity: str
) -> None:
    flag = check(case(shifted(kind, part, 0.7, since=24)))
    assert label(flag) == severity
    assert flag.facts["part"] == name
    assert flag.evidence.startswith(f"{name} ")
    assert " -> " in flag.evidence


def test_a_shift_weighs_more_when_the_owners_changed_or_downloads_surged() -> None:
    shift = shifted("installer", 4, 0.7, since=24)
    region = shifted("region", 8, 0.7, since=24)
    both = replace(shift, regions=region.regions)
    surge = history(20.0, usual=100)
    surged = replace(shift, classes=surge.classes)
    assert label(installer_mix_shift.check(case(shift, signals=changed_owners(5)))) == "medium"
    assert label(installer_mix_shift.check(case(surged))) == "medium"
    assert label(region_shift.check(case(both))) == "medium"
    assert label(region_shift.check(case(region))) == "low"


def test_people_who_left_are_told() -> None:
    panel = panel_of(level(600, seed=2))
    people = level(200)
    people[150:] *= 0.05
    panel.classes[0, :, HUMAN] = people
    panel.classes[0, :, PIPELINE] = level(400, seed=3)
    flag = automation_shift.check(case(panel))
    assert label(flag) == "low"
    assert isinstance(flag, Flag)
    assert flag.evidence.startswith("people 3")


def test_a_burst_of_stars_is_told_with_its_size() -> None:
    days = np.arange(DAYS)
    stars = np.where((days >= 176) & (days < 179), 200, 0.1)
    flag = star_inflation.check(case(panel_of(level(300), stars=stars)))
    assert isinstance(flag, Flag)
    assert flag.evidence.startswith("600 stars in 7 days since 2024-06-25")


@pytest.mark.parametrize("check", ALL, ids=lambda check: check.DEFINITION.id)
def test_a_check_that_lacks_a_history_says_so(check: Any) -> None:
    assert check.check(case(UNTOLD)) == UNTOLD
    late = check.check(case(history(20.0), now=NOW + timedelta(days=15)))
    assert late == Unknown(reason=f"downloads are only known until {history(1.0).last_day}")
    short = check.check(case(history(20.0).until(20)))
    assert isinstance(short, Unknown)
    nothing = panel_of(np.full(DAYS, np.nan, np.float32))
    assert check.check(case(nothing)) == Unknown(reason="only 0 days of downloads are known")


@pytest.mark.parametrize("check", ALL, ids=lambda check: check.DEFINITION.id)
def test_a_quiet_project_is_not_flagged(check: Any) -> None:
    assert check.check(case(history(1.0))) is None


def test_a_finding_is_in_force_until_two_weeks_after_it_last_held() -> None:
    series = level(70)
    series[150:158] *= 30
    panel = panel_of(series)
    flags = {day: label(download_surge.check(_as_of(panel, day))) for day in (149, 157, 173, 178)}
    assert flags == {149: "none", 157: "medium", 173: "medium", 178: "none"}


def _as_of(panel: Panel, day: int) -> Case:
    known = panel.until(day)
    return case(known, now=datetime.combine(known.last_day, time(23), UTC))


def test_what_the_whole_index_did_is_nobodys_flag() -> None:
    falls = np.ones(DAYS, np.float32)
    falls[176:] = 0.1
    rows = [np.floor(level(100, seed=row) * falls).astype(np.float32) for row in range(60)]
    panel = panel_of(*rows)
    one = case(panel.only(slice(0, 1)))
    known = replace(one, context=replace(one.context, movement=movement([panel])))
    assert label(drop_to_zero.check(one)) != "none" or label(drop_part.check(one)) != "none"
    assert label(drop_to_zero.check(known)) == label(drop_part.check(known)) == "none"
