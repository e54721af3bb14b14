import pytest

from indexgate_policy.checks.automation_only import check
from indexgate_policy.signals import Unknown, Value
from tests.policy.checks.cases import NOW, UNTOLD, case_of, flag_of, label
from tests.policy.checks.flagged import FLAGGED, ago, day, of
from tests.policy.checks.histories import history_of

CASE = FLAGGED["automation-only"]
NO_OWNERS: dict[str, Value | Unknown] = {"dependent_owners": 0}
COUNTED: dict[str, Value | Unknown] = {
    "downloads_until": day(1),
    "consumer_downloads": 43_000,
    "human_installs": 400,
    "human_installs_high": 640,
    "dependent_owners": 0,
}


def test_machines_alone_are_told_with_their_share() -> None:
    flag = flag_of(check(CASE))
    assert flag.severity.label == "medium"
    assert flag.evidence == (
        "98.9% of 39,620 downloads in 28 days look automated; "
        "fewer than 20 owners' projects depend on it"
    )


@pytest.mark.parametrize(
    ("daily", "age", "signals", "said"),
    [
        ({"human": 15, "pipeline": 1_400}, 300, NO_OWNERS, "medium"),
        ({"human": 15, "pipeline": 1_400}, 400, NO_OWNERS, "low"),
        ({"human": 15, "pipeline": 1_400}, 400, {"dependent_owners": 20}, "info"),
        ({"human": 15, "pipeline": 1_400}, 300, {}, "info"),  # whether others bring them: unknown
        ({"human": 15, "pipeline": 1_400}, 300, {"dependents": 3}, "medium"),  # 3 owners at most
        ({"human": 15, "pipeline": 1_400}, 300, {"dependents": 300}, "info"),
        ({"human": 400, "pipeline": 1_400}, 300, NO_OWNERS, "none"),
        ({"human": 0, "pipeline": 30}, 300, NO_OWNERS, "none"),  # too few to tell
        ({"human": 0, "mirror": 9_000}, 300, NO_OWNERS, "none"),  # mirrors are nobody's use
    ],
)
def test_dependents_and_age_make_the_severity(
    daily: dict[str, float], age: int, signals: dict[str, Value | Unknown], said: str
) -> None:
    case = case_of(first_upload=ago(age), history=history_of(daily=daily), signals=signals)
    assert label(check(case)) == said


def test_without_a_history_the_counted_signals_are_used_with_their_upper_end() -> None:
    assert label(check(case_of(signals=COUNTED))) == "medium"
    assert label(check(of(case_of(signals=COUNTED), human_installs_high=4_000))) == "none"
    assert label(check(of(case_of(signals=COUNTED), human_installs_high=UNTOLD))) == "unknown"
    assert label(check(of(case_of(signals=COUNTED), downloads_until=day(30)))) == "unknown"


def test_without_any_downloads_it_cannot_look() -> None:
    assert label(check(case_of(signals=NO_OWNERS))) == "unknown"


def test_an_old_history_is_not_the_present() -> None:
    daily = {"human": 15.0, "pipeline": 1_400.0}
    old = history_of(daily=daily, last_day=(NOW.date() - (NOW - ago(20))))
    assert label(check(case_of(history=old, signals=NO_OWNERS))) == "unknown"


def test_days_that_are_not_known_are_taken_to_be_like_the_others() -> None:
    five, ten = (history_of(daily={"human": 15, "pipeline": 1_000, "ci": 400}) for _ in range(2))
    five.classes[0, -5:] = ten.classes[0, -10:] = float("nan")
    flag = flag_of(check(case_of(history=five, signals=NO_OWNERS)))
    assert flag.facts["consumer_downloads"] == 28 * 1_415
    assert label(check(case_of(history=ten, signals=NO_OWNERS))) == "unknown"
