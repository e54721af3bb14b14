"""What downloads are made of over weeks: the sums of a weekly mix of the history."""

from collections.abc import Sequence
from math import isnan
from typing import Literal, TypeAlias

from indexgate_policy.assessment import Case
from indexgate_policy.checks import readings
from indexgate_policy.checks.volume import STALE, stale
from indexgate_policy.signals import Unknown

WEEKS = 4
Mix: TypeAlias = Literal["regions", "version_ages"]


def weekly(case: Case, mix: Mix) -> list[list[float] | None] | Unknown:
    """Return the counts of every week of the history, oldest first; None: not known."""
    panel = case.history
    if isinstance(panel, Unknown):
        return panel
    if case.now - readings.start(panel.last_day) > STALE:
        return stale(panel.last_day)
    counts = (panel.regions if mix == "regions" else panel.version_ages)[0].tolist()
    return [None if any(map(isnan, week)) else week for week in counts]


def total(weeks: Sequence[list[float] | None]) -> list[float]:
    """Return the sums over the known ones of *weeks*; empty when none is known."""
    known = [week for week in weeks if week is not None]
    return [sum(column) for column in zip(*known, strict=True)]
