from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexgate.sources.protocol import joined
from indexgate.sources.scorecard import ABOUT
from indexgate.sources.told import LONGEST, count, day, line, lines, moment, share, signals
from indexgate_policy.signals import Signal, Unknown, Value
from tests.proxy.sources.asking import NOW

WHY = Unknown(reason="why")


@pytest.mark.parametrize(
    ("told", "found"),
    [(0, 0), (7, 7), (2**53, 2**53), (None, WHY), (-1, WHY), (2**53 + 1, WHY)],
)
def test_a_count_is_whole_and_can_be(told: int | None, found: object) -> None:
    assert count(told, "why") == found


@pytest.mark.parametrize(
    ("told", "found"),
    [(0.0, 0.0), (10.0, 10.0), (10.1, WHY), (-0.1, WHY), (None, WHY), (float("nan"), WHY)],
)
def test_a_share_is_within_its_span(told: float | None, found: object) -> None:
    assert share(told, 10, "why") == found


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ("2026-08-24", "2026-08-24"),
        ("2026-08-24T23:00:00-02:00", "2026-08-25"),
        ("2026-08-24T00:00:00Z", "2026-08-24"),
        ("2026-08-24T00:00:00", WHY),
        ("0001-01-01T00:00:00+14:00", WHY),
        ("24.8.2026", WHY),
        ("", WHY),
        (None, WHY),
    ],
)
def test_a_day_is_a_day_in_utc(told: str | None, found: object) -> None:
    assert day(told, "why") == found


@given(st.text())
def test_a_line_is_one_bounded_and_printable(text: str) -> None:
    fit = line(text)
    assert len(fit) <= LONGEST
    assert fit.isprintable()


@given(st.one_of(st.text(), st.datetimes(timezones=st.timezones()).map(datetime.isoformat)))
def test_any_text_is_a_moment_in_utc_or_none(text: str) -> None:
    found = moment(text)
    assert found is None or found.tzinfo is UTC


def test_lines_keep_their_order_and_come_once() -> None:
    assert lines(["b", "a\nx", "", "b", "\x1b"]) == ("b", "a")


def test_what_a_service_did_not_tell_is_unknown_by_its_name() -> None:
    told = {s.name: s.value for s in signals(ABOUT, {"scorecard": 5.0}, NOW)}
    assert tuple(told) == ABOUT.gives
    assert told["scorecard"] == 5.0
    assert told["scorecard_on"] == Unknown(reason="OpenSSF Scorecard does not tell it")


def test_where_several_speak_the_known_goes_before_the_unknown_and_the_later_wins() -> None:
    def said(source: str, value: Value | Unknown) -> Signal:
        return Signal(name="stars", value=value, source=source, observed_at=NOW)

    assert joined([said("a", 1), said("b", 2), said("c", WHY)])["stars"].source == "b"
    assert joined([said("a", WHY), said("b", WHY)])["stars"].source == "b"
