"""Ten thousand downloads in a project's first week."""

from datetime import timedelta
from math import isnan

from indexgate_policy.assessment import Case
from indexgate_policy.checks import readings
from indexgate_policy.checks.definition import Definition
from indexgate_policy.downloads.kinds import CLASSES
from indexgate_policy.flags import Flag, Severity
from indexgate_policy.health.wording import count
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import age

DEFINITION = Definition(
    id="new-10k",
    short="Ten thousand downloads in the first week",
    motivation=(
        "Nobody knows a project that is a week old; who wants it to look known buys downloads "
        "first, and the week in which nobody looks is the cheapest"
    ),
    computes=(
        "Downloads of the seven days from the first release, mirrors and caches left out, against "
        "10,000; then whether projects that need it bring half of them, or stars and people in "
        "issues, or an owner with a past, speak for it"
    ),
    source="Science fl-1",
    minimum_data="The downloads of the first week; silent from 60 days of age",
    severity=(
        "Info when dependents bring it, or with 20 stars (in proportion in the first week) and two "
        "people in issues; low when "
        "the owner has three other projects and more than a year; high when neither holds, medium "
        "when that is not known"
    ),
    known_false_alarms="Parts split out of a popular project, which it then brings with it",
    remediation="Wait until the project has people, or look at who brings the downloads",
)

LEAST = 10_000
FIRST_WEEK = timedelta(days=7)
NEWS = timedelta(days=60)
CARRIED = 0.5  # of the downloads by projects that need it make it a part of them
STARS, PEOPLE = 20, 2
OWNER_PROJECTS, OWNER_AGE = 3, timedelta(days=365)
_FETCHED = tuple(place for place, kind in enumerate(CLASSES) if kind not in {"mirror", "cache"})


def check(case: Case) -> Flag | Unknown | None:
    """Flag a new project that was downloaded a great deal at once."""
    first = case.project.first_upload
    if isinstance(first, Unknown):
        return first
    if case.now >= first + NEWS:
        return None
    found = _first_week(case)
    if isinstance(found, Unknown):
        return found
    if found < LEAST:
        return None
    severity, why = _severity(case, found)
    return Flag(
        check=DEFINITION.id,
        severity=severity,
        evidence=f"{found:,.0f} downloads in its first week; {why}",
        facts={"first_week_downloads": round(found)},
        began=first,
        ends=first + NEWS,
        explained=1.0 if severity is Severity.INFO else 0.0,
    )


def _first_week(case: Case) -> float | Unknown:
    panel = case.history
    if isinstance(panel, Unknown):
        return readings.number(case, "first_week_downloads")
    born = int(panel.born[0])
    if not 0 <= born < panel.days:
        return readings.number(case, "first_week_downloads")
    week = panel.classes[0, born : born + FIRST_WEEK.days].tolist()
    counts = [sum(day[place] for place in _FETCHED) for day in week]
    known = [count for count in counts if not isnan(count)]  # unknown days add nothing
    return float(sum(known)) if known else readings.number(case, "first_week_downloads")


def _severity(case: Case, found: float) -> tuple[Severity, str]:
    brought = readings.number(case, "downloads_by_dependents")
    if not isinstance(brought, Unknown) and brought >= CARRIED * found:
        return Severity.INFO, "projects that need it bring them"
    people, owner = _has_people(case), _has_a_past(case)
    if people is True:
        return Severity.INFO, "it has stars, and people write about it"
    if owner is True:
        return Severity.LOW, "its owner has released other projects for more than a year"
    told = [text for text in (_stars(case), _owner(case)) if text]
    unknown = [one.reason for one in (people, owner) if isinstance(one, Unknown)]
    severity = Severity.MEDIUM if unknown else Severity.HIGH
    return severity, ", ".join(told) or "what could explain it is not known"


def _has_people(case: Case) -> bool | Unknown:
    stars, people = readings.number(case, "stars"), readings.number(case, "people_in_issues")
    known = age(case.project.first_upload, case.now)
    share = 1.0 if isinstance(known, Unknown) else min(1.0, known / FIRST_WEEK)
    if not isinstance(stars, Unknown) and stars < STARS * share:
        return False
    if not isinstance(people, Unknown) and people < PEOPLE:
        return False
    return next((one for one in (stars, people) if isinstance(one, Unknown)), True)


def _has_a_past(case: Case) -> bool | Unknown:
    others, since = readings.number(case, "owner_projects"), readings.day(case, "owner_since")
    if not isinstance(others, Unknown) and others < OWNER_PROJECTS:
        return False
    if not isinstance(since, Unknown) and case.now - readings.start(since) <= OWNER_AGE:
        return False
    return next((one for one in (others, since) if isinstance(one, Unknown)), True)


def _stars(case: Case) -> str:
    stars = readings.number(case, "stars")
    return "" if isinstance(stars, Unknown) else count(stars, "star")


def _owner(case: Case) -> str:
    others = readings.number(case, "owner_projects")
    return "" if isinstance(others, Unknown) else f"its owner has {count(others, 'other project')}"
