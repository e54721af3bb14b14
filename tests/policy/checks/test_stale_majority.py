import pytest

from indexgate_policy.checks.stale_majority import check
from indexgate_policy.subject import Release
from tests.policy.checks.cases import UNTOLD, case_of, flag_of, label, release_of
from tests.policy.checks.flagged import FLAGGED, ago, day, of, uploaded
from tests.policy.checks.histories import history_of

OLD = {"2 years or older": 620.0, "under 180 days": 380.0}
CASE = FLAGGED["stale-majority"]


def test_people_who_are_pinned_are_told_from_a_finished_project() -> None:
    assert flag_of(check(CASE)).evidence == (
        "62% of downloads are of versions two years old or older; "
        "2 releases came since: people are pinned"
    )


@pytest.mark.parametrize(
    ("ages", "daily", "first", "releases", "said"),
    [
        (OLD, 300, 2_500, uploaded(2_500, 100), "medium"),
        (OLD, 300, 2_500, uploaded(2_500), "low"),  # finished or abandoned
        (OLD, 300, 2_500, (release_of("1.0", UNTOLD),), "low"),
        (OLD, 300, 899, uploaded(899, 100), "none"),
        (OLD, 3, 2_500, uploaded(2_500, 100), "none"),
        ({"2 years or older": 49, "under 180 days": 51}, 300, 2_500, uploaded(2_500), "none"),
        ({}, 300, 2_500, uploaded(2_500), "unknown"),
    ],
)
def test_share_age_and_later_releases_decide(
    ages: dict[str, float], daily: float, first: int, releases: tuple[Release, ...], said: str
) -> None:
    history = history_of(daily={"pipeline": daily}, version_ages=ages)
    case = case_of(first_upload=ago(first), releases=releases, history=history)
    assert label(check(case)) == said


def test_without_a_history_the_counted_share_is_used() -> None:
    case = case_of(
        first_upload=ago(2_500),
        releases=uploaded(2_500, 100),
        signals={
            "downloads_until": day(1),
            "consumer_downloads": 9_000,
            "human_installs": 90,
            "old_version_share": 0.7,
        },
    )
    assert label(check(case)) == "medium"
    assert label(check(of(case, old_version_share=UNTOLD))) == "unknown"
    assert label(check(case_of(first_upload=UNTOLD, history=CASE.history))) == "unknown"
