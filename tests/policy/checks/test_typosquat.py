from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexgate_policy.assessment import Lookalike
from indexgate_policy.checks.typosquat import check
from indexgate_policy.flags import Severity
from indexgate_policy.signals import Unknown, Value
from tests.policy.checks.cases import NOW, UNTOLD, OneLookalike, case_of

REQUESTS = Lookalike(
    imitates="requests",
    confusability=0.95,
    relation="two letters swapped against",
    rank=7,
    downloads=1_000_000_000,
)


OTHER, BORROWED = "https://x.test/me/it", "https://x.test/psf/requests"


def like(*, confusability: float = 0.95, rank: int = 7, downloads: int = 10**9) -> OneLookalike:
    return OneLookalike(
        Lookalike(
            imitates="requests",
            confusability=confusability,
            relation="two letters swapped against",
            rank=rank,
            downloads=downloads,
        )
    )


def days_ago(days: int) -> datetime:
    return NOW - timedelta(days=days)


@pytest.mark.parametrize(
    ("popular", "first_upload", "count", "signals", "severity"),
    [
        (like(), days_ago(5), 1, {}, Severity.HIGH),
        (like(), days_ago(5), 1, {"repository": ""}, Severity.HIGH),
        (like(confusability=0.49), days_ago(5), 1, {}, None),
        (like(confusability=0.55), days_ago(5), 1, {}, Severity.MEDIUM),
        (like(rank=5_000), days_ago(5), 1, {}, Severity.HIGH),
        (like(rank=5_000), days_ago(5), 1, {"repository": OTHER}, Severity.MEDIUM),
        (like(), days_ago(5), 1, {"repository": OTHER}, Severity.HIGH),
        (like(confusability=0.7), days_ago(5), 1, {"repository": ""}, Severity.HIGH),
        (like(confusability=0.7), days_ago(5), 1, {"repository": OTHER}, Severity.MEDIUM),
        (like(confusability=0.7), days_ago(5), 1, {"repository": BORROWED}, Severity.HIGH),
        (like(rank=5_000), days_ago(365), 1, {}, Severity.LOW),
        (like(), days_ago(365), 1, {}, Severity.MEDIUM),
        (like(), days_ago(3_000), 1, {}, None),
        (like(), UNTOLD, 1, {}, Severity.MEDIUM),
        (like(), NOW + timedelta(days=2), 1, {}, Severity.HIGH),  # a future time is age 0
        (like(), days_ago(5), 5, {"repository": "https://x.test/me/reqeusts"}, Severity.MEDIUM),
        (like(), days_ago(5), 1, {"repository": BORROWED}, Severity.HIGH),
        (like(), days_ago(5), 1, {"downloads": 900_000_000}, None),  # its own thing
        (like(downloads=60_000), days_ago(400), 1, {}, None),  # used no more than others
        (like(), days_ago(5), 1, {"owners": ("mallory",)}, Severity.HIGH),
        (like(), days_ago(5), 1, {"owners": ("alice", "mallory")}, None),
        (like(), days_ago(5), 1, {"owners": Unknown(reason="no answer")}, Severity.HIGH),
    ],
)
def test_likeness_is_weighed_with_the_evidence(
    popular: OneLookalike,
    first_upload: datetime | Unknown,
    count: int,
    signals: Mapping[str, Value | Unknown],
    severity: Severity | None,
) -> None:
    case = case_of(
        popular=popular,
        first_upload=first_upload,
        count=count,
        signals=signals,
        owners_of={"requests": frozenset({"alice"})},
    )
    flag = check(case)
    assert (flag.severity if flag else None) == severity


def test_the_evidence_is_one_sentence_with_dates() -> None:
    flag = check(case_of(popular=like(), signals={"repository": ""}))
    assert flag is not None
    assert flag.evidence == (
        "two letters swapped against `requests` (rank 7 by downloads), "
        "first upload 2026-11-16, no repository link, one release"
    )
    assert flag.began == days_ago(5)


def test_facts_name_the_imitated_every_factor_and_what_is_unknown() -> None:
    flag = check(case_of(popular=like()))
    assert flag is not None
    assert flag.facts["imitates"] == "requests"
    assert flag.facts["confusability"] == 0.95
    assert flag.facts["popularity"] == flag.facts["age"] == flag.facts["releases"] == 1.0
    assert flag.facts["unknown"] == ("owner", "repository")
    assert "owner" not in flag.facts
    assert flag.facts["owner_why"] == "the owners are not known"


def test_without_the_owners_of_the_target_ownership_is_unknown() -> None:
    flag = check(case_of(popular=like(), signals={"owners": ("alice",)}))
    assert flag is not None
    assert "owner" in flag.facts["unknown"]  # type: ignore[operator]


def test_a_project_of_a_private_index_is_never_flagged() -> None:
    assert check(case_of(popular=like(), public=False)) is None


def test_a_popular_name_is_never_flagged() -> None:
    assert check(case_of("requests", popular=OneLookalike(REQUESTS))) is None


@given(
    confusability=st.floats(0.01, 1),
    rank=st.integers(1, 20_000),
    downloads=st.integers(0, 10**10),
    age=st.integers(-10, 8_000),
    later=st.integers(0, 400),
)
def test_age_only_ever_clears(
    confusability: float, rank: int, downloads: int, age: int, later: int
) -> None:
    popular = like(confusability=confusability, rank=rank, downloads=downloads)
    first = NOW - timedelta(days=age)
    now = check(case_of(popular=popular, first_upload=first))
    then = check(case_of(popular=popular, first_upload=first, now=NOW + timedelta(days=later)))
    if then is not None:
        assert now is not None
        assert then.severity <= now.severity
        assert then.evidence == now.evidence
