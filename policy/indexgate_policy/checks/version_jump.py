"""A newest version far above the ones before, or below them, or a first one that is far up."""

from collections.abc import Sequence
from itertools import pairwise

from packaging.version import Version

from indexgate_policy.assessment import Case
from indexgate_policy.checks.definition import Definition
from indexgate_policy.checks.history import FRESH, with_news
from indexgate_policy.flags import Flag, Severity
from indexgate_policy.signals import Unknown
from indexgate_policy.version_order import Order

DEFINITION = Definition(
    id="version-jump",
    short="The version number jumped",
    motivation=(
        "Who wants every installer to prefer one version, to be chosen over a private project of "
        "the name or over honest releases, gives it a number like 99.0"
    ),
    computes=(
        "The first number of the newest release against the highest one uploaded before; for a "
        "new project, the number of its first release; numbers that are years, and numbers that "
        "began at 50 or more (counters), are left out. Also a newest release below the highest one "
        "by a project that never did so in ten releases"
    ),
    source="Science fl-1; version order after PEP 440; first releases from 90 up: see evaluation",
    minimum_data="PEP 440 versions and upload times; silent after 30 days",
    severity=(
        "Medium from 5 numbers up; high to 90 or more from below 50 and for a first release from "
        "90 up; low for a release below"
    ),
    known_false_alarms=(
        "Renumbering to match another product; a placeholder whose first real release takes the "
        "number of the project that it was split from"
    ),
    remediation="Read why the number jumped, or pin the version before",
)

STEP = 5
TOP, ORDINARY = 90, 50  # from ORDINARY on, the first number is a counter or a date
YEARS = range(2000, 2100)
_YEARS_WRITTEN = frozenset(map(str, YEARS))
SHORT_YEARS, MONTHS = range(15, 50), range(1, 13)
HABIT = 10  # releases that went up only


def check(case: Case) -> Flag | Unknown | None:
    """Flag a newest release whose number is out of all order."""
    dated = with_news(case)
    if dated is None or isinstance(dated, Unknown):
        return dated
    parsed = dated[-1].release.parsed
    if isinstance(parsed, Unknown):
        return parsed
    if len(dated) > 1 and _follows(parsed, dated[-2].release.parsed):
        return None  # as most do: no other number need be looked at
    orders = [case.orders[one.release.version] for one in dated[:-1]]
    earlier = [each for each in orders if each is not None]
    if orders and not earlier:
        return Unknown(reason="no version before the newest is PEP 440")
    highest = dated[orders.index(max(earlier))].release.parsed if earlier else None
    if isinstance(highest, Unknown):
        return highest
    found = _found(parsed, highest, earlier)
    if found is None:
        return None
    severity, text = found
    newest = dated[-1]
    return Flag(
        check=DEFINITION.id,
        severity=severity,
        evidence=f"{text} on {newest.at.date()}",
        facts={"from": str(highest or ""), "to": str(parsed)},
        versions=(newest.release.version,),
        began=newest.at,
        ends=newest.at + FRESH,
    )


def _follows(newest: Version, last: Version | Unknown) -> bool:
    """Tell whether *newest* is no jump, whatever was uploaded before the *last* one.

    It is not below that one, and less than a step above it. If the highest is another one, then
    that is nearer still; or *newest* is below it, but so is the last, and numbers went down before.
    """
    return (
        not isinstance(last, Unknown)
        and newest.epoch == last.epoch
        and newest >= last
        and newest.major - last.major < STEP
    )


def _found(
    newest: Version, highest: Version | None, earlier: Sequence[Order]
) -> tuple[Severity, str] | None:
    if _is_calendar(newest):
        return None
    if highest is None:
        if newest.major < TOP:
            return None
        return Severity.HIGH, f"its first release was numbered {newest}"
    if newest < highest:
        return _below(newest, highest, earlier)
    rise = newest.major - highest.major
    if newest.epoch != highest.epoch or rise < STEP or highest.major >= ORDINARY:
        return None
    severity = Severity.HIGH if newest.major >= TOP else Severity.MEDIUM
    return severity, f"the version jumped from {highest} to {newest}"


def _below(
    newest: Version, highest: Version, earlier: Sequence[Order]
) -> tuple[Severity, str] | None:
    if len(earlier) < HABIT or any(later < before for before, later in pairwise(earlier)):
        return None
    return Severity.LOW, f"{newest} came after {highest}, the first time that it goes down,"


def _is_calendar(version: Version) -> bool:
    major = version.major
    if major in YEARS or str(major)[:4] in _YEARS_WRITTEN:
        return True
    return major in SHORT_YEARS and version.minor in MONTHS
