from datetime import timedelta

import pytest
from msgspec.structs import replace

from indexgate_policy.assessment import Lookalike
from indexgate_policy.checks.repo_mismatch import check
from indexgate_policy.signals import Signal, Signals, Unknown, Value
from tests.policy.checks.cases import UNTOLD, OneLookalike, case_of, flag_of, label, release_of
from tests.policy.checks.flagged import FLAGGED, LINK, ago, uploaded

CASE = FLAGGED["repo-mismatch"]
ELSEWHERE = "https://forge.test/bo/other"


def test_what_the_repository_says_and_lacks_is_told() -> None:
    assert flag_of(check(CASE)).evidence == (
        "the linked repository https://forge.test/ann/reqeusts says that it is `other`, "
        "1.3 of 2026-11-20 has no tag in its repository, those before have"
    )


@pytest.mark.parametrize(
    ("signals", "said"),
    [
        ({"repository_names": "other"}, "high"),
        ({"repository_names": "ReqEusts"}, "none"),
        ({"repository_names": ""}, "none"),
        ({"repository_names": "other", "repository_proven": True}, "none"),  # several in one
        ({"repository_names": "requests", "owners": ("ann",)}, "none"),  # its owner's own
        ({"repository_names": "requests", "owners": ("eve",)}, "high"),
        ({"attested_repository": "HTTPS://forge.test/Ann/reqeusts.git"}, "none"),
        ({"attested_repository": ELSEWHERE}, "high"),
        ({"attested_repository": "https://forge.test/ann/other"}, "medium"),
        ({"attested_repository": ELSEWHERE, "repository_moved_to": ELSEWHERE}, "none"),
        ({}, "unknown"),
        ({"repository": ""}, "none"),
        ({"repository": UNTOLD}, "unknown"),
    ],
)
def test_another_project_or_another_repository_is_flagged(
    signals: dict[str, Value | Unknown], said: str
) -> None:
    case = case_of(
        signals={"repository": LINK, **signals}, owners_of={"requests": frozenset({"ann"})}
    )
    assert label(check(case)) == said


def test_a_popular_project_needs_no_borrowed_stars() -> None:
    known = OneLookalike(
        Lookalike(imitates="demo-core", confusability=1, relation="", rank=40, downloads=10**8)
    )
    signals = {"repository": LINK, "repository_names": "demo"}
    assert label(check(case_of("demo-core", popular=known, signals=signals))) == "medium"


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        (("v1.0", "v1.1", "v1.2"), "medium"),
        (("v1.0", "v1.1", "v1.2", "v1.3"), "none"),
        (("reqeusts-1.1", "release/1.2", "REL_1_3"), "none"),
        (("1.1", "1.2", "1.30"), "medium"),
        (("nightly", "v1.2"), "none"),  # it does not tag by version
        ((), "none"),
    ],
)
def test_a_release_without_its_tag_is_flagged_where_those_before_have_one(
    tags: tuple[str, ...], said: str
) -> None:
    case = case_of(releases=uploaded(90, 60, 30, 1), signals={"repository": LINK, "tags": tags})
    found = check(case)
    assert label(found) == said
    if said == "medium":
        assert flag_of(found).versions == ("1.3",)


def test_tags_that_were_read_before_the_release_say_nothing_of_it() -> None:
    case = case_of(releases=uploaded(90, 60, 30, 1), signals={"repository": LINK})
    read = Signal(
        name="tags",
        value=("v1.0", "v1.1", "v1.2"),
        source="test",
        observed_at=ago(1) + timedelta(hours=5),
    )
    signals = Signals([*case.signals.values(), read])
    assert label(check(replace(case, signals=signals))) == "none"


def test_after_a_month_or_without_upload_times_a_missing_tag_is_not_told() -> None:
    signals: dict[str, Value | Unknown] = {"repository": LINK, "tags": ("1.0", "1.1", "1.2")}
    assert label(check(case_of(releases=uploaded(190, 160, 130, 31), signals=signals))) == "none"
    untold = (*uploaded(90, 60, 30, 1), release_of("9", UNTOLD))
    assert label(check(case_of(releases=untold, signals=signals))) == "none"
