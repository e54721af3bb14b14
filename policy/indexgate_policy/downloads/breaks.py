"""Known breaks in how downloads were counted, and history made comparable across them.

A break is nobody's own drop or rise. One that lasts is taken out with what it did to the whole
index: the days before it are brought to the level after it. Where nobody can say what it did, the
days before it are not known.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal, TypeAlias

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from indexgate_policy.downloads.panel import Movement, Panel
from indexgate_policy.events import Event
from indexgate_policy.signals import Unknown

Series: TypeAlias = Literal["log", "clickhouse", "monthly lists"]
"""The public log itself (and all that is cut from it), its copy in ClickHouse, or the monthly lists
of the most downloaded projects."""


class Break(Struct, frozen=True, kw_only=True):
    """A change in the counting: from `first` on, to `last` or (None) for good.

    `lost` says that rows are missing on those days; else they are counted otherwise.
    `says` is one clause that stands alone.
    """

    series: Series
    first: date
    last: date | None = None
    lost: bool = False
    says: str


BREAKS: Final = (
    Break(
        series="log",
        first=date(2018, 7, 26),
        says="from here on the log counts everything; before, about a tenth",
    ),
    Break(
        series="log",
        first=date(2026, 8, 24),
        says="the index no longer counts metadata and signature fetches as downloads",
    ),
    Break(
        series="clickhouse",
        first=date(2025, 12, 4),
        last=date(2025, 12, 15),
        lost=True,
        says="the copy of the log in ClickHouse stood still",
    ),
    Break(
        series="monthly lists",
        first=date(2018, 7, 1),
        last=date(2018, 9, 30),
        says="the lists lacked data that was healed later",
    ),
    Break(
        series="monthly lists",
        first=date(2021, 2, 1),
        last=date(2021, 5, 31),
        lost=True,
        says="the lists were collected faultily",
    ),
    Break(
        series="monthly lists",
        first=date(2021, 11, 1),
        last=date(2021, 11, 30),
        lost=True,
        says="the lists were collected faultily",
    ),
    Break(
        series="monthly lists",
        first=date(2024, 11, 1),
        says="the lists count all installers instead of pip only",
    ),
    Break(
        series="monthly lists",
        first=date(2025, 4, 1),
        last=date(2025, 6, 30),
        says="the lists count 28, 24, then 22 days instead of 30",
    ),
    Break(
        series="monthly lists",
        first=date(2025, 7, 1),
        says="the lists come from another copy of the log and count calendar months",
    ),
)
"""All that are known, by series and day."""

LOST_BELOW: Final = -0.7
"""The whole index at half its usual level (a log): rows of that day are missing."""

_SOURCE = "counting"
_SETTLES = 7  # days; the first seven after a break are measured against days before it only


def events(first: date, last: date, series: Series = "log") -> tuple[Event, ...]:
    """Return the breaks of *series* that touch the days *first* to *last*, as events."""
    return tuple(
        Event(
            kind="lost-day" if known.lost else "counting-break",
            at=_midnight(known.first),
            text=known.says,
            source=_SOURCE,
        )
        for known in BREAKS
        if known.series == series and known.first <= last and (known.last or known.first) >= first
    )


def lost_days(movement: Movement) -> tuple[Event, ...]:
    """Return the days on which the whole index fell so far that rows must be missing."""
    return tuple(
        Event(
            kind="lost-day",
            at=_midnight(movement.first_day + timedelta(days=int(day))),
            text="the whole log has less than half of its usual rows",
            source=_SOURCE,
        )
        for day in np.flatnonzero(movement.consumers < LOST_BELOW)
        if not _breaks_at(movement.first_day + timedelta(days=int(day)))
    )


def applied(panel: Panel, movement: Movement | Unknown) -> tuple[Panel, Movement | Unknown]:
    """Return *panel* and *movement* as if today's way of counting had always been in use.

    Of the log's breaks that last and lie inside the panel, those of which the movement knows what
    they did are taken out: classes, mixes and inflow of the days before are scaled by what happened
    to the whole index, and the movement shows the break no more. For others the days before are
    not a number. Stars, people and releases are not touched.
    """
    for known in BREAKS:
        day = (known.first - panel.first_day).days
        if known.series != "log" or known.last is not None or not 0 < day < panel.days:
            continue
        factor = None if isinstance(movement, Unknown) else _effect(movement, known.first)
        if factor is None or isinstance(movement, Unknown):
            panel = _scaled(panel, day, float("nan"))
        else:
            panel = _scaled(panel, day, float(np.exp(factor)))
            movement = _without(movement, known.first, factor)
    return panel, movement


def _effect(movement: Movement, first: date) -> float | None:
    """Return the log of what the break did to the whole index; None when it does not tell."""
    day = (first - movement.first_day).days
    after = movement.consumers[max(0, day) : max(0, day + _SETTLES)]
    told = after[np.isfinite(after)]
    return float(np.median(told)) if len(told) else None


def _without(movement: Movement, first: date, factor: float) -> Movement:
    """Take the break out of the days whose references lie before it.

    A day is measured against the median of the same weekday 1 to 4 weeks before: in the first two
    weeks two or more of the middle ones are before the break, in the third one is, then none.
    """
    since = np.arange(len(movement.consumers)) - (first - movement.first_day).days
    still = np.select([since < 0, since < 14, since < 21], [0.0, 1.0, 0.5], 0.0)
    return replace(movement, consumers=(movement.consumers - factor * still).astype(np.float32))


def _scaled(panel: Panel, day: int, factor: float) -> Panel:
    """Multiply what was counted before day *day*, and in weeks that began before it."""
    days = np.where(np.arange(panel.days) < day, factor, 1.0).astype(np.float32)
    weeks = np.where(np.arange(panel.days // 7) < -(-day // 7), factor, 1.0).astype(np.float32)
    return replace(
        panel,
        classes=panel.classes * days[None, :, None],
        inflow=panel.inflow * days[None, :],
        installers=panel.installers * weeks[None, :, None],
        regions=panel.regions * weeks[None, :, None],
        version_ages=panel.version_ages * weeks[None, :, None],
    )


def _breaks_at(day: date) -> bool:
    """Whether a lasting break explains a fall on *day*, which then lost nothing."""
    return any(
        known.series == "log" and known.last is None and 0 <= (day - known.first).days < 21
        for known in BREAKS
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
