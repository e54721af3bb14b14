"""Statements compiled once and given to SQLite directly.

SQLite finds or writes a row in a fraction of the time that SQLAlchemy needs to ask and to answer;
what every request or every new project asks for is worth going round it. The statement and the
types are SQLAlchemy's all the same, and with any other database so is the way.

Statements have to be constants: what was compiled is kept for ever.
"""

from collections import namedtuple
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Delete, Insert, Select, Update
from sqlalchemy.dialects import sqlite

_SQLITE = sqlite.dialect()


def all_of(connection: Connection, select: Select[Any], values: Mapping[str, Any]) -> Sequence[Any]:
    """Return all rows of *select* for *values*; a value that it has itself may lack there."""
    if connection.dialect.name != _SQLITE.name:
        return connection.execute(select, values).all()
    return _prepared(select, ()).all(connection, values)


def first_of(connection: Connection, select: Select[Any], values: Mapping[str, Any]) -> Any | None:
    """Return the first row of *select* for *values*, None when there is none."""
    if connection.dialect.name != _SQLITE.name:
        return connection.execute(select, values).first()
    return _prepared(select, ()).first(connection, values)


def write_each(
    connection: Connection,
    statement: Insert | Update | Delete,
    rows: Sequence[Mapping[str, Any]],
) -> None:
    """Execute *statement* for each of *rows*, in their order; all have the same keys."""
    if not rows:
        return
    if connection.dialect.name != _SQLITE.name:
        connection.execute(statement, rows)
    else:
        _prepared(statement, tuple(rows[0])).write(connection, rows)


class _Prepared:
    """A statement for SQLite; an insert sets *columns*."""

    def __init__(self, statement: Any, columns: Sequence[str]) -> None:
        inserts = isinstance(statement, Insert)
        compiled = statement.compile(dialect=_SQLITE, column_keys=columns if inserts else None)
        self._sql = str(compiled)
        binds = [(name, compiled.binds[name]) for name in compiled.positiontup or ()]
        # What the statement says itself, a limit for instance.
        self._fixed = {name: bind.value for name, bind in binds if not bind.required}
        self._given = [
            (name, bind.type.dialect_impl(_SQLITE).bind_processor(_SQLITE)) for name, bind in binds
        ]
        selected = list(statement.selected_columns) if isinstance(statement, Select) else []
        self._row: Any = _row_of([column.name for column in selected])
        self._processors = [
            column.type.dialect_impl(_SQLITE).result_processor(_SQLITE, None) for column in selected
        ]

    def first(self, connection: Connection, values: Mapping[str, Any]) -> Any | None:
        """Return the first row for *values*. Raises sqlite3.Error, as all do here."""
        cursor = connection.connection.cursor()
        try:
            cursor.execute(self._sql, self._parameters(values))
            found = cursor.fetchone()
        finally:
            cursor.close()
        return None if found is None else self._read(found)

    def all(self, connection: Connection, values: Mapping[str, Any]) -> list[Any]:
        """Return all rows for *values*."""
        cursor = connection.connection.cursor()
        try:
            cursor.execute(self._sql, self._parameters(values))
            return [self._read(row) for row in cursor.fetchall()]
        finally:
            cursor.close()

    def write(self, connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
        """Execute the statement for each of *rows*."""
        cursor = connection.connection.cursor()
        try:
            cursor.executemany(self._sql, [self._parameters(row) for row in rows])
        finally:
            cursor.close()

    def _parameters(self, values: Mapping[str, Any]) -> list[Any]:
        if self._fixed:
            values = {**self._fixed, **values}
        return [
            values[name] if processor is None else processor(values[name])
            for name, processor in self._given
        ]

    def _read(self, row: Iterable[Any]) -> Any:
        return self._row._make(
            value if processor is None else processor(value)
            for value, processor in zip(row, self._processors, strict=True)
        )


def _row_of(names: list[str]) -> Any:
    return namedtuple("Row", names)


@cache
def _prepared(statement: Any, columns: tuple[str, ...]) -> _Prepared:
    return _Prepared(statement, columns)
