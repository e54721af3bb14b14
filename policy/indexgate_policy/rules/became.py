"""What became of a file since somebody asked for it, and when that became known.

For looking back only: nothing of this goes into a verdict.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal, TypeAlias

from msgspec import Struct

from indexgate_policy.advisories import Advisory
from indexgate_policy.events import Event
from indexgate_policy.rules.exemptions import QUARANTINED
from indexgate_policy.signals import Unknown

Fate: TypeAlias = Literal["malware", "quarantined", "removed", "vulnerable", "yanked", "fine"]

BAD: frozenset[Fate] = frozenset(["malware", "quarantined", "removed"])
"""What nobody should have installed; what its owner removed looks alike from outside."""

_UNSEEN = Unknown(reason="nobody saw when")
_NO_PAGE = Unknown(reason="no page of the project is kept")


class Became(Struct, frozen=True, kw_only=True):
    """What a file is today; `known_at` is when that became known."""

    fate: Fate | Unknown
    known_at: datetime | Unknown = _UNSEEN

    @property
    def bad(self) -> bool:
        """Whether nobody should have installed it."""
        return not isinstance(self.fate, Unknown) and self.fate in BAD


def became(
    version: str,
    *,
    listed: bool | Unknown,
    status: str | Unknown,
    yanked: bool,
    advisories: Sequence[Advisory],
    events: Iterable[Event],
) -> Became:
    """Return what became of a file of *version* whose project has *status* today.

    *listed* says whether the index still lists the file; both are Unknown when no page is kept.
    """
    affecting = [one for one in advisories if one.affects(version) is True]
    malware = [one.published for one in affecting if one.kind == "malware"]
    if malware:
        dated = [at for at in malware if at is not None]
        return Became(fate="malware", known_at=min(dated) if dated else _UNSEEN)
    if status == QUARANTINED:
        changes = [
            event.at
            for event in events
            if event.kind == "status" and event.text.endswith(f" to {QUARANTINED}")
        ]
        return Became(fate="quarantined", known_at=max(changes, default=_UNSEEN))
    if isinstance(listed, Unknown):
        return Became(fate=_NO_PAGE)
    if not listed:
        return Became(fate="removed")
    if affecting:
        return Became(fate="vulnerable")
    return Became(fate="yanked" if yanked else "fine")
