"""What the policy makes of a list of requirements, as data."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Literal, TypeAlias

from msgspec import Struct

from indexgate_policy.rules.verdict import Action, Warned

Outcome: TypeAlias = Literal[
    "allow", "warn", "refuse", "unlisted", "skipped", "not judged", "failed"
]
"""What came of a requirement, or of an entry of a lock.

`unlisted`: the index does not list what is pinned, or lists it with another hash. `skipped`: its
marker does not hold here, or it is no package of an index. `not judged`: it asks no index, or
another one. `failed`: it could not be judged, since the index, the project or a release could not
be had.
"""

FILE_UNLISTED = "file-unlisted"
"""In place of a rule's id: the index lists no such file, version or project."""

HASH_DIFFERS = "hash-differs"
"""In place of a rule's id: the index lists the file with another hash."""

Chosen: TypeAlias = Literal["pinned", "newest"]


class CheckedFile(Struct, frozen=True, kw_only=True):
    """A file that the requirement allows, and the verdict on it, or that it is `unlisted`.

    `line` is where a lock has it, None where that is the entry's own line.
    """

    filename: str
    action: Action | Literal["unlisted"]
    rule: str = ""
    reason: str = ""
    line: int | None = None


class Checked(Struct, frozen=True, kw_only=True):
    """One requirement: `requirement` as it is written (normalised), `place` where, in words.

    `path` and `line` are the file and the line of a lock, where it lies in a file.
    `version` is the one that was judged: `pinned`, or the `newest` that a resolver would take now,
    after the versions `passed_over`, which are refused. `how` says so in words. `rule` and `hint`
    are those of a refusal, as is `reason`, which else says what came in the way. `notes` are
    clauses on what is odd.
    """

    requirement: str
    place: str
    action: Outcome
    path: str | None = None
    line: int | None = None
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


class RuleTold(Struct, frozen=True, kw_only=True):
    """A rule of the policy as its findings are explained: what it does, and its own words."""

    id: str
    action: Action
    reason: str = ""
    hint: str = ""


class Check(Struct, frozen=True, kw_only=True):
    """All requirements in order, at the time `at`, against `index` (without credentials).

    `ways_past` are sentences on what leads installers past the gate, `notes` those on what made no
    difference here, though to installers it does; `feed_failure` says why the
    advisories are older than the policy wants, if they are. `rules` are those of the policy.
    """

    at: datetime
    index: str
    policy: str
    policy_digest: str
    requirements: tuple[Checked, ...]
    ways_past: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    feed_failure: str | None = None
    rules: tuple[RuleTold, ...] = ()

    @property
    def counts(self) -> Mapping[Outcome, int]:
        """How many requirements had each outcome."""
        return Counter(each.action for each in self.requirements)
