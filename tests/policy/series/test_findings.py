from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexgate_policy.downloads.panel import Panel
from indexgate_policy.series import windows
from indexgate_policy.series.finding import Finding
from indexgate_policy.series.findings import findings
from indexgate_policy.series.index_level import common
from tests.policy.series.panels import level, panel_of
from tests.policy.series.simulated import BURN_IN, DAYS, WEEKS, Incident, simulated

ROWS = 300


@pytest.fixture(scope="module")
def index() -> tuple[Panel, list[Incident]]:
    return simulated(rows=ROWS, seed=12, each=8)


@pytest.fixture(scope="module")
def found(index: tuple[Panel, list[Incident]]) -> list[Finding]:
    return findings(index[0], first=BURN_IN)


def test_nine_of_ten_incidents_are_told_in_time(
    index: tuple[Panel, list[Incident]], found: list[Finding]
) -> None:
    told = [
        any(
            one.row == incident.row
            and one.kind == incident.kind
            and incident.start <= one.day <= incident.until
            and not one.is_explained
            for one in found
        )
        for incident in index[1]
    ]
    assert np.mean(told) >= 0.9


def test_how_many_days_are_looked_at_together_makes_no_difference(
    index: tuple[Panel, list[Incident]],
    found: list[Finding],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(windows, "_AT_ONCE", 1)  # day by day
    assert findings(index[0], first=BURN_IN) == found


def test_less_than_three_of_a_thousand_quiet_weeks_are_alarmed(
    index: tuple[Panel, list[Incident]], found: list[Finding]
) -> None:
    touched = {incident.row for incident in index[1]}
    false = {(one.row, one.day // 7) for one in found if one.row not in touched}
    assert len(false) / ((ROWS - len(touched)) * (WEEKS - BURN_IN // 7)) < 0.003


@pytest.mark.parametrize("day", [BURN_IN + 20, 150, 200])
def test_no_finding_reads_a_later_day(
    index: tuple[Panel, list[Incident]], found: list[Finding], day: int
) -> None:
    assert _told(findings(index[0].until(day), first=BURN_IN)) == _told(
        one for one in found if one.day <= day
    )


@settings(max_examples=15, deadline=None)
@given(
    day=st.integers(70, 139),
    seed=st.integers(0, 2**16),
    factor=st.sampled_from([0.0, 0.2, 1.0, 8.0, 60.0]),
    lacking=st.sets(st.integers(0, 139), max_size=40),
)
def test_one_project_is_told_of_by_its_past_alone(
    day: int, seed: int, factor: float, lacking: set[int]
) -> None:
    series = level(60, 140, seed=seed, noise=0.4)
    series[110:] *= factor
    series[list(lacking)] = np.nan
    panel = panel_of(series, stars=np.where(np.arange(140) == 120, 80, 0))
    whole = [one for one in findings(panel, first=60) if one.day <= day]
    assert _told(findings(panel.until(day), first=60)) == _told(whole)
    for one in whole:
        assert one.onset <= one.day <= one.last
        assert 0 <= one.explained <= 1
        assert one.score > 0


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**16), known=st.integers(0, 60))
def test_a_project_of_which_little_is_known_is_never_alarmed(seed: int, known: int) -> None:
    series = level(60, 140, seed=seed)
    series[np.random.default_rng(seed).permutation(140)[known:]] = np.nan
    assert findings(panel_of(series), first=28) == []


def test_the_newest_days_alone_tell_what_the_whole_history_tells_of_them(
    index: tuple[Panel, list[Incident]], found: list[Finding]
) -> None:
    since = DAYS - 42
    newest = findings(index[0], first=since)
    fresh = {(one.row, one.kind) for one in found if one.day >= since + 28}
    assert fresh <= {(one.row, one.kind) for one in newest}


def test_a_panel_of_a_few_days_says_nothing() -> None:
    assert findings(panel_of(level(60, 20))) == []


def test_the_level_of_the_index_comes_back_after_a_lost_day() -> None:
    lost = np.ones(140, np.float32)
    lost[100] = 0.1
    rows = [np.floor(level(100, 140, seed=row) * lost).astype(np.float32) for row in range(220)]
    _, index = common(panel_of(*rows), None)
    assert index.known
    assert np.flatnonzero(index.lost).tolist() == [100]
    assert index.days[100] < -1
    assert np.abs(np.delete(index.days, 100)).max() < 0.2


def _told(found: Iterable[Finding]) -> list[tuple[object, ...]]:
    return [(one.row, one.day, one.kind, one.why, one.onset, one.explained) for one in found]
