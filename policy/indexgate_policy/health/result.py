"""A health score, line by line, so that a person can add it up."""

from typing import Final, Literal, TypeAlias

from msgspec import Struct

Grade: TypeAlias = Literal["A", "B", "C", "D", "E"]


GRADES: Final[tuple[tuple[float, Grade], ...]] = ((75, "A"), (60, "B"), (45, "C"), (30, "D"))
"""From how many points on each grade is given."""

LOWEST: Final[Grade] = "E"
"""The grade below them all."""


def grade(value: float) -> Grade:
    """Return the grade of a score of *value* points."""
    return next((letter for least, letter in GRADES if value >= least), LOWEST)


class Line(Struct, frozen=True, kw_only=True):
    """What one input gave: `points` of `most`. `known` is False when the neutral value stands in.

    `evidence` is one clause for people; for an unknown input it says why it is unknown.
    """

    dimension: str
    input: str
    points: float
    most: float
    known: bool
    evidence: str


class Cap(Struct, frozen=True, kw_only=True):
    """A limit that a score cannot pass, and why."""

    limit: float
    reason: str


class HealthScore(Struct, frozen=True, kw_only=True):
    """Health 0..100 (science hs-1): `value` is `uncapped`, the sum of the points, under its caps.

    `confidence` 0..1 is the weighted share of inputs that are known and fresh; it never moves the
    value. `caps` holds those below `uncapped`, lowest first.
    """

    formula: str
    value: float
    uncapped: float
    confidence: float
    grade: Grade
    lines: tuple[Line, ...]
    caps: tuple[Cap, ...] = ()
