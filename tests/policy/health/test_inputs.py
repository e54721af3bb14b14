"""What each input says of given facts: its value, and its words."""

import dataclasses
from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from indexgate_policy.advisories import Advisories
from indexgate_policy.assessment import Case
from indexgate_policy.health.result import Line
from indexgate_policy.health.score import score
from indexgate_policy.signals import Unknown, Value
from indexgate_policy.subject import Release
from tests.policy.checks.cases import NOW, UNTOLD, case_of
from tests.policy.health.packages import release
from tests.policy.health.test_score import line, vulnerability

DAY = timedelta(days=1)
LINK = "https://host.example.test/demo"
CLEAN = Advisories(records=(), feed=NOW)


def day(days_ago: int) -> str:
    return (NOW - days_ago * DAY).date().isoformat()


def case_with(
    signals: Mapping[str, Value | Unknown],
    releases: tuple[tuple[str, int], ...] = (("1.0", 100),),
    *,
    first: datetime | Unknown = NOW - 2000 * DAY,
    files: str = "ws",
    tied: bool = True,
) -> Case:
    """Return a case of a grown project with a proven repository."""
    told = {"repository_proven": True, **signals} if tied else signals
    case = case_of("demo", first_upload=first, signals=told)
    made = tuple(
        release(case.project, version, NOW - days * DAY, files=files, size=50_000 + 1000 * n)
        for n, (version, days) in enumerate(releases)
    )
    return replace(case, releases=made)


def read(case: Case, name: str) -> Line:
    return line(score(case, CLEAN), name)


def share(found: Line) -> float:
    return found.points / found.most


KNOWN: tuple[tuple[str, dict[str, Value], float, str], ...] = (
    ("stars", {"stars": 20_000}, 1, "20,000 stars"),
    ("stars", {"stars": 1}, 0.07, "1 star"),
    ("stars", {"stars": 100, "star_burst_share": 1.0}, 0.242,
        "100 stars, 90 % of which came in bursts that nothing explains and do not count"),
    ("people", {"people_in_issues": 400}, 1,
        "400 different people in issues and pull requests in a year"),
    ("forks", {"forks": 0}, 0, "0 forks"),
    ("mentions", {"mentions": 2000}, 1, "2,000 mentions elsewhere"),
    ("dependents", {"dependent_owners": 5000}, 1, "needed by projects of 5,000 different owners"),
    ("dependents", {"dependents": 400}, 0.436,
        "needed by 400 projects; nobody counted their owners, taken as 40 owners"),
    ("dependents", {"dependents": 400, "dependent_owners": 3}, 0.163,
        "needed by projects of 3 different owners"),
    ("transitive", {"dependents_transitive": 50_000}, 1,
        "reached through others by 50,000 projects"),
    ("repositories", {"dependent_repositories": 1}, 0.06, "needed by 1 repository"),
    ("bus_factor", {"bus_factor": 1}, 0.3, "1 person has made half of a year's commits"),
    ("bus_factor", {"bus_factor": 6}, 1, "6 people have made half of a year's commits"),
    ("owners", {"owners": ()}, 0, "0 accounts can release"),
    ("owners", {"owners": ("ann", "bo")}, 0.75, "2 accounts can release"),
    ("owners", {"owners": (), "organization": "acme"}, 0.75, "the organisation `acme` owns it"),
    ("owner_stability", {"owners_changed_on": "2026-11-22"}, 0.2,
        "its owners changed on 2026-11-22"),
    ("owner_stability", {"owners_watched_since": day(365)}, 1,
        f"its owners have not changed since {day(365)}, when they were first looked at"),
    ("commits", {"last_commit_on": day(240)}, 0.5, f"the last commit is of {day(240)}"),
    ("answers", {"median_answer_days": 30}, 0.5, "half of all issues are answered within 30 days"),
    ("scorecard", {"scorecard": 8}, 1, "Scorecard 8 of 10"),
    ("scorecard", {"scorecard": 1}, 0, "Scorecard 1 of 10"),
    ("scorecard", {"scorecard": 9, "scorecard_checks": ("Maintained=0", "License=8")}, 1,
        "Scorecard 8.0 of 10, without Maintained and Vulnerabilities"),
    ("security_policy", {"security_policy": True}, 1,
        "the repository says how to report a weakness"),
    ("repository_link", {"repository": ""}, 0, "the project names no repository"),
    ("repository_link", {"repository": LINK}, 0.5,
        f"the project names `{LINK}`, which has not been looked at"),
    ("repository_link", {"repository": LINK, "stars": 3}, 1, f"`{LINK}` is there"),
    ("recent_versions", {"recent_version_share": 0.35}, 0.5,
        "35 % of installs are of versions under a year old"),
    ("old_versions", {"old_version_share": 0.8}, 0,
        "80 % of installs are of versions two years old or older"),
)  # fmt: skip


