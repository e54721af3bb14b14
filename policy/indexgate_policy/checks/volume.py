"""How much a project is downloaded now: from its history, or from what sources counted."""

from dataclasses import dataclass
from datetime import date, timedelta
from math import isnan

from indexgate_policy.assessment import Case
from indexgate_policy.checks import readings
from indexgate_policy.downloads.kinds import CLASSES, CONSUMERS
from indexgate_policy.signals import Unknown

DAYS = 28
LEAST_DAYS = 21  # of DAYS that must be known; what is missing is taken to be like them
SIGNAL_DAYS = 30
STALE = timedelta(days=14)

_HUMAN = CLASSES.index("human")
_CONSUMERS = tuple(CLASSES.index(name) for name in CONSUMERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """Downloads of 28 days up to `until`: by `consumers` (CI, pipelines and people), by `human`s.

    `human_high` is the upper end of what may be people, where that is known.
    """

    consumers: float
    human: float
    human_high: float | Unknown
    until: date


def recent(case: Case) -> Volume | Unknown:
    """Return the downloads of the last 28 days; unknown where the newest count is 14 days old."""
    counted = _from_history(case)
    if not isinstance(counted, Unknown):
        return counted
    summed = _from_signals(case)
    return counted if isinstance(summed, Unknown) else summed


def _from_history(case: Case) -> Volume | Unknown:
    days = by_day(case)
    if isinstance(days, Unknown):
        return days
    known = [day for day in days if day is not None]
    if len(known) < LEAST_DAYS:
        return Unknown(reason=f"only {len(known)} of the last {DAYS} days of downloads are known")
    scale = DAYS / len(known)
    human = scale * sum(day[_HUMAN] for day in known)
    return Volume(
        consumers=scale * sum(_consumers(day) for day in known),
        human=human,
        human_high=human,
        until=_last_day(case),
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
        return _stale(until)
    scale = DAYS / SIGNAL_DAYS
    return Volume(
        consumers=scale * consumers,
        human=scale * human,
        human_high=high if isinstance(high, Unknown) else scale * high,
        until=until,
    )


def by_day(case: Case, days: int = DAYS) -> list[tuple[float, ...] | None] | Unknown:
    """Return the downloads of each of the last *days* by `kinds.CLASSES`; None: not known."""
    panel = case.history
    if isinstance(panel, Unknown):
        return panel
    if case.now - readings.start(panel.last_day) > STALE:
        return _stale(panel.last_day)
    rows = panel.classes[0, -days:].tolist()
    incomplete = panel.incomplete[-days:].tolist()
    return [
        None if lacking or any(map(isnan, row)) else tuple(row)
        for row, lacking in zip(rows, incomplete, strict=True)
    ]


def consumers_by_day(case: Case) -> list[float] | Unknown:
    """Return the consumer downloads of each of the last 28 days; unknown when one is."""
    days = by_day(case)
    if isinstance(days, Unknown):
        return days
    known = [_consumers(day) for day in days if day is not None]
    if len(known) < DAYS:
        return Unknown(reason=f"only {len(known)} of the last {DAYS} days of downloads are known")
    return known


def _consumers(day: tuple[float, ...]) -> float:
    return sum(day[place] for place in _CONSUMERS)


def _last_day(case: Case) -> date:
    return date.min if isinstance(case.history, Unknown) else case.history.last_day


def _stale(until: date) -> Unknown:
    return Unknown(reason=f"downloads are only known until {until}")
