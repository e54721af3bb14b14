"""What the policy makes of a list of requirements, as data."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from indexgate_policy.rules.verdict import Action, Warned

Outcome: TypeAlias = Literal["allow", "warn", "refuse", "skipped", "not judged", "failed"]
"""What came of a requirement.

`skipped`: its marker does not hold here. `not judged`: it asks no index. `failed`: it could not be
judged, since the index, the project, a release or a file with the hash could not be had.
"""

Chosen: TypeAlias = Literal["pinned", "newest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedFile:
    """A file that the requirement allows, and the verdict on it."""

    filename: str
    action: Action
    rule: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One requirement: `requirement` as it is written (normalised), `place` where.

    `version` is the one that was judged: `pinned`, or the `newest` that a resolver would take now,
    after the versions `passed_over`, which are refused. `how` says so in words. `rule` and `hint`
    are those of a refusal, as is `reason`, which else says what came in the way. `notes` are
    clauses on what is odd.
    """

    requirement: str
    place: str
    action: Outcome
    project: str | None = None
    extras: tuple[str, ...] = ()
    version: str | None = None
    chosen: Chosen | None = None
    how: str = ""
    passed_over: tuple[str, ...] = ()
    rule: str = ""
    reason: str = ""
    hint: str = ""
    warnings: tuple[Warned, ...] = ()
    notes: tuple[str, ...] = ()
    files: tuple[CheckedFile, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """All requirements in order, at the time `at`, against `index` (without credentials).

    `ways_past` are sentences on what leads installers past the gate; `feed_failure` says why the
    advisories are older than the policy wants, if they are.
    """

    at: datetime
    index: str
    policy: str
    policy_digest: str
    requirements: tuple[Checked, ...]
    ways_past: tuple[str, ...] = ()
    feed_failure: str | None = None

    @property
    def counts(self) -> Mapping[Outcome, int]:
        """How many requirements had each outcome."""
        return Counter(each.action for each in self.requirements)
