"""Downloads that hardly any person at a keyboard makes."""

from datetime import timedelta

from indexgate_policy.assessment import Case
from indexgate_policy.checks import readings
from indexgate_policy.checks.definition import Definition
from indexgate_policy.checks.shares import wilson
from indexgate_policy.checks.volume import DAYS, recent
from indexgate_policy.flags import Flag, Severity
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import age

DEFINITION = Definition(
    id="automation-only",
    short="Hardly any download looks like a person's",
    motivation=(
        "Download counts stand for trust because people are thought to be behind them; a loop in "
        "a build system can make any count"
    ),
    computes=(
        "The 95 % upper bound of the human-like share of 28 days' consumer downloads is at most "
        "3 %, and how many owners' projects depend on this one"
    ),
    source="Science dn-1 (who downloads) and fl-1; Wilson's interval",
    minimum_data="1,000 consumer downloads in 28 days, sorted into people and machines",
    severity=(
        "Info with 20 dependent owners or when these are not known; else low, medium for a project "
        "under a year old"
    ),
    known_false_alarms="Build tools and base libraries: hardly anybody installs them by hand",
    remediation="Do not take the count for popularity; look at who depends on the project",
)

LEAST = 1_000
AT_MOST = 0.03
DEPENDENT_OWNERS = 20
YOUNG = timedelta(days=365)


def check(case: Case) -> Flag | Unknown | None:
    """Flag a project that machines alone download."""
    volume = recent(case)
    if isinstance(volume, Unknown):
        return volume
    if volume.consumers < LEAST:
        return None
    if isinstance(volume.human_high, Unknown):
        return volume.human_high
    _, high = wilson(volume.human_high, volume.consumers)
    if high > AT_MOST:
        return None
    severity, why = _severity(case)
    machines = 1 - min(1.0, volume.human / volume.consumers)
    return Flag(
        check=DEFINITION.id,
        severity=severity,
        evidence=(
            f"{machines:.1%} of {volume.consumers:,.0f} downloads in {DAYS} days look automated; "
            f"{why}"
        ),
        facts={
            "consumer_downloads": round(volume.consumers),
            "human_share_at_most": round(high, 4),
            "until": volume.until.isoformat(),
        },
    )


def _severity(case: Case) -> tuple[Severity, str]:
    few = readings.fewer_dependent_owners(case, DEPENDENT_OWNERS)
    if isinstance(few, Unknown):
        return Severity.INFO, "whether other projects bring them is not known"
    if not few:
        return Severity.INFO, f"{DEPENDENT_OWNERS} or more owners' projects bring them, as is usual"
    known = age(case.project.first_upload, case.now)
    young = not isinstance(known, Unknown) and known < YOUNG
    why = f"fewer than {DEPENDENT_OWNERS} owners' projects depend on it"
    return Severity.MEDIUM if young else Severity.LOW, why
