"""What is known of a project when a request comes: its stored assessment, and the local advisories.

Nobody outside is asked in the request path, but for one thing: what is not known of a project that
is seen for the first time (`first_sight`). The rest, and what comes later, is assessed in the
background, and holds for files ten minutes after it holds for pages.
"""

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace
from packaging.utils import NormalizedName

from indexgate.assessment_memory import LOOKED_EVERY, Newest
from indexgate.assessor import Assessor, of_page
from indexgate.bursts import Bursts
from indexgate.first_sight import INTERIM, FirstSight
from indexgate.index.in_turn import take_number
from indexgate.index.listing import Listing
from indexgate.observing import Observed, Observer
from indexgate.sources.protocol import Source, joined
from indexgate.store.engines import StoreFailed
from indexgate.surroundings import Surroundings
from indexgate.waiting_line import WaitingLine
from indexgate_policy.assessment import Assessment
from indexgate_policy.health.open_advisories import open_advisories
from indexgate_policy.health.result import HealthScore
from indexgate_policy.health.score import with_advisories
from indexgate_policy.rules.reads import ALL, Reads
from indexgate_policy.signals import Signal, Signals, Unknown

REFRESHED_AT_ONCE = 4
Stamp: TypeAlias = tuple[int, datetime | None, Reads]
_UNREADABLE: Stamp = (-1, None, ALL)


class Renewed(Struct, frozen=True, kw_only=True):
    """A project's new assessment, and how it came about."""

    listing: Listing
    observed: Observed
    assessment: Assessment


class Known(Struct, frozen=True, kw_only=True):
    """What is known of a project; `stamp` changes whenever it does.

    `reads` is what it was found out for: unless that is all, a policy that reads anything else must
    not judge by it.
    """

    assessment: Assessment | Unknown
    stamp: Stamp
    reads: Reads = ALL


