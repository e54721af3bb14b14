"""Assess a project: run every check on one case and say until when the result holds."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from types import MappingProxyType

from indexgate_policy.advisories import Advisories
from indexgate_policy.assessment import Assessment, Case
from indexgate_policy.checks import CHECKS, Check
from indexgate_policy.flags import Flag
from indexgate_policy.health.score import score
from indexgate_policy.signals import Signal, Signals, Unknown, Value

FORMULA = "fl-1"
REFRESH = timedelta(hours=24)
"""Facts are asked for again after so long, whatever they say."""

FAILED_CHECK = "check_failed:"
"""Prefix of the signal that stands in for the flag of a check that could not be computed."""

WITHOUT_PAGE = "without_page"
"""The signal of an assessment that was made without the project's page, so without its releases."""

UNCHECKED = "unchecked"
"""The signal that tells which checks could not look, and why: `<id>: <reason>` each."""

_NO_FEED = Unknown(reason="no advisory feed has been read yet")
_EXACT = timedelta(seconds=1)


def assess(
    case: Case,
    checks: Sequence[Check] = CHECKS,
    advisories: Advisories | Unknown = _NO_FEED,
    *,
    exact: bool = True,
) -> Assessment:
    """Return what *checks* find in *case*, and the health score with *advisories* as they are.

    A check that fails makes no flag but an input `check_failed:<id>` that is unknown and says why:
    neither a crash nor silence. Checks that lack facts are told in the input `unchecked`, one
    `<id>: <reason>` each. *exact*: `valid_until` is the first second at which age alone changes a
    severity, or `REFRESH` later, whatever comes first.
    """
    found, about_checks = run_checks(case, checks)
    ageing = [(check, flag) for check, flag in zip(checks, found, strict=True) if check.ages]
    inputs = (*case.signals.values(), *about_checks)
    return Assessment(
        index_id=case.project.index_id,
        project=case.project.name,
        formula=FORMULA,
        inputs=tuple(sorted(inputs, key=lambda signal: signal.name)),
        flags=tuple(flag for flag in found if flag is not None),
        score=score(case, advisories),
        assessed_at=case.now,
        valid_until=holds_until(case, ageing) if exact else case.now + REFRESH,
    )


@lru_cache(maxsize=1024)  # most projects lack the same
def lacking(check: str, reason: str) -> str:
    """Return what the input `unchecked` says of *check*."""
    return f"{check}: {reason}"


def unchecked_by(signals: Signals) -> Mapping[str, str]:
    """Return the checks that lacked facts, each with the reason, as the *signals* tell."""
    told = signals.value(UNCHECKED) if UNCHECKED in signals else ()
    return _reasons(told) if isinstance(told, tuple) else {}


@lru_cache(maxsize=1024)
def _reasons(told: tuple[str, ...]) -> Mapping[str, str]:
    reasons = {check: reason for check, _, reason in (one.partition(": ") for one in told)}
    return MappingProxyType(reasons)


def run_checks(case: Case, checks: Sequence[Check]) -> tuple[list[Flag | None], tuple[Signal, ...]]:
    """Return the flag of each of *checks*, and what is to be said of those that found no answer."""
    flags: list[Flag | None] = []
    failures, unchecked = [], []
    for check in checks:
        flag = None
        try:
            found = check.run(case)
        except Exception as error:  # any failure of a check is a fact about it
            failures.append(_failure(check, error, case.now))
        else:
            if isinstance(found, Unknown):
                unchecked.append(lacking(check.definition.id, found.reason))
            else:
                flag = found
        flags.append(flag)
    if unchecked:
        failures.append(_about_checks(UNCHECKED, tuple(unchecked), case.now))
    return flags, tuple(failures)


def _failure(check: Check, error: Exception, now: datetime) -> Signal:
    lines = str(error).splitlines() or [""]
    reason = f"the check failed: {type(error).__name__} {lines[0][:200]}".rstrip()
    return _about_checks(f"{FAILED_CHECK}{check.definition.id}", Unknown(reason=reason), now)


def _about_checks(name: str, value: Value | Unknown, now: datetime) -> Signal:
    return Signal(name=name, value=value, source="indexgate", observed_at=now)


def holds_until(case: Case, ageing: Iterable[tuple[Check, Flag | None]]) -> datetime:
    """Return when the first of the *ageing* checks says something else than its flag of now."""
    ends = case.now + REFRESH
    later = case.at(ends)
    for check, flag in ageing:
        if not _is_same(flag, check, later):
            ends = _change(case, check, flag, ends)
            later = case.at(ends)
    return ends


def _change(case: Case, check: Check, flag: Flag | None, ends: datetime) -> datetime:
    """Find by halving when *check* stops saying *flag*; it moves one way in a day (see `Check`)."""
    holds = case.now
    while ends - holds > _EXACT:
        middle = holds + (ends - holds) / 2
        if _is_same(flag, check, case.at(middle)):
            holds = middle
        else:
            ends = middle
    return ends


def _is_same(flag: Flag | None, check: Check, then: Case) -> bool:
    try:
        found = check.run(then)
    except Exception:  # no flag, as when it is assessed
        found = None
    other = None if isinstance(found, Unknown) else found
    if flag is None or other is None:
        return flag is other
    said = flag.check, flag.severity, flag.versions, flag.evidence
    return said == (other.check, other.severity, other.versions, other.evidence)
