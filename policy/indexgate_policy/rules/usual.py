"""What holds of most releases of a project at once, so that only the others are asked about singly.

A page lists thousands of files, and a rule has something of its own to say of a few: of those that
came lately, of those that an advisory or a flag names. So a term can answer for the usual release,
and say by which cheap tests the others are told apart. It may tell too many apart, never too few.
"""

from collections.abc import Callable, Iterable
from typing import TypeAlias

from msgspec import Struct
from packaging.version import InvalidVersion, Version

from indexgate_policy.rules.kleene import FAILS, Outcome, all_of, any_of, negate
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import Release

Apart: TypeAlias = Callable[[Release], bool]
"""Tells whether a release may not be a usual one."""


class Usual(Struct, frozen=True, kw_only=True):
    """The outcome for every file of the releases that none of `apart` picks out."""

    outcome: Outcome
    apart: tuple[Apart, ...] = ()


def named(texts: Iterable[str]) -> tuple[Apart, ...]:
    """Return what tells apart the releases that *texts* may name: none, or one test."""
    found = list(texts)
    if not found:
        return ()
    versions = frozenset(version for version in map(_version, found) if version is not None)

    def is_named(release: Release) -> bool:
        return isinstance(release.parsed, Unknown) or release.parsed in versions

    return (is_named,)


def all_usual(parts: Iterable[Usual | None]) -> Usual | None:
    """Join by "and"; None is a part that cannot answer for many."""
    asked = list(parts)
    failing = [part for part in asked if part is not None and part.outcome == FAILS]
    if failing:  # what fails for good needs no other part, so the one with the fewest exceptions
        return min(failing, key=lambda part: len(part.apart))
    return _joined(asked, all_of)


def any_usual(parts: Iterable[Usual | None]) -> Usual | None:
    """Join by "or"; None is a part that cannot answer for many."""
    return _joined(parts, any_of)


def negate_usual(part: Usual | None, why: str) -> Usual | None:
    """Turn holding into failing and back, see `kleene.negate`."""
    if part is None:
        return None
    return Usual(outcome=negate(part.outcome, why), apart=part.apart)


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None


def _joined(
    parts: Iterable[Usual | None], join: Callable[[Iterable[Outcome]], Outcome]
) -> Usual | None:
    known: list[Usual] = []
    for part in parts:
        if part is None:
            return None
        known.append(part)
    return Usual(
        outcome=join(part.outcome for part in known),
        apart=tuple(test for part in known for test in part.apart),
    )
