"""The bounds of a share that was counted."""

from math import sqrt

Z = 1.96  # 95 % on both sides together


def wilson(found: float, of: float) -> tuple[float, float]:
    """Return the 95 % bounds of the share *found* / *of* (Wilson 1927); (0, 1) of nothing."""
    if of <= 0:
        return 0.0, 1.0
    share = min(1.0, found / of)
    scale = 1 + Z**2 / of
    middle = share + Z**2 / (2 * of)
    spread = Z * sqrt(share * (1 - share) / of + Z**2 / (4 * of**2))
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)
