"""How much of a surge known events carry: new dependents, stars with an audience, a release."""

from functools import cached_property

import numpy as np
from msgspec import Struct

from indexgate_policy.downloads.panel import Counts, Panel

_STAR_DAYS, _STAR_PAST = 14, 84
_RELEASE_DAYS = 10
_AUDIENCE = 0.25  # of the excess must look like people before stars explain any of it
_UNHEARD = 0.6  # stars count for so much when nobody writes
_RELEASE_CARRIES = 7.0  # times the usual week, at most


class Explanations(Struct, eq=False, dict=True):
    """What carries a rise, looked up for one project and day at a time.

    The share is 0..1 of the excess over the usual week (science fl-1, explanation).
    """

    panel: Panel

    @cached_property
    def _people(self) -> Counts:
        return self.panel.of_class("human")

    def of(self, row: int, day: int, usual: float, week: float, memory: int) -> tuple[float, str]:
        """Return the share that is carried, and by what most; *memory* is in days.

        *usual* and *week* are downloads a week; a dependent that came in the last *memory* days
        counts.
        """
        excess = max(week - usual, 1.0)
        shares = {
            "new-dependents": self._dependents(row, day, memory) / excess,
            "stars": self._stars(row, day, excess),
            "release": self._release(row, day, usual) / excess,
        }
        shares = {name: min(1.0, share) for name, share in shares.items()}
        most = max(shares, key=lambda name: shares[name])
        total = min(1.0, sum(shares.values()))
        return total, most if total > 0 else ""

    def _dependents(self, row: int, day: int, memory: int) -> float:
        seen = self.panel.inflow[row, max(0, day - memory) : day + 1]
        return 7 * float(np.nan_to_num(seen).max(initial=0))

    def _release(self, row: int, day: int, usual: float) -> float:
        seen = self.panel.releases[row, max(0, day - _RELEASE_DAYS + 1) : day + 1]
        return _RELEASE_CARRIES * usual if np.nansum(seen) > 0 else 0.0

    def _stars(self, row: int, day: int, excess: float) -> float:
        since = max(0, day - _STAR_DAYS + 1)
        stars = self.panel.stars[row, since : day + 1]
        before = self.panel.stars[row, max(0, since - _STAR_PAST) : since]
        known = np.isfinite(before)
        expected = (float(before[known].mean()) if known.any() else 0.0) * _STAR_DAYS + 0.5
        rise = float(np.nansum(stars)) - expected
        audience = float(np.nansum(self._people[row, max(0, day - 6) : day + 1]))
        if rise <= 4 * expected**0.5 or audience <= _AUDIENCE * excess:
            return 0.0
        talk = float(np.nansum(self.panel.people[row, since : day + 1])) >= 1
        wanted = max(8.0, 0.004 * min(excess, 1e5))  # what an audience of this size brings
        return min(1.0, rise / wanted) * (1.0 if talk else _UNHEARD)
