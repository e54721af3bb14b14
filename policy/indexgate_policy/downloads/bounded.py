"""What is known of human installs when only systems and mirrors are counted: bounds, no classes.

Services that publish the log by day with and without mirrors, and by operating system, tell
neither CI nor distribution. Then (science dn-1) macOS and Windows are at most what people bring,
downloads without mirrors at least: macOS + Windows <= H / .87 <= all without mirrors.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final, Protocol

import numpy as np
from packaging.utils import NormalizedName

from indexgate_policy.downloads.classes import Interval
from indexgate_policy.downloads.day_counts import (
    NO_INSTALLERS,
    NO_REGIONS,
    NO_VERSION_AGES,
    DayCounts,
)
from indexgate_policy.downloads.kinds import CLASSES, CONSUMERS
from indexgate_policy.downloads.people import seen
from indexgate_policy.downloads.rule_table import RULES, moved
from indexgate_policy.signals import Signal, Unknown, Value

HUMAN_ON_DESKTOPS: Final = 0.87
"""The human share of installs on macOS and Windows by the rules H1 and H2, their mean."""

GIVES: Final = (
    "downloads",
    "consumer_downloads",
    "human_installs",
    "human_installs_low",
    "human_installs_high",
    "people_low",
    "people",
    "people_high",
    "downloads_until",
)
"""The signals, in order."""

_MONTH = 30
_DESKTOPS = ("Darwin", "Windows")
# The rule that fits best what a system's row can be; without one it is mostly `requests`.
_RULE_OF = {"Darwin": "H1", "Windows": "H2", "Linux": "P5", "null": "S4"}
_BY_ID = {rule.id: rule for rule in RULES}
_SHARES = {
    system: moved(_BY_ID[rule], frozenset(["cannot-say-ci"])) for system, rule in _RULE_OF.items()
}
_OTHER_SYSTEM = moved(_BY_ID["U1"], frozenset(["cannot-say-ci"]))
_NOT_TOLD = ("cache", "bot")


class CountedDay(Protocol):
    """A day's downloads as far as they are told, None where not; `systems` leaves out mirrors.

    The systems are `Linux`, `Darwin`, `Windows`, `other` and `null` (not told).
    """

    @property
    def day(self) -> date:
        """The day (UTC)."""

    @property
    def everything(self) -> int | None:
        """Whoever fetched."""

    @property
    def without_mirrors(self) -> int | None:
        """Without those that name themselves mirrors or caches, or nothing at all."""

    @property
    def systems(self) -> Mapping[str, int] | None:
        """The same by operating system."""


def day_counts(project: NormalizedName, days: Sequence[CountedDay]) -> Iterator[DayCounts]:
    """Yield *days* as class counts; only the mirrors and what the systems speak for are told.

    What "without mirrors" leaves out is counted as `mirror`: caches and agents that nobody knows
    are in it and cannot be told apart, so `cache` and `bot` are not known. No mixes.
    """
    for one in days:
        classes = np.full(len(CLASSES), np.nan, np.float32)
        if one.systems is not None:
            classes[:] = _by_systems(one.systems)
            classes[[CLASSES.index(name) for name in _NOT_TOLD]] = np.nan
        mirrors = None
        if one.everything is not None and one.without_mirrors is not None:
            mirrors = one.everything - one.without_mirrors
        classes[CLASSES.index("mirror")] = np.nan if mirrors is None else max(0, mirrors)
        yield DayCounts(
            project=project,
            day=one.day,
            classes=classes,
            installers=NO_INSTALLERS,
            regions=NO_REGIONS,
            version_ages=NO_VERSION_AGES,
            n=one.everything or one.without_mirrors or 0,
        )


def signals(
    days: Sequence[CountedDay],
    *,
    observed_at: datetime,
    source: str,
    licence: str,
    first_release: date | None = None,
) -> tuple[Signal, ...]:
    """Return the signals on downloads of the 30 days up to the newest of *days*.

    A day between others that is left out had no downloads, nor had one before *first_release*.
    What a day does not tell is unknown for all of them.
    """
    values = _values(sorted(days, key=lambda one: one.day), first_release)
    return tuple(
        Signal(
            name=name,
            value=values[name],
            source=source,
            observed_at=observed_at,
            licence=licence,
        )
        for name in GIVES
    )


def _values(days: Sequence[CountedDay], first_release: date | None) -> dict[str, Value | Unknown]:
    untold = Unknown(reason="the downloads are not told by system and mirrors")
    values: dict[str, Value | Unknown] = dict.fromkeys(GIVES, untold)
    if not days:
        return dict.fromkeys(GIVES, Unknown(reason="no downloads are counted"))
    newest = days[-1].day
    start = newest - timedelta(days=_MONTH - 1)
    if days[0].day > start and (first_release is None or first_release < start):
        short = Unknown(reason=f"the counts reach back fewer than {_MONTH} days")
        values = dict.fromkeys(GIVES, short)
        values["downloads_until"] = newest.isoformat()
        return values
    values["downloads_until"] = newest.isoformat()
    month = [one for one in days if one.day >= start]
    everything = [one.everything for one in month if one.everything is not None]
    if len(everything) == len(month):
        values["downloads"] = float(sum(everything))
    without = [one.without_mirrors for one in month if one.without_mirrors is not None]
    systems = [one.systems for one in month if one.systems is not None]
    if len(systems) == len(without) == len(month):
        values |= _bounds(systems, sum(without))
    return values


def _bounds(systems: Sequence[Mapping[str, int]], without_mirrors: int) -> dict[str, Value]:
    classes = np.sum([_by_systems(day) for day in systems], axis=0)
    low = HUMAN_ON_DESKTOPS * sum(day.get(name, 0) for day in systems for name in _DESKTOPS)
    high = max(low, HUMAN_ON_DESKTOPS * without_mirrors)
    middle = min(high, max(low, float(classes[CLASSES.index("human")])))
    people = seen(Interval(low=low, middle=middle, high=high), days=_MONTH)
    return {
        "consumer_downloads": float(sum(classes[CLASSES.index(name)] for name in CONSUMERS)),
        "human_installs": middle,
        "human_installs_low": low,
        "human_installs_high": high,
        "people_low": people.low,
        "people": people.middle,
        "people_high": people.high,
    }


def _by_systems(systems: Mapping[str, int]) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    classes = np.zeros(len(CLASSES))
    for system, count in systems.items():
        classes += np.array(_SHARES.get(system, _OTHER_SYSTEM)) * count
    return classes
