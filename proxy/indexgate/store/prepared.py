"""Selects compiled once and asked of SQLite directly.

SQLite finds a row in a fraction of the time that SQLAlchemy needs to ask and to answer; what every
request looks up is worth going round it. The statement and the types are SQLAlchemy's all the same.
"""

from collections import namedtuple
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Select
from sqlalchemy.engine import Dialect


class Prepared:
    """A select for SQLite, ready to be asked for its first row."""

    def __init__(self, select: Select[Any], dialect: Dialect) -> None:
        compiled = select.compile(dialect=dialect)
        self._sql = str(compiled)
        self._order = list(compiled.positiontup or ())
        self._given = {
            name: processor
            for name, bind in compiled.binds.items()
            if (processor := bind.type.dialect_impl(dialect).bind_processor(dialect))
        }
        # What the select says itself, a limit for instance.
        self._fixed = {name: bind.value for name, bind in compiled.binds.items()}
        columns = list(select.selected_columns)
        self._row: Any = _row_of([column.name for column in columns])
        self._processors = [
            column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns
        ]

    def first(self, connection: Connection, values: Mapping[str, Any]) -> Any | None:
        """Return the first row for *values*, None when there is none. Raises sqlite3.Error."""
        all_values = {**self._fixed, **values}
        given = self._given
        cursor = connection.connection.cursor()
        try:
            cursor.execute(
                self._sql,
                [
                    given[name](all_values[name]) if name in given else all_values[name]
                    for name in self._order
                ],
            )
            found = cursor.fetchone()
        finally:
            cursor.close()
        if found is None:
            return None
        return self._row._make(
            value if processor is None else processor(value)
            for value, processor in zip(found, self._processors, strict=True)
        )


def _row_of(names: list[str]) -> Any:
    return namedtuple("Row", names)
