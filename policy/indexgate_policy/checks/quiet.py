"""Which projects are downloaded so little that no check on volumes has anything to say of them."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from indexgate_policy.checks import automation_only, clockwork, region_concentration, stale_majority
from indexgate_policy.checks.series import LEAST_DAYS
from indexgate_policy.checks.volume import DAYS
from indexgate_policy.downloads.kinds import CLASSES, CONSUMERS
from indexgate_policy.downloads.panel import Panel

_HUMAN: Final = CLASSES.index("human")
_CONSUMERS: Final = [CLASSES.index(name) for name in CONSUMERS]
_SAFELY: Final = 0.99  # sums that are rounded otherwise fall on the same side
_FEW: Final = _SAFELY * min(
    automation_only.LEAST, clockwork.LEAST_A_DAY * DAYS, stale_majority.LEAST
)
_FEW_PEOPLE: Final = _SAFELY * region_concentration.LEAST
"""The least of what checks on 28 days need; those for which more are needed are silent then too."""


def quiet(panel: Panel) -> NDArray[np.bool_]:
    """Return (N,) where 28 days had too few downloads for any check on volumes to speak."""
    days, known = _recent(panel)
    counts = np.where(known[:, :, None], days, 0).sum(axis=1, dtype=np.float64)
    counts *= (DAYS / np.maximum(known.sum(axis=1), 1))[:, None]
    few = counts[:, _CONSUMERS].sum(axis=1) < _FEW
    silent: NDArray[np.bool_] = few & (counts[:, _HUMAN] < _FEW_PEOPLE)
    return silent


def known_days(panel: Panel) -> NDArray[np.int64]:
    """Return (N, 2) how many of the last 28 days are known, and how many of all as far as 28.

    Of two quiet projects with the same numbers the checks lack the same, and say so alike.
    """
    _, known = _recent(panel)
    ever = np.isfinite(panel.consumers).sum(axis=1)
    return np.stack([known.sum(axis=1), np.minimum(ever, LEAST_DAYS)], axis=1)


def _recent(panel: Panel) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    days = panel.classes[:, -DAYS:]
    return days, np.isfinite(days).all(axis=2) & ~panel.incomplete[None, -DAYS:]
