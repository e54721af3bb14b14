"""A history as the columns of a chart: days, or weeks where days would be too many."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from itertools import pairwise
from math import floor, isfinite, log10
from typing import Any, Final

from msgspec import Struct

from indexgate_policy.downloads.kinds import CLASSES
from indexgate_policy.downloads.panel import Panel

LAYERS: Final = {"people": ("human",), "CI": ("ci",), "pipelines": ("pipeline",)}
"""Who installs, from the bottom of a column to its top, each with its classes."""

OTHERS: Final = ("mirror", "cache", "bot", "scanner")
"""The classes that are told apart from those who install, below the chart."""

MOST_DAYS: Final = 62
"""With more days a column is a week: within it the weekdays say nothing."""

_WEEK = 7


class Column(Struct, frozen=True, kw_only=True):
    """Some days in a row: downloads by `LAYERS`, by others, and new stars; None: not known.

    Where some of a week's days are not known, it counts as if they were like the others; where most
    are not, it is not known.
    """

    first: date
    days: int
    layers: tuple[float, ...] | None
    others: float | None
    stars: float | None

    @property
    def total(self) -> float | None:
        """Downloads by all who install."""
        return None if self.layers is None else sum(self.layers)


class Columns(Struct, frozen=True, kw_only=True):
    """The columns of a chart, oldest first; `length` is the days of a whole one (1 or 7)."""

    columns: tuple[Column, ...]
    length: int

    @property
    def unit(self) -> str:
        """What a column counts."""
        return "downloads a day" if self.length == 1 else "downloads a week"

    @property
    def top(self) -> float:
        """A round number at or over the highest column; 1 at least."""
        return round_up(max((one.total or 0.0 for one in self.columns), default=0.0))

    def place(self, day: date) -> float:
        """Return where *day* lies, 0..1 of the width of the chart; outside it: below 0 or over 1.

        The columns are equally wide, also the first one, which may hold fewer days.
        """
        first = self.columns[0]
        end = first.first + timedelta(days=first.days)
        if day < end:
            within = ((day - first.first).days + 0.5) / first.days
            return within / len(self.columns)
        after = ((day - end).days + 0.5) / self.length
        return (1 + after) / len(self.columns)


def columns(panel: Panel, first: int = 0) -> Columns:
    """Return the history of the one project of *panel* from day *first* on.

    The last column is whole, the first one may hold fewer days.
    """
    incomplete = panel.incomplete.tolist()
    classes = [
        [None] * len(row) if incomplete[day] else row
        for day, row in enumerate(panel.classes[0].tolist())
    ]
    stars = panel.stars[0].tolist()
    days = panel.days - first
    length = 1 if days <= MOST_DAYS else _WEEK
    odd = days % length
    edges = [first, *range(first + (odd or length), panel.days + 1, length)]
    made = (
        _column(
            panel.first_day + timedelta(days=start), classes[start:end], stars[start:end], length
        )
        for start, end in pairwise(edges)
    )
    return Columns(columns=tuple(made), length=length)


def _column(
    first: date, classes: Sequence[Sequence[Any]], stars: Sequence[float], length: int
) -> Column:
    layers = [_sum(classes, names, length) for names in LAYERS.values()]
    told = [one for one in (_sum(classes, (name,), length) for name in OTHERS) if one is not None]
    known = tuple(one for one in layers if one is not None)
    return Column(
        first=first,
        days=len(classes),
        layers=known if len(known) == len(layers) else None,
        others=sum(told) if told else None,
        stars=_scaled(stars, length),
    )


def _sum(rows: Sequence[Sequence[Any]], names: Iterable[str], length: int) -> float | None:
    places = [CLASSES.index(name) for name in names]
    return _scaled([_added(row, places) for row in rows], length)


def _added(row: Sequence[Any], places: Sequence[int]) -> float | None:
    values = [row[place] for place in places]
    return None if any(value is None for value in values) else float(sum(values))


def _scaled(values: Sequence[float | None], length: int) -> float | None:
    known = [value for value in values if value is not None and isfinite(value)]
    if 2 * len(known) <= len(values):
        return None
    return sum(known) * length / len(known)


def round_up(value: float) -> float:
    """Return the smallest of 1, 2, 3, 4, 5, 6, 8, 10 times a power of ten that is not below."""
    if value <= 1:
        return 1.0
    power = 10.0 ** floor(log10(value))
    steps = (1, 2, 3, 4, 5, 6, 8, 10)
    return next(step * power for step in steps if step * power >= value * (1 - 1e-9))


def short(value: float) -> str:
    """Return *value* in at most five signs: 950, 1.2k, 34k, 5.6M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= 0.9995 * size:
            scaled = value / size
            digits = f"{scaled:.1f}".removesuffix(".0") if scaled < 9.95 else f"{scaled:.0f}"
            return digits + letter
    return f"{value:.0f}"
