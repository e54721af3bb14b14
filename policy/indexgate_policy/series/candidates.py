"""Which projects can have surged or dropped at all: to look closely costs, and most cannot have."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from indexgate_policy.downloads.panel import Panel
from indexgate_policy.series.baseline import LONG, SHORT, daily_consumers
from indexgate_policy.series.drop import FALLEN_TO, LEAST_USUAL
from indexgate_policy.series.finding import NOTABLE
from indexgate_policy.series.index_level import Common
from indexgate_policy.series.surge import EXCESS
from indexgate_policy.series.windows import trailing_sum

_DAYS_USUAL: Final = 10
"""Of the 42 days that tell the usual week half must be known, and half of these as high as it."""


def candidates(panel: Panel, common: Common, first: int) -> NDArray[np.intp]:
    """Return the rows in which a surge or a drop may be told on a day from *first* on.

    It follows from the rules: a surge brings `EXCESS` more a week and is `NOTABLE` against a usual
    week, which is no smaller than the smallest; a drop falls from `LEAST_USUAL` a week at least to
    `FALLEN_TO` of the usual at most.
    """
    weekly = trailing_sum(daily_consumers(panel, common))
    seen = weekly[:, first:]
    with np.errstate(invalid="ignore"):
        least = np.fmin.reduce(weekly[:, max(0, first - LONG[1]) :], axis=1)
        most = np.fmax.reduce(seen, axis=1)
        surged = (most >= EXCESS) & (most + 1 >= NOTABLE * least)
        weekly = weekly[:, max(0, first - SHORT[1]) :]
        usual = (weekly >= LEAST_USUAL - 1).sum(axis=1) >= _DAYS_USUAL
        highest = np.fmax.reduce(weekly, axis=1) + 1
        dropped = np.fmin.reduce(seen, axis=1) <= FALLEN_TO * highest
    return np.flatnonzero(surged | (usual & dropped))
