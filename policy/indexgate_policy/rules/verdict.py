"""A verdict: what the policy says of one file, why, and until when."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct


class Action(StrEnum):
    """What a rule does when it holds."""

    ALLOW = "allow"
    WARN = "warn"
    REFUSE = "refuse"


class Warned(Struct, frozen=True, kw_only=True):
    """A rule that warns and held: its id and its reason in one ASCII line.

    A rule that would have refused warns where an exemption waives it: `exemption` is that one's id.
    """

    rule: str
    reason: str
    exemption: str = ""


class Verdict(Struct, frozen=True, kw_only=True):
    """The policy's answer for one file.

    `reason` is one ASCII line of at most 160 characters that stays the same until `until` (it
    writes dates, never "2 days old"); `explanation` says what was looked at; `hint` how to go on.
    `until` is the first moment at which the answer may differ without any new fact; None: never.
    `at_once` is True for refusals that hold for files the moment they hold for pages (malware,
    quarantine); all others reach files ten minutes later, so that no resolver is caught between.
    `waived` lists the rules that held and that an exemption waived, `exemptions` the ids of those
    that did.
    """

    action: Action
    rule: str = ""
    reason: str = ""
    explanation: str = ""
    hint: str = ""
    warnings: tuple[Warned, ...] = ()
    waived: tuple[str, ...] = ()
    exemptions: tuple[str, ...] = ()
    until: datetime | None = None
    at_once: bool = False

    @property
    def refused(self) -> bool:
        """Whether the file must not be installed."""
        return self.action is Action.REFUSE


ALLOWED = Verdict(action=Action.ALLOW)
