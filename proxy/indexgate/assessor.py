"""Making assessments of an index's projects, and keeping them: in memory, and in the store."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from msgspec.structs import replace
from packaging.utils import NormalizedName

from indexgate.assessing import OURS, assessed, is_without_page, looked_at
from indexgate.assessment_memory import AssessmentMemory, Newest
from indexgate.early_looks import EarlyLooks
from indexgate.index.in_turn import in_turn
from indexgate.index.listing import Listing
from indexgate.observing import Observed
from indexgate.past import Recalled
from indexgate.store.engines import StoreFailed
from indexgate.surroundings import Surroundings
from indexgate_policy.assess import FAILED_CHECK
from indexgate_policy.assessment import Assessment
from indexgate_policy.rules.reads import ALL, Reads
from indexgate_policy.signals import Signal, Unknown

_MANY_RELEASES, _HUGE = 400, 12_000
T = TypeVar("T")


class Assessor:
    """Makes the assessments of one index; `memory` has the newest, `early` says which are early.

    `failed_checks` counts the checks that failed, `last_failed_check` says which one failed last,
    on what project, and why.
    """

    def __init__(self, around: Surroundings) -> None:
        self.failed_checks = 0
        self.last_failed_check: str | None = None
        self.early = EarlyLooks()
        self.memory = AssessmentMemory(
            around.index_id,
            around.assessments,
            around.clock,
            gives_way=lambda one: self.early.made_for(one) != ALL,
        )
        self._with = around
        around.fellows.hear(f"assessed {around.index_id}", self.memory.hear)

    def seen_elsewhere(self, project: NormalizedName) -> Assessment | None:
        """Return what another worker made since the store was asked last. Raises StoreFailed."""
        if not self._with.shared:
            return None
        self.memory.look_again(project)
        found = of_page(self.memory.newest(project))
        # A first look was made here: others keep theirs in memory too.
        return None if found is None or self.early.made_for(found) != ALL else found

    def said(self, project: NormalizedName) -> tuple[Signal, ...]:
        """Return what sources said of *project* so far. Raises StoreFailed."""
        made_anew = {OURS, *self._with.past.speaks_as}
        return tuple(one for one in self.inputs(project) if one.source not in made_anew)

    def inputs(self, project: NormalizedName) -> tuple[Signal, ...]:
        """Return what the newest assessment of *project* was made from. Raises StoreFailed."""
        assessment = self.memory.newest(project).assessment
        return () if assessment is None else assessment.inputs

    def is_early(self, project: NormalizedName) -> bool:
        """Tell whether the newest assessment of *project* is a first look. Raises StoreFailed."""
        newest = self.memory.newest(project).assessment
        return newest is not None and self.early.made_for(newest) != ALL

    async def look(
        self,
        listing: Listing,
        reads: Reads,
        signals: tuple[Signal, ...],
        *,
        unheard: frozenset[str],
    ) -> Assessment | None:
        """Return as much as a policy *reads*, see `first_look`; it is kept in memory alone.

        Other workers do not see it.
        """
        looking = self._looking(listing, reads, signals, unheard)
        return self._kept(await _worked_out(looking, listing), listing, reads)

    def look_at_once(
        self, listing: Listing, reads: Reads, *, unheard: frozenset[str]
    ) -> Assessment | None:
        """Return what `look` does for the page alone, where that does not take long."""
        return self._kept(self._looking(listing, reads, (), unheard)(), listing, reads)

    def _looking(
        self,
        listing: Listing,
        reads: Reads,
        signals: tuple[Signal, ...],
        unheard: frozenset[str],
    ) -> Callable[[], Assessment | None]:
        return partial(
            looked_at,
            listing,
            signals,
            reads,
            unheard=unheard,
            popular=self._with.popular,
            others=self._with.assessments,
            now=self._with.clock(),
        )

    def _kept(
        self, assessment: Assessment | None, listing: Listing, reads: Reads
    ) -> Assessment | None:
        if assessment is not None:
            self.early.keep(assessment, reads)
            self.memory.put(assessment, listing.snapshot.digest)
        return assessment

    async def assess(
        self,
        listing: Listing,
        observed: Observed,
        recalled: Recalled | None = None,
        *,
        waited_for: bool = False,
    ) -> Assessment:
        """Assess and keep; it holds until a source that could not answer is asked again.

        What a page is *waited_for* is written after the answer: should the gate be killed before,
        the next one to ask is the first again.
        """
        recalled = recalled or Recalled()
        assessing = partial(self._assessed, listing, observed, recalled)
        without_history = isinstance(recalled.history, Unknown)
        assessment = await _worked_out(assessing, listing, quick=without_history)
        again_at = observed.again_at
        if again_at is not None and again_at < assessment.valid_until:
            assessment = replace(assessment, valid_until=again_at)
        self._note_failed_checks(assessment)
        self.memory.put(assessment, listing.snapshot.digest)
        self.early.drop(listing.project.name)
        if waited_for:
            self._with.assessments.save_soon(assessment)
            return assessment
        try:
            await self._with.assessments.save(assessment)
        except StoreFailed as error:
            # What is known is known, also while the disk cannot take it.
            self._with.log("store-failed", error.message)
        self.tell(listing)
        return assessment

    def tell(self, listing: Listing) -> None:
        """Tell the other workers that the listed project was assessed, from which page."""
        topic = f"assessed {self._with.index_id}"
        self._with.fellows.tell(topic, listing.project.name, listing.snapshot.digest)

    def _assessed(self, listing: Listing, observed: Observed, recalled: Recalled) -> Assessment:
        return assessed(
            listing,
            observed.signals,
            recalled,
            before=self.memory.newest(listing.project.name).assessment,
            advisories=self._with.advisories_about(listing.project.name),
            popular=self._with.popular,
            others=self._with.assessments,
            now=self._with.clock(),
        )

    def _note_failed_checks(self, assessment: Assessment) -> None:
        for signal in assessment.inputs:
            if signal.name.startswith(FAILED_CHECK) and isinstance(signal.value, Unknown):
                check = signal.name.removeprefix(FAILED_CHECK)
                self.failed_checks += 1
                self.last_failed_check = f"{check} on {assessment.project}: {signal.value.reason}"


def of_page(newest: Newest) -> Assessment | None:
    """Return the assessment if there is one, and it was made from the project's page."""
    found = newest.assessment
    return None if found is None or is_without_page(found) else found


def may_take_long(listing: Listing) -> bool:
    """Tell whether a look at what is listed should leave others their turns."""
    return len(listing.releases) > _MANY_RELEASES


async def _worked_out(work: Callable[[], T], listing: Listing, *, quick: bool = True) -> T:
    """Return what *work* on *listing* returns; off the loop where that may take long."""
    if quick and not may_take_long(listing):
        return work()
    return await in_turn(work, huge=len(listing.releases) > _HUGE)
