"""Which verdicts differ between two checks of the same list: by an old policy and by a new one."""

from collections import Counter
from collections.abc import Mapping
from typing import Literal, TypeAlias

from msgspec import Struct

from indexgate.checked import Check, Checked

Turn: TypeAlias = Literal[
    "refused anew", "no longer refused", "warned anew", "no longer warned", "for another reason",
    "another version", "could not be judged",
]  # fmt: skip
"""What a change of policy does to one verdict."""


class Side(Struct, frozen=True, kw_only=True):
    """A verdict by one of the policies; `rules` are the one that refuses, or all that warn.

    `version` is the one that a resolver would take; `passed_over` are newer ones that are refused.
    """

    action: str
    version: str | None
    passed_over: tuple[str, ...]
    rules: tuple[str, ...]
    reason: str


class VerdictChange(Struct, frozen=True, kw_only=True):
    """A requirement, or an entry of a lock, on which the verdicts differ."""

    requirement: str
    place: str
    project: str | None
    turn: Turn
    old: Side
    new: Side


class VerdictChanges(Struct, frozen=True, kw_only=True):
    """All that differs of `judged` requirements, and how many there are of each kind."""

    judged: int
    changes: tuple[VerdictChange, ...]

    @property
    def counts(self) -> Mapping[Turn, int]:
        """How many verdicts took each turn."""
        return Counter(change.turn for change in self.changes)


def compare(old: Check, new: Check) -> VerdictChanges:
    """Return what differs from *old* to *new*, two checks of the same requirements in order."""
    found = []
    for before, after in zip(old.requirements, new.requirements, strict=True):
        sides = _side(before), _side(after)
        turn = _turn(*sides)
        if turn is not None:
            found.append(
                VerdictChange(
                    requirement=before.requirement,
                    place=before.place,
                    project=before.project,
                    turn=turn,
                    old=sides[0],
                    new=sides[1],
                )
            )
    return VerdictChanges(judged=len(old.requirements), changes=tuple(found))


def _side(row: Checked) -> Side:
    warned = tuple(dict.fromkeys(warning.rule for warning in row.warnings))
    reasons = [row.reason, *(warning.reason for warning in row.warnings)]
    return Side(
        action=row.action,
        version=row.version,
        passed_over=row.passed_over,
        rules=(row.rule,) if row.rule else warned,
        reason=next((reason for reason in reasons if reason), ""),
    )


def _turn(old: Side, new: Side) -> Turn | None:
    if "failed" in {old.action, new.action}:
        return "could not be judged"
    if (old.action == "refuse") is not (new.action == "refuse"):
        return "refused anew" if new.action == "refuse" else "no longer refused"
    if old.version != new.version:
        return "another version"
    if (old.action == "warn") is not (new.action == "warn"):
        return "warned anew" if new.action == "warn" else "no longer warned"
    return "for another reason" if old.rules != new.rules else None
