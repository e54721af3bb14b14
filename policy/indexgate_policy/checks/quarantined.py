"""The index itself has quarantined the project."""

from indexgate_policy.assessment import Case
from indexgate_policy.checks.definition import Definition
from indexgate_policy.flags import Flag, Severity

DEFINITION = Definition(
    id="quarantined",
    short="The index has quarantined the project",
    motivation=(
        "An index quarantines a project that was reported as malicious until somebody has looked; "
        "until then nobody should install it"
    ),
    computes="Whether the project page's status is `quarantined`",
    source="PEP 792; science fl-1",
    minimum_data="A project page that carries a status; without one a project counts as active",
    severity="Critical",
    known_false_alarms="Reports that turn out to be wrong; the index then lifts the quarantine",
    remediation="Wait until the index has decided, and use another project meanwhile",
)


def check(case: Case) -> Flag | None:
    """Flag a quarantined project."""
    if case.project.status != "quarantined":
        return None
    return Flag(
        check=DEFINITION.id,
        severity=Severity.CRITICAL,
        evidence="the index has quarantined the project",
        facts={"status": case.project.status, "reason": case.project.status_reason},
    )
