"""Downloads that fall to a third or less and stay there."""

from indexgate_policy.assessment import Case
from indexgate_policy.checks import series
from indexgate_policy.checks.definition import Definition
from indexgate_policy.flags import Flag, Severity
from indexgate_policy.signals import Unknown

DEFINITION = Definition(
    id="drop-part",
    short="Downloads have fallen to a third or less",
    motivation="When most users leave within days, something happened that the rest should know",
    computes=(
        "Downloads by CI, pipelines and people of 7 days: a third or less of the lowest usual "
        "level, 4 standard deviations below, and under 45 % of what is expected on 6 of 7 days. "
        "What the whole index did is divided out"
    ),
    source="Science fl-1",
    minimum_data="4 weeks of history, 200 downloads in a usual week, 120 days of age",
    severity="Low",
    known_false_alarms="The end of a term or of a batch job",
    remediation="See whether the project has moved, and why others left",
)


def check(case: Case) -> Flag | Unknown | None:
    """Flag a project of which far less is downloaded than usual."""
    found = series.in_force(case, "drop", but=("stopped",))
    if found is None or isinstance(found, Unknown):
        return found
    return Flag(
        check=DEFINITION.id,
        severity=Severity.LOW,
        evidence=(
            f"{series.count(found.before)} -> {series.count(found.now)} downloads a week since "
            f"{series.moment(case, found.onset):%Y-%m-%d}"
        ),
        facts={"usual_week": round(found.before, 1), "week": round(found.now, 1)},
        began=series.moment(case, found.onset),
        ends=series.ends(case, found),
    )
