"""Single files of one index, judged again on every request: a lock file never opens the page.

By the same function on the same stored facts as pages are. What was judged is kept for as long as
all that it was judged by holds.
"""

from collections.abc import Callable
from datetime import datetime

from cachetools import LRUCache
from msgspec import Struct
from msgspec.structs import replace
from packaging.utils import NormalizedName

from indexgate import formerly
from indexgate.facts import Facts, Known
from indexgate.file_search import FileSearch, Removed
from indexgate.finished_page import sooner
from indexgate.formerly import Formerly
from indexgate.good_until import good_until
from indexgate.grace import Grace
from indexgate.grounds import Grounds
from indexgate.index.addresses import FileAddress, address_of, canonical
from indexgate.index.in_turn import take_number
from indexgate.index.listing import MOST_CANDIDATES, Listing
from indexgate.index.presentation import Presentation
from indexgate.index.protocol import Index
from indexgate.index.trace import met_page
from indexgate.judging_faults import JudgingFaults
from indexgate.listed_index import ListedIndex
from indexgate.policy_file import PolicyInForce
from indexgate.simple.filename import candidates
from indexgate.simple.model import PageFile
from indexgate_policy.rules.document import Policy
from indexgate_policy.rules.page import judge_release, passing_versions
from indexgate_policy.rules.reads import ALL
from indexgate_policy.rules.verdict import Verdict
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import Client, File

_KEPT_VERDICTS = 20_000
_METADATA = ".metadata"

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


class JudgedFiles:
    """The files of one index, as the policy in force lets them pass.

    `formerly` tells whose file an address once was, if any.
    """

    def __init__(
        self,
        index: Index,
        listings: ListedIndex,
        facts: Facts,
        policy: PolicyInForce,
        *,
        index_id: str,
        public: bool,
        presentation: Presentation,
        former: Callable[[FileAddress], Formerly | None],
        grounds: Grounds,
        grace: Grace,
        faults: JudgingFaults,
        clock: Callable[[], datetime],
    ) -> None:
        self.formerly = former
        self._index = index
        self._listings = listings
        self._facts = facts
        self._policy = policy
        self._index_id = index_id
        self._public = public
        self._presentation = presentation
        self._grounds = grounds
        self._grace = grace
        self._faults = faults
        self._clock = clock
        self._search = FileSearch(index, listings.by, former)
        # The same inputs give the same verdict, until the moment that the verdict itself names.
        self._verdicts: LRUCache[object, JudgedFile] = LRUCache(_KEPT_VERDICTS)

    async def at(
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
        take_number()
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

    async def named(
        self, project: NormalizedName, filename: str, client: Client
    ) -> JudgedFile | None:
        """Judge a file by its name, for the page that explains a refusal; None: not listed."""
        listed = await self._listings.of(project)
        file = listed.named(filename)
        return None if file is None else await self._judged(listed, file, client)

    async def foresee(
        self, listed: Listing, file: PageFile, client: Client, run: str | None
    ) -> None:
        """Judge a listed file for its metadata, so that its page need not be read for that."""
        await self._judged(listed, file, client, run, as_page=True)

    async def passing(self, judged: JudgedFile, client: Client, most: int) -> tuple[str, ...]:
        """Return versions that pass now and could take the place of *judged*, the best first.

        At most *most*, and only as many of the others are judged as that takes. Raises
        NoSuchProject, UpstreamFailed.
        """
        listed = await self._listings.of(judged.subject.project.name)
        return passing_versions(
            judged.subject,
            (await self._facts.of(listed)).assessment,
            self._policy.current(),
            client,
            self._clock(),
            presentation=self._presentation,
            others=listed.releases,
            most=most,
        )

    def still(self, judged: JudgedFile, run: str | None = None) -> bool:
        """Tell whether *judged* is what `at` would return, without any waiting."""
        project = judged.subject.project.name
        page = self._index.at_hand(project)
        return (
            page is not None
            and judged.policy == (policy := self._policy.current(run)).digest
            and self._is_by(judged, page.digest, self._grounds.stamp(project, policy))
        )

    def _is_by(self, judged: JudgedFile, page: str, stamp: object) -> bool:
        """Tell whether *judged* still holds by the page of that digest, and facts of that stamp."""
        return (
            judged.until is not None
            and self._clock() < judged.until
            and (judged.page, judged.stamp) == (page, stamp)
        )

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
        snapshot = self._index.at_hand(names[0]) if names else None
        if snapshot is None:
            return None
        policy = self._policy.current(run)
        asker = client if policy.asks_client else None
        kept = self._verdicts.get((snapshot.project, address.filename, asker, policy.digest))
        if kept is None or kept.listed is None or not self.still(kept, run):
            return None
        if not as_page and not self._facts.is_known_for(snapshot.project, policy.reads):
            return None
        if canonical(address_of(kept.listed.url, kept.listed.filename)) != address.path:
            return None
        self._listings.first_seen(snapshot.project, True)
        met_page("hit")
        return kept

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
        policy = self._policy.current(run)
        reads = ALL if wholly else policy.page_reads if as_page else policy.reads
        known = await self._facts.of(listed, reads)
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
        if judged.verdict.refused and not wholly and self._facts.is_early(listed.project.name):
            # What is said of a refusal, and written down, rests on all that can be known.
            return await self._judged(listed, file, client, run, wholly=True)
        until = sooner(judged.verdict.until, good_until(known, policy, now))
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
            release, known.assessment, policy, client, now, presentation=self._presentation
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
                presentation=self._presentation,
                others=listed.releases,  # for the hint at one that passes
            )[file.filename]
        self._faults.note([verdict])
        return JudgedFile(
            subject=subject,
            verdict=verdict,
            listed=file,
            index_id=self._index_id,
            policy=policy.digest,
        )

    def _removed(self, former: Formerly, listed: Listing | None, client: Client) -> JudgedFile:
        policy = self._policy.current()
        status = "active" if listed is None else listed.project.status
        subject = formerly.subject(
            former, index_id=self._index_id, public=self._public, status=status
        )
        assessment = self._facts.known(former.project) or _NEVER_ASSESSED
        return JudgedFile(
            subject=subject,
            verdict=formerly.verdict(subject, assessment, policy, client, self._clock()),
            listed=None,
            index_id=self._index_id,
            policy=policy.digest,
        )
