from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexgate.errors import GateError
from indexgate.sources.bigquery import BigQueryLog
from indexgate.sources.clickhouse import ClickHouseLog
from indexgate.sources.day_log import DayLog, due, must_be_over, newest_settled
from indexgate.sources.spending import Budget
from tests.proxy.sources.ledger import MemoryLedger

NOW = datetime(2026, 11, 22, 5, tzinfo=UTC)
FIRST = date(2026, 11, 17)


def days(*numbers: int) -> tuple[date, ...]:
    return tuple(date(2026, 11, number) for number in numbers)


def test_a_day_is_settled_two_days_later() -> None:
    assert newest_settled(NOW) == date(2026, 11, 20)
    assert newest_settled(datetime.fromisoformat("2026-11-22T01:00+02:00")) == date(2026, 11, 19)


@pytest.mark.parametrize(
    ("read", "tail", "expected"),
    [
        ({}, False, days(20, 19, 18, 17)),
        ({}, True, days(21, 20, 19, 18, 17)),
        ({18: 20, 19: 21, 17: 19}, False, days(20)),
        # Read on the day after, before all of its rows were there.
        ({17: 19, 18: 20, 19: 20, 20: 21}, False, days(20, 19)),
        ({17: 19, 18: 20, 19: 21, 20: 22, 21: 22}, True, ()),
    ],
)
def test_a_day_is_read_once_when_it_is_settled(
    read: dict[int, int], tail: bool, expected: tuple[date, ...]
) -> None:
    when = {date(2026, 11, day): datetime(2026, 11, at, 5, tzinfo=UTC) for day, at in read.items()}
    assert due(when, first=FIRST, now=NOW, tail=tail) == expected


@given(gap=st.integers(-3, 400), tail=st.booleans())
def test_every_day_up_to_the_newest_is_due_and_none_after_it(gap: int, tail: bool) -> None:
    first = newest_settled(NOW) - timedelta(days=gap)
    found = due({}, first=first, now=NOW, tail=tail)
    assert len(found) == max(0, gap + 1 + tail)
    assert list(found) == sorted(found, reverse=True)
    assert set(found) == {first + timedelta(days=n) for n in range(len(found))}


def test_both_logs_are_read_in_the_same_way() -> None:
    budget = Budget(MemoryLedger(), source="bigquery", monthly=0)
    logs: list[DayLog] = [BigQueryLog(project="lab", budget=budget), ClickHouseLog()]
    assert [(log.name, log.reads_whole_index) for log in logs] == [
        ("bigquery", True),
        ("clickhouse", False),
    ]
    for log in logs:
        log.close()


def test_a_day_that_is_not_over_is_not_read() -> None:
    must_be_over("bigquery", date(2026, 11, 21), NOW)
    with pytest.raises(GateError) as told:
        must_be_over("bigquery", date(2026, 11, 22), NOW)
    assert told.value.hint == "the newest day that is complete is `2026-11-20`"
