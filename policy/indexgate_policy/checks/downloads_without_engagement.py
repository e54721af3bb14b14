"""Many human-like downloads that nobody talks about."""

from datetime import timedelta

from indexgate_policy.assessment import Case
from indexgate_policy.checks import readings
from indexgate_policy.checks.definition import Definition
from indexgate_policy.checks.volume import DAYS, recent
from indexgate_policy.flags import Flag, Severity
from indexgate_policy.health.wording import count
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import age

DEFINITION = Definition(
    id="downloads-without-engagement",
    short="Many human-like downloads that nobody talks about",
    motivation=(
        "Where people install a project by hand some of them star it, report what is broken and "
        "build on it; downloads are cheap to imitate, people are not"
    ),
    computes=(
        "Human-like downloads of 28 days less those that dependents brought, as the stars that "
        "libraries of that size have (1.25 x downloads^.62), over what there is: stars, three for "
        "a person in issues, two for a mention, twenty for a dependent owner, five for nothing"
    ),
    source="Science fl-1; fitted to libraries of 3,000 to 2.5 million downloads a month",
    minimum_data=(
        "14 days of age, 5,000 such downloads, the stars, and how many depend on the project or "
        "what they bring"
    ),
    severity="Medium from 10 times too few, high from 40 when the people in issues are known",
    known_false_alarms="Kits of companies that develop elsewhere",
    remediation="Ask who uses it: a project without people has nobody who would notice",
)

GROWN = timedelta(days=14)
LEAST = 5_000
SCALE, POWER = 1.25, 0.62
PERSON, MENTION, DEPENDENT_OWNER, NOTHING = 3, 2, 20, 5
TOO_FEW, FAR_TOO_FEW = 10, 40


def check(case: Case) -> Flag | Unknown | None:
    """Flag a project with people's downloads and no people."""
    known = age(case.project.first_upload, case.now)
    if isinstance(known, Unknown):
        return known
    if known < GROWN:
        return None
    volume = recent(case)
    if isinstance(volume, Unknown):
        return volume
    if volume.human < LEAST:
        return None
    stars = readings.number(case, "stars")
    if isinstance(stars, Unknown):
        return stars
    owners = readings.number(case, "dependent_owners")
    if isinstance(owners, Unknown):
        owners = readings.number(case, "dependents")  # at least as many: in doubt for the project
    brought = readings.number(case, "downloads_by_dependents")
    if isinstance(owners, Unknown) and isinstance(brought, Unknown):
        return brought
    own = volume.human - _or_0(brought)
    people = readings.number(case, "people_in_issues")
    there = stars + PERSON * _or_0(people) + DEPENDENT_OWNER * _or_0(owners)
    there += MENTION * _or_0(readings.number(case, "mentions"))
    if own < LEAST:
        return None
    usual = SCALE * own**POWER
    ratio = usual / (there + NOTHING)
    if ratio < TOO_FEW:
        return None
    sure = ratio >= FAR_TOO_FEW and not isinstance(people, Unknown)
    return Flag(
        check=DEFINITION.id,
        severity=Severity.HIGH if sure else Severity.MEDIUM,
        evidence=(
            f"{own:,.0f} human-like downloads in {DAYS} days that no dependent explains, but "
            f"{count(stars, 'star')}{_talk(people)}; a library of this size has about {usual:,.0f}"
        ),
        facts={"own_downloads": round(own), "stars": round(stars), "usual_stars": round(usual)},
    )


def _or_0(value: float | Unknown) -> float:
    """Return *value*, 0 when it is not known: the caller sees to it that enough is known."""
    return 0.0 if isinstance(value, Unknown) else value


def _talk(people: float | Unknown) -> str:
    return (
        "" if isinstance(people, Unknown) else f" and {count(people, 'person', 'people')} in issues"
    )
