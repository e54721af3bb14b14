"""The gate: pages and files of one index, as the policy in force lets them pass.

A page is judged once a form and kept as finished bytes until the earliest moment at which its
verdicts may change. A file is judged again on every request, by the same function on the same
stored facts: a lock file never opens the page.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from cachetools import LRUCache
from msgspec import Struct
from msgspec.structs import replace
from packaging.utils import NormalizedName

from indexgate import formerly
from indexgate.facts import Facts, Known
from indexgate.file_search import FileSearch, Removed
from indexgate.finished_page import FinishedPage, JudgedBy, Variant, finish, sooner
from indexgate.first_sight import INTERIM
from indexgate.formerly import Formerly
from indexgate.grace import Grace
from indexgate.grounds import Grounds
from indexgate.index.addresses import FileAddress, address_of, canonical
from indexgate.index.in_turn import in_turn
from indexgate.index.listing import MOST_CANDIDATES, Listing, listing
from indexgate.index.presentation import Addresses, Presentation
from indexgate.index.protocol import Index, Snapshot, UpstreamFailed
from indexgate.index.subjects import releases
from indexgate.index.trace import met_page
from indexgate.listings import Listings
from indexgate.policy_file import PolicyInForce
from indexgate.simple.filename import candidates
from indexgate.simple.model import PageFile
from indexgate_policy.rules.document import Policy
from indexgate_policy.rules.durations import after
from indexgate_policy.rules.exemptions import GATE_FAULT
from indexgate_policy.rules.page import PageVerdicts, judge_release, passing_versions
from indexgate_policy.rules.reads import ALL
from indexgate_policy.rules.verdict import Verdict
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import Client, File

_LARGE, _HUGE = 300, 5_000
_MUCH, _HUGE_BYTES = 20_000, 600_000  # packed
_MANY = 800  # files
_LISTED_FILES = 700  # at a good kilobyte each
_MOST_UNASKED = 10_000
_KEPT_VERDICTS = 20_000
_METADATA = ".metadata"
STALE_FEED = timedelta(minutes=1)
"""How long what was judged by an advisory feed that is too old stands before it is looked again."""

_NEVER_ASSESSED = Unknown(reason="the project was never assessed")


class JudgedFile(Struct, frozen=True, kw_only=True):
    """A file, its verdict, and what is needed to serve it.

    `listed` is None for a file that upstream no longer lists. `page` is the digest of the page that
    lists it, `stamp` that of the facts, and `until` when it is judged again, whatever else; None
    where it is judged anew each time.
    """

    subject: File
    verdict: Verdict
    listed: PageFile | None
    index_id: str
    policy: str
    page: str | None = None
    stamp: object = None
    until: datetime | None = None


class Gate:
    """The gate in front of one index. `formerly` tells whose file an address once was, if any."""

    def __init__(
        self,
        index: Index,
        facts: Facts,
        policy: PolicyInForce,
        *,
        index_id: str,
        public: bool,
        presentation: Presentation,
        addresses: Addresses,
        first_seen: Callable[[NormalizedName, bool], datetime | Unknown],
        watched_since: datetime,
        former: Callable[[FileAddress], Formerly | None],
        remember: Callable[[str, NormalizedName], None],
        clock: Callable[[], datetime],
        page_memory: int,
    ) -> None:
        self.index = index
        self.facts = facts
        self.policy = policy
        self.index_id = index_id
        self.public = public
        self.presentation = presentation
        self.faults = 0
        self.last_fault: str | None = None
        self._addresses = addresses
        self._first_seen = first_seen
        self._watched_since = watched_since
        self.formerly = former
        self._remember = remember
        self._clock = clock
        self._finished: LRUCache[object, FinishedPage] = LRUCache(
            page_memory, getsizeof=lambda page: len(page.body) + 2000
        )
        # The same inputs give the same verdict, until the moment that the verdict itself names.
        self._verdicts: LRUCache[object, JudgedFile] = LRUCache(_KEPT_VERDICTS)
        self._grounds = Grounds(facts)
        self._grace = Grace(facts, self._read, presentation=presentation, started=clock())
        self._search = FileSearch(index, self._listing, former)
        self._listings = Listings(_LISTED_FILES)
        # Of pages that were made before anybody *asked*: that is noted when somebody does.
        self._unasked: LRUCache[NormalizedName, bool] = LRUCache(_MOST_UNASKED)

    @property
    def bytes_finished(self) -> int:
        """The bytes of the finished pages in memory."""
        return int(self._finished.currsize)

    async def page(
        self,
        project: NormalizedName,
        variant: Variant,
        client: Client,
        *,
        max_age: float | None = None,
        run: str | None = None,
        asked: bool = True,
        final: bool = False,
    ) -> FinishedPage:
        """Return the page of *project* as it is in *run*. Raises NoSuchProject, UpstreamFailed.

        At first sight it waits for what tells which files to list. For all that the policy reads
        where it is *final*, since no file need be asked for after it; and in a run, whose summary
        takes the warnings from its pages.
        """
        bare = None if max_age is not None else self.index.at_hand(project)
        snapshot = bare or await self.index.snapshot(project, max_age=max_age)
        policy = self.policy.current(run)
        says_all = final or run is not None
        now = self._clock()
        asker = client if policy.asks_client else None
        of = (project, variant, asker, policy.digest)
        kept = self._finished.get(of)
        if kept is not None and says_all and not self.facts.is_known_for(project, policy.reads):
            kept = None
        if kept is not None and self._is_of(kept, snapshot, policy) and not _is_over(kept, now):
            if bare is not None:
                met_page("hit")
            if asked and self._unasked.pop(project, False):
                self._first_seen(project, True)
            return kept if kept.snapshot is snapshot else replace(kept, snapshot=snapshot.bare())
        if bare is not None:
            snapshot = await self.index.snapshot(project)
        listed = await self._listing(snapshot, asked=asked)
        if not asked:
            self._unasked[project] = True
        known = await self.facts.of(listed, policy.reads if says_all else policy.page_reads)
        self._grace.note(listed, known, now)
        making = partial(
            self._make,
            listed,
            known,
            variant,
            policy=policy,
            client=client,
            now=now,
            stamp=self._grounds.of(known, project, policy),
        )
        files = len(listed.page.files)
        page, verdicts = await in_turn(making, huge=files > _HUGE) if files > _LARGE else making()
        self._note_faults(verdicts.verdicts.apart.values())
        if len(page.body) + 2000 <= self._finished.maxsize:
            self._finished[of] = page  # in the place of that from an older page, or older facts
        return replace(page, listed=listed)

    def _is_of(self, page: FinishedPage, snapshot: Snapshot, policy: Policy) -> bool:
        """Tell whether *page* is what *snapshot* and the facts of now make."""
        return (
            page.snapshot.digest == snapshot.digest
            and page.judged_by.stamp == self._grounds.stamp(snapshot.project, policy)
        )

    def still(self, page: FinishedPage, project: NormalizedName) -> bool:
        """Tell whether *page*, of no run, is what `page` would return now, without any waiting."""
        snapshot = self.index.at_hand(project)
        return (
            snapshot is not None
            and snapshot.serial == page.snapshot.serial
            and not _is_over(page, self._clock())
            and page.judged_by.policy.digest == (policy := self.policy.current()).digest
            and self._is_of(page, snapshot, policy)
        )

    def still_judged(self, judged: JudgedFile, run: str | None = None) -> bool:
        """Tell whether *judged* is what `file` would return, without any waiting."""
        project = judged.subject.project.name
        page = self.index.at_hand(project)
        return (
            page is not None
            and judged.policy == (policy := self.policy.current(run)).digest
            and self._is_by(judged, page.digest, self._grounds.stamp(project, policy))
        )

    def _is_by(self, judged: JudgedFile, page: str, stamp: object) -> bool:
        """Tell whether *judged* still holds by the page of that digest, and facts of that stamp."""
        return (
            judged.until is not None
            and self._clock() < judged.until
            and (judged.page, judged.stamp) == (page, stamp)
        )

    def listing_at_hand(self, page: FinishedPage) -> Listing | None:
        """Return what *page* lists, if it was read so lately that it need not be read for this."""
        return page.listed or self._listings.of(page.snapshot.project, page.snapshot.digest)

    def _make(
        self,
        listed: Listing,
        known: Known,
        variant: Variant,
        *,
        policy: Policy,
        client: Client,
        now: datetime,
        stamp: object,
    ) -> tuple[FinishedPage, PageVerdicts]:
        judged_by = JudgedBy(
            assessment=known.assessment,
            stamp=stamp,
            policy=policy,
            client=client,
            at=now,
            presentation=self.presentation,
        )
        verdicts = judged_by.verdicts(listed)
        page = finish(
            listed,
            verdicts,
            variant,
            judged_by=judged_by,
            addresses=self._addresses,
            good_until=_good_until(known, policy, now),
        )
        return page, verdicts

    async def file(
        self,
        address: FileAddress,
        client: Client,
        run: str | None = None,
        *,
        of: tuple[NormalizedName, ...] | None = None,
    ) -> JudgedFile | None:
        """Judge the file at *address* as *run* gets it; None when the index lists no such file.

        It is looked for on the pages of the projects *of*; by default on those that its name and
        what is remembered of it suggest. Raises UpstreamFailed when the page that would tell cannot
        be had.
        """
        names = candidates(address.filename)[:MOST_CANDIDATES] if of is None else of
        # What metadata tells runs nowhere: it waits for no more than a page does.
        as_page = address.side == _METADATA
        lately = self._judged_lately(address, names, client, run, as_page=as_page)
        if lately is not None:
            return lately
        found = await self._search.search(address, names, of=of)
        if isinstance(found, Removed):
            return self._removed(found.former, found.listing, client)
        if found is None:
            return None
        return await self._judged(found.listing, found.file, client, run, as_page=as_page)

    async def foresee_file(
        self, listed: Listing, file: PageFile, client: Client, run: str | None
    ) -> None:
        """Judge a listed file for its metadata, so that its page need not be read for that."""
        await self._judged(listed, file, client, run, as_page=True)

    def _judged_lately(
        self,
        address: FileAddress,
        names: tuple[NormalizedName, ...],
        client: Client,
        run: str | None,
        *,
        as_page: bool,
    ) -> JudgedFile | None:
        """Return what was judged of the file at *address*, if all it was judged by still holds.

        That takes no reading of the page, which may have been let go of since.
        """
        snapshot = self.index.at_hand(names[0]) if names else None
        if snapshot is None:
            return None
        policy = self.policy.current(run)
        asker = client if policy.asks_client else None
        kept = self._verdicts.get((snapshot.project, address.filename, asker, policy.digest))
        if kept is None or kept.listed is None or not self.still_judged(kept, run):
            return None
        if not as_page and not self.facts.is_known_for(snapshot.project, policy.reads):
            return None
        if canonical(address_of(kept.listed.url, kept.listed.filename)) != address.path:
            return None
        self._first_seen(snapshot.project, True)
        met_page("hit")
        return kept

    async def blocked(
        self, project: NormalizedName, filename: str, client: Client
    ) -> JudgedFile | None:
        """Judge a file by its name, for the page that explains a refusal; None: not listed."""
        listed = await self._listing(await self.index.snapshot(project))
        file = listed.named(filename)
        return None if file is None else await self._judged(listed, file, client)

    async def passing(self, judged: JudgedFile, client: Client, most: int) -> tuple[str, ...]:
        """Return versions that pass now and could take the place of *judged*, the best first.

        At most *most*, and only as many of the others are judged as that takes. Raises
        NoSuchProject, UpstreamFailed.
        """
        listed = await self._listing(await self.index.snapshot(judged.subject.project.name))
        return passing_versions(
            judged.subject,
            (await self.facts.of(listed)).assessment,
            self.policy.current(),
            client,
            self._clock(),
            presentation=self.presentation,
            others=listed.releases,
            most=most,
        )

    async def listing(
        self, project: NormalizedName, *, asked: bool = True, patient: bool = False
    ) -> Listing:
        """Return what the index lists of *project*; whether somebody *asked* for it is noted.

        Who is *patient* waits for a slow upstream, and has the stored page only where upstream
        fails. Raises NoSuchProject, UpstreamFailed.
        """
        if patient:
            with suppress(UpstreamFailed):
                newest = await self.index.snapshot(project, stand_in=False)
                return await self._listing(newest, asked=asked)
        return await self._listing(await self.index.snapshot(project), asked=asked)

    async def _listing(self, snapshot: Snapshot, *, asked: bool = True) -> Listing:
        first_seen = self._first_seen(snapshot.project, asked)
        kept = self._listings.of(snapshot.project, snapshot.digest)
        if kept is not None:
            bare = snapshot.put_away()
            return kept if kept.snapshot is bare else replace(kept, snapshot=bare)
        if _takes_long(snapshot):
            reading = partial(self._read, snapshot, first_seen)
            kept = await self._listings.read(
                snapshot.project, snapshot.digest, reading, huge=len(snapshot.packed) > _HUGE_BYTES
            )
        else:
            kept = self._read(snapshot, first_seen)
            self._listings.keep(kept)
        for path in kept.unguessable():
            self._remember(path, snapshot.project)
        return kept

    def _read(self, snapshot: Snapshot, first_seen: datetime | Unknown) -> Listing:
        page = snapshot.page()
        project, found = releases(
            page,
            index_id=self.index_id,
            public=self.public,
            first_seen=first_seen,
            watched_since=self._watched_since,
        )
        return listing(snapshot.put_away(), page, project, found)

    async def _judged(
        self,
        listed: Listing,
        file: PageFile,
        client: Client,
        run: str | None = None,
        *,
        as_page: bool = False,
        wholly: bool = False,
    ) -> JudgedFile:
        policy = self.policy.current(run)
        reads = ALL if wholly else policy.page_reads if as_page else policy.reads
        known = await self.facts.of(listed, reads)
        now = self._clock()
        self._grace.note(listed, known, now)
        asker = client if policy.asks_client else None
        of = (listed.project.name, file.filename, asker, policy.digest)
        digest = listed.snapshot.digest
        stamp = self._grounds.of(known, listed.project.name, policy)
        kept = self._verdicts.get(of)
        if kept is not None and self._is_by(kept, digest, stamp):
            return kept
        judged = self._judge(listed, file, known, policy=policy, client=client, now=now)
        if judged.verdict.refused and not wholly and self.facts.is_early(listed.project.name):
            # What is said of a refusal, and written down, rests on all that can be known.
            return await self._judged(listed, file, client, run, wholly=True)
        until = sooner(judged.verdict.until, _good_until(known, policy, now))
        judged = self._verdicts[of] = replace(judged, page=digest, stamp=stamp, until=until)
        return judged

    def _judge(
        self,
        listed: Listing,
        file: PageFile,
        known: Known,
        *,
        policy: Policy,
        client: Client,
        now: datetime,
    ) -> JudgedFile:
        release, subject = listed.release_of(file.filename)
        verdict = judge_release(
            release, known.assessment, policy, client, now, presentation=self.presentation
        )[file.filename]
        if verdict.refused and not verdict.at_once:
            verdict = self._grace.verdict(listed, file.filename, policy, client, now) or verdict
        if verdict.refused:
            verdict = judge_release(
                release,
                known.assessment,
                policy,
                client,
                now,
                presentation=self.presentation,
                others=listed.releases,  # for the hint at one that passes
            )[file.filename]
        self._note_faults([verdict])
        return JudgedFile(
            subject=subject,
            verdict=verdict,
            listed=file,
            index_id=self.index_id,
            policy=policy.digest,
        )

    def _note_faults(self, verdicts: Iterable[Verdict]) -> None:
        """Count what could not be judged, for health: such files are refused."""
        for verdict in verdicts:
            if verdict.rule == GATE_FAULT:
                self.faults += 1
                self.last_fault = verdict.explanation

    def _removed(self, former: Formerly, listed: Listing | None, client: Client) -> JudgedFile:
        policy = self.policy.current()
        status = "active" if listed is None else listed.project.status
        subject = formerly.subject(
            former, index_id=self.index_id, public=self.public, status=status
        )
        assessment = self.facts.known(former.project) or _NEVER_ASSESSED
        return JudgedFile(
            subject=subject,
            verdict=formerly.verdict(subject, assessment, policy, client, self._clock()),
            listed=None,
            index_id=self.index_id,
            policy=policy.digest,
        )


def _takes_long(snapshot: Snapshot) -> bool:
    """Tell whether the page takes so long to list that others should not wait for it."""
    page = snapshot.at_hand  # read already, so that only its releases are to be found
    return len(snapshot.packed) > _MUCH if page is None else len(page.files) > _MANY


def _is_over(page: FinishedPage, now: datetime) -> bool:
    return page.until is not None and now >= page.until


def _good_until(known: Known, policy: Policy, now: datetime) -> datetime:
    """Return how long a page made from *known* may be kept: not at all without facts.

    By a feed that is too old only for a moment: it may be read again at any time, and that it was
    is no change of the facts where nothing new is in it. By a first look no longer than it should
    take to know the rest: should the background have failed, somebody must ask for it again.
    """
    if isinstance(known.assessment, Unknown):
        return now
    advisories, until = known.assessment.advisories, known.assessment.valid_until
    if known.reads != ALL:
        until = min(until, now + INTERIM)
    if isinstance(advisories, Unknown) or isinstance(advisories.feed, Unknown):
        return until
    stale = advisories.applicable and now >= after(advisories.feed, policy.max_feed_age)
    return min(until, now + STALE_FEED) if stale else until
