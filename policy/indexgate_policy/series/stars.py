"""Bursts of stars that no audience came with."""

from collections.abc import Iterator

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from indexgate_policy.downloads.panel import Counts, Panel
from indexgate_policy.series.baseline import SHORT, age
from indexgate_policy.series.episodes import episodes
from indexgate_policy.series.finding import Finding
from indexgate_policy.series.windows import blocks, days_before, trailing_median, trailing_sum

MANY = 25
"""A burst has so many more stars in 7 days than usual, at least."""

AGE = 60
_PAST, _LEAST = 84, 28  # days of stars before, and how many must be known
_DEVIATIONS = 8.0


def stars_in_bursts(panel: Panel, first: int) -> Counts:
    """Return (N,) the stars over the usual that came in bursts from day *first* on.

    They do not count in a health score (science hs-1, stars).
    """
    total = np.zeros(len(panel.names), np.float32)
    for found in star_bursts(panel, first):
        days = slice(found.onset, found.last + 1)
        over = panel.stars[found.row, days] - found.before / 7
        total[found.row] += max(0.0, float(np.nansum(over)))
    return total


class _Audience(Struct, frozen=True, eq=False):
    """(N, D): whether people came, whether many did, and whether somebody writes."""

    moved: NDArray[np.bool_]
    crowd: NDArray[np.bool_]
    talk: NDArray[np.bool_]
    known: NDArray[np.bool_]


def star_bursts(panel: Panel, first: int) -> Iterator[Finding]:
    """Yield the bursts of stars in the days from *first* on, told when nobody came with them."""
    week = trailing_sum(panel.stars, least=1)[:, first:]
    usual, limit = _usual(panel.stars, first)
    with np.errstate(invalid="ignore"):
        hot = week > limit
    if not hot.any():
        return iter(())
    audience = _audience(panel, first, week)
    heard = audience.talk & audience.moved
    hot &= ~heard & ~audience.crowd & audience.known
    hot &= age(panel, first) >= AGE

    def told(row: int, column: int) -> Finding:
        day = first + column
        stars = panel.stars[row, max(0, day - 6) : day + 1]
        daily = usual[row, column] / 7
        burst = np.flatnonzero(stars > 3 * daily + 3)
        return Finding(
            row=row,
            day=day,
            last=day,
            kind="stars",
            why="burst",
            onset=day - len(stars) + 1 + int(burst[0]) if len(burst) else day,
            before=float(usual[row, column]),
            now=float(week[row, column]),
            score=float(week[row, column] / limit[row, column]),
        )

    return episodes(hot, first, told)


def _usual(stars: Counts, first: int) -> tuple[Counts, Counts]:
    """Return (N, D) the usual stars of a week, by 12 weeks before, and the limit of a burst.

    The limit is a negative binomial's: the mean, and its deviations by the own scatter.
    """
    windows = days_before(stars, (7, 6 + _PAST), first)
    mean = np.full(windows.shape[:2], np.nan, np.float32)
    limit = mean.copy()
    for days in blocks(windows):
        past = windows[:, days]
        known = np.isfinite(past)
        count = known.sum(axis=2)
        filled = np.where(known, past, 0)
        average = filled.sum(axis=2) / np.maximum(count, 1)
        square = (filled**2).sum(axis=2) / np.maximum(count, 1)
        usual = 7 * average
        scatter = 7 * np.maximum(square - average**2, 0)
        size = usual**2 / np.maximum(scatter - usual, 0.05 * usual + 0.05)
        deviation = np.sqrt(usual + usual**2 / np.maximum(size, 0.2))
        enough = count >= _LEAST
        mean[:, days] = np.where(enough, usual, np.nan)
        limit[:, days] = np.where(enough, usual + _DEVIATIONS * deviation + MANY, np.nan)
    return mean, limit


def _audience(panel: Panel, first: int, stars: Counts) -> _Audience:
    """Tell whether people came with the *stars* (N, D) of a week."""
    people = panel.of_class("human")
    week = trailing_sum(people)
    usual = trailing_median(week, SHORT, first)
    yesterday = np.concatenate([people[:, :1], people[:, :-1]], axis=1)
    peak = 7 * np.fmax(people, yesterday)[:, first:]  # on the day itself, before a week has passed
    week = week[:, first:]
    writers = trailing_sum(np.nan_to_num(panel.people))[:, first:]
    counted = trailing_sum(np.isfinite(panel.people).astype(np.float32))[:, first:] > 0
    with np.errstate(invalid="ignore"):
        moved = (week > 1.5 * usual + 20) | (peak > 1.8 * usual + 20)
        crowd = np.fmax(peak, week) > 4 * usual + 20
        # Where nobody counted who writes, that people came has to do.
        talk = (writers >= np.maximum(1, 0.004 * stars)) | ~counted
    return _Audience(moved, crowd, talk, np.isfinite(week) & np.isfinite(usual))
