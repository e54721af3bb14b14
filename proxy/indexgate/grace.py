"""Grace for files: one that is refused now, but that pages still showed lately, still passes."""

from collections.abc import Callable
from datetime import datetime

from msgspec.structs import replace

from indexgate.facts import Facts, Known
from indexgate.finished_page import sooner
from indexgate.index.listing import Listing
from indexgate.index.presentation import Presentation
from indexgate.index.protocol import Snapshot
from indexgate.shown import GRACE, Basis, Shown
from indexgate_policy.assessment import Assessment
from indexgate_policy.rules.document import Policy
from indexgate_policy.rules.page import judge_release
from indexgate_policy.rules.reads import ALL
from indexgate_policy.rules.verdict import Verdict
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import Client

_SHOWN_FILES = 30_000  # of pages that are held as bytes


class Grace:
    """What pages of one index showed lately; *read* reads one again, from *started* on."""

    def __init__(
        self,
        facts: Facts,
        read: Callable[[Snapshot, datetime | Unknown], Listing],
        *,
        presentation: Presentation,
        started: datetime,
    ) -> None:
        self._facts = facts
        self._read = read
        self._presentation = presentation
        self._started = started
        self._shown = Shown(_SHOWN_FILES)
        self._then: Listing | None = None  # of the pages shown lately, the last that was looked at

    def note(self, listed: Listing, known: Known, now: datetime) -> None:
        """Note that the listed page is judged by what is *known* from *now* on."""
        self._shown.note(
            Basis(
                snapshot=listed.snapshot,
                files=len(listed.page.files),
                assessment=known.assessment,
                reads=known.reads,
                stamp=known.stamp,
                since=now,
            )
        )

    def verdict(
        self, listed: Listing, filename: str, policy: Policy, client: Client, now: datetime
    ) -> Verdict | None:
        """Return the verdict by which pages still showed the file as passing lately, if any did."""
        for then, assessment, at in self._bases(listed, policy, now):
            try:
                release, _ = then.release_of(filename)
            except KeyError:
                continue
            verdict = judge_release(
                release, assessment, policy, client, at, presentation=self._presentation
            )[filename]
            if not verdict.refused:
                return replace(verdict, until=sooner(verdict.until, at + GRACE))
        return None

    def _bases(
        self, listed: Listing, policy: Policy, now: datetime
    ) -> list[tuple[Listing, Assessment | Unknown, datetime]]:
        project = listed.project.name
        bases: list[tuple[Listing, Assessment | Unknown, datetime]] = []
        shown = self._shown.earlier(project, now)
        if shown is not None and shown[0].reads in (ALL, policy.reads, policy.page_reads):
            basis, then = shown
            bases.append((self._listed_then(basis, listed), basis.assessment, then))
        # What it showed before it was started, and what other workers show, only the store has.
        if self._facts.shared or now - self._started < GRACE:
            stored = self._facts.before(project, now - GRACE)
            if stored is not None:
                bases.append((listed, stored, max(now - GRACE, stored.assessed_at)))
        return bases

    def _listed_then(self, basis: Basis, listed: Listing) -> Listing:
        """Return what the page of *basis* listed; *listed* is what it lists now."""
        if basis.snapshot.digest == listed.snapshot.digest:
            return listed
        if self._then is None or self._then.snapshot.digest != basis.snapshot.digest:
            self._then = self._read(basis.snapshot, listed.project.first_seen)
        return self._then
