from datetime import timedelta

import pytest
from packaging.utils import NormalizedName

from indexgate_policy.checks.phantom_name import check, joined_names
from indexgate_policy.lookalike import PopularNameList
from indexgate_policy.signals import Unknown, Value
from tests.policy.checks.cases import UNTOLD, case_of, flag_of, label
from tests.policy.checks.flagged import FLAGGED, ago, of

CASE = FLAGGED["phantom-name"]
POPULAR = PopularNameList(lambda: [("requests", 9), ("flask", 8), ("scikit-learn", 7), ("py", 6)])


def test_being_asked_for_before_is_told_first() -> None:
    flag = flag_of(check(CASE))
    assert flag.severity.label == "high"
    assert flag.evidence == (
        "this gate's clients asked for it 9 times before it existed, first upload 2026-11-09, "
        "hardly any releases, no repository link"
    )
    assert flag.ends == ago(12) + timedelta(days=365)


@pytest.mark.parametrize(
    ("signals", "said"),
    [
        ({"asked_before_it_existed": 1}, "none"),
        ({"asked_before_it_existed": UNTOLD}, "unknown"),
        ({"repository": "https://forge.test/a/b"}, "medium"),
        ({"repository": UNTOLD}, "medium"),
        ({"stars": 50}, "none"),
        ({"stars": 49}, "high"),
        ({"owner_projects": 5}, "medium"),
    ],
)
def test_stars_and_a_seasoned_owner_speak_for_the_project(
    signals: dict[str, Value | Unknown], said: str
) -> None:
    assert label(check(of(CASE, **signals))) == said


@pytest.mark.parametrize(
    ("age", "count", "said"),
    [(89, 2, "high"), (91, 2, "medium"), (91, 3, "medium"), (365, 1, "none")],
)
def test_what_is_new_and_has_few_releases_weighs_more(age: int, count: int, said: str) -> None:
    signals: dict[str, Value | Unknown] = {"asked_before_it_existed": 2, "repository": ""}
    assert label(check(case_of(first_upload=ago(age), count=count, signals=signals))) == said


@pytest.mark.parametrize(
    ("name", "joined"),
    [
        ("flask-requests", ("flask", "requests")),
        ("scikit-learn-flask", ("scikit-learn", "flask")),
        ("py-requests", None),  # `py` says nothing
        ("flask-unheard", None),
        ("flask", None),
        ("flaskrequests", None),
    ],
)
def test_two_known_names_are_joined_by_a_hyphen(name: str, joined: tuple[str, str] | None) -> None:
    assert joined_names(NormalizedName(name), POPULAR) == joined


def test_a_private_project_or_one_of_unknown_age_is_never_flagged() -> None:
    assert label(check(case_of(public=False, first_upload=ago(1)))) == "none"
    assert label(check(case_of(first_upload=UNTOLD))) == "unknown"
