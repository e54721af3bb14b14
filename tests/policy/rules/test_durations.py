import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexgate_policy.rules import durations


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("90s", timedelta(seconds=90)),
        ("90m", timedelta(minutes=90)),
        ("24h", timedelta(days=1)),
        ("2w", timedelta(days=14)),
        ("1d12h", timedelta(hours=36)),
        ("36500d", timedelta(days=36_500)),
    ],
)
def test_a_duration_is_read(text: str, span: timedelta) -> None:
    assert durations.parse(text) == span


@pytest.mark.parametrize("text", ["", "7", "d", "7 d", "-1d", "1.5h", "7D", "36501d", "999999999w"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        durations.parse(text)


@given(st.text())
def test_any_text_is_a_duration_or_a_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert durations.parse(text) >= timedelta(0)


def test_a_sum_beyond_the_calendar_is_its_end() -> None:
    late = datetime(9999, 12, 1, tzinfo=UTC)
    assert durations.after(late, timedelta(days=90)) == datetime.max.replace(tzinfo=UTC)
