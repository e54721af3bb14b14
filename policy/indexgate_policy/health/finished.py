"""Finished libraries: quiet because nothing is left to do, and still in use."""

import re
from typing import TYPE_CHECKING

from indexgate_policy.signals import Unknown

if TYPE_CHECKING:
    from indexgate_policy.health.facts import Facts

WIDELY_NEEDED = 300
"""Owners of dependents from which a project counts as known to many."""
GROWN_UP = 1460.0
"""Days since the first release after which a library can be finished."""
QUIET = 200.0
"""Days without a release that say nothing yet."""
SMALL = 100_000
"""Bytes of the largest file of a small library."""
NEEDED_BY_SOME = 20
INSTALLED_STEADILY = 0.8

_PYTHON = re.compile(r"3(?:\.(\d{1,3}))?")


def finished(facts: "Facts") -> float | Unknown | None:
    """Return the least that release age counts for a finished library; None when it is none.

    Finished means: older than four years, nothing changed for 200 days, no high advisory, made for
    a current Python, and either needed by 300 owners (.55) or small, needed by 20 and installed
    steadily (.40). Unknown when what is known speaks for it and something is missing.
    """
    quiet = _and(_is_old(facts), _is_quiet(facts), _is_safe(facts), _is_current(facts))
    widely = _and(quiet, _is_needed_by(facts, WIDELY_NEEDED))
    steady = _at_least(facts.share("human_persistence"), INSTALLED_STEADILY)
    small = _and(quiet, _is_small(facts), _is_needed_by(facts, NEEDED_BY_SOME), steady)
    if widely is True:
        return 0.55
    if small is True:
        return 0.40
    return next((each for each in (widely, small) if isinstance(each, Unknown)), None)


def _and(*answers: bool | Unknown) -> bool | Unknown:
    """Join *answers*: false if one is, else unknown if one is."""
    if False in answers:
        return False
    return next((each for each in answers if isinstance(each, Unknown)), True)


def _at_least(x: float | Unknown, least: float) -> bool | Unknown:
    return x if isinstance(x, Unknown) else x >= least


def _is_old(facts: "Facts") -> bool | Unknown:
    return _at_least(facts.age, GROWN_UP)


def _is_quiet(facts: "Facts") -> bool | Unknown:
    rhythm = facts.rhythm
    return rhythm if isinstance(rhythm, Unknown) else facts.days_since(rhythm.last_change) > QUIET


def _is_safe(facts: "Facts") -> bool | Unknown:
    opened = facts.advisories
    return opened if isinstance(opened, Unknown) else not opened.high


def _is_needed_by(facts: "Facts", owners: float) -> bool | Unknown:
    dependents = facts.dependents
    return dependents if isinstance(dependents, Unknown) else dependents.owners >= owners


def _is_small(facts: "Facts") -> bool | Unknown:
    if facts.newest is None:
        return False
    sizes = [file.size for file in facts.newest.files]
    unknown = next((size for size in sizes if isinstance(size, Unknown)), None)
    return unknown or all(isinstance(size, int) and size <= SMALL for size in sizes)


def _is_current(facts: "Facts") -> bool | Unknown:
    """Tell whether it says that it supports `3`, or a line that has not ended at `now`.

    A line comes every October (3.9 in 2020) and lives for five years (PEP 602, PEP 619).
    """
    pythons = facts.texts("pythons")
    if isinstance(pythons, Unknown):
        return pythons
    latest = 9 + facts.now.year - 2020 - (facts.now.month < 10)
    found = [match for python in pythons if (match := _PYTHON.fullmatch(python.strip()))]
    return any(match[1] is None or int(match[1]) > latest - 5 for match in found)
