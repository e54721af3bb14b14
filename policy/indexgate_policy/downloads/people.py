"""From installs to people: always an interval, because the log knows no people (science dn-1)."""

import math

from msgspec import Struct

from indexgate_policy.downloads.classes import Interval

INSTALLS_A_MONTH = (4, 20)
"""Installs that one person makes in a month, 5 % and 95 % of a log-normal. A judgement."""

WEEKEND_OF_PEOPLE = 0.45
WEEKEND_OF_MACHINES = 0.72
"""A weekend day over a working day: people rest, pipelines hardly. From real series."""

DOUBT_FROM = 0.3
"""So far apart, the rules and the weekend contradict each other."""

_CACHES_AT_MOST = 0.3
"""From this share of caches on, the blind spot is as large as it is ever taken to be."""


class BlindSpot(Struct, frozen=True, kw_only=True):
    """How many times more people there may be than the log shows: an assumption, never measured.

    Caches fetch once for many. Nobody has measured for how many, so this only widens an interval
    that is shown; it multiplies nothing that is judged.
    """

    least: float
    most: float


def seen(installs: Interval, days: int = 30) -> Interval:
    """Return the people in 30 days behind *installs* that look human, over *days* days."""
    a_month = 30 / days
    few, many = INSTALLS_A_MONTH
    return Interval(
        low=installs.low * a_month / many,
        middle=installs.middle * a_month / math.sqrt(few * many),
        high=installs.high * a_month / few,
    )


def blind_spot(cache_share: float | None) -> BlindSpot:
    """Return the blind spot at a share of caches (0..1) among caches and installers.

    1 to 1.3 times without caches, 2 to 5 times from 30 % on, a line between; 1 to 5 when the
    share is not known.
    """
    if cache_share is None:
        return BlindSpot(least=1.0, most=5.0)
    part = min(1.0, cache_share / _CACHES_AT_MOST)
    return BlindSpot(least=1 + part, most=1.3 + 3.7 * part)


def footprint(people: Interval, spot: BlindSpot) -> Interval:
    """Return *people* seen, widened by those that caches may hide."""
    return Interval(
        low=people.low * spot.least,
        middle=people.middle * math.sqrt(spot.least * spot.most),
        high=people.high * spot.most,
    )


def weekend_share(weekend_factor: float) -> float:
    """Return the human share (0..1) that a weekend factor of non-mirror downloads speaks for.

    *weekend_factor* is the mean weekend day over the mean working day.
    """
    span = WEEKEND_OF_MACHINES - WEEKEND_OF_PEOPLE
    return min(1.0, max(0.0, (WEEKEND_OF_MACHINES - weekend_factor) / span))


def doubtful(human_share: float, weekend_factor: float) -> bool:
    """Return whether the weekend contradicts the *human_share* (0..1) that the rules give."""
    return abs(human_share - weekend_share(weekend_factor)) > DOUBT_FROM
