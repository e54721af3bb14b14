"""How the whole index moved, by day and by week (see `Movement`)."""

from datetime import date, timedelta
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection, bindparam, select

from indexgate.store.history_tiles import MIXES
from indexgate.store.reader import Reader
from indexgate.store.schema import history_movement as table
from indexgate.store.upserts import insert_or_change
from indexgate_policy.downloads.kinds import INSTALLERS, REGIONS
from indexgate_policy.downloads.panel import Counts, Movement
from indexgate_policy.signals import Unknown

NONE_KEPT: Final = Unknown(reason="how the whole index moved in these days is not known")

_BETWEEN = select(table).where(
    table.c.index_number == bindparam("index_number"),
    table.c.day >= bindparam("first"),
    table.c.day < bindparam("end"),
)


def read(reader: Reader, index_number: int, first_day: date, days: int) -> Movement | Unknown:
    """Return the movement of *days* days from *first_day*, a Monday (else ValueError), on."""
    if first_day.weekday() != 0:
        raise ValueError("weeks are kept from Monday to Sunday")
    end = first_day + timedelta(days=days)
    rows = reader.all(_BETWEEN, index_number=index_number, first=first_day, end=end)
    if not rows:
        return NONE_KEPT
    consumers = np.full(days, np.nan, np.float32)
    mixes = np.full((days // 7, len(MIXES)), np.nan, np.float32)
    for row in rows:
        place = (row.day - first_day).days
        if row.consumers is not None:
            consumers[place] = row.consumers
        if row.mixes is not None and place // 7 < len(mixes):
            mixes[place // 7] = [np.nan if value is None else value for value in row.mixes]
    installers, regions = len(INSTALLERS), len(INSTALLERS) + len(REGIONS)
    return Movement(
        first_day=first_day,
        consumers=consumers,
        installers=mixes[:, :installers],
        regions=mixes[:, installers:regions],
        version_ages=mixes[:, regions:],
    )


def write(connection: Connection, index_number: int, movement: Movement) -> None:
    """Put what *movement* knows in the place of what is held; what it does not know stays.

    Its first day is a Monday, else ValueError.
    """
    if movement.first_day.weekday() != 0:
        raise ValueError("weeks are kept from Monday to Sunday")
    mixes = np.concatenate([movement.installers, movement.regions, movement.version_ages], axis=1)
    for place, value in enumerate(movement.consumers):
        known: dict[str, Any] = {}
        if np.isfinite(value):
            known["consumers"] = float(value)
        if place % 7 == 0 and place // 7 < len(mixes) and np.isfinite(mixes[place // 7]).any():
            known["mixes"] = _finite(mixes[place // 7])
        if known:
            day = movement.first_day + timedelta(days=place)
            row = {"index_number": index_number, "day": day, "consumers": None, "mixes": None}
            insert_or_change(connection, table, row | known, known)


def _finite(values: Counts) -> tuple[float | None, ...]:
    return tuple(float(value) if np.isfinite(value) else None for value in values)
