"""People leave and machines stay: the share of what looks like people falls to less than half."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from indexgate_policy.downloads.panel import Counts, Panel
from indexgate_policy.series.baseline import age, usual_stray
from indexgate_policy.series.episodes import episodes
from indexgate_policy.series.finding import Finding
from indexgate_policy.series.index_level import Common
from indexgate_policy.series.windows import WEEK, blocks, days_before, median, trailing_sum

AGE = 120
SHARE_FALLS, PEOPLE_FALL = 0.45, 0.5
"""What is left of the usual share, and of the usual people, at most."""

LEAST_SHARE = 0.08
"""Whoever has so few people cannot lose them."""

_SPANS = (14, 21)
_PAST = 12  # weeks
_DEVIATIONS = 5.2
_PRIOR_WEIGHT = 10.0
_FEWEST = 6.0  # people in the best week: fewer cannot fall by so many deviations


def automations(panel: Panel, common: Common, first: int) -> Iterator[Finding]:
    """Yield the projects that people left, on the days from *first* on; `before` are shares."""
    alive = np.arange(panel.days)[None, :] >= panel.born[:, None]
    human = panel.of_class("human")
    people, machines = (
        np.where(alive, common.taken_out(series), np.nan).astype(np.float32)
        for series in (human, panel.consumers - human)
    )
    rows = _fewer(people, first)
    seen = [_fallen(people[rows], machines[rows], span, first) for span in _SPANS]
    score = np.fmax(*(one[0] for one in seen))
    hot = (score >= 1) & (age(panel, first)[rows] > AGE)

    def told(row: int, column: int) -> Finding:
        place = max(range(len(seen)), key=lambda place: float(seen[place][0][row, column]))
        found = seen[place]
        day = first + column
        return Finding(
            row=int(rows[row]),
            day=day,
            last=day,
            kind="automation",
            why="people-left",
            onset=day - _SPANS[place] + 1,
            before=float(found[1][row, column]),
            now=float(found[2][row, column]),
            score=float(found[0][row, column]),
        )

    return episodes(hot, first, told)


def _fewer(people: Counts, first: int) -> NDArray[np.intp]:
    """Return the rows that fell far below their best week: of the others nobody can have left."""
    best = np.fmax.reduce(trailing_sum(people), axis=1)
    least = (np.fmin.reduce(_recent(people, span, first), axis=1) for span in _SPANS)
    with np.errstate(invalid="ignore"):
        return np.flatnonzero((best >= _FEWEST) & (np.fmin(*least) <= PEOPLE_FALL * best))


def _recent(series: Counts, span: int, first: int) -> Counts:
    """Return (N, D) downloads a week over the *span* days up to each day from *first*."""
    counted = trailing_sum(series[:, first - span :], span, least=span * 4 // 7)[:, span:]
    weekly: Counts = counted * np.float32(WEEK / span)
    return weekly


def _fallen(
    people: Counts, machines: Counts, span: int, first: int
) -> tuple[Counts, Counts, Counts]:
    """Return (N, D): how far over the limit the fall is, the usual and the present share."""
    weekly, others = trailing_sum(people), trailing_sum(machines)
    weekly[:, : WEEK - 1] = others[:, : WEEK - 1] = np.nan  # no whole week yet
    recent, beside = (_recent(series, span, first) for series in (people, machines))
    shape = recent.shape
    usual, usual_beside, stray = (np.full(shape, np.nan, np.float32) for _ in range(3))
    lags = span, span + WEEK * (_PAST - 1)
    past, past_beside = (days_before(one, lags, first)[:, :, ::WEEK] for one in (weekly, others))
    for days in blocks(past):
        weeks = past[:, days]
        usual[:, days] = median(weeks)
        usual_beside[:, days] = median(past_beside[:, days])
        stray[:, days] = _stray(weeks, usual[:, days])
    usual[:, : max(0, span + 4 * WEEK - first)] = np.nan  # a past of less says little
    with np.errstate(invalid="ignore", divide="ignore"):
        share = recent / (recent + beside)
        before = usual / (usual + usual_beside)
        spread = np.sqrt(stray**2 * (WEEK / span) ** 0.5 + 1 / (usual + 1))
        deviation = -np.log((recent + 0.5) / (usual + 0.5)) / spread
        fallen = (recent <= PEOPLE_FALL * usual) & (share <= SHARE_FALLS * before)
        score = np.where(fallen & (before >= LEAST_SHARE), deviation / _DEVIATIONS, 0)
    score = np.nan_to_num(score)
    return score.astype(np.float32), before.astype(np.float32), share.astype(np.float32)


def _stray(weeks: Counts, usual: Counts) -> Counts:
    """Return the log standard deviation of a week: the own scatter, shrunk to the usual."""
    prior = usual_stray((usual / WEEK).astype(np.float32)) * 0.6
    logs = np.log(weeks + np.float32(0.5))
    off = 1.4826 * median(np.abs(logs - np.log(usual + 0.5)[..., None]))
    known = np.isfinite(weeks).sum(axis=-1)
    own = np.where(known >= 4, off, 0)
    weight = np.where(known >= 4, known, 0)
    pooled: Counts = np.sqrt(
        (weight * own**2 + _PRIOR_WEIGHT * prior**2) / (weight + _PRIOR_WEIGHT)
    )
    return pooled
