from datetime import UTC, datetime

import pytest
from google.cloud.bigquery import SchemaField
from hypothesis import given
from hypothesis import strategies as st

from indexgate.sources.bigquery_columns import columns

FIELDS = [
    SchemaField("project", "STRING"),
    SchemaField("n", "INTEGER"),
    SchemaField("ci", "BOOLEAN"),
    SchemaField("uploaded", "TIMESTAMP"),
]
ROWS = st.lists(
    st.tuples(
        st.none() | st.text(),
        st.none() | st.integers(-(2**63), 2**63 - 1),
        st.none() | st.booleans(),
        st.none() | st.datetimes(min_value=datetime(1700, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    )
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def sent(value: object) -> str | None:
    """Write a cell as BigQuery does."""
    if isinstance(value, datetime):
        since = value - _EPOCH
        return str((since.days * 86400 + since.seconds) * 10**6 + since.microseconds)
    return None if value is None else str(value).lower() if isinstance(value, bool) else str(value)


@given(ROWS)
def test_what_was_sent_comes_out_as_columns(rows: list[tuple[object, ...]]) -> None:
    page = [{"f": [{"v": sent(value)} for value in row]} for row in rows]
    names = [field.name for field in FIELDS]
    expected = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)) if rows else {}
    assert columns(page, FIELDS) == expected


@pytest.mark.parametrize(
    "page",
    [
        [{"f": [{"v": "a"}]}],
        [{"f": [{"v": "a"}, {"v": "1"}, {"v": None}, {"v": None}, {"v": None}]}],
        [{"f": [{"v": "a"}, {"v": "many"}, {"v": None}, {"v": None}]}],
        [{"f": [{"v": "a"}, {"v": "1"}, {"v": None}, {}]}],
        [{"g": []}],
        ["row"],
    ],
)
def test_a_row_that_does_not_fit_is_an_error(page: list[object]) -> None:
    with pytest.raises((ValueError, TypeError, KeyError)):
        columns(page, FIELDS)  # type: ignore[arg-type]
