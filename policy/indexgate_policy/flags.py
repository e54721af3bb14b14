"""Flags: what a check found in a project, with the evidence."""

from collections.abc import Mapping
from datetime import datetime
from enum import IntEnum

from msgspec import Struct, field

from indexgate_policy.signals import Value


class Severity(IntEnum):
    """How bad a flag or an advisory is, ordered."""

    INFO = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    @classmethod
    def named(cls, name: str) -> "Severity":
        """Return the severity called *name* (lower case). Raises KeyError."""
        return cls[name.upper()]

    @property
    def label(self) -> str:
        """The name as policies and pages write it."""
        return self.name.lower()


class Flag(Struct, frozen=True, kw_only=True):
    """A finding about a project.

    `check` is the flag's id (science fl-1, for example `typosquat`), `evidence` one sentence for a
    busy reader, `facts` the numbers and names behind it (`imitates` names an imitated project),
    `versions` the versions it concerns (empty: the project), `explained` the share 0..1 of it that
    known events account for.
    """

    check: str
    severity: Severity
    evidence: str
    facts: Mapping[str, Value] = field(default_factory=dict)
    versions: tuple[str, ...] = ()
    began: datetime | None = None
    ends: datetime | None = None
    explained: float = 0.0
