"""What the score says of packages that people know, how it can be gamed, and what gaps do."""

from itertools import pairwise

import pytest
from msgspec.structs import replace

from indexgate_policy.health.result import HealthScore
from indexgate_policy.health.score import score
from tests.policy.health import gaming, missing
from tests.policy.health.gaming import LEVERS, Lever
from tests.policy.health.packages import Package, load

PACKAGES = load()
BY_LABEL = {package.label: package for package in PACKAGES}
ATTACKED = {package.label: package for package in gaming.bases()}

IN_ORDER = (
    ("numpy", "requests", "six", "setfit", "span-marker", "mox"),
    ("cryptography", "tenacity", "whitenoise", "pycrypto"),
    ("pytest", "tabulate", "toposort", "nose"),
    ("pydantic", "sentence-transformers", "setfit", "dar-backup", "pysha3"),
    ("sqlalchemy", "peewee", "sortedcontainers", "mysql-python"),
)
"""Names in the order in which people who know them would put them."""


def _scored(package: Package) -> HealthScore:
    return score(package.case, package.advisories)


def _values(group: str) -> list[float]:
    return [_scored(package).value for package in PACKAGES if package.group == group]


def test_the_fixture_has_packages_of_all_kinds() -> None:
    assert len(PACKAGES) >= 40
    assert len(_values("well-known")) >= 15
    assert min(len(_values(group)) for group in ("middle", "abandoned", "new")) >= 5
    assert len(BY_LABEL) == len(PACKAGES)


def test_well_known_packages_have_at_least_65() -> None:
    assert min(_values("well-known")) >= 65


def test_abandoned_packages_have_at_most_45() -> None:
    assert max(_values("abandoned")) <= 45


def test_packages_of_less_than_30_days_have_at_most_35() -> None:
    newborn = [package for package in PACKAGES if package.group == "new"]
    for package in newborn:
        first = package.case.project.first_upload
        assert (package.case.now - first).days < 30  # type: ignore[operator]
    assert max(_values("new")) <= 35


def test_every_well_known_package_is_above_every_abandoned_or_new_one() -> None:
    assert min(_values("well-known")) > max(_values("abandoned") + _values("new"))


