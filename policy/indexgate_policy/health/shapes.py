"""The shapes that turn a measured quantity into a share 0..1 (science hs-1)."""

from collections.abc import Sequence
from itertools import pairwise
from math import log1p


def sat(x: float, full: float) -> float:
    """Return ln(1+x) / ln(1+full), at most 1: each tenfold counts the same, up to *full*."""
    return min(1.0, log1p(max(x, 0.0)) / log1p(full))


def half(x: float, free: float, life: float) -> float:
    """Return 1 up to *free*, and from there half as much for every *life* more."""
    return 1.0 if x <= free else 0.5 ** ((x - free) / life)


def interpolate(x: float, points: Sequence[tuple[float, float]]) -> float:
    """Return the value at *x* on straight lines between *points* (x, value), flat outside them."""
    for (left, at_left), (right, at_right) in pairwise(points):
        if x <= right:
            share = max(0.0, (x - left) / (right - left))
            return at_left + (at_right - at_left) * share
    return points[-1][1]
