"""The first look at a project: at no more of it than a policy reads, since a page waits for it.

The checks whose flags no rule asks for, and a score that would be too unsure for every rule, are
left for when nobody waits.
"""

from collections.abc import Iterable, Set
from functools import lru_cache
from itertools import starmap

from msgspec.structs import replace

from indexgate_policy.assess import (
    FORMULA,
    UNCHECKED,
    holds_until,
    lacking,
    run_checks,
    unchecked_by,
)
from indexgate_policy.assessment import Assessment, Case
from indexgate_policy.checks import CHECKS, Check
from indexgate_policy.health.score import confidence_at_most
from indexgate_policy.rules.reads import Reads
from indexgate_policy.signals import Signal, Signals, Unknown, Value

_ROUNDING = 1e-9
_NOT_LOOKED = "it has not been looked at yet"
_NOT_SCORED = Unknown(reason="it has not been scored yet")


def first_look(case: Case, reads: Reads, *, unheard: Set[str] = frozenset()) -> Assessment | None:
    """Return an assessment by which a policy that *reads* so much says what it says by a whole one.

    It has the signals of *case*, and the flags that are asked for. None when it takes a whole one:
    a check failed, or signals or the score may count, or one of those *unheard* was read, which
    somebody may still give.
    """
    if reads.signals:
        return None
    if unheard:
        case = replace(case, signals=_Heard(case.signals.values(), unheard))
    asked, unasked = _by_need(reads)
    flags, said = run_checks(case, asked)
    if any(signal.name != UNCHECKED for signal in said):
        return None
    unchecked = tuple(starmap(lacking, unchecked_by(Signals(said)).items()))
    if reads.score is not None and confidence_at_most(case, unheard) >= reads.score - _ROUNDING:
        return None
    value = (*unasked, *unchecked)
    about = Signal(name=UNCHECKED, value=value, source="indexgate", observed_at=case.now)
    return Assessment(
        index_id=case.project.index_id,
        project=case.project.name,
        formula=FORMULA,
        inputs=tuple(sorted((*case.signals.values(), about), key=lambda signal: signal.name)),
        flags=tuple(flag for flag in flags if flag is not None),
        score=_NOT_SCORED,
        assessed_at=case.now,
        valid_until=holds_until(
            case, [each for each in zip(asked, flags, strict=True) if each[0].ages]
        ),
    )


@lru_cache(maxsize=64)
def _by_need(reads: Reads) -> tuple[tuple[Check, ...], tuple[str, ...]]:
    """Return the checks whose flags are among *reads*, and what is said of all others."""
    asked = tuple(check for check in CHECKS if reads.asks(check.definition.id))
    others = (check.definition.id for check in CHECKS if check not in asked)
    return asked, tuple(lacking(check, _NOT_LOOKED) for check in others)


def is_first_look(assessment: Assessment) -> bool:
    """Tell whether *assessment* is what `first_look` returned, and no whole one."""
    return assessment.score is _NOT_SCORED


class _Heard(Signals):
    """Signals of which some are unheard: to ask for one of those is an error."""

    __slots__ = ("_unheard",)

    def __init__(self, heard: Iterable[Signal], unheard: Set[str]) -> None:
        super().__init__(heard)
        self._unheard = unheard

    def __getitem__(self, name: str) -> Signal:
        return super().__getitem__(self._asked(name))

    def value(self, name: str) -> Value | Unknown:
        return super().value(self._asked(name))

    def _asked(self, name: str) -> str:
        if name in self._unheard:
            raise LookupError(f"{name} is not there yet")
        return name
