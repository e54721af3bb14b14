"""Caps: what no other merit makes up for."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from msgspec import Struct

from indexgate_policy.health.facts import Facts
from indexgate_policy.health.open_advisories import OpenAdvisories
from indexgate_policy.health.releases import FIVE_YEARS
from indexgate_policy.health.result import Cap
from indexgate_policy.health.wording import count, day
from indexgate_policy.signals import Unknown

MALWARE = 0.0
HIGH_ADVISORY = 44.0  # one below grade C, like the other caps for what nobody repairs
LONG = timedelta(days=90)
AWAKE = timedelta(days=180)


class Rule(Struct, frozen=True, kw_only=True):
    """A cap: its limit, the condition in words, and the function that gives the reason or ""."""

    limit: float
    when: str
    reason: Callable[[Facts], str]


def caps(facts: Facts) -> tuple[Cap, ...]:
    """Return the caps that hold, lowest first."""
    return tuple(sorted(_hold(facts), key=lambda cap: cap.limit))


def of_advisories(opened: OpenAdvisories, now: datetime) -> Iterator[Cap]:
    """Yield the caps that follow from the advisories open in the newest version."""
    if opened.malware:
        reason = f"{opened.version} is reported as malware ({opened.malware[0]})"
        yield Cap(limit=MALWARE, reason=reason)
    if opened.high_since is not None and now - opened.high_since > LONG:
        reason = f"a high or critical advisory has been open since {day(opened.high_since)}"
        yield Cap(limit=HIGH_ADVISORY, reason=reason)


def _hold(facts: Facts) -> Iterator[Cap]:
    for rule in RULES:
        if reason := rule.reason(facts):
            yield Cap(limit=rule.limit, reason=reason)


def _by_advisories(limit: float) -> Callable[[Facts], str]:
    def reason(facts: Facts) -> str:
        opened = facts.advisories
        if isinstance(opened, Unknown):
            return ""
        return next(
            (cap.reason for cap in of_advisories(opened, facts.now) if cap.limit == limit), ""
        )

    return reason


def _quarantined(facts: Facts) -> str:
    held = facts.case.project.status == "quarantined"
    return "the index has put it in quarantine" if held else ""


def _over(facts: Facts) -> str:
    status = facts.case.project.status
    if status in ("archived", "deprecated"):
        return f"its maintainers have marked it as {status}"
    if isinstance(facts.repository_share, Unknown):
        return ""
    archived = facts.truth("repository_archived") is True
    return "its repository is archived" if archived else ""


def _newborn(facts: Facts) -> str:
    return _younger_than(facts, 30)


def _young(facts: Facts) -> str:
    return _younger_than(facts, 90)


def _younger_than(facts: Facts, days: int) -> str:
    first = facts.first_release
    if isinstance(first, Unknown) or facts.days_since(first) >= days:
        return ""
    return f"its first release is of {day(first)}, less than {days} days ago"


def _unseen(facts: Facts) -> str:
    dependents, stars = facts.dependents, facts.number("stars")
    if facts.text("repository") == "":
        stars = 0.0
    if isinstance(dependents, Unknown) or isinstance(stars, Unknown):
        return ""
    if dependents.owners >= 2 or stars >= 5:
        return ""
    return (
        f"nobody visible uses it: {count(stars, 'star')}, "
        f"{count(dependents.owners, 'owner')} of dependents"
    )


def _asleep(facts: Facts) -> str:
    rhythm = facts.rhythm
    if isinstance(rhythm, Unknown) or facts.finished is not None:
        return ""
    if facts.now - rhythm.last_change <= FIVE_YEARS:
        return ""
    return f"the last release that changed anything is of {day(rhythm.last_change)}"


def _just_awake(facts: Facts) -> str:
    rhythm = facts.rhythm
    if isinstance(rhythm, Unknown) or rhythm.woke is None or rhythm.slept_since is None:
        return ""
    if facts.now - rhythm.woke > AWAKE:
        return ""
    return f"it released again on {day(rhythm.woke)}, for the first time since " + day(
        rhythm.slept_since
    )


RULES: tuple[Rule, ...] = (
    Rule(
        limit=MALWARE,
        when="an advisory reports the newest version as malware",
        reason=_by_advisories(MALWARE),
    ),
    Rule(limit=0.0, when="the index has put it in quarantine (PEP 792)", reason=_quarantined),
    Rule(limit=35.0, when="the first release is less than 30 days old", reason=_newborn),
    Rule(
        limit=40.0,
        when="the index marks it as archived or deprecated, or its repository is archived",
        reason=_over,
    ),
    Rule(
        limit=42.0,
        when="nobody visible uses it: fewer than 2 owners of dependents and fewer than 5 stars",
        reason=_unseen,
    ),
    Rule(
        limit=HIGH_ADVISORY,
        when="a high or critical advisory of the newest version is public for more than 90 days",
        reason=_by_advisories(HIGH_ADVISORY),
    ),
    Rule(
        limit=44.0,
        when="no release changed anything for five years, and it is no finished library",
        reason=_asleep,
    ),
    Rule(
        limit=44.0,
        when="it released again less than 180 days ago, after five years without a release",
        reason=_just_awake,
    ),
    Rule(limit=50.0, when="the first release is less than 90 days old", reason=_young),
)
"""All caps, lowest first."""
