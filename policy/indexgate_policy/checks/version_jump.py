"""A newest version far above the one before."""

from datetime import timedelta

from packaging.version import Version

from indexgate_policy.assessment import Case
from indexgate_policy.checks.definition import Definition
from indexgate_policy.checks.history import history
from indexgate_policy.flags import Flag, Severity
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import age

DEFINITION = Definition(
    id="version-jump",
    short="The version number jumped",
    motivation=(
        "Who wants every installer to prefer one version, to be chosen over a private project of "
        "the name or over honest releases, gives it a number like 99.0"
    ),
    computes=(
        "The first number of the newest release against the highest one uploaded before; numbers "
        "that are years, and numbers that began at 50 or more (counters), are left out"
    ),
    source="Science fl-1; version order after PEP 440",
    minimum_data="Two releases with PEP 440 versions and upload times; silent after 30 days",
    severity="Medium from 5 numbers up, high to 90 or more from below 50",
    known_false_alarms="Renumbering to match another product",
    remediation="Read why the number jumped, or pin the version before",
)

FRESH = timedelta(days=30)
STEP = 5
TOP, ORDINARY = 90, 50  # from ORDINARY on, the first number is a counter or a date
YEARS = range(2000, 2100)
SHORT_YEARS, MONTHS = range(15, 50), range(1, 13)


def check(case: Case) -> Flag | None:
    """Flag a newest release whose first number is far above all before."""
    dated = history(case.releases)
    if isinstance(dated, Unknown) or not dated:
        return None
    newest = dated[-1]
    parsed = newest.release.parsed
    since = age(newest.at, case.now)
    before = [one.release.parsed for one in dated[:-1]]
    earlier = [version for version in before if isinstance(version, Version)]
    if isinstance(parsed, Unknown) or isinstance(since, Unknown) or since >= FRESH or not earlier:
        return None
    highest = max(earlier)
    if parsed.epoch != highest.epoch or _is_calendar(parsed):
        return None
    rise = parsed.major - highest.major
    if rise < STEP or highest.major >= ORDINARY:
        return None
    to_the_top = parsed.major >= TOP
    return Flag(
        check=DEFINITION.id,
        severity=Severity.HIGH if to_the_top else Severity.MEDIUM,
        evidence=f"the version jumped from {highest} to {parsed} on {newest.at.date()}",
        facts={"from": str(highest), "to": str(parsed)},
        versions=(newest.release.version,),
        began=newest.at,
        ends=newest.at + FRESH,
    )


def _is_calendar(version: Version) -> bool:
    if version.major in YEARS or str(version.major)[:4] in map(str, YEARS):
        return True
    return version.major in SHORT_YEARS and version.minor in MONTHS
