from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexgate.errors import GateError
from indexgate.sources.bigquery_price import billable, dollars, monthly_bytes
from indexgate.sources.spending import Budget, in_units, month_of
from tests.proxy.sources.ledger import MemoryLedger

NOW = datetime(2026, 11, 22, 5, tzinfo=UTC)
DAY = date(2026, 11, 18)


def test_a_budget_is_that_of_a_month() -> None:
    budget = Budget(MemoryLedger(), source="bigquery", monthly=100)
    budget.reserve("a", 60, purpose="downloads", day=DAY, now=NOW)
    assert budget.left(NOW) == 40
    assert budget.left(NOW + timedelta(days=10)) == 100
    with pytest.raises(GateError, match="`2026-11-18` from bigquery may bill 41 B, and 40 B of"):
        budget.reserve("b", 41, purpose="downloads", day=DAY, now=NOW)
    budget.settle("a", 10)
    budget.reserve("b", 90, purpose="uploads", day=None, now=NOW)
    assert budget.left(NOW) == 0
    with pytest.raises(GateError, match="Reading `uploads` from bigquery"):
        budget.reserve("c", 1, purpose="uploads", day=None, now=NOW)


def test_budgets_of_two_sources_do_not_mix() -> None:
    ledger = MemoryLedger()
    one = Budget(ledger, source="one", monthly=100)
    one.reserve("a", 100, purpose="downloads", day=DAY, now=NOW)
    assert Budget(ledger, source="other", monthly=100).left(NOW) == 100
    assert [spending.job for spending in one.unsettled()] == ["a"]


@given(
    jobs=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=12),
    monthly=st.integers(0, 200),
)
def test_whatever_is_asked_for_a_month_never_costs_more_than_its_budget(
    jobs: list[tuple[int, int]], monthly: int
) -> None:
    ledger = MemoryLedger()
    budget = Budget(ledger, source="bigquery", monthly=monthly)
    for number, (bound, cost) in enumerate(jobs):
        before = dict(ledger.by_job)
        try:
            budget.reserve(str(number), bound, purpose="downloads", day=DAY, now=NOW)
        except GateError:
            assert ledger.by_job == before
            continue
        budget.settle(str(number), min(bound, cost))
        budget.settle(str(number), min(bound, cost))
        assert ledger.spent("bigquery", month_of(NOW)) <= monthly


@pytest.mark.parametrize(
    ("scanned", "billed"),
    [(0, 10), (1, 10), (10 * 2**20, 10), (10 * 2**20 + 1, 11), (11 * 2**20, 11)],
)
def test_a_query_is_billed_in_whole_mebibytes_and_for_ten_at_least(
    scanned: int, billed: int
) -> None:
    assert billable(scanned) == billed * 2**20


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("500 GB", 500 * 10**9),
        ("1 TiB", 2**40),
        ("1.5tb", 1_500_000_000_000),
        (" 10MiB ", 10 * 2**20),
        ("$0", 2**40),
        ("$6.25", 2 * 2**40),
        ("$ 5", 2**40 + int(0.8 * 2**40)),
    ],
)
def test_a_budget_is_written_in_bytes_or_in_dollars(text: str, expected: int) -> None:
    assert monthly_bytes(text) == expected


@pytest.mark.parametrize("text", ["", "500", "5 EB", "-1 GB", "5 dollars", "$", "1,5 TB", "nan GB"])
def test_another_budget_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is neither an amount like `500 GB`"):
        monthly_bytes(text)


@given(st.integers(0, 2**45))
def test_money_spent_on_a_budget_is_never_more_than_it_was_given(cents: int) -> None:
    text = f"${cents / 100:.2f}"
    assert dollars(monthly_bytes(text) - 2**40) <= float(text[1:]) * (1 + 1e-9)


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (131_200_000_000, "131.2 GB"),
        (2**40, "1.10 TB"),
        (10**15, "1000.00 TB"),
    ],
)
def test_bytes_are_written_as_people_write_them(count: int, expected: str) -> None:
    assert in_units(count) == expected
