"""Much installed from here, and unknown everywhere else."""

from datetime import timedelta

from indexgate_policy.assessment import Case
from indexgate_policy.checks import readings
from indexgate_policy.checks.definition import Definition
from indexgate_policy.checks.volume import DAYS, recent
from indexgate_policy.flags import Flag, Severity
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import age

DEFINITION = Definition(
    id="popular-here-only",
    short="Much installed from here, and unknown everywhere else",
    motivation=(
        "What people really use ends up in distributions, channels and other projects; a count "
        "that only one index shows may have been made for it"
    ),
    computes=(
        "50,000 human-like downloads in 28 days, no other registry that carries it, and fewer than "
        "5 owners whose projects depend on it"
    ),
    source="Science fl-1",
    minimum_data="180 days of age, the downloads, the dependents, and a look at other registries",
    severity="Low",
    known_false_alarms="Tools that make sense in Python alone",
    remediation="Read it beside the other flags; alone it says little",
)

LEAST = 50_000
GROWN = timedelta(days=180)
OWNERS = 5


def check(case: Case) -> Flag | Unknown | None:
    """Flag a project that only this index knows."""
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
    elsewhere = readings.number(case, "present_elsewhere")
    if isinstance(elsewhere, Unknown):
        return elsewhere
    few = readings.fewer_dependent_owners(case, OWNERS)
    if isinstance(few, Unknown):
        return few
    if elsewhere > 0 or not few:
        return None
    return Flag(
        check=DEFINITION.id,
        severity=Severity.LOW,
        evidence=(
            f"{volume.human:,.0f} human-like downloads in {DAYS} days, yet no other registry "
            f"carries it and fewer than {OWNERS} owners' projects depend on it"
        ),
        facts={"human_downloads": round(volume.human)},
    )