@pytest.mark.parametrize(("name", "signals", "value", "evidence"), KNOWN)
def test_an_input_says_what_its_signals_say(
    name: str, signals: dict[str, Value], value: float, evidence: str
) -> None:
    found = read(case_with(signals), name)
    assert found.known
    assert share(found) == pytest.approx(value, abs=0.001)
    assert found.evidence == evidence


@pytest.mark.parametrize(("days", "value"), [(0, 0), (30, 0.1), (365, 0.5), (1825, 1), (4000, 1)])
def test_history_grows_with_the_first_release(days: int, value: float) -> None:
    assert share(read(case_with({}, first=NOW - days * DAY), "history")) == pytest.approx(value)


def test_the_first_release_is_taken_from_wherever_it_is_told() -> None:
    told = case_with({"first_release_at": "2026-01-01T10:00:00Z"}, first=UNTOLD)
    assert read(told, "history").evidence == "the first release is of 2026-01-01"
    dated = case_with({}, releases=(("1.0", 400), ("1.1", 3)), first=UNTOLD)
    assert read(dated, "history").evidence == f"the first release is of {day(400)}"
    untold = case_with({}, releases=(), first=UNTOLD)
    assert not read(untold, "history").known


@pytest.mark.parametrize(
    ("releases", "value"),
    [
        ((("1.0", 500), ("1.1", 20)), 1),
        ((("1.0", 2000), ("1.1", 20)), 0.8),
        ((("1.0", 600), ("1.1", 565)), 0.5),
        ((("1.0", 2000), ("1.1", 930)), 0.8 * 0.25),
    ],
)
def test_a_release_ages(releases: tuple[tuple[str, int], ...], value: float) -> None:
    pythons: dict[str, Value] = {"pythons": ("2.7",)}
    assert share(read(case_with(pythons, releases), "release_age")) == pytest.approx(value)


FINISHED: dict[str, Value] = {
    "pythons": ("3",),
    "dependent_owners": 20,
    "human_persistence": 0.9,
    "recent_version_share": 0.0,
}
OLD = (("1.0", 1500), ("1.1", 1400))


@pytest.mark.parametrize(
    ("change", "value"),
    [
        ({}, 0.4),
        ({"dependent_owners": 300}, 0.55),
        ({"pythons": ("3.11",)}, 0.4),
        ({"pythons": UNTOLD}, 0.4),
        ({"human_persistence": UNTOLD}, 0.4),
        ({"pythons": ("2.7", "3.10")}, 0.8 * 0.5 ** (1200 / 365)),
        ({"dependent_owners": 19}, 0.8 * 0.5 ** (1200 / 365)),
        ({"human_persistence": 0.5}, 0.8 * 0.5 ** (1200 / 365)),
    ],
)
def test_a_finished_library_is_quiet_and_not_dead(
    change: dict[str, Value | Unknown], value: float
) -> None:
    found = read(case_with({**FINISHED, **change}, OLD), "release_age")
    assert share(found) == pytest.approx(value)


def test_a_large_library_needs_more_users_to_be_finished() -> None:
    case = case_with(FINISHED, OLD)
    large = tuple(
        dataclasses.replace(each, files=tuple(replace(file, size=200_000) for file in each.files))
        for each in case.releases
    )
    assert share(read(replace(case, releases=large), "release_age")) < 0.1


def test_a_library_with_a_high_advisory_is_not_finished() -> None:
    advisories = Advisories(records=(vulnerability(),), feed=NOW)
    found = line(score(case_with(FINISHED, OLD), advisories), "release_age")
    assert share(found) < 0.1


def test_there_is_nothing_newer_to_take_up_of_a_finished_library() -> None:
    assert share(read(case_with(FINISHED, OLD), "recent_versions")) == pytest.approx(0.4)
    assert share(read(case_with({**FINISHED, "pythons": ()}, OLD), "recent_versions")) == 0


def test_versions_in_use_say_nothing_of_a_young_project() -> None:
    young = case_with({"old_version_share": 0.0}, first=NOW - 300 * DAY)
    assert not read(young, "old_versions").known


def test_owners_who_were_looked_at_a_short_while_ago_are_not_known_to_be_stable() -> None:
    found = read(case_with({"owners_watched_since": day(12)}), "owner_stability")
    assert not found.known
    assert found.evidence == "its owners have been watched for 12 days only"


# --- downloads -----------------------------------------------------------------------------------


def test_downloads_that_nothing_can_confirm_say_nothing() -> None:
    found = read(case_with({"human_installs": 1e6, "human_persistence": 1.0}), "human_installs")
    assert not found.known
    assert found.evidence == (
        "1,000,000 human-like installs in 30 days, but no stars, people or dependents are known "
        "that could confirm it"
    )


