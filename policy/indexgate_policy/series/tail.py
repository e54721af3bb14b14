"""How unusual a share is by a beta distribution: the upper tail, as deviations of a normal one."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from indexgate_policy.downloads.panel import Counts

_Numbers: TypeAlias = NDArray[np.floating[Any]]

_LOOKED_AT = 1.5  # deviations from which the tail is worth computing


def tail_deviation(deviation: Counts, share: Counts, usual: Counts, variance: Counts) -> Counts:
    """Return *deviation*, never more than the tail beyond *share* allows.

    The beta distribution has the mean *usual* and the *variance* in arcsine scale that a share of
    any size would have. All shapes must broadcast to that of *deviation*.
    """
    result = deviation.copy()
    places = np.nonzero(deviation > _LOOKED_AT)
    if not len(places[0]):
        return result
    mean = np.broadcast_to(usual, deviation.shape)[places].clip(0.003, 0.997).astype(np.float64)
    spread = np.minimum(np.broadcast_to(variance, deviation.shape)[places], 0.5)
    size = 1 / spread.astype(np.float64) - 1
    bound = _upper(share[places].astype(np.float64), mean * size, (1 - mean) * size)
    result[places] = np.minimum(deviation[places], np.maximum(bound, _LOOKED_AT))
    return result


def _upper(share: _Numbers, a: _Numbers, b: _Numbers) -> _Numbers:
    """Return the normal deviate with as small an upper tail as beta(*a*, *b*) has over *share*.

    By the leading terms of the tail's series, which holds where the tail is small.
    """
    x = share.clip(1e-6, 1 - 1e-6)
    log_tail = a * np.log(x) + b * np.log1p(-x) - np.log(b)
    log_tail -= _log_gamma(a) + _log_gamma(b) - _log_gamma(a + b)
    log_tail -= np.log(np.maximum(1 - (a + b) / (b + 1) * (1 - x), 1e-3))
    twice = np.maximum(-2 * log_tail, 2.0)
    square = twice - np.log(2 * np.pi * twice)
    for _ in range(2):
        square = twice - np.log(2 * np.pi * np.maximum(square, 0.5))
    deviate: _Numbers = np.sqrt(np.maximum(square, 0))
    return deviate


def _log_gamma(x: _Numbers) -> _Numbers:
    """Return the logarithm of the gamma function of positive *x* (Stirling, shifted by four)."""
    shifted = x + 4
    series: _Numbers = (
        (shifted - 0.5) * np.log(shifted)
        - shifted
        + 0.5 * np.log(2 * np.pi)
        + 1 / (12 * shifted)
        - 1 / (360 * shifted**3)
        - np.log(x * (x + 1) * (x + 2) * (x + 3))
    )
    return series
