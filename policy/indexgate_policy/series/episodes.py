"""Days on which a rule holds, put together into findings: one for each time it begins anew."""

from collections.abc import Callable, Iterator

import numpy as np
from msgspec.structs import replace
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
        open_: Finding | None = None
        for column in np.flatnonzero(hot[row]):
            seen = told(int(row), int(column))
            if open_ is None:
                open_ = seen
            elif seen.day - open_.last > gap or _reopens(open_, seen):
                yield open_
                open_ = seen
            else:
                peak = seen if seen.score > (open_.peak or open_).score else open_.peak
                open_ = replace(open_, last=seen.day, peak=peak)
        if open_ is not None:
            yield open_


def _reopens(finding: Finding, seen: Finding) -> bool:
    """Tell whether what explained *finding* no longer carries what is *seen* a week later."""
    waited = seen.day - finding.day >= _REOPENS
    return finding.is_explained and not seen.is_explained and waited