@pytest.mark.parametrize(
    ("confirming", "allowed"),
    [
        ({"stars": 0}, 0.16),
        ({"stars": 1e6}, 0.16 + 0.84 * 0.4),
        ({"stars": 1e6, "people_in_issues": 0}, 0.16 + 0.84 * 0.4),
        ({"stars": 1e6, "dependent_owners": 1e6}, 1),
        ({"dependent_repositories": 1e6, "people_in_issues": 1e6, "stars": 0}, 1),
    ],
)
def test_downloads_are_worth_what_other_acts_confirm(
    confirming: dict[str, Value], allowed: float
) -> None:
    signals: dict[str, Value] = {"human_installs": 1e9, "human_persistence": 1.0, **confirming}
    assert share(read(case_with(signals), "human_installs")) == pytest.approx(allowed)
    assert share(read(case_with(signals), "persistence")) == pytest.approx(allowed)


# --- whose repository ----------------------------------------------------------------------------

FAMOUS: dict[str, Value] = {"stars": 20_000, "forks": 0}


@pytest.mark.parametrize(
    ("tie", "value"),
    [
        ({"repository_proven": True}, 1),
        ({"repository_names": "Demo"}, 1),
        ({"dependent_owners": 300}, 1),
        ({"dependent_owners": 300, "repository_changed_on": day(300)}, 0.4),
        ({"repository": "https://host.example.test/who/demo"}, 0.49),
        ({"repository": "https://host.example.test/who/python-demo.git"}, 0.49),
        ({"repository": "https://host.example.test/who/famous"}, 0.4),
        ({}, 0.4),
    ],
)
def test_a_repository_counts_as_far_as_it_is_the_projects_own(
    tie: dict[str, Value], value: float
) -> None:
    case = case_with({**FAMOUS, **tie}, tied=False)
    assert share(read(case, "stars")) == pytest.approx(value)
    assert share(read(case, "forks")) == 0  # what speaks against it counts in full


def test_a_repository_that_says_it_is_another_project_says_nothing_of_this_one() -> None:
    case = case_with({**FAMOUS, "repository_names": "famous"}, tied=False)
    assert not read(case, "forks").known
    assert read(case, "stars").evidence == (
        "20,000 stars, but the repository says that it is `famous`, not this project"
    )


def test_a_claimed_repository_is_told_as_such() -> None:
    case = case_with({**FAMOUS, "repository": "https://host.example.test/demo"}, tied=False)
    assert read(case, "stars").evidence == (
        "20,000 stars; counts in part, nothing shows that the repository is its own"
    )


# --- files and advisories ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "value", "evidence"),
    [
        ("ws", 1, "1.0 has a wheel and an sdist"),
        ("w", 0.5, "1.0 has a wheel"),
        ("s", 0.5, "1.0 has an sdist"),
    ],
)
def test_a_release_is_best_with_both_kinds(files: str, value: float, evidence: str) -> None:
    found = read(case_with({}, files=files), "both_kinds")
    assert (share(found), found.evidence) == (value, evidence)


def _attested(release_: Release, *shown: bool | Unknown) -> Release:
    files = zip(release_.files, shown, strict=True)
    return dataclasses.replace(
        release_, files=tuple(replace(f, provenance=one) for f, one in files)
    )


def test_attestations_are_a_share_of_the_files_of_the_newest_release() -> None:
    case = case_with({})
    half = replace(case, releases=(_attested(case.releases[0], True, False),))
    assert share(read(half, "attestations")) == 0.5
    assert read(half, "attestations").evidence == "50 % of the files of 1.0 are attested"
    untold = replace(case, releases=(_attested(case.releases[0], True, UNTOLD),))
    assert read(untold, "attestations").evidence == UNTOLD.reason


def test_a_fresh_yank_is_a_blemish_for_90_days() -> None:
    case = case_with({}, releases=(("1.0", 400), ("1.1", 80)))
    yanked = dataclasses.replace(
        case.releases[1],
        files=tuple(replace(file, yanked="broken") for file in case.releases[1].files),
    )
    case = replace(case, releases=(case.releases[0], yanked))
    assert read(case, "yanks").evidence == "1.1, of the last 90 days, was yanked"
    assert share(read(case, "yanks")) == 0
    assert share(read(replace(case, now=NOW + 20 * DAY), "yanks")) == 1
    assert read(case, "both_kinds").evidence.startswith("1.0 ")  # a yanked one is not the newest


