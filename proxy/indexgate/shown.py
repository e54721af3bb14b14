"""By what pages were judged lately: files obey ten minutes later what tightens by itself.

A resolver reads a page, decides, and asks for the file a moment later; a listed file that is then
refused fails the whole install, as nobody backtracks. So a file that is refused now but passed by
what pages were judged by within the last ten minutes still passes. Malware, quarantine and edits of
the policy know no such grace.
"""

from datetime import datetime, timedelta

from cachetools import LRUCache
from msgspec import Struct, field
from msgspec.structs import replace
from packaging.utils import NormalizedName

from indexgate.index.protocol import Snapshot
from indexgate_policy.assessment import Assessment
from indexgate_policy.rules.reads import ALL, Reads
from indexgate_policy.signals import Unknown

GRACE = timedelta(minutes=10)


class Basis(Struct, frozen=True, kw_only=True):
    """What a page was judged by, and when: from `since` on, until `until` (None: still).

    The page is held as bytes, for that is what it is kept as anyway; `files` is how many it lists.
    `reads` is what a policy must read to judge by it; all: whatever it likes.
    """

    snapshot: Snapshot
    files: int
    assessment: Assessment | Unknown
    reads: Reads = ALL
    stamp: object
    since: datetime
    until: datetime | None = field(default=None)

    @property
    def _identity(self) -> tuple[str, object]:
        return self.snapshot.digest, self.stamp

    def same_as(self, other: "Basis") -> bool:
        """Tell whether both judge by the same page and the same facts."""
        return self._identity == other._identity


class Shown:
    """The bases of the last ten minutes by project, as many as have *most_files* files."""

    def __init__(self, most_files: int) -> None:
        self._bases: LRUCache[NormalizedName, tuple[Basis, ...]] = LRUCache(
            most_files, getsizeof=lambda kept: sum(b.files + 1 for b in kept)
        )

    def note(self, basis: Basis) -> None:
        """Note that from `basis.since` on pages are judged by *basis*."""
        project = basis.snapshot.project
        known = self._bases.get(project, ())
        if known and known[-1].same_as(basis):
            return
        ended = tuple(b if b.until else replace(b, until=basis.since) for b in known)
        # The oldest that still counts is enough beside the newest: it was the most lenient so far.
        counting = tuple(b for b in ended if _counts(b, basis.since))[:1]
        try:
            self._bases[project] = (*counting, basis)
        except ValueError:  # more files than all of the room
            self._bases.pop(project, None)

    def earlier(self, project: NormalizedName, now: datetime) -> tuple[Basis, datetime] | None:
        """Return the oldest basis of the last ten minutes, and when to judge by it."""
        for basis in self._bases.get(project, ()):
            if _counts(basis, now):
                return basis, max(now - GRACE, basis.since)
        return None


def _counts(basis: Basis, now: datetime) -> bool:
    return basis.until is None or basis.until > now - GRACE
