from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from indexgate_policy.downloads.kinds import INSTALLERS, REGIONS
from indexgate_policy.downloads.panel import Counts, Panel
from indexgate_policy.series.finding import Finding
from indexgate_policy.series.findings import findings
from tests.policy.series.panels import (
    CI,
    DAYS,
    HUMAN,
    PIPELINE,
    USUAL_INSTALLERS,
    USUAL_REGIONS,
    USUAL_VERSIONS,
    level,
    mix,
    panel_of,
)

WEEKS, WEEK = DAYS // 7, 20
FIELDS = {
    "installer": ("installers", USUAL_INSTALLERS),
    "region": ("regions", USUAL_REGIONS),
    "version": ("version_ages", USUAL_VERSIONS),
}


def shifted(kind: str, part: int, gain: float, *, usual: float = 100, since: int = WEEK) -> Panel:
    """Return a panel in which *part* takes *gain* of a mix from week *since* on."""
    field, shares = FIELDS[kind]
    weeks = np.tile(np.array(shares), (WEEKS, 1))
    weeks[since:] *= 1 - gain
    weeks[since:, part] += gain
    series = level(usual)
    weekly = series[: WEEKS * 7].reshape(WEEKS, 7).sum(axis=1)
    changed: dict[str, Any] = {field: mix(weeks, weekly, seed=4)[None]}
    return replace(panel_of(series), **changed)


def mixes(panel: Panel) -> list[Finding]:
    return [
        one
        for one in findings(panel, first=60)
        if one.kind in {"installer", "region", "version", "automation"}
    ]


@pytest.mark.parametrize(
    ("kind", "part", "gain", "within"),
    [
        ("installer", INSTALLERS.index("script"), 0.7, 7),
        ("installer", INSTALLERS.index("unknown"), 0.35, 28),
        ("region", REGIONS.index("RU"), 0.7, 7),
        ("region", REGIONS.index("CN"), 0.35, 28),
        ("version", 3, 0.6, 7),
        ("version", 3, 0.35, 28),
    ],
)
def test_a_part_that_takes_the_mix_is_named(kind: str, part: int, gain: float, within: int) -> None:
    (found,) = mixes(shifted(kind, part, gain))
    assert (found.kind, int(found.why)) == (kind, part)
    assert WEEK * 7 <= found.day < WEEK * 7 + within
    assert found.onset == WEEK * 7
    assert found.before == pytest.approx(FIELDS[kind][1][part], abs=0.05)
    assert found.now - found.before > gain / 2


@pytest.mark.parametrize(
    ("kind", "part", "gain", "usual"),
    [
        ("installer", 4, 0.05, 10_000),  # too little to matter, however sure
        ("version", 0, 0.6, 100),  # newer versions are welcome
        ("region", 8, 0.7, 2),  # too few to tell
    ],
)
def test_what_is_small_or_welcome_is_no_shift(
    kind: str, part: int, gain: float, usual: float
) -> None:
    assert mixes(shifted(kind, part, gain, usual=usual)) == []


def test_a_mix_that_always_strays_so_far_has_not_shifted() -> None:
    random = np.random.default_rng(3)
    weeks = random.dirichlet(np.array(USUAL_INSTALLERS) * 3, WEEKS)
    weekly = np.full(WEEKS, 5_000, np.float32)
    panel = replace(panel_of(level(700)), installers=mix(weeks, weekly)[None])
    assert mixes(panel) == []


def test_what_the_whole_index_takes_up_is_nobodys_shift() -> None:
    rows = 220
    series = [level(200, seed=row) for row in range(rows)]
    shares = np.tile(np.array(USUAL_INSTALLERS), (WEEKS, 1))
    shares[WEEK:] *= 0.5
    shares[WEEK:, 1] += 0.5
    panel = panel_of(*series)
    weekly = panel.consumers[:, : WEEKS * 7].reshape(rows, WEEKS, 7).sum(axis=2)
    counts = np.stack([mix(shares, week, seed=row) for row, week in enumerate(weekly)])
    assert mixes(replace(panel, installers=counts)) == []
    assert len(mixes(replace(panel, installers=counts).only(slice(0, 1)))) == 1


def test_weeks_that_are_not_known_never_shift() -> None:
    panel = shifted("installer", 4, 0.7)
    unknown = panel.installers.copy()
    unknown[:, WEEK:] = np.nan
    assert mixes(replace(panel, installers=unknown)) == []
    unknown[:] = np.nan
    assert mixes(replace(panel, installers=unknown)) == []


def with_classes(people: Counts, machines: Counts) -> Panel:
    panel = panel_of(people + machines)
    panel.classes[0, :, HUMAN] = people
    panel.classes[0, :, PIPELINE] = machines
    panel.classes[0, :, CI] = 0
    return panel


def test_people_who_leave_while_machines_stay_are_missed() -> None:
    people = level(200)
    people[140:] *= 0.05
    (found,) = mixes(with_classes(people, level(400, seed=2)))
    assert found.kind == "automation"
    assert 140 <= found.day < 140 + 28
    assert found.now < found.before / 2


def test_more_machines_are_not_fewer_people() -> None:
    machines = level(400, seed=2)
    machines[140:] *= 20
    assert mixes(with_classes(level(200), machines)) == []
