"""A burst of stars that no audience came with."""

from indexgate_policy.assessment import Case
from indexgate_policy.checks import series
from indexgate_policy.checks.definition import Definition
from indexgate_policy.flags import Flag, Severity
from indexgate_policy.signals import Unknown

DEFINITION = Definition(
    id="star-inflation",
    short="A burst of stars without an audience",
    motivation="Stars are sold by the thousand; an audience also installs, asks and reports",
    computes=(
        "New stars of 7 days: 25 and 8 deviations of a negative binomial more than the usual week "
        "of 12 before, while downloads by people did not rise, or rose and nobody writes"
    ),
    source="Science fl-1",
    minimum_data="28 days of stars and of downloads, 60 days of age",
    severity="Low; the stars of a burst do not count in the health score",
    known_false_alarms="The front page of a news site, whose readers star and do not install",
    remediation="Do not take the number of stars for trust",
)


def check(case: Case) -> Flag | Unknown | None:
    """Flag a project whose stars came in a burst with nobody behind it."""
    found = series.in_force(case, "stars")
    if found is None or isinstance(found, Unknown):
        return found
    return Flag(
        check=DEFINITION.id,
        severity=Severity.LOW,
        evidence=(
            f"{series.count(found.now)} stars in 7 days since "
            f"{series.moment(case, found.onset):%Y-%m-%d}, usual are "
            f"{series.count(found.before)} a week; no downloads or talk came with them"
        ),
        facts={"stars_in_7_days": round(found.now), "usual_week": round(found.before, 1)},
        began=series.moment(case, found.onset),
        ends=series.ends(case, found),
    )
