from datetime import UTC, datetime, time, timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from indexgate_policy.alike import Quiet
from indexgate_policy.assess import assess
from indexgate_policy.assessment import Case, Context
from indexgate_policy.checks import CHECKS, SERIES_CHECKS
from indexgate_policy.downloads.kinds import CLASSES
from indexgate_policy.downloads.panel import Panel
from indexgate_policy.downloads.summary import summaries
from indexgate_policy.health.result import HealthScore
from indexgate_policy.series.findings import findings
from indexgate_policy.signals import Signal, Signals, Unknown
from indexgate_policy.subject import Project
from tests.policy.checks.cases import OneLookalike
from tests.policy.downloads.panels import panel

UNTOLD = Unknown(reason="nobody has looked at its page yet")
ROWS, DAYS = 12, 70


def panel_by_chance(seed: int, size: float, unknown: float) -> Panel:
    """Return projects of up to *size* a day, of which a share of the days is *unknown*."""
    random = np.random.default_rng(seed)
    usual = size * random.random((ROWS, 1, len(CLASSES)))
    classes = random.poisson(usual, (ROWS, DAYS, len(CLASSES))).astype(np.float32)
    classes[random.random((ROWS, DAYS)) < unknown] = np.nan
    incomplete = random.random(DAYS) < unknown / 3
    born = np.where(random.random(ROWS) < 0.1, 20, -1).astype(np.int32)
    mixed = random.poisson(size, (ROWS, DAYS // 7, 12)).astype(np.float32)
    return panel(classes, incomplete=incomplete, born=born, regions=mixed)


def case_of(history: Panel, row: int, signals: tuple[Signal, ...], now: datetime) -> Case:
    return Case(
        project=Project(
            name=history.names[row],
            index_id="index",
            public=True,
            first_upload=UNTOLD,
            first_seen=UNTOLD,
            releases=0,
        ),
        releases=(),
        signals=Signals(signals),
        context=Context(popular=OneLookalike()),
        now=now,
        history=history.only(slice(row, row + 1)),
    )


def spoken_for(history: Panel, days_ago: int = 2) -> list[bool]:
    """Compare what one says for the others with what is found of each; tell whom one spoke for."""
    now = datetime.combine(history.last_day + timedelta(days=days_ago), time(6), UTC)
    moved = frozenset(one.row for one in findings(history))
    quiet = Quiet(history, moved)
    told = []
    for row, signals in enumerate(summaries(history, observed_at=now, source="log")):
        case = case_of(history, row, signals, now)
        like = quiet.alike(row, lambda case=case: case)  # type: ignore[misc]
        told.append(like is not None)
        if like is not None:
            thorough = assess(case, CHECKS, exact=False)
            assert isinstance(thorough.score, HealthScore)
            lean = replace(thorough, score=replace(thorough.score, lines=()))
            assert like.assessed(case.project.name, case.signals) == lean
    return told


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    size=st.sampled_from([0.05, 0.5, 3.0, 12.0, 40.0]),
    unknown=st.sampled_from([0.0, 0.1, 0.5, 0.9]),
    days_ago=st.sampled_from([1, 2, 13, 20]),
)
def test_what_one_says_for_others_is_what_is_found_of_each(
    seed: int, size: float, unknown: float, days_ago: int
) -> None:
    spoken_for(panel_by_chance(seed, size, unknown), days_ago)


def test_one_speaks_for_all_that_hardly_anybody_downloads() -> None:
    history = panel_by_chance(1, 0.5, 0)
    assert spoken_for(history) == (history.born < 0).tolist()


def test_nobody_speaks_for_those_of_which_a_check_may_say_something() -> None:
    assert not any(spoken_for(panel_by_chance(1, 400, 0)))


def test_nobody_speaks_for_those_that_moved() -> None:
    history = panel_by_chance(1, 0.5, 0)
    quiet = Quiet(history, range(ROWS))
    assert all(quiet.alike(row, lambda: None) is None for row in range(ROWS))  # type: ignore[arg-type,return-value]


def test_the_checks_that_are_left_out_where_nothing_moved_are_of_series() -> None:
    assert set(SERIES_CHECKS) < set(CHECKS)
