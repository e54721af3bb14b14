"""The first sight of a project: somebody waits for it, so no more is found out than they need.

Whoever asks for a page or for a file says what the policy reads for it. That may be known from the
page alone; else the index itself is asked for the project JSON, for which there is a moment's time.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from packaging.utils import NormalizedName

from indexgate.assessor import Assessor, may_take_long, of_page
from indexgate.bursts import Bursts
from indexgate.index.listing import Listing
from indexgate.observing import Observed
from indexgate.past import NoPast
from indexgate.store.engines import StoreFailed
from indexgate.surroundings import Surroundings
from indexgate_policy.assessment import Assessment
from indexgate_policy.rules.reads import Reads

PATIENCE = 0.4
"""Seconds for which a page or a file waits for the project JSON."""

INTERIM = timedelta(minutes=1)
"""How long an assessment without the project JSON stands, should the JSON never come."""


class FirstSight:
    """First looks at the projects of one index, each project by one flight.

    *queue* has a project assessed in the background, after *bursts*.
    """

    def __init__(
        self,
        around: Surroundings,
        assessor: Assessor,
        bursts: Bursts,
        queue: Callable[[NormalizedName], None],
    ) -> None:
        self._with = around
        self._assessor = assessor
        self._bursts = bursts
        self._queue = queue
        self._flights: dict[NormalizedName, asyncio.Task[Assessment]] = {}
        self._late: set[asyncio.Task[None]] = set()
        # What the index itself tells beside its pages.
        own = around.observer.own
        self._told = frozenset(name for source in own for name in source.about.gives)

    def foresee(self, project: NormalizedName) -> None:
        """Have the index asked about *project*, of which the page is on its way.

        That is if nothing is known of it and the policy most likely asks. `of` is to follow soon;
        `forgo` says that it does not.
        """
        reads = self._with.page_reads()
        if not (reads.signals or reads.score is not None) or project in self._flights:
            return
        try:
            known = of_page(self._assessor.memory.newest(project)) is not None
            if known or not self._claim(project):
                return
        except StoreFailed:
            return
        self._with.observer.foresee(project)

    def forgo(self, project: NormalizedName) -> None:
        """Take back `foresee`: there is no page."""
        self._with.observer.forgo(project)
        self.leave(project)

    def leave(self, project: NormalizedName) -> None:
        """Let another worker look at *project*, if this one was to."""
        self._with.once.give_up(self._sight(project))

    async def of(self, listing: Listing, reads: Reads) -> Assessment:
        """Return what is found out of the listed project for a policy that *reads* so much."""
        project = listing.project.name
        while True:
            flight = self._flights.get(project)
            if flight is None or flight.done():  # one that has just ended is no longer waited for
                early = self._looked_at_once(listing, reads)
                if early is not None:
                    return early
                flight = asyncio.create_task(self._look_once(listing, reads))
                self._flights[project] = flight
                flight.add_done_callback(partial(self._landed, project))
            assessment = await asyncio.shield(flight)
            if not self._assessor.early.is_too_little(assessment, reads):
                return assessment

    async def close(self) -> None:
        """End the looks under way."""
        under_way = [*self._flights.values(), *self._late]
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

    async def settled(self) -> None:
        """Wait for the project JSON that is still on its way, if any."""
        await asyncio.gather(*self._late)

    def _sight(self, project: NormalizedName) -> str:
        return f"first-sight {self._with.index_id} {project}"

    def _claim(self, project: NormalizedName) -> bool:
        """Tell whether this worker is to look at *project* first. Raises StoreFailed."""
        if not self._with.once.claim(self._sight(project)):
            return False
        if self._assessor.seen_elsewhere(project) is None:
            return True
        self.leave(project)
        return False

    def _landed(self, project: NormalizedName, flight: asyncio.Task[Assessment]) -> None:
        if self._flights.get(project) is flight:
            del self._flights[project]

    async def _look_once(self, listing: Listing, reads: Reads) -> Assessment:
        """Look at the page alone; where that does not do, let one worker look at more."""
        project, assessor = listing.project.name, self._assessor

        async def there() -> Assessment | None:
            found = assessor.seen_elsewhere(project)
            if found is not None and found.assessed_at >= listing.snapshot.fetched_at:
                assessor.memory.put(found, listing.snapshot.digest)  # they had it from this page
            return found

        async def look() -> Assessment:
            assessment = await self._look(listing, reads)
            if self._with.shared:
                await self._with.assessments.saved()  # the other workers look there
                assessor.tell(listing)
            self._queue_rest(project)
            return assessment

        self._bursts.note()
        if may_take_long(listing) and not self._needs_more(project, reads):
            early = await assessor.look(listing, reads, (), unheard=self._told)
            if early is not None:
                self.leave(project)
                self._queue_rest(project)
                return early
        return await self._with.once.once(self._sight(project), look, there)

    def _looked_at_once(self, listing: Listing, reads: Reads) -> Assessment | None:
        """Look at the page alone where that takes no longer than a flight; None: it does not do."""
        project = listing.project.name
        if may_take_long(listing) or self._needs_more(project, reads):
            return None
        self._bursts.note()
        early = self._assessor.look_at_once(listing, reads, unheard=self._told)
        if early is not None:
            self.leave(project)
            self._queue_rest(project)
        return early

    def _queue_rest(self, project: NormalizedName) -> None:
        """Have the background find out what nobody waits for, if there is anything."""
        observer, past = self._with.observer, self._with.past
        others = len(observer.own) < len(observer.all)
        if others or self._assessor.is_early(project) or not isinstance(past, NoPast):
            self._queue(project)

    def _needs_more(self, project: NormalizedName, reads: Reads) -> bool:
        """Tell whether no first look does for a policy that *reads* so much.

        Who reads signals reads all of them; and more than one policy read is looked at wholly.
        """
        said = self._assessor.said(project)
        return reads.signals or bool(said) or self._assessor.is_early(project)

    async def _look(self, listing: Listing, reads: Reads) -> Assessment:
        """Assess what is seen for the first time, with what the index itself says in time."""
        project = listing.project.name
        observer, assessor = self._with.observer, self._assessor
        said = assessor.said(project)
        patience = PATIENCE
        if not (self._needs_more(project, reads) or self._with.shared):
            try:
                early = await self._look_at_glance(listing, reads)
            except TimeoutError:
                patience = 0.0  # it has been waited for
            else:
                if early is not None:
                    return early
        observing = asyncio.create_task(observer.observe(project, observer.own, said))
        try:
            await asyncio.wait({observing}, timeout=patience)
        except asyncio.CancelledError:
            observing.cancel()
            raise
        if observing.done():
            return await assessor.assess(listing, observing.result(), waited_for=True)
        not_yet = Observed(
            signals=(*observer.not_yet(observer.own), *said),
            again_at=self._with.clock() + INTERIM,
        )
        interim = await assessor.assess(listing, not_yet, waited_for=True)
        late = asyncio.create_task(self._assess_late(listing, observing, interim))
        self._late.add(late)
        late.add_done_callback(self._late.discard)
        return interim

    async def _look_at_glance(self, listing: Listing, reads: Reads) -> Assessment | None:
        """Assess with what the index says first; None where that does not tell all that is read.

        Other workers would not see it. Raises TimeoutError when the index does not answer soon.
        """
        async with asyncio.timeout(PATIENCE):  # not the look: it may queue
            glanced = await self._with.observer.glance(listing.project.name)
        if glanced is None:
            return None
        unheard = self._told - {signal.name for signal in glanced}
        return await self._assessor.look(listing, reads, glanced, unheard=unheard)

    async def _assess_late(
        self, listing: Listing, observing: asyncio.Task[Observed], interim: Assessment
    ) -> None:
        memory, project = self._assessor.memory, listing.project.name
        try:
            observed = await observing
            await self._with.assessments.saved()
            memory.look_again(project)
            if memory.newest(project).assessment is interim:
                # Else a refresh was quicker, and knows more.
                await self._assessor.assess(listing, observed)
        finally:
            observing.cancel()
