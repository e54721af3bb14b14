"""Versions that their maintainers have withdrawn."""

from indexgate_policy.assessment import Case
from indexgate_policy.checks.definition import Definition
from indexgate_policy.flags import Flag, Severity

DEFINITION = Definition(
    id="yanked",
    short="Versions were yanked",
    motivation=(
        "A maintainer yanks a version that should not be used; a pin still installs it, and "
        "installers print the warning where it is easily overlooked"
    ),
    computes="Which versions have all their files yanked upstream",
    source="PEP 592; science fl-1",
    minimum_data="A project page with at least one version",
    severity="Medium, for these versions only",
    known_false_alarms="Versions yanked for a detail such as a wrong description",
    remediation="Move to a version that is not yanked",
)

NAMED = 3  # versions that the sentence names


def check(case: Case) -> Flag | None:
    """Flag the versions of which every file is yanked."""
    versions = tuple(r.version for r in case.releases if r.yanked and r.files)
    if not versions:
        return None
    named = ", ".join(versions[-NAMED:])
    more = len(versions) - NAMED
    return Flag(
        check=DEFINITION.id,
        severity=Severity.MEDIUM,
        evidence=f"yanked by its maintainers: {named}" + (f" and {more} more" if more > 0 else ""),
        facts={"yanked": len(versions), "releases": len(case.releases)},
        versions=versions,
    )
