"""What of an assessment may be given away, by licence and by whose business it is.

A score or a flag that was made with an input carries it along: to leave the input out of the list
is not enough. So what was made with an input that stays is assessed again without it.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from msgspec.structs import replace

from indexgate.assessing import OURS
from indexgate_policy.assessment import Assessment
from indexgate_policy.signals import Signal, Unknown

LICENCES: Final[Mapping[str, str]] = {
    "facts": "",
    "CC0-1.0": "",
    "CC-BY-4.0": "Creative Commons Attribution 4.0",
    "CDLA-Permissive-2.0": "Community Data License Agreement, Permissive, Version 2.0",
    "Apache-2.0": "Apache License, Version 2.0",
    "MIT": "MIT License",
}
"""Licences that allow data to be passed on under `manifest.LICENCE`; all others do not.

With each the name to be told, empty where nobody has to be named. Share-alike licences are not
among them: whoever mixed their own data with the snapshot would owe it to everybody.
"""

PRIVATE: Final = frozenset(
    ["asked_here_by_people", "asked_here_by_ci", "asked_before_it_existed", "evidence"]
)
"""Signals about the users of this gate, or by its operator: nobody else's business."""

PRIVATE_SOURCES: Final = frozenset({"own-traffic", "entered-by-hand"})
"""Sources all of whose signals are such."""

IMPORTED: Final = "imported"
"""The input that tells from which snapshot an assessment was taken as it is."""

CREDITS: Final[Mapping[str, str]] = {
    "deps-dev": "deps.dev (Google)",
    "scorecard": "OpenSSF Scorecard",
    "download-log": "the public download log of the Python package index",
    "snapshot-download-log": "the public download log of the Python package index",
}
"""Who is to be named for a source; one that is not here is named as it is called."""

ADVISORIES: Final = (
    "Scores take account of advisories from OSV.dev: PyPA and GitHub advisory databases"
    " (Creative Commons Attribution 4.0), OpenSSF malicious packages (Apache License, Version 2.0)"
)


def may_be_passed_on(signal: Signal) -> bool:
    """Tell whether *signal* may be in a snapshot."""
    if signal.name in PRIVATE or signal.source in PRIVATE_SOURCES:
        return False
    return signal.licence in LICENCES


def passed_on(
    found: Assessment, again: Callable[[Assessment, tuple[Signal, ...]], Assessment]
) -> Assessment:
    """Return *found* as it may be given away.

    Where a known input has to stay, *again* makes the assessment anew of the inputs that are left,
    those about the assessment itself not among them.
    """
    kept = tuple(s for s in found.inputs if may_be_passed_on(s) and s.name != IMPORTED)
    if any(not may_be_passed_on(s) and not isinstance(s.value, Unknown) for s in found.inputs):
        anew = again(found, tuple(s for s in kept if s.source != OURS))
        return replace(anew, inputs=tuple(s for s in anew.inputs if may_be_passed_on(s)))
    return replace(found, inputs=kept)


def attribution(sources: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Return who is to be named for data of *sources* (name, licence), one line each."""
    named = {
        f"Contains data of {CREDITS.get(source, source)} ({LICENCES[licence]})"
        for source, licence in sources
        if LICENCES.get(licence)
    }
    return (*sorted(named), ADVISORIES)
