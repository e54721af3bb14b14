"""What the score is made of: dimensions, and in each of them inputs with a weight."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from msgspec import Struct

from indexgate_policy.health.facts import Facts

NEUTRAL = 0.40
"""The value that stands in for an unknown input: not bad, and never good."""


class Reading(NamedTuple):
    """What an input says of one project: `value` 0..1, None when it is unknown.

    `evidence` is one clause for people; of an unknown input the reason. `seen` is when the fact
    behind it was true, where that is older than when its signals were fetched.
    """

    value: float | None
    evidence: str
    seen: datetime | None = None


class Input(Struct, frozen=True, kw_only=True):
    """One input of a dimension; the documentation is made from these fields.

    `weight` is its share of the dimension. `says` is what it stands for, `computes` how the value
    comes about and `source` why so. `signals` are the names it reads (none: the project page or the
    advisory feed); the oldest of those known makes its freshness. `of_repository` marks what is
    true of the claimed repository, and counts in part only while nothing ties that to the project.
    `of_page` marks what the project page alone may tell, besides what names no signals at all.
    """

    name: str
    weight: float
    says: str
    computes: str
    source: str
    signals: tuple[str, ...] = ()
    of_repository: bool = False
    of_page: bool = False
    read: Callable[[Facts], Reading]


class Dimension(Struct, frozen=True, kw_only=True):
    """A group of inputs; `weight` is its share of the score, `why` says why it counts so much."""

    name: str
    weight: float
    why: str
    inputs: tuple[Input, ...]
