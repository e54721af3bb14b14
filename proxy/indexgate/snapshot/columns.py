"""Assessments as the columns of a table, and back.

What others may want to read has columns of its own; what has a shape of its own is JSON as the
store keeps it. Needs pyarrow.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final

import msgspec
import pyarrow as pa  # type: ignore[import-untyped]
from packaging.utils import InvalidName, NormalizedName, canonicalize_name

from indexgate.snapshot.faults import SnapshotFailed
from indexgate.store.column_types import in_json, storable
from indexgate_policy.assessment import Assessment
from indexgate_policy.flags import Flag
from indexgate_policy.health.result import Cap, HealthScore, Line
from indexgate_policy.signals import Signal, Unknown

_MOMENT = pa.timestamp("us", tz="UTC")

SCHEMA: Final = pa.schema(
    [
        pa.field("project", pa.string(), nullable=False),
        pa.field("formula", pa.string(), nullable=False),
        pa.field("assessed_at", _MOMENT, nullable=False),
        pa.field("valid_until", _MOMENT, nullable=False),
        pa.field("health", pa.float64()),
        pa.field("grade", pa.string()),
        pa.field("confidence", pa.float64()),
        pa.field("uncapped", pa.float64()),
        pa.field("score_formula", pa.string()),
        pa.field("unscored", pa.string()),  # why there is no score
        pa.field("caps", pa.string()),
        pa.field("lines", pa.string()),
        pa.field("flags", pa.string(), nullable=False),
        pa.field("inputs", pa.string(), nullable=False),
    ]
)
"""The table of assessments, one row a project."""

_flags = msgspec.json.Decoder(tuple[Flag, ...])
_inputs = msgspec.json.Decoder(tuple[Signal, ...])
_lines = msgspec.json.Decoder(tuple[Line, ...])
_caps = msgspec.json.Decoder(tuple[Cap, ...])


def table_of(assessments: Iterable[Assessment]) -> Any:
    """Return *assessments* as a pyarrow table."""
    return pa.Table.from_pylist([_row(one) for one in assessments], schema=SCHEMA)


def assessments_of(batch: Any, index_id: str) -> Iterator[Assessment]:
    """Yield the assessments in *batch* (rows of `SCHEMA`) as those of the index *index_id*.

    Raises SnapshotFailed `snapshot-unreadable`.
    """
    for row in batch.to_pylist():
        try:
            yield _assessment(row, index_id)
        except (msgspec.MsgspecError, InvalidName, TypeError, ValueError) as error:
            raise SnapshotFailed(
                "snapshot-unreadable",
                f"what the snapshot says of `{ascii(str(row['project'])[:100])[1:-1]}`"
                f" cannot be read: {error}",
            ) from error


def _row(one: Assessment) -> dict[str, Any]:
    row = {
        "project": one.project,
        "formula": one.formula,
        "assessed_at": one.assessed_at,
        "valid_until": one.valid_until,
        "flags": in_json(one.flags),
        "inputs": in_json([signal for signal in one.inputs if storable(signal)]),
    }
    if isinstance(one.score, Unknown):
        return {**row, "unscored": one.score.reason}
    return {
        **row,
        "health": one.score.value,
        "grade": one.score.grade,
        "confidence": one.score.confidence,
        "uncapped": one.score.uncapped,
        "score_formula": one.score.formula,
        "caps": in_json(one.score.caps),
        "lines": in_json(one.score.lines),
    }


def _assessment(row: dict[str, Any], index_id: str) -> Assessment:
    return Assessment(
        index_id=index_id,
        project=_project(row["project"]),
        formula=row["formula"],
        inputs=_inputs.decode(row["inputs"]),
        flags=_flags.decode(row["flags"]),
        score=_score(row),
        assessed_at=_moment(row["assessed_at"]),
        valid_until=_moment(row["valid_until"]),
    )


def _project(name: str) -> NormalizedName:
    if canonicalize_name(name, validate=True) != name:
        raise ValueError("the name is not normalised")
    return NormalizedName(name)


def _moment(value: datetime | None) -> datetime:
    if value is None:
        raise ValueError("a time is missing")
    return value


def _score(row: dict[str, Any]) -> HealthScore | Unknown:
    if row["unscored"] is not None:
        return Unknown(reason=row["unscored"])
    return msgspec.convert(
        {
            "formula": row["score_formula"],
            "value": row["health"],
            "uncapped": row["uncapped"],
            "confidence": row["confidence"],
            "grade": row["grade"],
            "lines": _lines.decode(row["lines"]),
            "caps": _caps.decode(row["caps"]),
        },
        HealthScore,
    )
