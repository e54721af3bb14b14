"""What a download history says: the signals on downloads, for many projects at once."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache, partial
from math import isfinite
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from indexgate_policy.downloads.classes import Interval
from indexgate_policy.downloads.human_range import human_range
from indexgate_policy.downloads.kinds import CLASSES, CONSUMERS
from indexgate_policy.downloads.panel import NOT_BORN, Counts, Panel
from indexgate_policy.downloads.people import doubtful, seen
from indexgate_policy.signals import Signal, Unknown

LICENCE: Final = "CC-BY-4.0"
"""Of the public log."""

_MONTH, _MONTH_NEEDS = 30, 21
_WEEKS, _WEEKS_NEED = 26, 13
_RECENT_WEEKS, _RECENT_NEED = 4, 2

_CONSUMERS = [CLASSES.index(name) for name in CONSUMERS]
_STATED = [CLASSES.index(name) for name in ("mirror", "cache", "ci")]
_NON_MIRROR = [number for number, name in enumerate(CLASSES) if name not in ("mirror", "cache")]
_HUMAN, _CACHE = CLASSES.index("human"), CLASSES.index("cache")

# Of the versions 180 to 730 days old, those under a year, were downloads even over the log of age.
_UNDER_A_YEAR: Final = float(np.log(365 / 180) / np.log(730 / 180))

_MONTH_LACKS = f"fewer than {_MONTH_NEEDS} of the last {_MONTH} days of downloads are known"
_AGES_LACK = "the ages of the versions downloaded in the last four weeks are not known"
_BIRTH_LACKS = "the download history does not hold the first seven days"
_REASONS: Final = {
    "downloads": _MONTH_LACKS,
    "consumer_downloads": _MONTH_LACKS,
    "human_installs": _MONTH_LACKS,
    "human_installs_low": _MONTH_LACKS,
    "human_installs_high": _MONTH_LACKS,
    "people_low": _MONTH_LACKS,
    "people": _MONTH_LACKS,
    "people_high": _MONTH_LACKS,
    "certain_share": "no downloads of the last 30 days are known by class",
    "cache_share": "no downloads of caches or installers are known in the last 30 days",
    "human_persistence": f"fewer than {_WEEKS_NEED} of the last {_WEEKS} weeks are known",
    "recent_version_share": _AGES_LACK,
    "old_version_share": _AGES_LACK,
    "first_week_downloads": _BIRTH_LACKS,
    "first_week_human_installs": _BIRTH_LACKS,
}
GIVES: Final = (*_REASONS, "downloads_until")
"""The signals, in order."""


def summaries(
    panel: Panel, *, observed_at: datetime, source: str, licence: str = LICENCE
) -> Iterator[tuple[Signal, ...]]:
    """Yield the signals of each project of *panel*, in its order.

    Counts of 30 days are scaled up when 21 to 29 of the days are known and complete; a day before
    the first release counts as known and empty. The ends of the human installs come from class
    counts (`human_range`), the people from them. `certain_share` counts what clients state of
    themselves (mirrors, caches, CI), so it is rather too low. `recent_version_share` takes half of
    the versions 180 to 730 days old as under a year.
    """
    told = numbers(panel)
    made = partial(Signal, source=source, observed_at=observed_at, licence=licence)
    # Most of a whole index lacks the same: that is said once.
    lacking = [made(name=name, value=Unknown(reason=why)) for name, why in _REASONS.items()]
    untils = cache(partial(made, name="downloads_until"))
    by_project = np.stack([told[name] for name in _REASONS], axis=1).tolist()
    for values, until in zip(by_project, _newest_day(panel), strict=True):
        signals = [
            made(name=unknown.name, value=value) if isfinite(value) else unknown
            for value, unknown in zip(values, lacking, strict=True)
        ]
        yield (*signals, untils(value=until))


def numbers(panel: Panel) -> dict[str, NDArray[Any]]:
    """Return (N,) a signal by its name; not a number where it is not known."""
    classes = _known(panel)
    month = _scaled_sum(classes[:, -_MONTH:], _MONTH_NEEDS, _MONTH)
    consumers = month[:, _CONSUMERS].sum(axis=1)
    total = month.sum(axis=1)
    low, high = human_range(month)
    people = seen(Interval(low=1.0, middle=1.0, high=1.0), days=_MONTH)
    recent, old = _version_shares(panel)
    first_week = _first_week(panel, classes)
    return {
        "downloads": total,
        "consumer_downloads": consumers,
        "human_installs": month[:, _HUMAN],
        "human_installs_low": low,
        "human_installs_high": high,
        "people_low": low * people.low,
        "people": month[:, _HUMAN] * people.middle,
        "people_high": high * people.high,
        "certain_share": _ratio(month[:, _STATED].sum(axis=1), total),
        "cache_share": _ratio(month[:, _CACHE], month[:, _CACHE] + consumers),
        "human_persistence": _persistence(classes[:, :, _HUMAN]),
        "recent_version_share": recent,
        "old_version_share": old,
        "first_week_downloads": first_week.sum(axis=1),
        "first_week_human_installs": first_week[:, _HUMAN],
    }


def weekend_doubts(panel: Panel) -> NDArray[np.bool_]:
    """Return (N,) where the last four weeks' weekends contradict the human share (`people`)."""
    days = _known(panel)[:, -28:, _NON_MIRROR].sum(axis=2)
    weekday = (panel.last_day.weekday() - np.arange(days.shape[1])[::-1]) % 7
    share = _ratio(
        _scaled_sum(_known(panel)[:, -28:, _HUMAN, None], 21, 28)[:, 0],
        _scaled_sum(days[:, :, None], 21, 28)[:, 0],
    )
    factor = _ratio(_mean_known(days[:, weekday >= 5]), _mean_known(days[:, weekday < 5]))
    return np.array(
        [
            bool(np.isfinite(part + rest)) and doubtful(float(part), float(rest))
            for part, rest in zip(share, factor, strict=True)
        ],
        np.bool_,
    )


