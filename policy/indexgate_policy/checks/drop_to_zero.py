"""Downloads that stop."""

from indexgate_policy.assessment import Case
from indexgate_policy.checks import series
from indexgate_policy.checks.definition import Definition
from indexgate_policy.flags import Flag, Severity
from indexgate_policy.signals import Unknown

DEFINITION = Definition(
    id="drop-to-zero",
    short="Downloads have stopped",
    motivation=(
        "When everybody stops at once, the project was withdrawn, renamed or found out, and "
        "who still installs it is the last to hear"
    ),
    computes=(
        "Downloads by CI, pipelines and people: 6 % or less of what 2 to 14 days let expect, where "
        "30 are expected, chance is under 1 in 10,000, and a third of the least in as many days of "
        "12 weeks; or a silence twice as long as any in 12 weeks and 3 days. The week must be "
        "under 40 % of the lowest usual level, and the whole index must not have fallen"
    ),
    source="Science fl-1",
    minimum_data="4 weeks of history and 120 days of age",
    severity=(
        "Medium; high when its owners changed in the last 45 days, when every release is yanked, "
        "or when the index no longer calls it active"
    ),
    known_false_alarms="A rename, a merge into another project, one large user leaving",
    remediation="See whether the project has moved, and why others left",
)


def check(case: Case) -> Flag | Unknown | None:
    """Flag a project whose downloads have stopped."""
    found = series.in_force(case, "drop", but=("part",))
    if found is None or isinstance(found, Unknown):
        return found
    why = _withdrawn(case)
    reason = f"; {why}" if why else ""
    return Flag(
        check=DEFINITION.id,
        severity=Severity.HIGH if why else Severity.MEDIUM,
        evidence=(
            f"Downloads have stopped since {series.moment(case, found.onset):%Y-%m-%d}: usual are "
            f"{series.count(found.before)} a week, the last 7 days saw "
            f"{series.count(found.now)}{reason}"
        ),
        facts={"usual_week": round(found.before, 1), "week": round(found.now, 1)},
        began=series.moment(case, found.onset),
        ends=series.ends(case, found),
    )


def _withdrawn(case: Case) -> str | None:
    if changed := series.owners_changed(case):
        return changed
    if case.releases and all(release.yanked for release in case.releases):
        return "every release is yanked"
    if case.project.status != "active":
        return f"the index says it is {case.project.status}"
    return None
