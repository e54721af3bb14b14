"""What the record holds: refusals, and what pages withheld or warned of."""

from datetime import datetime
from hashlib import sha256
from typing import Literal, TypeAlias

from msgspec import Struct
from packaging.utils import NormalizedName

from indexgate.store.column_types import in_json

Notice: TypeAlias = Literal["withheld", "warned"]


class Refusal(Struct, frozen=True, kw_only=True):
    """One file that was asked for and refused. Nothing in it tells who asked.

    `run` is the token of an `indexgate run`, `family` the installer's name, `formula` and
    `assessed_at` name the assessment that was judged (None: there was none).
    """

    at: datetime
    index_id: str
    project: NormalizedName
    version: str
    filename: str
    rule: str
    reason: str
    policy_digest: str
    run: str | None = None
    family: str = "other"
    formula: str | None = None
    assessed_at: datetime | None = None


class Reason(Struct, frozen=True, kw_only=True):
    """A rule's reason and the versions of a page that it holds for."""

    rule: str
    reason: str
    versions: tuple[str, ...]


class VerdictSet(Struct, frozen=True, kw_only=True):
    """All that a page withheld or warned of. Make it with `verdict_set`, once for each page."""

    digest: str
    index_id: str
    project: NormalizedName
    policy_digest: str
    reasons: tuple[Reason, ...]


def verdict_set(
    index_id: str, project: NormalizedName, policy_digest: str, reasons: tuple[Reason, ...]
) -> VerdictSet:
    """Return the set with its digest; equal sets have one digest and are stored once."""
    content = in_json((index_id, project, policy_digest, reasons))
    return VerdictSet(
        digest=sha256(content.encode()).hexdigest(),
        index_id=index_id,
        project=project,
        policy_digest=policy_digest,
        reasons=reasons,
    )


class Decision(Struct, frozen=True, kw_only=True):
    """One line of the record.

    A `refused` one is a file (`filename`) and counts 1. A `withheld` or `warned` one is a reason on
    a page, `at` the hour in which the page was given out `count` times.
    """

    kind: Literal["refused"] | Notice
    at: datetime
    index_id: str
    project: NormalizedName
    versions: tuple[str, ...]
    filename: str | None
    rule: str
    reason: str
    policy_digest: str
    run: str | None
    family: str
    count: int


class RecordHealth(Struct, frozen=True, kw_only=True):
    """Whether the record is kept.

    `reason` says why it is not (None: it is), `spooled` refusals wait in memory for the database,
    `dropped` refusals and notices are lost for good, since the start.
    """

    reason: str | None
    spooled: int
    dropped: int

    @property
    def degraded(self) -> bool:
        """Whether the record is incomplete now."""
        return self.reason is not None
