"""How much a project is downloaded now: from its history, or from what sources counted."""

from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from msgspec import Struct

from indexgate_policy.assessment import Case
from indexgate_policy.checks import readings
from indexgate_policy.downloads.kinds import CLASSES, CONSUMERS
from indexgate_policy.signals import Unknown

if TYPE_CHECKING:
    from indexgate_policy.downloads.panel import Panel

DAYS = 28
LEAST_DAYS = 21  # of DAYS that must be known; what is missing is taken to be like them
SIGNAL_DAYS = 30
STALE = timedelta(days=14)

_HUMAN = CLASSES.index("human")
_CONSUMERS = tuple(CLASSES.index(name) for name in CONSUMERS)


class Volume(Struct, frozen=True, kw_only=True):
    """Downloads of 28 days up to `until`: by `consumers` (CI, pipelines and people), by `human`s.

    `human_high` is the upper end of what may be people, where that is known. `days` is how many of
    the days the history knows; None when a source counted the sum.
    """

    consumers: float
    human: float
    human_high: float | Unknown
    until: date
    days: int | None = None


def recent(case: Case) -> Volume | Unknown:
    """Return the downloads of the last 28 days; unknown where the newest count is 14 days old."""
    counted = _from_history(case)
    if not isinstance(counted, Unknown):
        return counted
    summed = _from_signals(case)
    return counted if isinstance(summed, Unknown) else summed


def _from_history(case: Case) -> Volume | Unknown:
    panel = case.history
    if isinstance(panel, Unknown):
        return panel
    if case.now - readings.start(panel.last_day) > STALE:
        return stale(panel.last_day)
    return _counted(panel)


@lru_cache(maxsize=4)  # several checks ask about the same history, one right after the other
def _counted(panel: "Panel") -> Volume | Unknown:
    days, lacking = panel.classes[0, -DAYS:], panel.incomplete[-DAYS:]
    # What is not a number is not equal to itself; numpy need not be imported to know.
    known = days[(days == days).all(axis=1) & ~lacking]  # noqa: PLR0124
    if len(known) < LEAST_DAYS:
        return Unknown(reason=f"only {len(known)} of the last {DAYS} days of downloads are known")
    counts = (known.sum(axis=0) * (DAYS / len(known))).tolist()
    human = float(counts[_HUMAN])
    return Volume(
        consumers=sum(float(counts[place]) for place in _CONSUMERS),
        human=human,
        human_high=human,
        until=panel.last_day,
        days=len(known),
    )


def _from_signals(case: Case) -> Volume | Unknown:
    until = readings.day(case, "downloads_until")
    consumers = readings.number(case, "consumer_downloads")
    human = readings.number(case, "human_installs")
    high = readings.number(case, "human_installs_high")
    if isinstance(until, Unknown):
        return until
    if isinstance(consumers, Unknown):
        return consumers
    if isinstance(human, Unknown):
        return human
    if case.now - readings.start(until) > STALE:
        return stale(until)
    scale = DAYS / SIGNAL_DAYS
    return Volume(
        consumers=scale * consumers,
        human=scale * human,
        human_high=high if isinstance(high, Unknown) else scale * high,
        until=until,
    )


def consumers_by_day(panel: "Panel") -> list[float]:
    """Return the consumer downloads of each of the last 28 days, which must all be known."""
    rows: list[list[float]] = panel.classes[0, -DAYS:].tolist()
    return [sum(row[place] for place in _CONSUMERS) for row in rows]


def stale(until: date) -> Unknown:
    """Return why downloads up to *until* say nothing of the present."""
    return Unknown(reason=f"downloads are only known until {until}")
