"""An index in a client's configuration."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Configured:
    """An index, and where it is written, in words.

    `url` is as it stands there and may hold credentials. `replaced` tells whether the variables of
    a run put the gate in its place; else the client asks it past the gate. `name` is the name that
    it must be replaced by, if it has one.
    """

    url: str = field(repr=False)
    origin: str
    replaced: bool = True
    name: str | None = None
