"""Days on which a rule holds, put together into findings: one for each time it begins anew."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from indexgate_policy.series.finding import Finding

GAP = 14
"""Days of calm after which the same rule makes a new finding."""

_REOPENS = 7  # days after which a finding that was explained is told again when it no longer is


def episodes(
    hot: NDArray[np.bool_], first: int, told: Callable[[int, int], Finding], gap: int = GAP
) -> Iterator[Finding]:
    """Yield the findings of the (N, D) days on which a rule is *hot*; column 0 is day *first*.

    *told(row, column)* describes a day. One that comes less than *gap* days after the last is the
    same finding, unless that was explained and this no longer is.
    """
    for row in np.flatnonzero(hot.any(axis=1)):
        last: int | None = None
        open_: Finding | None = None
        for column in np.flatnonzero(hot[row]):
            day = first + int(column)
            fresh = last is None or day - last > gap
            again = open_ is not None and open_.is_explained and day - open_.day >= _REOPENS
            last = day
            if not fresh and not again:
                continue
            finding = told(int(row), int(column))
            if fresh or not finding.is_explained:
                yield finding
                open_ = finding