class Facts:
    """The assessments of one index, as requests need them."""

    def __init__(self, around: Surroundings) -> None:
        self._with = around
        self._assessor = Assessor(around)
        self._memory = self._assessor.memory
        self._early = self._assessor.early
        self._line = WaitingLine()
        self._bursts = Bursts()
        self._first_sight = FirstSight(around, self._assessor, self._bursts, self.queue)
        around.fellows.hear(f"queue {around.index_id}", self._queue_for_fellow)

    @property
    def waiting(self) -> int:
        """How many projects wait to be assessed again."""
        return len(self._line)

    @property
    def at_hand(self) -> list[Assessment]:
        """The assessments in memory: of the projects that were asked for last."""
        return self._memory.assessments

    @property
    def observer(self) -> Observer:
        """Who asks the sources."""
        return self._with.observer

    @property
    def failed_checks(self) -> int:
        """How many checks failed in assessments made here."""
        return self._assessor.failed_checks

    @property
    def last_failed_check(self) -> str | None:
        """Which check failed last, on what project, and why."""
        return self._assessor.last_failed_check

    @property
    def shared(self) -> bool:
        """Whether other workers judge by the same store, and show pages of their own."""
        return self._with.shared

    def foresee(self, project: NormalizedName) -> None:
        """Have the index asked about *project* if that will be needed: its page is on its way.

        `of` is to follow soon; `forgo` says that it does not.
        """
        self._first_sight.foresee(project)

    def forgo(self, project: NormalizedName) -> None:
        """Take back `foresee`: there is no page."""
        self._first_sight.forgo(project)

    async def of(self, listing: Listing, reads: Reads = ALL) -> Known:
        """Return what is known of the listed project, waiting only at first sight, and shortly.

        Whoever judges by a policy that *reads* so much has at first sight no more than that.
        The assessment is unknown when the store cannot be read: the policy says what that means.
        """
        try:
            # Read before the facts: an advisory that comes in between makes them old at once.
            revision = self._with.advisories.revision()
            found = await self._of(listing, reads)
            assessment = self._joined(listing.project.name, found)
        except StoreFailed as error:
            self._with.log("store-failed", error.message)
            unreadable = Unknown(reason=f"the store cannot be read: {error.message}")
            return Known(assessment=unreadable, stamp=_UNREADABLE)
        made_for = self._early.made_for(found)
        stamp = revision, assessment.assessed_at, made_for
        return Known(assessment=assessment, stamp=stamp, reads=made_for)

    async def _of(self, listing: Listing, reads: Reads) -> Assessment:
        project = listing.project.name
        newest = self._memory.newest(project)
        assessment = of_page(newest)
        if assessment is None or self._early.is_too_little(assessment, reads):
            return await self._first_sight.of(listing, reads)
        if self.shared:
            self._first_sight.leave(project)  # if it was to look: another one was quicker
        now = self._with.clock()
        is_early = self._early.made_for(assessment) != ALL
        is_overdue = is_early and now > assessment.assessed_at + INTERIM
        if self._is_of_older(newest, listing) or assessment.valid_until <= now or is_overdue:
            self.queue(project)
        return assessment

    def _is_of_older(self, newest: Newest, listing: Listing) -> bool:
        """Tell whether the assessment is from another page than the listed one."""
        if self.shared and not newest.page and newest.made_at is not None:
            # If another worker has just made it, it is about to say from which page.
            return self._with.clock() - newest.made_at > LOOKED_EVERY
        return newest.page != listing.snapshot.digest

    def is_early(self, project: NormalizedName) -> bool:
        """Tell whether of *project* no more is known than a policy reads."""
        try:
            return self._assessor.is_early(project)
        except StoreFailed:
            return False

    def is_known_for(self, project: NormalizedName, reads: Reads) -> bool:
        """Tell whether a policy that *reads* so much need not wait to know of *project*."""
        try:
            assessment = of_page(self._memory.newest(project))
        except StoreFailed:
            return False
        return assessment is not None and not self._early.is_too_little(assessment, reads)

    def known(self, project: NormalizedName) -> Assessment | None:
        """Return the stored assessment of *project*; None at first sight, or without a store."""
        try:
            assessment = of_page(self._memory.newest(project))
            return None if assessment is None else self._joined(project, assessment)
        except StoreFailed:
            return None

    def before(self, project: NormalizedName, since: datetime) -> Assessment | None:
        """Return the oldest assessment that pages were judged by since then, if it is known."""
        try:
            found = self._with.assessments.in_force_since(self._with.index_id, project, since)
            return None if found is None else self._joined(project, found)
        except StoreFailed:
            return None

    def stamp(self, project: NormalizedName) -> Stamp:
        """Return what changes whenever the facts of *project* do."""
        try:
            revision, newest = self._with.advisories.revision(), self._memory.newest(project)
        except StoreFailed:
            return _UNREADABLE
        # A clock may stand still between a first look and what was found out right after it.
        made_for = ALL if newest.assessment is None else self._early.made_for(newest.assessment)
        return revision, newest.made_at, made_for

    def said(self, project: NormalizedName) -> tuple[Signal, ...]:
        """Return what sources said of *project* so far. Raises StoreFailed."""
        return self._assessor.said(project)

    def queue(self, project: NormalizedName) -> None:
        """Have *project*, which a client asked for, assessed again in the background."""
        if self._with.fellows.number:
            self._with.fellows.tell_first(f"queue {self._with.index_id}", project)
        else:
            self._line.add(project, asked=True)

    def _queue_for_fellow(self, project: NormalizedName) -> None:
        self._bursts.note()
        self._line.add(project, asked=True)

    def queue_due(self, project: NormalizedName) -> None:
        """Have *project* assessed again after those that clients asked for."""
        self._line.add(project, asked=False)

    async def refresh_for_ever(self) -> None:
        """Assess what is queued, a few projects at a time, until cancelled."""
        async with asyncio.TaskGroup() as workers:
            for _ in range(REFRESHED_AT_ONCE):
                workers.create_task(self._refresh_queued())

    async def _refresh_queued(self) -> None:
        worker = asyncio.current_task()
        # Of an order to end that comes together with a failure, the failure may be all that is met.
        while worker is None or not worker.cancelling():
            project = await self._line.next()
            try:
                await self._bursts.over()
                await self.refresh(project)
            finally:
                self._line.done(project)

    async def close(self) -> None:
        """End the look-ups under way."""
        await self._first_sight.close()

    async def settled(self) -> None:
        """Wait for the project JSON that is still on its way, if any."""
        await self._first_sight.settled()

    async def refresh(self, project: NormalizedName) -> None:
        """Assess *project* again in the background; what fails is told in the log.

        Its own index is asked anew if its page has changed since, others as their answers are old.
        """
        take_number(behind=True)
        try:
            listing = await self._with.listing(project, False)
            changed = self._is_of_older(self._memory.newest(project), listing)
            await self._renew(listing, self._with.observer.all, anew=changed)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            # Whatever it is, one project must not end the refresh of all.
            self._with.log("refresh-failed", f"{project}: {error}")

    async def renew(
        self,
        project: NormalizedName,
        sources: Iterable[Source] | None = None,
        *,
        asked: bool = True,
        anew: bool = True,
        patience: timedelta = timedelta(0),
    ) -> Renewed:
        """Assess *project* again and return the result; whether somebody *asked* for it is noted.

        Its own index is asked *anew*, other *sources* (all by default) as their answers are old,
        and for *patience* each is waited for until it may be asked. Raises NoSuchProject,
        UpstreamFailed, StoreFailed.
        """
        listing = await self._with.listing(project, asked)
        chosen = self._with.observer.all if sources is None else tuple(sources)
        return await self._renew(listing, chosen, anew=anew, patience=patience)

    async def _renew(
        self,
        listing: Listing,
        sources: Iterable[Source],
        *,
        anew: bool,
        patience: timedelta = timedelta(0),
    ) -> Renewed:
        project, past = listing.project.name, self._with.past
        await self._with.assessments.saved()  # else what is on its way hides what others saved
        self._memory.look_again(project)  # what another process has just asked is not asked again
        before = Signals(self._assessor.inputs(project))
        observed = await self._with.observer.observe(
            project, sources, self.said(project), anew=anew, patience=patience
        )
        await past.note(listing, joined(observed.signals), before)
        recalled = await past.recall(project, listing, self._with.clock())
        assessment = await self._assessor.assess(listing, observed, recalled)
        return Renewed(listing=listing, observed=observed, assessment=assessment)

    def _joined(self, project: NormalizedName, assessment: Assessment) -> Assessment:
        advisories, score = self._with.advisories_about(project), assessment.score
        latest = Signals(assessment.inputs).value("latest_version")
        if isinstance(score, HealthScore) and isinstance(latest, str) and advisories.records:
            # What was published since must not wait for the next assessment.
            now = self._with.clock()
            score = with_advisories(score, open_advisories(latest, advisories), now)
        return replace(assessment, advisories=advisories, score=score)
