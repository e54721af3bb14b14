"""What a project's download history tells on its newest day, and what makes it weigh more."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from msgspec.structs import replace

from indexgate_policy.assessment import Case
from indexgate_policy.checks import readings
from indexgate_policy.checks.volume import STALE, stale
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import age

if TYPE_CHECKING:  # numpy takes a tenth of a second and 25 MB, and most of the gate does without
    from indexgate_policy.downloads.panel import Movement, Panel
    from indexgate_policy.series.finding import Finding, FindingKind

LOOKED_AT = 42
"""Days up to the newest on which the history is looked at."""

LEAST_DAYS = 28
"""With fewer days that are known the history is too short to tell what is usual."""

HOLDS = timedelta(days=14)
"""So long after the newest day on which its rule held a finding is in force."""

MIX_HOLDS = timedelta(days=28)

_OWNERS = timedelta(days=45)
_NEW = timedelta(days=90)
_ALIKE = 0.8


def in_force(
    case: Case, kind: "FindingKind", *, but: Sequence[str] = ()
) -> "Finding | Unknown | None":
    """Return the newest finding of *kind* that is in force, and of no rule in *but*.

    Its numbers are those of the day on which it was strongest.
    Unknown when there is no history, when it is too short, or when its newest day is 14 days old.
    """
    panel = case.history
    if isinstance(panel, Unknown):
        return panel
    if case.now - readings.start(panel.last_day) > STALE:
        return stale(panel.last_day)
    if (days := _known_days(panel)) < LEAST_DAYS:
        return Unknown(reason=f"only {days} days of downloads are known")
    movement = case.context.movement
    found = _told(panel, None if isinstance(movement, Unknown) else movement)
    strongest = (
        replace(one.peak or one, day=one.day, onset=one.onset, last=one.last)
        for one in reversed(found)
        if one.kind == kind and case.now < ends(case, one)
    )
    return next((one for one in strongest if one.why not in but), None)


def _known_days(panel: "Panel") -> int:
    """Count them; what is not a number is not equal to itself, and numpy need not be imported."""
    consumers = panel.consumers[0]
    return int((consumers == consumers).sum())  # noqa: PLR0124


@lru_cache(maxsize=4)
def _told(panel: "Panel", movement: "Movement | None") -> "tuple[Finding, ...]":
    from indexgate_policy.series.findings import findings

    return tuple(findings(panel, movement, first=max(0, panel.days - LOOKED_AT)))


def moment(case: Case, day: int) -> datetime:
    """Return the start of day number *day* of the history, which must be known."""
    if isinstance(case.history, Unknown):
        raise TypeError("there is no history")
    return readings.start(case.history.first_day + timedelta(days=day))


def ends(case: Case, finding: "Finding") -> datetime:
    """Return when *finding* is no longer in force unless it holds on a later day."""
    holds = HOLDS if finding.kind in {"surge", "drop", "stars"} else MIX_HOLDS
    return moment(case, finding.last) + timedelta(days=1) + holds


def owners_changed(case: Case) -> str | None:
    """Return a clause that says so when the owners changed in the last 45 days."""
    on = readings.day(case, "owners_changed_on")
    if isinstance(on, Unknown) or case.now - readings.start(on) >= _OWNERS:
        return None
    return f"its owners changed on {on}"


def second_sign(case: Case) -> str | None:
    """Return a clause that names another reason for doubt; a change of volume is none by itself."""
    if changed := owners_changed(case):
        return changed
    since = age(case.project.first_upload, case.now)
    if not isinstance(since, Unknown) and since < _NEW:
        return "it is under 90 days old"
    alike = case.context.popular.lookalike(case.project.name)
    if alike is not None and alike.confusability >= _ALIKE:
        return f"its name can be taken for {alike.imitates}"
    return None


def moved_too(case: Case, *but: "FindingKind") -> str | None:
    """Return a clause that names another finding in force that nothing explains, not of *but*."""
    others: dict[FindingKind, str] = {
        "surge": "downloads surged",
        "drop": "downloads fell",
        "installer": "the mix of installers shifted",
        "automation": "people left",
        "version": "old versions came back",
        "stars": "stars came in a burst",
    }
    for kind, clause in others.items():
        found = None if kind in but else in_force(case, kind)
        if found is not None and not isinstance(found, Unknown) and not found.is_explained:
            return f"{clause} too"
    return None


def count(value: float) -> str:
    """Return a count as people read it."""
    return f"{value:,.0f}"


def percent(share: float) -> str:
    """Return a share 0..1 in whole percent."""
    return f"{100 * share:.0f} %"