@pytest.mark.parametrize(
    ("high", "other", "days", "value"),
    [
        (0, 0, 365, 1),
        (0, 0, 0, 0.4),
        (0, 0, 73, 0.4 + 0.6 * 0.2),
        (0, 1, 365, 0.88),
        (0, 9, 365, 0.52),
        (1, 0, 365, 0.4),
        (1, 0, 0, 0.4),
        (1, 3, 365, 0.04),
        (2, 0, 365, 0),
        (9, 0, 365, 0),
    ],
)
def test_advisories_take_points_and_their_absence_counts_with_age(
    high: int, other: int, days: int, value: float
) -> None:
    records = [vulnerability(n) for n in range(high)]
    records += [vulnerability(100 + n, UNTOLD) for n in range(other)]
    case = case_with({}, first=NOW - days * DAY)
    found = line(score(case, Advisories(records=tuple(records), feed=NOW)), "advisories")
    assert share(found) == pytest.approx(value)


# --- caps ----------------------------------------------------------------------------------------

GOOD: dict[str, Value] = {
    "stars": 20_000, "people_in_issues": 400, "forks": 4000, "mentions": 2000, "bus_factor": 6,
    "dependent_owners": 5000, "dependents_transitive": 50_000, "scorecard": 8.0,
    "owners": ("ann", "bo", "cy", "di"), "human_installs": 3e6, "human_persistence": 1.0,
}  # fmt: skip
BUSY = (("1.0", 600), ("1.1", 300), ("1.2", 20))


def caps_of(case: Case, advisories: Advisories = CLEAN) -> list[tuple[float, str]]:
    return [(cap.limit, cap.reason) for cap in score(case, advisories).caps]


def test_a_good_project_has_no_cap() -> None:
    assert caps_of(case_with(GOOD, BUSY)) == []


@pytest.mark.parametrize("status", ["archived", "deprecated", "quarantined"])
def test_a_status_caps(status: str) -> None:
    case = case_with(GOOD, BUSY)
    marked = replace(case, project=replace(case.project, status=status))
    expected = {
        "archived": (40, "its maintainers have marked it as archived"),
        "deprecated": (40, "its maintainers have marked it as deprecated"),
        "quarantined": (0, "the index has put it in quarantine"),
    }
    assert caps_of(marked) == [expected[status]]


def test_an_archived_repository_caps_unless_it_is_anothers() -> None:
    archived: dict[str, Value] = {**GOOD, "repository_archived": True}
    assert caps_of(case_with(archived, BUSY)) == [(40, "its repository is archived")]
    other: dict[str, Value] = {**archived, "repository_names": "famous", "dependent_owners": 200}
    assert caps_of(case_with(other, BUSY, tied=False)) == []


@pytest.mark.parametrize(("days", "limits"), [(29, [35, 50]), (30, [50]), (89, [50]), (90, [])])
def test_youth_caps(days: int, limits: list[float]) -> None:
    case = case_with(GOOD, (("1.0", days),), first=NOW - days * DAY)
    assert [limit for limit, _ in caps_of(case)] == limits


@pytest.mark.parametrize(("days", "caps"), [(90, 0), (91, 1)])
def test_a_high_advisory_caps_after_90_days(days: int, caps: int) -> None:
    record = vulnerability(1, published=NOW - days * DAY)
    found = caps_of(case_with(GOOD, BUSY), Advisories(records=(record,), feed=NOW))
    expected = (44, f"a high or critical advisory has been open since {day(91)}")
    assert found == [expected] * caps


@pytest.mark.parametrize(
    ("change", "capped"),
    [
        ({"dependent_owners": 1, "stars": 4}, True),
        ({"dependent_owners": 2, "stars": 4}, False),
        ({"dependent_owners": 1, "stars": 5}, False),
        ({"dependent_owners": 1, "stars": UNTOLD}, False),
        ({"dependent_owners": UNTOLD, "stars": 4}, False),
        ({"dependent_owners": 1, "stars": UNTOLD, "repository": ""}, True),
    ],
)
def test_what_nobody_visible_uses_is_capped(
    change: dict[str, Value | Unknown], capped: bool
) -> None:
    limits = [limit for limit, _ in caps_of(case_with({**GOOD, **change}, BUSY))]
    assert limits == ([42] if capped else [])


def test_five_years_of_silence_cap_unless_the_library_is_finished_or_may_be() -> None:
    asleep = (("1.0", 2900), ("1.1", 1900))
    old = {**GOOD, "pythons": ("2.7",)}
    said = f"the last release that changed anything is of {day(1900)}"
    assert caps_of(case_with(old, asleep)) == [(44, said)]
    assert caps_of(case_with({**GOOD, "pythons": ("3",)}, asleep)) == []
    assert caps_of(case_with(GOOD, asleep)) == []


def test_who_wakes_after_five_years_is_capped_for_half_a_year() -> None:
    def woken(days: int) -> list[tuple[float, str]]:
        return caps_of(case_with(GOOD, (("1.0", 2900), ("1.1", days))))

    said = f"it released again on {day(180)}, for the first time since {day(2900)}"
    assert woken(180) == [(44, said)]
    assert woken(181) == []
