import pytest

from indexgate_policy.checks.region_concentration import check
from tests.policy.checks.cases import case_of, flag_of, label
from tests.policy.checks.flagged import FLAGGED
from tests.policy.checks.histories import history_of

RUSSIA = {"RU": 700.0, "US": 20.0}
WORLD = {"US": 400.0, "DE": 200.0, "other": 120.0}


def test_the_country_its_share_and_the_share_before_are_told() -> None:
    flag = flag_of(check(FLAGGED["region-concentration"]))
    assert flag.evidence == (
        "97% of 2,880 downloads by people and pipelines in four weeks came from RU, "
        "3% in the weeks before"
    )
    assert flag.facts["concentration"] == 0.946


@pytest.mark.parametrize(
    ("now", "before", "human", "days", "said"),
    [
        (RUSSIA, WORLD, 100, 182, "low"),
        (RUSSIA, RUSSIA, 100, 182, "none"),  # a project for one country
        (RUSSIA, WORLD, 100, 60, "low"),  # too young for a habit
        ({"US": 700}, WORLD, 100, 182, "none"),  # where most rented machines stand
        ({"other": 700}, WORLD, 100, 182, "none"),  # not one country
        (WORLD, WORLD, 100, 182, "none"),
        (RUSSIA, WORLD, 9, 182, "none"),  # hardly any people
        ({"RU": 20}, WORLD, 100, 182, "none"),  # 80 countries' rows are too few to tell
    ],
)
def test_only_a_new_concentration_in_one_country_is_flagged(
    now: dict[str, float], before: dict[str, float], human: float, days: int, said: str
) -> None:
    history = history_of(daily={"human": human}, regions=now, regions_before=before, days=days)
    assert label(check(case_of(history=history))) == said


def test_without_a_history_or_its_countries_it_cannot_look() -> None:
    assert label(check(case_of())) == "unknown"
    history = history_of(daily={"human": 100}, regions=RUSSIA)
    history.regions[0, -4:] = float("nan")
    assert label(check(case_of(history=history))) == "unknown"
