"""What happened to the whole index: holidays, lost days, days on which everybody rose or fell."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import Final

import numpy as np

from indexgate_policy.downloads import breaks
from indexgate_policy.downloads.panel import Movement
from indexgate_policy.events import Event
from indexgate_policy.signals import Unknown

MOVED: Final = 0.25
"""The whole index is a quarter off its usual level (a log): that is told."""

FELT: Final = -0.05
"""A holiday on which the whole index falls by less (a log) is not told."""

_LUNAR_NEW_YEARS = (
    date(2024, 2, 10),
    date(2025, 1, 29),
    date(2026, 2, 17),
    date(2027, 2, 6),
    date(2028, 1, 26),
    date(2029, 2, 13),
    date(2030, 2, 3),
)
_SOURCE = "whole index"


def everybody(first: date, last: date, movement: Movement | Unknown) -> tuple[Event, ...]:
    """Return what happened to the whole index on the days *first* to *last*, in order of time.

    Counting breaks of the log and holidays are known without *movement*; lost days, and days on
    which everybody rose or fell, only with it.
    """
    found = [*breaks.events(first, last), *_holidays(first, last, movement)]
    if not isinstance(movement, Unknown):
        found += [one for one in breaks.lost_days(movement) if first <= one.at.date() <= last]
        found += _moves(first, last, movement, {event.at.date() for event in found})
    return tuple(sorted(found, key=lambda event: event.at))


def _holidays(first: date, last: date, movement: Movement | Unknown) -> Iterator[Event]:
    for year in range(first.year, last.year + 1):
        for day, days, name in _of_year(year):
            if not first <= day <= last:
                continue
            change = _change(movement, day, days)
            if change is None:
                yield _event("holiday", day, name)
            elif change <= FELT:
                yield _event("holiday", day, f"{name}: the whole index {_moved(change)}")


def _of_year(year: int) -> Iterator[tuple[date, int, str]]:
    """Yield the holidays of *year* that the whole index feels: first day, days, name."""
    yield date(year, 1, 1), 1, "New Year"
    for day in _LUNAR_NEW_YEARS:
        if day.year == year:
            yield day, 3, "Lunar New Year"
    yield date(year, 5, 1), 1, "Labour Day"
    yield date(year, 10, 1), 3, "National Day week in China"
    november = date(year, 11, 1)
    yield november + timedelta(days=(3 - november.weekday()) % 7 + 21), 2, "Thanksgiving"
    yield date(year, 12, 24), 3, "Christmas"


def _moves(first: date, last: date, movement: Movement, told: set[date]) -> Iterator[Event]:
    """Yield the runs of days on which everybody was far off; days near a *told* one left out."""
    moved = movement.consumers
    days = [
        day
        for day in np.flatnonzero(np.abs(np.nan_to_num(moved)) >= MOVED).tolist()
        if first <= movement.first_day + timedelta(days=day) <= last
    ]
    for _, run in groupby(
        enumerate(days), key=lambda pair: (pair[1] - pair[0], moved[pair[1]] > 0)
    ):
        places = [day for _, day in run]
        begin = movement.first_day + timedelta(days=places[0])
        # A new way of counting is seen against the weeks before it for three weeks.
        if any(timedelta(days=-2) <= begin - day <= timedelta(days=21) for day in told):
            continue
        change = float(np.median(moved[places]))
        lasted = f" for {len(places)} days" if len(places) > 1 else ""
        yield _event("whole-index", begin, f"the whole index {_moved(change)}{lasted}")


def _change(movement: Movement | Unknown, day: date, days: int) -> float | None:
    if isinstance(movement, Unknown):
        return None
    place = (day - movement.first_day).days
    seen = movement.consumers[max(0, place) : max(0, place + days)]
    known = seen[np.isfinite(seen)]
    return float(known.min()) if len(known) else None


def _moved(change: float) -> str:
    word = "fell" if change < 0 else "rose"
    return f"{word} by {abs(np.expm1(change)):.0%}".replace("%", " %")


def _event(kind: str, day: date, text: str) -> Event:
    at = datetime.combine(day, time(), UTC)
    if kind == "holiday":
        return Event(kind="holiday", at=at, text=text, source=_SOURCE)
    return Event(kind="whole-index", at=at, text=text, source=_SOURCE)
