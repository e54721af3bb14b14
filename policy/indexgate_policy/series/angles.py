"""Weekly shares in arcsine scale, where a share strays alike whatever its size.

What a week strays by is the shot noise and the over-dispersion of real weekly mixes at its size
(science 5.1), raised by the project's own past. Weeks are added up, so that a small shift that
stays is seen as well as a large one at once. A rare part has a heavy upper tail: its deviation is
never taken for more than a beta distribution of the same spread allows.
"""

from typing import Final, Self

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from indexgate_policy.downloads.panel import Counts
from indexgate_policy.series.tail import tail_deviation
from indexgate_policy.series.windows import median

PAST: Final = 12
"""Weeks that tell what is usual, before those that are judged."""

LEAST_PAST: Final = 4
LEAST_WEEK, LEAST_USUAL = 60.0, 40.0
"""Downloads in a week that is judged, and in a week of the past, on average."""

_UNSETTLED = 0.09
_NEWEST = 4  # weeks that may be judged do not tell the size
_WHOLE, _OWN = 20.0, 10.0  # weights of the usual spread against the own one, in observations
_CALMEST = 0.8  # a calm past makes a project not more suspicious than so
_CLIP = 4.0  # one week gives a longer span no more than so many deviations


class Weeks(Struct, frozen=True, eq=False):
    """Weekly counts (N, M, K) and their totals (N, M), 0 where they are not `known` (N, M)."""

    counts: Counts
    totals: Counts
    known: NDArray[np.bool_]

    @classmethod
    def moved(cls, counts: Counts, totals: Counts, drift: Counts) -> Self:
        """Take the *counts* to the index of the last week, by the (M, K) *drift*."""
        known = np.isfinite(totals) & (totals > 0)
        total = np.where(known, totals, 0).astype(np.float32)
        moved = np.where(known[:, :, None], counts, 0) * drift[None]
        moved *= (total / np.maximum(moved.sum(axis=2), 1e-9))[:, :, None]
        return cls(moved.astype(np.float32), total, known)

    def of(self, rows: NDArray[np.bool_]) -> Self:
        """Return those of *rows*."""
        return type(self)(self.counts[rows], self.totals[rows], self.known[rows])


class Angles(Struct, frozen=True, eq=False):
    """Weekly shares in arcsine scale, with how far each week strays by size.

    `angle` and `share` are (N, M, K), `stray` (N, M) a variance, `known` (N, M). The sums run along
    the weeks, weighted by 1 / stray where the week is known.
    """

    counts: Counts
    totals: Counts
    share: Counts
    angle: Counts
    stray: Counts
    known: NDArray[np.bool_]

    @classmethod
    def of(cls, weeks: Weeks, unsettled: NDArray[np.bool_]) -> Self:
        """Return *weeks* as angles; *unsettled* (N,) stray by more than their size lets expect."""
        counts, total, known = weeks.counts, weeks.totals, weeks.known
        share = np.minimum((counts + 0.375) / (total + 0.75)[:, :, None], 1)
        size = np.nan_to_num(
            median(np.where(known, total, np.nan)[:, : max(1, total.shape[1] - _NEWEST)])
        )
        extra = np.where(unsettled, _UNSETTLED, over_dispersion(size))[:, None]
        stray = extra + (1 - extra) / np.maximum(total, 1)
        angle = 2 * np.arcsin(np.sqrt(share))
        return cls(
            counts,
            total,
            share.astype(np.float32),
            angle.astype(np.float32),
            stray.astype(np.float32),
            known,
        )

    def compared(self, span: int) -> tuple[Counts, Counts, Counts, NDArray[np.bool_]]:
        """Return usual and present shares (N, K), the deviation (N, K) and who has enough (N,)."""
        split = self.totals.shape[1] - span
        past, now = slice(max(0, split - PAST), split), slice(split, None)
        weight = np.where(self.known[:, past], 1 / self.stray[:, past], 0)
        heavy = np.maximum(weight.sum(axis=1), 1e-9)
        centre = (weight[:, :, None] * self.angle[:, past]).sum(axis=1) / heavy[:, None]
        off = (weight[:, :, None] * (self.angle[:, past] - centre[:, None]) ** 2).sum(axis=1)
        weeks = self.known[:, past].sum(axis=1)
        before = np.maximum(self.totals[:, past].sum(axis=1), 1)
        usual = self.counts[:, past].sum(axis=1) / before[:, None]
        spread = _spread(off, weeks, usual)

        variance = self.stray[:, now, None] * spread[:, None]
        deviation = (self.angle[:, now] - centre[:, None]) / np.sqrt(variance)
        deviation = tail_deviation(deviation, self.share[:, now], usual[:, None], variance)
        if span > 1:
            deviation = deviation.clip(-_CLIP, _CLIP)
        of_centre = 1 / (heavy * self.stray[:, now].mean(axis=1))
        added = deviation.sum(axis=1) / np.sqrt(span + span**2 * of_centre)[:, None]

        total = self.totals[:, now]
        share = self.counts[:, now].sum(axis=1) / np.maximum(total.sum(axis=1), 1)[:, None]
        enough = (weeks >= LEAST_PAST) & (before >= LEAST_USUAL * weeks)
        enough &= (total.min(axis=1) >= LEAST_WEEK / 2) & (total.mean(axis=1) >= LEAST_WEEK)
        return usual, share, added, enough


def over_dispersion(size: Counts) -> Counts:
    """Return what a mix of *size* downloads a week strays by beyond chance (a correlation, 0..1).

    Fitted to real weekly mixes: .07 at 120 a week, .002 at 280,000 (science 5.1).
    """
    fitted: Counts = np.minimum(0.08, 0.6 * np.maximum(size, 10.0) ** -0.45).astype(np.float32)
    return fitted


def _spread(off: Counts, weeks: Counts, usual: Counts) -> Counts:
    """Return (N, K) how the project's own weeks stray, in units of what is usual at their size."""
    free = np.maximum(weeks - 1, 0)[:, None]
    sizeable = usual >= 0.05
    pooled = ((off * sizeable).sum(axis=1) + _WHOLE) / (free[:, 0] * sizeable.sum(axis=1) + _WHOLE)
    own = (off + _OWN * pooled[:, None]) / (free + _OWN)
    spread: Counts = np.maximum(own, _CALMEST).astype(np.float32)
    return spread
