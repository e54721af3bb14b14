"""A table of the BigQuery stand-in: rows in DuckDB, and how many bytes a query reads of them.

Sizes as BigQuery documents them: text 2 bytes and its UTF-8, times and whole numbers 8, truth 1,
null 0; a day is a partition, and within one the rows lie sorted by the cluster column in blocks.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import duckdb

Field = Mapping[str, Any]
Path = tuple[str, ...]

_DUCKDB = {
    "STRING": "VARCHAR",
    "TIMESTAMP": "TIMESTAMPTZ",
    "BOOLEAN": "BOOLEAN",
    "INTEGER": "BIGINT",
}
_FIXED = {"TIMESTAMP": 8, "INTEGER": 8, "BOOLEAN": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What a query reads: `columns` (leaves), days in [`first`, `last`], `clusters` (None: all)."""

    columns: frozenset[Path]
    first: date | None
    last: date | None
    clusters: frozenset[str] | None


@dataclass(kw_only=True)
class Table:
    """One table. `weight` lets each row stand for many, so that sums look like the real ones."""

    reference: str
    fields: Sequence[Field]
    partition: str
    cluster: str | None
    partition_required: bool
    weight: int = 1
    block_rows: int = 50
    database: duckdb.DuckDBPyConnection = field(repr=False)

    def __post_init__(self) -> None:
        columns = ", ".join(f'"{one["name"]}" {_type(one)}' for one in self.fields)
        self.database.execute(f"CREATE TABLE {self.local_name} ({columns})")
        self._sizes: list[tuple[Any, ...]] | None = None

    @property
    def local_name(self) -> str:
        """What the table is called in DuckDB."""
        return self.reference.rpartition(".")[2]

    @property
    def leaves(self) -> dict[Path, str]:
        """The columns that hold values, with their types."""
        return dict(_leaves(self.fields))

    def insert(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add rows in the table's own shape."""
        self.database.execute(
            f"INSERT INTO {self.local_name} SELECT unnest(from_json(?::JSON, ?), max_depth := 2)",
            [json.dumps(list(rows)), json.dumps([_shape(self.fields)])],
        )
        self._sizes = None

    def fill(self, select: str) -> None:
        """Add the rows that a SELECT of DuckDB makes."""
        self.database.execute(f"INSERT INTO {self.local_name} {select}")
        self._sizes = None

    def bytes_of(self, scan: Scan) -> int:
        """Return the bytes that *scan* reads."""
        paths = list(self.leaves)
        chosen = [position for position, path in enumerate(paths) if path in scan.columns]
        total = 0
        for day, first, last, *sizes in self._blocks():
            if (scan.first and not (day and day >= scan.first)) or (
                scan.last and not (day and day <= scan.last)
            ):
                continue
            if scan.clusters is None or any(first <= one <= last for one in scan.clusters):
                total += sum(sizes[position] for position in chosen)
        return total * self.weight

    def _blocks(self) -> list[tuple[Any, ...]]:
        if self._sizes is None:
            order = f'ORDER BY "{self.cluster}"' if self.cluster else ""
            cluster = f'"{self.cluster}"' if self.cluster else "''"
            sums = ", ".join(f"CAST(sum({_size(p, t)}) AS BIGINT)" for p, t in self.leaves.items())
            self._sizes = self.database.execute(
                f"""SELECT day, min({cluster}), max({cluster}), {sums} FROM (
                    SELECT *, CAST("{self.partition}" AS DATE) AS day,
                      (row_number() OVER (PARTITION BY day {order}) - 1)
                        // {self.block_rows} AS block
                    FROM {self.local_name}) GROUP BY day, block"""
            ).fetchall()
        return self._sizes


def _type(one: Field) -> str:
    if one["type"] == "RECORD":
        inner = ", ".join(f'"{each["name"]}" {_type(each)}' for each in one["fields"])
        return f"STRUCT({inner})"
    return _DUCKDB[one["type"]]


def _shape(fields: Sequence[Field]) -> dict[str, Any]:
    return {
        one["name"]: _shape(one["fields"]) if one["type"] == "RECORD" else _DUCKDB[one["type"]]
        for one in fields
    }


def _leaves(fields: Sequence[Field], above: Path = ()) -> Iterator[tuple[Path, str]]:
    for one in fields:
        path = (*above, one["name"])
        if one["type"] == "RECORD":
            yield from _leaves(one["fields"], path)
        else:
            yield path, one["type"]


def _size(path: Path, kind: str) -> str:
    column = ".".join(f'"{part}"' for part in path)
    size = str(_FIXED[kind]) if kind in _FIXED else f"2 + strlen({column})"
    return f"CASE WHEN {column} IS NULL THEN 0 ELSE {size} END"