def _known(panel: Panel) -> Counts:
    """Return the classes without incomplete days, and empty before the first release."""
    classes = np.where(panel.incomplete[None, :, None], np.nan, panel.classes)
    unborn = (
        np.arange(panel.days)[None, :] < np.where(panel.born == NOT_BORN, -1, panel.born)[:, None]
    )
    known: Counts = np.where(unborn[:, :, None], 0, classes).astype(np.float32)
    return known


def _scaled_sum(days: Counts, needs: int, of: int) -> NDArray[Any]:
    """Return the sums over (N, days, K) as if all *of* days were known; *needs* must be."""
    known = np.isfinite(days)
    count = known.sum(axis=1)
    total = np.where(known, days, 0).sum(axis=1, dtype=np.float64)
    scaled: NDArray[Any] = np.where(count >= needs, total * of / np.maximum(count, 1), np.nan)
    return scaled


def _mean_known(days: Counts) -> NDArray[Any]:
    known = np.isfinite(days)
    return _ratio(np.where(known, days, 0).sum(axis=1), known.sum(axis=1))


def _ratio(part: NDArray[Any], whole: NDArray[Any]) -> NDArray[Any]:
    filled: NDArray[Any] = np.full(np.shape(whole), np.nan)
    np.divide(part, whole, out=filled, where=np.nan_to_num(whole) > 0)
    return filled


def _persistence(human: Counts) -> NDArray[Any]:
    """Return the share of weeks with a quarter of the median week or more, and at least one."""
    length = min(_WEEKS, human.shape[1] // 7)
    days = human[:, human.shape[1] - 7 * length :].reshape(len(human), length, 7)
    weeks = _scaled_sum(days.transpose(0, 2, 1), 4, 7)
    known = np.isfinite(weeks).sum(axis=1)
    enough = known >= _WEEKS_NEED
    filled = np.where(enough[:, None], weeks, 0)
    median = np.nanmedian(filled, axis=1) if length else np.zeros(len(human))
    lively = (filled >= np.maximum(median / 4, 1)[:, None]).sum(axis=1)
    return np.where(enough, lively / np.maximum(known, 1), np.nan)


def _version_shares(panel: Panel) -> tuple[NDArray[Any], NDArray[Any]]:
    weeks = panel.version_ages[:, -_RECENT_WEEKS:]
    ages = _scaled_sum(weeks, _RECENT_NEED, _RECENT_WEEKS)
    total = ages.sum(axis=1)
    recent = ages[:, 0] + ages[:, 1] + _UNDER_A_YEAR * ages[:, 2]
    return _ratio(recent, total), _ratio(ages[:, 3], total)


def _first_week(panel: Panel, classes: Counts) -> NDArray[Any]:
    """Return (N, 7) the classes of the seven days from the first release."""
    weeks = np.full((len(panel.names), len(CLASSES)), np.nan)
    for row in np.flatnonzero((panel.born >= 0) & (panel.born <= panel.days - 7)):
        weeks[row] = classes[row, panel.born[row] : panel.born[row] + 7].sum(axis=0)
    return weeks


def _newest_day(panel: Panel) -> list[str | Unknown]:
    known: NDArray[np.bool_] = np.any(np.isfinite(panel.classes), axis=2)
    newest = panel.days - 1 - known[:, ::-1].argmax(axis=1)
    return [
        (panel.first_day + timedelta(days=int(day))).isoformat()
        if some
        else Unknown(reason="no day of downloads is known")
        for day, some in zip(newest, np.any(known, axis=1), strict=True)
    ]
