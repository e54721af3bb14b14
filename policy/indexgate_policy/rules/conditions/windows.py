"""Windows of numbers, as policies write them: `{ below = 30 }`, `{ at_least = 0.6 }` or both."""

from math import isnan
from typing import Self

from msgspec import Struct

from indexgate_policy.rules.strict import Field, Fields

KEYS = ("below", "at_least")
WINDOW = "`{ below = ... }`, `{ at_least = ... }` or both, each a number"


class Window(Struct, frozen=True, kw_only=True):
    """The numbers from `at_least` on and below `below`; None is no bound."""

    below: float | None
    at_least: float | None

    @classmethod
    def read(cls, field: Field) -> Self:
        """Return the window that *field* holds. Raises PolicyError."""
        return cls.among(field.fields(KEYS, f"`{field.key}`"), field)

    @classmethod
    def among(cls, fields: Fields, field: Field) -> Self:
        """Return the window in the *fields* of a table that may hold more. Raises PolicyError."""
        below = fields["below"].number() if "below" in fields else None
        at_least = fields["at_least"].number() if "at_least" in fields else None
        if below is not None and at_least is not None and below <= at_least:
            raise field.error("never-holds", f"`{field.key}` can never hold: `below` ends before")
        return cls(below=below, at_least=at_least)

    def holds(self, amount: float) -> bool:
        """Tell whether *amount* lies within. Raises TypeError for what is not a number."""
        if isnan(amount):
            raise TypeError(f"{amount} is not a number")
        if self.below is not None and amount >= self.below:
            return False
        return self.at_least is None or amount >= self.at_least
