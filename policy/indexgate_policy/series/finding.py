"""A finding: on this day, this project's series did something that its past does not expect."""

from typing import Final, Literal, TypeAlias

from msgspec import Struct

FindingKind: TypeAlias = Literal[
    "surge", "drop", "installer", "region", "version", "automation", "stars"
]

EXPLAINED: Final = 0.6
"""A change of which known events carry this share is explained (science fl-1)."""

NOTABLE: Final = 4.0
"""A rise to less than so many times the usual is nobody's alarm."""


class Finding(Struct, frozen=True, kw_only=True):
    """What a detector found in row `row` of a panel.

    `day` is the day that told it, `onset` the day on which the change seems to have begun, `last`
    the newest on which it holds, all counted from the panel's first. `why` names the rule (`step`,
    `drip`, `stopped`, ...) or, for a mix, the number of the part that rose. `before` and `now` are
    what was usual and what is: downloads or stars a week, or shares 0..1 of a mix. `score` is 1 at
    the threshold and grows with the evidence. `peak` is the same change on the day on which it was
    strongest, None when that is `day`; later days move `last` and `peak` alone.
    `explained` is the share 0..1 that known events carry, and `by` the event that carries most.
    """

    row: int
    day: int
    kind: FindingKind
    why: str
    onset: int
    last: int
    before: float
    now: float
    score: float
    explained: float = 0.0
    by: str = ""
    peak: "Finding | None" = None

    @property
    def ratio(self) -> float:
        """How many times the usual there is now."""
        return (self.now + 0.5) / (self.before + 0.5)

    @property
    def unexplained_ratio(self) -> float:
        """The ratio when what known events carry is taken off."""
        return self.ratio * (1 - self.explained) + self.explained

    @property
    def is_explained(self) -> bool:
        """Whether known events carry so much that the rest is no alarm."""
        if self.explained >= EXPLAINED:
            return True
        return self.kind == "surge" and self.explained > 0 and self.unexplained_ratio < NOTABLE
