"""Which days were loaded for many projects at once, from where, and whether they are whole."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from msgspec import Struct
from sqlalchemy import (
    Connection,
    Integer,
    Row,
    bindparam,
    delete,
    exists,
    or_,
    select,
    type_coerce,
    update,
)

from indexgate.store.schema import history_days as table
from indexgate.store.schema import history_movement, history_tiles
from indexgate.store.upserts import insert_or_change

EPOCH = date(1970, 1, 1)

SETTLED = timedelta(days=14)
"""How old a week's last day is when nobody loads the week again as a matter of course."""

DAYS = (
    select(table)
    .where(
        table.c.index_number == bindparam("index_number"),
        table.c.day >= bindparam("first"),
        table.c.day <= bindparam("last"),
    )
    .order_by(table.c.day)
)
"""The rows of the days from `first` to `last`."""

ANYTHING = select(
    or_(
        exists().where(table.c.index_number == bindparam("index_number")),
        exists(select(history_tiles.c.id)),
    ).label("kept")
)
"""Whether a day of the index was loaded, or anything at all is kept of any project."""

_NUMBERS: list[Any] = [
    type_coerce(column, Integer).label(column.name)
    for column in (table.c.day, table.c.whole, table.c.complete)
]
FLAGS = select(*_NUMBERS).where(
    table.c.index_number == bindparam("index_number"),
    table.c.day >= bindparam("first"),
    table.c.day <= bindparam("last"),
)
"""Of the same days whether they are whole and complete, all as numbers, which is quick.

Days are counted from `EPOCH`.
"""


class LoadedDay(Struct, frozen=True, kw_only=True):
    """A day that was loaded for many projects at once.

    `whole`: for every project of the index, so that who is not in it had no downloads.
    `complete`: no rows of it are known to lack. Both are False while it is being loaded, and
    after a load that broke off. `projects` is how many had downloads.
    """

    day: date
    source: str
    whole: bool
    complete: bool
    projects: int
    loaded_at: datetime


def begin(connection: Connection, index_number: int, day: date, source: str, at: datetime) -> None:
    """Note that *day* is being loaded: until it is done, it counts as broken off."""
    under_way = {"source": source, "whole": False, "complete": False, "loaded_at": at}
    row = {"index_number": index_number, "day": day, "projects": 0, "folded": False, **under_way}
    insert_or_change(connection, table, row, under_way)


def done(connection: Connection, index_number: int, loaded: LoadedDay) -> None:
    """Note that *loaded*, which was begun, is in the history."""
    connection.execute(
        update(table)
        .where(table.c.index_number == index_number, table.c.day == loaded.day)
        .values(
            source=loaded.source,
            whole=loaded.whole,
            complete=loaded.complete,
            projects=loaded.projects,
            loaded_at=loaded.loaded_at,
        )
    )


def weeks_to_fold(days: Sequence[Row[Any]]) -> list[date]:
    """Return the Mondays of the weeks whose mixes can be kept for the week only.

    All their days are there, for the whole index, and too old to be loaded once more. *days* are
    the rows of one index in order.
    """
    if not days:
        return []
    newest = max(row.day for row in days)
    whole = {row.day for row in days if row.whole}
    mondays = [row.day for row in days if row.day.weekday() == 0 and not row.folded]
    return [
        monday
        for monday in mondays
        if monday + timedelta(days=6) + SETTLED <= newest
        and all(monday + timedelta(days=n) in whole for n in range(7))
    ]


def folded(connection: Connection, index_number: int, first: date) -> None:
    """Note that the mixes of the week that begins on *first* are kept for the whole week only."""
    week = [first + timedelta(days=n) for n in range(7)]
    which = (table.c.index_number == index_number) & table.c.day.in_(week)
    connection.execute(update(table).where(which).values(folded=True))


def drop_before(connection: Connection, day: date) -> int:
    """Delete what is noted of the days before *day*, movement too; return how many rows."""
    return sum(
        connection.execute(delete(of).where(of.c.day < day)).rowcount
        for of in (table, history_movement)
    )
