"""What is known of a project when a request comes: its stored assessment, and the local advisories.

Nobody outside is asked in the request path, but for one thing: at the first sight of a project its
own index is asked for the project JSON, and the page waits for it for a moment, if the policy reads
what it tells. No more is found out then than the policy reads. The rest, and what comes later, is
assessed in the background, and holds for files ten minutes after it holds for pages.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol, TypeAlias, TypeVar

from packaging.utils import NormalizedName

from indexgate.assessing import OURS, assessed, is_without_page, looked_at
from indexgate.assessment_memory import LOOKED_EVERY, AssessmentMemory, Newest, StoredAssessments
from indexgate.early_looks import EarlyLooks
from indexgate.fellows import ALONE, Fellows
from indexgate.index.in_turn import in_turn
from indexgate.index.listing import Listing
from indexgate.index.once import EACH_ALONE, Once
from indexgate.observing import Observed, Observer
from indexgate.past import NoPast, Past, Recalled
from indexgate.sources.osv_records import FeedState
from indexgate.sources.protocol import Source, joined
from indexgate.store.engines import StoreFailed
from indexgate.waiting_line import WaitingLine
from indexgate_policy.advisories import Advisories, Advisory
from indexgate_policy.assess import FAILED_CHECK
from indexgate_policy.assessment import Assessment, PopularNames
from indexgate_policy.health.open_advisories import open_advisories
from indexgate_policy.health.result import HealthScore
from indexgate_policy.health.score import with_advisories
from indexgate_policy.rules.reads import ALL, Reads
from indexgate_policy.signals import Signal, Signals, Unknown

FIRST_SIGHT_PATIENCE = 0.4
"""Seconds for which a page waits for the project JSON."""

INTERIM = timedelta(minutes=1)
"""How long an assessment without the project JSON stands, should the JSON never come."""

BURST_REST = 0.5
"""Seconds without a first sight after which the background goes on."""

LONGEST_BURST = 15.0
"""Seconds for which the background waits for that at most."""

REFRESHED_AT_ONCE = 4
_MANY_RELEASES, _HUGE = 200, 3_000
T = TypeVar("T")
Stamp: TypeAlias = tuple[int, datetime | None]
_UNREADABLE: Stamp = (-1, None)


class StoredAdvisories(Protocol):
    """The local copy of the advisory feed."""

    def of(self, project: NormalizedName) -> tuple[Advisory, ...]:
        """Return the advisories about *project*."""

    def feed_state(self) -> FeedState | None:
        """Return the state of the feed, None when it was never read."""

    def revision(self) -> int:
        """Return a number that grows with every change of the advisories."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What facts are made from: the index's identity, the stores, and who is asked.

    Sources that are the index itself are asked at the first sight of a project, third parties only
    in the background; so is `past`, since what has a history takes longer than a page may wait.
    `listing` is told whether somebody asked for the project: the background does not keep one alive
    that nobody asks for any more. Of several workers the first does what is in the background, and
    what is seen for the first time is looked at *once*; all *fellows* hear of what is new.
    `reads` tells what the policy in force reads of a project: whether it is worth to ask early.
    """

    index_id: str
    public: bool
    assessments: StoredAssessments
    advisories: StoredAdvisories
    popular: PopularNames
    observer: Observer
    listing: Callable[[NormalizedName, bool], Awaitable[Listing]]
    clock: Callable[[], datetime]
    log: Callable[[str, str], None]
    past: Past = field(default_factory=NoPast)
    fellows: Fellows = ALONE
    once: Once = EACH_ALONE
    reads: Callable[[], Reads] = lambda: ALL


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewed:
    """A project's new assessment, and how it came about."""

    listing: Listing
    observed: Observed
    assessment: Assessment


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a project; `stamp` changes whenever it does.

    `reads` is what it was found out for: unless that is all, a policy that reads anything else must
    not judge by it.
    """

    assessment: Assessment | Unknown
    stamp: Stamp
    reads: Reads = ALL


class Facts:
    """The assessments of one index, as requests need them.

    `failed_checks` counts the checks that failed in assessments made here, `last_failed_check` says
    which one failed last, on what project, and why.
    """

    def __init__(self, around: Surroundings) -> None:
        self.failed_checks = 0
        self.last_failed_check: str | None = None
        self._with = around
        self._memory = AssessmentMemory(around.index_id, around.assessments, around.clock)
        self._flights: dict[NormalizedName, asyncio.Task[Assessment]] = {}
        self._late: set[asyncio.Task[None]] = set()
        self._early = EarlyLooks()
        self._line = WaitingLine()
        self._busy_until = 0.0
        around.fellows.hear(f"queue {around.index_id}", self._queue_for_fellow)
        around.fellows.hear(f"assessed {around.index_id}", self._memory.hear)

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

    def foresee(self, project: NormalizedName) -> None:
        """Have the index asked about *project* if nothing is known of it: its page is on its way.

        `of` is to follow soon; `forgo` says that it does not.
        """
        try:
            unknown = _of_page(self._memory.newest(project)) is None
            if (
                not unknown
                or not self._with.reads().anything
                or project in self._flights
                or not self._claim_sight(project)
            ):
                return
        except StoreFailed:
            return
        self._with.observer.foresee(project)

    def forgo(self, project: NormalizedName) -> None:
        """Take back `foresee`: there is no page."""
        self._with.observer.forgo(project)
        self._with.once.give_up(self._sight(project))

    def _sight(self, project: NormalizedName) -> str:
        return f"first-sight {self._with.index_id} {project}"

    def _claim_sight(self, project: NormalizedName) -> bool:
        """Tell whether this worker is to look at *project* first. Raises StoreFailed."""
        if not self._with.once.claim(self._sight(project)):
            return False
        if self._seen_elsewhere(project) is None:
            return True
        self._with.once.give_up(self._sight(project))
        return False

    def _seen_elsewhere(self, project: NormalizedName) -> Assessment | None:
        """Return what another worker made since the store was asked last. Raises StoreFailed."""
        if not self.shared:
            return None
        self._memory.look_again(project)
        return _of_page(self._memory.newest(project))

    @property
    def shared(self) -> bool:
        """Whether other workers judge by the same store, and show pages of their own."""
        return self._with.fellows.count > 1

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
        stamp = revision, assessment.assessed_at
        return Known(assessment=assessment, stamp=stamp, reads=self._early.made_for(found))

    async def _of(self, listing: Listing, reads: Reads) -> Assessment:
        project = listing.project.name
        newest = self._memory.newest(project)
        assessment = _of_page(newest)
        if assessment is None or self._early.is_too_little(assessment, reads):
            assessment = await self._first_sight(listing, reads)
        else:
            if self.shared:
                self._with.once.give_up(self._sight(project))  # another worker was quicker
            if self._is_of_older(newest, listing) or assessment.valid_until <= self._with.clock():
                self.queue(project)
            elif project in self._early and self._with.clock() > assessment.assessed_at + INTERIM:
                self.queue(project)  # it should be whole by now
        return assessment

    def _is_of_older(self, newest: Newest, listing: Listing) -> bool:
        """Tell whether the assessment is from another page than the listed one."""
        if self.shared and not newest.page and newest.made_at is not None:
            # If another worker has just made it, it is about to say from which page.
            return self._with.clock() - newest.made_at > LOOKED_EVERY
        return newest.page != listing.snapshot.digest

    def is_early(self, project: NormalizedName) -> bool:
        """Tell whether of *project* no more is known than a policy reads."""
        return project in self._early

    def known(self, project: NormalizedName) -> Assessment | None:
        """Return the stored assessment of *project*; None at first sight, or without a store."""
        try:
            assessment = _of_page(self._memory.newest(project))
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
            return self._with.advisories.revision(), self._memory.newest(project).made_at
        except StoreFailed:
            return _UNREADABLE

    def queue(self, project: NormalizedName) -> None:
        """Have *project*, which a client asked for, assessed again in the background."""
        if self._with.fellows.number:
            self._with.fellows.tell_first(f"queue {self._with.index_id}", project)
        else:
            self._line.add(project, asked=True)

    def _queue_for_fellow(self, project: NormalizedName) -> None:
        self._note_burst()
        self._line.add(project, asked=True)

    def _note_burst(self) -> None:
        self._busy_until = asyncio.get_running_loop().time() + BURST_REST

    def queue_due(self, project: NormalizedName) -> None:
        """Have *project* assessed again after those that clients asked for."""
        self._line.add(project, asked=False)

    async def refresh_for_ever(self) -> None:
        """Assess what is queued, a few projects at a time, until cancelled."""
        async with asyncio.TaskGroup() as workers:
            for _ in range(REFRESHED_AT_ONCE):
                workers.create_task(self._refresh_queued())

    async def _refresh_queued(self) -> None:
        while True:
            project = await self._line.next()
            try:
                await self._quiet()
                await self.refresh(project)
            finally:
                self._line.done(project)

    async def _quiet(self) -> None:
        """Let a burst of first sights pass, since installers wait for those; but not for ever."""
        loop = asyncio.get_running_loop()
        latest = loop.time() + LONGEST_BURST
        while (rest := min(self._busy_until, latest) - loop.time()) > 0:  # noqa: ASYNC110 - time is what it waits for
            await asyncio.sleep(rest)

    async def close(self) -> None:
        """End the look-ups under way."""
        under_way = [*self._flights.values(), *self._late]
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

    async def settled(self) -> None:
        """Wait for the project JSON that is still on its way, if any."""
        await asyncio.gather(*self._late)

    async def refresh(self, project: NormalizedName) -> None:
        """Assess *project* again in the background; what fails is told in the log.

        Its own index is asked anew if its page has changed since, others as their answers are old.
        """
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
        before = Signals(self._inputs(project))
        observed = await self._with.observer.observe(
            project, sources, self.said(project), anew=anew, patience=patience
        )
        await past.note(listing, joined(observed.signals), before)
        recalled = await past.recall(project, listing, self._with.clock())
        assessment = await self._keep(listing, observed, recalled)
        return Renewed(listing=listing, observed=observed, assessment=assessment)

    def said(self, project: NormalizedName) -> tuple[Signal, ...]:
        """Return what sources said of *project* so far. Raises StoreFailed."""
        made_anew = {OURS, *self._with.past.speaks_as}
        return tuple(one for one in self._inputs(project) if one.source not in made_anew)

    def _inputs(self, project: NormalizedName) -> tuple[Signal, ...]:
        assessment = self._memory.newest(project).assessment
        return () if assessment is None else assessment.inputs

    async def _first_sight(self, listing: Listing, reads: Reads) -> Assessment:
        project = listing.project.name
        while True:
            flight = self._flights.get(project)
            if flight is None or flight.done():  # one that has just ended is no longer waited for
                flight = asyncio.create_task(self._look_once(listing, reads))
                self._flights[project] = flight
                flight.add_done_callback(partial(self._landed, project))
            assessment = await asyncio.shield(flight)
            if not self._early.is_too_little(assessment, reads):
                return assessment

    def _landed(self, project: NormalizedName, flight: asyncio.Task[Assessment]) -> None:
        if self._flights.get(project) is flight:
            del self._flights[project]

    async def _look_once(self, listing: Listing, reads: Reads) -> Assessment:
        project = listing.project.name

        async def there() -> Assessment | None:
            found = self._seen_elsewhere(project)
            if found is not None and found.assessed_at >= listing.snapshot.fetched_at:
                self._memory.put(found, listing.snapshot.digest)  # they had it from this page
            return found

        async def look() -> Assessment:
            assessment = await self._look(listing, reads)
            if self.shared:
                await self._with.assessments.saved()  # the other workers look there
                self._tell(listing)
            observer = self._with.observer
            early = project in self._early
            if (
                early
                or len(observer.own) < len(observer.all)
                or not isinstance(self._with.past, NoPast)
            ):
                self.queue(project)
            return assessment

        return await self._with.once.once(self._sight(project), look, there)

    async def _look(self, listing: Listing, reads: Reads) -> Assessment:
        """Assess what is seen for the first time, with what the index itself says in time."""
        project = listing.project.name
        self._note_burst()
        observer = self._with.observer
        said = self.said(project)
        patience = FIRST_SIGHT_PATIENCE
        # Who reads signals reads all of them; and more than one policy read is looked at wholly.
        if not (reads.signals or said or self.shared or project in self._early):
            try:
                early = await self._look_early(listing, reads)
            except TimeoutError:
                patience = 0.0  # it has been waited for
            else:
                if early is not None:
                    return early
        observing = asyncio.create_task(observer.observe(project, observer.own, said))
        await asyncio.wait({observing}, timeout=patience)
        if observing.done():
            return await self._keep(listing, observing.result(), waited_for=True)
        not_yet = Observed(
            signals=(*observer.not_yet(observer.own), *said),
            again_at=self._with.clock() + INTERIM,
        )
        interim = await self._keep(listing, not_yet, waited_for=True)
        late = asyncio.create_task(self._keep_late(listing, observing, interim))
        self._late.add(late)
        late.add_done_callback(self._late.discard)
        return interim

    async def _look_early(self, listing: Listing, reads: Reads) -> Assessment | None:
        """Assess as much as a policy *reads*; None where it may not tell all that the policy says.

        Other workers could not see it: it is not stored. Raises TimeoutError when the index does
        not answer soon.
        """
        observer = self._with.observer
        told = frozenset(name for source in observer.own for name in source.about.gives)
        assessment = await self._first_look(listing, reads, (), unheard=told)
        if assessment is None and reads.anything:
            async with asyncio.timeout(FIRST_SIGHT_PATIENCE):  # not the looks: they may queue
                glanced = await observer.glance(listing.project.name)
            if glanced is not None:
                unheard = told - {signal.name for signal in glanced}
                assessment = await self._first_look(listing, reads, glanced, unheard=unheard)
        if assessment is not None:
            self._early.keep(assessment, reads)
            self._memory.put(assessment, listing.snapshot.digest)
        return assessment

    async def _first_look(
        self,
        listing: Listing,
        reads: Reads,
        signals: tuple[Signal, ...],
        *,
        unheard: frozenset[str],
    ) -> Assessment | None:
        looking = partial(
            looked_at,
            listing,
            signals,
            reads,
            unheard=unheard,
            popular=self._with.popular,
            others=self._with.assessments,
            now=self._with.clock(),
        )
        return await _worked_out(looking, listing)

    async def _keep_late(
        self, listing: Listing, observing: asyncio.Task[Observed], interim: Assessment
    ) -> None:
        try:
            observed = await observing
            await self._with.assessments.saved()
            self._memory.look_again(listing.project.name)
            if self._memory.newest(listing.project.name).assessment is interim:
                await self._keep(listing, observed)  # else a refresh was quicker, and knows more
        finally:
            observing.cancel()

    def _assess(self, listing: Listing, observed: Observed, recalled: Recalled) -> Assessment:
        return assessed(
            listing,
            observed.signals,
            recalled,
            before=self._memory.newest(listing.project.name).assessment,
            advisories=self._advisories(listing.project.name),
            popular=self._with.popular,
            others=self._with.assessments,
            now=self._with.clock(),
        )

    async def _keep(
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
        assessing = partial(self._assess, listing, observed, recalled)
        without_history = isinstance(recalled.history, Unknown)
        assessment = await _worked_out(assessing, listing, quick=without_history)
        again_at = observed.again_at
        if again_at is not None and again_at < assessment.valid_until:
            assessment = replace(assessment, valid_until=again_at)
        self._note_failed_checks(assessment)
        self._memory.put(assessment, listing.snapshot.digest)
        self._early.drop(listing.project.name)
        if waited_for:
            self._with.assessments.save_soon(assessment)
            return assessment
        try:
            await self._with.assessments.save(assessment)
        except StoreFailed as error:
            # What is known is known, also while the disk cannot take it.
            self._with.log("store-failed", error.message)
        self._tell(listing)
        return assessment

    def _tell(self, listing: Listing) -> None:
        topic = f"assessed {self._with.index_id}"
        self._with.fellows.tell(topic, listing.project.name, listing.snapshot.digest)

    def _note_failed_checks(self, assessment: Assessment) -> None:
        for signal in assessment.inputs:
            if signal.name.startswith(FAILED_CHECK) and isinstance(signal.value, Unknown):
                check = signal.name.removeprefix(FAILED_CHECK)
                self.failed_checks += 1
                self.last_failed_check = f"{check} on {assessment.project}: {signal.value.reason}"

    def _joined(self, project: NormalizedName, assessment: Assessment) -> Assessment:
        advisories, score = self._advisories(project), assessment.score
        latest = Signals(assessment.inputs).value("latest_version")
        if isinstance(score, HealthScore) and isinstance(latest, str) and advisories.records:
            # What was published since must not wait for the next assessment.
            now = self._with.clock()
            score = with_advisories(score, open_advisories(latest, advisories), now)
        return replace(assessment, advisories=advisories, score=score)

    def _advisories(self, project: NormalizedName) -> Advisories:
        if not self._with.public:
            nobody = Unknown(reason="public advisories do not speak of this index")
            return Advisories(records=(), feed=nobody, applicable=False)
        state = self._with.advisories.feed_state()
        return Advisories(
            records=self._with.advisories.of(project),
            feed=state.fetched_at
            if state is not None
            else Unknown(reason="the advisory feed has not been read yet"),
        )


def _of_page(newest: Newest) -> Assessment | None:
    """Return the assessment if there is one, and it was made from the project's page."""
    found = newest.assessment
    return None if found is None or is_without_page(found) else found


async def _worked_out(work: Callable[[], T], listing: Listing, *, quick: bool = True) -> T:
    """Return what *work* on *listing* returns; off the loop where that may take long."""
    if quick and len(listing.releases) <= _MANY_RELEASES:
        return work()
    return await in_turn(work, huge=len(listing.releases) > _HUGE)
