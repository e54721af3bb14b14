"""Inserting rows of which some may be there already; both databases call it `ON CONFLICT`."""

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import sqlite

from indexgate.store.prepared import write_each


def insert_new(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Insert *rows*; one whose key is there already is left as it is."""
    write_each(connection, _insert_new(connection.dialect.name, table), rows)


def put_all(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Insert *rows*; each whose primary key is there already takes the place of that one."""
    write_each(connection, _put_all(connection.dialect.name, table), rows)


def insert_or_change(
    connection: Connection, table: Table, row: Mapping[str, Any], changed: Iterable[str]
) -> None:
    """Insert *row*; when its primary key is there already, set what is *changed* on that one."""
    change = _insert_or_change(connection.dialect.name, table, tuple(changed))
    write_each(connection, change, [row])


def put_joined(
    connection: Connection,
    table: Table,
    rows: list[dict[str, Any]],
    joined: Callable[[Any], Mapping[str, Any]],
) -> None:
    """Insert *rows*; one whose primary key is there already is joined with that one.

    *joined* is a plain function: from the columns of the new row it makes what to set on the old.
    """
    write_each(connection, _put_joined(connection.dialect.name, table, joined), rows)


@cache
def _put_joined(dialect: str, table: Table, joined: Callable[[Any], Mapping[str, Any]]) -> Any:
    insert = _insert(dialect, table)
    key = list(table.primary_key.columns)
    return insert.on_conflict_do_update(index_elements=key, set_=dict(joined(insert.excluded)))


@cache
def _insert_new(dialect: str, table: Table) -> Any:
    return _insert(dialect, table).on_conflict_do_nothing()


@cache
def _put_all(dialect: str, table: Table) -> Any:
    key = set(table.primary_key.columns)
    rest = tuple(column.name for column in table.c if column not in key)
    return _insert_or_change(dialect, table, rest)


@cache
def _insert_or_change(dialect: str, table: Table, changed: tuple[str, ...]) -> Any:
    insert = _insert(dialect, table)
    key = list(table.primary_key.columns)
    new = {name: insert.excluded[name] for name in changed}
    return insert.on_conflict_do_update(index_elements=key, set_=new)


def _insert(dialect: str, table: Table) -> Any:
    # SQLAlchemy has a word for it in each.
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)
    return sqlite.insert(table)
