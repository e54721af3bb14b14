"""People have left and machines stay."""

from indexgate_policy.assessment import Case
from indexgate_policy.checks import mix_shift, series
from indexgate_policy.checks.definition import Definition
from indexgate_policy.flags import Flag, Severity
from indexgate_policy.signals import Unknown

DEFINITION = Definition(
    id="automation-shift",
    short="People have left, machines stay",
    motivation="A number of downloads that only machines hold up says nothing of users any more",
    computes=(
        "The share of what looks like people, over 14 and 21 days, against the 12 weeks before: "
        "under 45 % of what it was, the people themselves under half, and 5 standard deviations "
        "below. What the whole index did is divided out"
    ),
    source="Science fl-1",
    minimum_data="6 weeks of history, 120 days of age, 8 % people before",
    severity="Low",
    known_false_alarms="Holidays and the end of a term in a project for pupils and students",
    remediation="Look at the timeline; do not take the number of downloads for trust",
)


def check(case: Case) -> Flag | Unknown | None:
    """Flag a project that people have left."""
    found = series.in_force(case, "automation")
    if found is None or isinstance(found, Unknown):
        return found
    return mix_shift.flag_of(
        case,
        found,
        check=DEFINITION.id,
        part="people",
        severity=Severity.LOW,
        also=None,
    )
