"""The score is the same for everybody: what only one gate knows is not in it."""

from hypothesis import given

from indexgate_policy.advisories import Advisories
from indexgate_policy.health.score import score
from indexgate_policy.signals import Unknown, Value
from tests.policy.checks.cases import NOW, case_of
from tests.policy.health.test_score import ANY_SIGNALS

ITS_OWN = ("asked_here_by_people", "asked_here_by_ci", "asked_before_it_existed", "evidence")


@given(ANY_SIGNALS)
def test_own_traffic_and_what_was_entered_by_hand_change_no_score(
    signals: dict[str, Value | Unknown],
) -> None:
    signals = {"evidence": ("contact on 2026-11-20 by ann: met them",), **signals}
    without = {name: value for name, value in signals.items() if name not in ITS_OWN}
    advisories = Advisories(records=(), feed=NOW)
    assert score(case_of(signals=signals), advisories) == score(
        case_of(signals=without), advisories
    )