def test_the_middle_is_in_the_middle() -> None:
    known, middle, over = (sorted(_values(g)) for g in ("well-known", "middle", "abandoned"))
    halves = [values[len(values) // 2] for values in (known, middle, over)]
    assert halves == sorted(halves, reverse=True)
    assert min(middle) > 40


@pytest.mark.parametrize("names", IN_ORDER, ids=" > ".join)
def test_the_order_of_people_is_kept(names: tuple[str, ...]) -> None:
    values = {
        str(package.case.project.name): _scored(package).value
        for package in PACKAGES
        if package.group != "new"
    }
    assert all(values[one] > values[two] for one, two in pairwise(names))


def test_a_finished_library_is_not_taken_for_a_dead_one() -> None:
    for name in ("sortedcontainers", "ptyprocess", "mccabe", "toposort"):
        package = next(one for one in PACKAGES if one.case.project.name == name)
        dead = package.with_signals(pythons=("2.7", "3.4"))
        assert _scored(package).value > _scored(dead).value
        assert _scored(package).value >= 50


@pytest.mark.parametrize("lever", LEVERS, ids=lambda lever: lever.name)
def test_a_lever_gains_no_more_than_it_may(lever: Lever) -> None:
    gains = {label: gaming.gain(package, lever)[0] for label, package in ATTACKED.items()}
    assert {label: gain for label, gain in gains.items() if gain > lever.most} == {}


@pytest.mark.parametrize("lever", LEVERS, ids=lambda lever: lever.name)
def test_a_squat_gains_no_more_even_without_its_caps(lever: Lever) -> None:
    squat = next(gaming.bases())
    assert gaming.gain(squat, lever)[1] <= lever.most


def test_dependents_whose_owners_nobody_counted_gain_no_more_either() -> None:
    squat = next(gaming.bases()).with_signals(dependent_owners=missing.GONE, dependents=0)
    spam = squat.with_signals(dependents=500, dependents_transitive=500)
    assert _scored(spam).uncapped - _scored(squat).uncapped <= 8


def test_what_people_install_bears_out_what_needs_it() -> None:
    squat = next(gaming.bases())
    lever = next(lever for lever in LEVERS if lever.name == "500 dependents of 500 owners")
    lines = {line.input: line for line in _scored(lever.pull(squat)).lines}
    assert "500 different owners; people install it too seldom for more than 1" in (
        lines["dependents"].evidence
    )
    installed = {line.input: line for line in _scored(_installed(lever.pull(squat))).lines}
    assert installed["dependents"].evidence == "needed by projects of 500 different owners"
    assert installed["dependents"].points > lines["dependents"].points


def test_dependents_count_in_full_where_nobody_knows_who_installs() -> None:
    squat = next(gaming.bases()).with_signals(human_installs=missing.GONE, dependent_owners=500)
    line = next(line for line in _scored(squat).lines if line.input == "dependents")
    assert line.evidence == "needed by projects of 500 different owners"


def test_no_package_that_people_know_has_more_owners_than_its_installs_bear_out() -> None:
    for package in PACKAGES:
        line = next(line for line in _scored(package).lines if line.input == "dependents")
        assert "too seldom" not in line.evidence


def _installed(package: Package) -> Package:
    return package.with_signals(human_installs=1e6)


def test_the_levers_that_the_score_is_held_to_are_all_pulled() -> None:
    mosts = {lever.name: lever.most for lever in LEVERS}
    assert mosts["raw downloads x 1,000"] == 0
    assert mosts["human-like installs x 1,000"] <= 2
    assert max(mosts.values()) <= 8


def test_levers_do_something_so_that_their_bounds_mean_something() -> None:
    squat = next(gaming.bases())
    idle = {"raw downloads x 1,000"}
    for lever in LEVERS:
        pulled = lever.pull(squat).case
        assert pulled != squat.case
        if lever.name not in idle:
            assert score(pulled, squat.advisories).lines != _scored(squat).lines


def test_empty_releases_that_are_recognised_refresh_nothing() -> None:
    lever = next(lever for lever in LEVERS if lever.name == "40 empty releases, recognised")
    before, after = (_scored(one) for one in _with_todays_commit(next(gaming.bases()), lever))
    assert after.value == before.value
    evidence = {line.input: line.evidence for line in after.lines}
    assert "not counting 40 without a tag and with the same files" in evidence["releases"]
    assert "the last release that changed anything" in evidence["release_age"]


def _with_todays_commit(package: Package, lever: Lever) -> tuple[Package, Package]:
    committed = package.with_signals(last_commit_on=package.case.now.date().isoformat())
    return committed, lever.pull(committed)


KNOWN_TO_FARE = [p for p in PACKAGES if p.group in ("well-known", "middle")]


@pytest.mark.parametrize("package", KNOWN_TO_FARE, ids=lambda package: package.label)
def test_one_missing_thing_moves_a_score_by_at_most_8(package: Package) -> None:
    moves = dict(missing.moves(package))
    # Without any upload time four inputs are missing at once.
    assert abs(moves.pop("upload times")) <= 10
    assert {name: move for name, move in moves.items() if abs(move) > 8} == {}


def test_one_missing_thing_moves_no_sum_by_more_than_8() -> None:
    for package in PACKAGES:
        before = _scored(package).uncapped
        # All that a repository tells leans on what ties it to the project.
        for name in package.case.signals.keys() - {"repository_names"}:
            after = _scored(package.with_signals(**{name: missing.GONE})).uncapped
            assert abs(after - before) <= 8, (package.label, name)


@pytest.mark.parametrize(
    "name",
    [
        "human_installs",
        "human_persistence",
        "stars",
        "forks",
        "people_in_issues",
        "bus_factor",
        "mentions",
        "dependent_owners",
        "dependents_transitive",
        "dependent_repositories",
        "scorecard",
        "recent_version_share",
    ],
)
def test_more_of_a_good_thing_never_lowers_a_score(name: str) -> None:
    tried = 0
    for package in PACKAGES:
        had = package.case.signals.value(name)
        if isinstance(had, float):
            more = [package.with_signals(**{name: had * by + by - 1}) for by in _MORE]
            values = [_scored(each).value for each in more]
            assert values == sorted(values), package.label
            tried += 1
    assert tried > 30


_MORE = (1, 1.1, 2, 10, 1000)


def test_a_score_decays_when_nothing_happens_any_more() -> None:
    package = next(one for one in PACKAGES if one.case.project.name == "span-marker")
    values = []
    for years in range(8):
        later = package.case.now.replace(year=package.case.now.year + years)
        values.append(score(replace(package.case, now=later), package.advisories).value)
    assert values[2:] == sorted(values[2:], reverse=True)
    assert values[-1] <= 44
