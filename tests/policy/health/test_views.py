"""The two views beside the score: criticality and Scorecard by check."""

from math import log1p

import pytest

from indexgate_policy.health.criticality import VARIANTS, Variant, criticality
from indexgate_policy.health.score import DIMENSIONS, score
from indexgate_policy.health.scorecard_view import COUNTED_ELSEWHERE, mean, read
from indexgate_policy.signals import Unknown
from tests.policy.checks.cases import UNTOLD, case_of
from tests.policy.health.packages import load

PACKAGES = {package.case.project.name: package for package in load()}


def test_criticality_is_the_weighted_mean_of_the_fields_that_are_known() -> None:
    case = case_of(first_upload=UNTOLD, signals={"contributors": 5000, "organizations": 0})
    found = criticality(case, "original")
    assert found.value == pytest.approx(2 / 3)
    assert found.known == pytest.approx(3 / 10.5)


@pytest.mark.parametrize(
    ("variant", "signals", "expected"),
    [
        ("original", {"contributors": 99}, log1p(99) / log1p(5000)),
        ("original", {"contributors": 10**9}, 1),
        ("deps.dev", {"dependents": 99}, log1p(99) / log1p(200_000)),
        ("deps.dev", {"dependents": 99, "dependents_transitive": 200_000}, 1),
    ],
)
def test_a_field_reaches_its_bound_by_the_logarithm(
    variant: Variant, signals: dict[str, int], expected: float
) -> None:
    case = case_of(first_upload=UNTOLD, signals=signals)
    assert criticality(case, variant).value == pytest.approx(expected)


def test_missing_fields_are_shown_with_their_reason() -> None:
    found = criticality(case_of(first_upload=UNTOLD, signals={}))
    assert isinstance(found.value, Unknown)
    assert found.known == 0
    assert all(isinstance(field.value, Unknown) for field in found.fields)


def test_a_recent_commit_is_more_critical_than_an_old_one() -> None:
    new, old = (
        criticality(case_of(first_upload=UNTOLD, signals={"last_commit_on": day})).value
        for day in ("2026-11-20", "2018-01-01")
    )
    assert isinstance(new, float)
    assert isinstance(old, float)
    assert new > 0.95 > old


def test_the_variants_have_the_published_weights() -> None:
    weights = {v: sum(f.weight for f in criticality(case_of(), v).fields) for v in VARIANTS}
    assert weights == {"original": 10.5, "deps.dev": 13.5}
    assert "dependents" not in {field.name for field in criticality(case_of(), "original").fields}


def test_criticality_is_not_health() -> None:
    archived, alive = PACKAGES["oauth2client"], PACKAGES["setfit"]  # type: ignore[index]
    critical = [criticality(package.case).value for package in (archived, alive)]
    health = [score(package.case, package.advisories).value for package in (archived, alive)]
    assert critical[0] > critical[1]  # type: ignore[operator]
    assert health[0] < health[1]


def test_scorecard_is_the_mean_by_risk_without_what_could_not_tell() -> None:
    checks = read(("Dangerous-Workflow=10", "License=0", "Fuzzing=-1"))
    assert mean(checks) == pytest.approx(8)
    assert checks[2].points == Unknown(reason="Scorecard could not tell")


def test_scorecard_can_be_had_without_what_the_score_counts_itself() -> None:
    checks = read(("Maintained=0", "Vulnerabilities=0", "Code-Review=6"))
    assert mean(checks) == pytest.approx(2)
    assert mean(checks, without=COUNTED_ELSEWHERE) == pytest.approx(6)


@pytest.mark.parametrize("text", ["", "Maintained", "Maintained=high", "Maintained=11", "X=nan"])
def test_what_is_no_check_has_no_points(text: str) -> None:
    (checked,) = read((text,))
    assert isinstance(checked.points, Unknown)


def test_a_check_that_is_new_to_us_is_shown_and_does_not_count() -> None:
    checks = read(("Shiny-New=1", "License=10"))
    assert mean(checks) == 10
    assert checks[0].weight == 0


def test_nothing_to_go_by_is_unknown() -> None:
    assert isinstance(mean(read(("License=-1",))), Unknown)


def test_views_are_no_part_of_the_score() -> None:
    signals = {name for each in DIMENSIONS for one in each.inputs for name in one.signals}
    assert signals.isdisjoint({"criticality", "sourcerank", "downloads", "consumer_downloads"})
