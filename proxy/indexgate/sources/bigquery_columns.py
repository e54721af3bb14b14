"""A page of a result, as BigQuery sends it, turned into columns.

The client's own rows decode cell by cell through objects: ten times the time of these loops, which
counts with millions of rows. Cells are text: whole numbers and microseconds in digits, `true`.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from indexgate.sources.day_log import Batch

if TYPE_CHECKING:
    from google.cloud.bigquery import SchemaField

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def columns(rows: Sequence[Mapping[str, Any]], fields: "Sequence[SchemaField]") -> Batch:
    """Return *rows* (`{"f": [{"v": ...}, ...]}`) as columns by the names of *fields*.

    Raises ValueError, TypeError or KeyError when a row or a cell is not what the schema says.
    """
    if not rows:
        return {}
    cells = zip(*map(itemgetter("f"), rows), strict=True)
    return {
        field.name: _decoded(column, _READ[field.field_type])
        for field, column in zip(fields, cells, strict=True)
    }


def _decoded(column: Sequence[Mapping[str, Any]], read: Callable[[str], Any] | None) -> list[Any]:
    values = list(map(itemgetter("v"), column))
    if read is None:
        return values
    return [None if value is None else read(value) for value in values]


def _moment(microseconds: str) -> datetime:
    return _EPOCH + timedelta(microseconds=int(microseconds))


_READ: dict[str, Callable[[str], Any] | None] = {
    "STRING": None,
    "INTEGER": int,
    "BOOLEAN": "true".__eq__,
    "TIMESTAMP": _moment,
}
