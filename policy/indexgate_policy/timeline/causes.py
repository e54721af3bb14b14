"""Which events can bring which changes, how near they must lie, and how much they can carry.

Science fl-1, explanation. New dependents, stars and releases are measured where the history has
them (`series.explained`); the others go by this table.
"""

from math import exp
from typing import Final

from msgspec import Struct

from indexgate_policy.events import EventKind
from indexgate_policy.series.finding import FindingKind

MEASURED: Final = frozenset[EventKind]({"new-dependents", "stars", "release", "first-release"})
"""Kinds whose share is measured from the history, not taken from the table."""

EVERYBODYS: Final = frozenset[EventKind]({"counting-break", "lost-day", "holiday", "whole-index"})
"""Kinds that happen to the whole index at once."""


class Reach(Struct, frozen=True, kw_only=True):
    """How far around the onset an event is looked at, and what it can carry.

    It lies at most `before` days before the onset or `after` days after it. It carries `most` on
    the day itself, fading with `fade` days, of changes of the kinds `of`. An event that carries
    nothing is told all the same: it makes what is unexplained worse.
    """

    before: int
    after: int
    fade: float = 1.0
    most: float = 0.0
    of: frozenset[FindingKind] = frozenset()

    def reaches(self, lag: int) -> bool:
        """Tell whether an event *lag* days after the onset (before: negative) is near enough."""
        return -self.before <= lag <= self.after

    def carries(self, kind: FindingKind, lag: int) -> float:
        """Return the share 0..1 of a change of *kind* that the event carries at most."""
        if kind not in self.of or not self.reaches(lag):
            return 0.0
        return self.most * exp(-abs(lag) / self.fade / 2)


def _of(*kinds: FindingKind) -> frozenset[FindingKind]:
    return frozenset(kinds)


_ALL = _of("surge", "drop", "installer", "region", "version", "automation", "stars")

REACH: Final[dict[EventKind, Reach]] = {
    # The four that are measured; a step looks back 14 days, a drip 84.
    "new-dependents": Reach(before=84, after=14),
    "stars": Reach(before=14, after=14),
    "release": Reach(before=10, after=7),
    "first-release": Reach(before=10, after=7),
    "mention": Reach(before=7, after=7, fade=7, most=0.7, of=_of("surge", "stars")),
    "advisory": Reach(before=7, after=2, fade=5, most=0.5, of=_of("surge", "drop", "version")),
    "client-change": Reach(
        before=5, after=2, fade=7, most=0.6, of=_of("installer", "version", "automation")
    ),
    "holiday": Reach(before=1, after=1, fade=2, most=0.6, of=_of("drop", "region", "automation")),
    "whole-index": Reach(before=1, after=1, fade=2, most=0.6, of=_of("surge", "drop")),
    "lost-day": Reach(before=1, after=1, fade=1, most=1.0, of=_of("drop")),
    "counting-break": Reach(before=1, after=7, fade=7, most=1.0, of=_ALL),
    # These explain nothing and are always told.
    "owner-change": Reach(before=30, after=7),
    "repository-change": Reach(before=30, after=7),
    "yank": Reach(before=14, after=7),
    "status": Reach(before=30, after=7),
}
