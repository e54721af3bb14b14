"""The gate: the pages of one index, and its files, as the policy in force lets them pass.

A page is judged once a form and kept as finished bytes until the earliest moment at which its
verdicts may change. Single files are judged by the same facts (`judged_files.py`).
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TypeAlias

from cachetools import LRUCache
from msgspec.structs import replace
from packaging.utils import NormalizedName

from indexgate.facts import Facts, Known
from indexgate.finished_page import FinishedPage, JudgedBy, Variant, finish
from indexgate.flights import Flights
from indexgate.formerly import Formerly
from indexgate.good_until import good_until
from indexgate.grace import Grace
from indexgate.grounds import Grounds
from indexgate.index.addresses import FileAddress
from indexgate.index.in_turn import in_turn, take_number
from indexgate.index.listing import Listing
from indexgate.index.presentation import Addresses, Presentation
from indexgate.index.protocol import Index, Snapshot
from indexgate.index.trace import met_page
from indexgate.judged_files import JudgedFiles
from indexgate.judging_faults import JudgingFaults
from indexgate.listed_index import ListedIndex
from indexgate.policy_file import PolicyInForce
from indexgate_policy.rules.document import Policy
from indexgate_policy.rules.page import PageVerdicts
from indexgate_policy.subject import Client

_LARGE, _HUGE = 500, 20_000  # files
_MOST_UNASKED = 10_000
_Making: TypeAlias = Callable[[], tuple[FinishedPage, PageVerdicts]]


class Gate:
    """The gate in front of one index; *former* tells whose file an address once was, if any."""

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
        addresses: Addresses,
        former: Callable[[FileAddress], Formerly | None],
        clock: Callable[[], datetime],
        page_memory: int,
    ) -> None:
        self.index = index
        self.listings = listings
        self.facts = facts
        self.policy = policy
        self.index_id = index_id
        self.public = public
        self.presentation = presentation
        self.faults = JudgingFaults()
        self._addresses = addresses
        self._clock = clock
        self._finished: LRUCache[object, FinishedPage] = LRUCache(
            page_memory, getsizeof=lambda page: len(page.body) + 2000
        )
        self._makings: Flights[FinishedPage] = Flights()  # of large pages
        self._grounds = Grounds(facts)
        self._grace = Grace(facts, listings.read, presentation=presentation, started=clock())
        # Of pages that were made before anybody *asked*: that is noted when somebody does.
        self._unasked: LRUCache[NormalizedName, bool] = LRUCache(_MOST_UNASKED)
        self.files = JudgedFiles(
            index,
            listings,
            facts,
            policy,
            index_id=index_id,
            public=public,
            presentation=presentation,
            former=former,
            grounds=self._grounds,
            grace=self._grace,
            faults=self.faults,
            clock=clock,
        )

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
        take_number(behind=not asked)
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
                self.listings.first_seen(project, True)
            return kept if kept.snapshot is snapshot else replace(kept, snapshot=snapshot.bare())
        if bare is not None:
            snapshot = await self.index.snapshot(project)
        listed = await self.listings.by(snapshot, asked=asked)
        if not asked:
            self._unasked[project] = True
        known = await self.facts.of(listed, policy.reads if says_all else policy.page_reads)
        self._grace.note(listed, known, now)
        stamp = self._grounds.of(known, project, policy)
        making = partial(
            self._make, listed, known, variant, policy=policy, client=client, now=now, stamp=stamp
        )
        if len(listed.page.files) > _LARGE:
            key = (of, listed.snapshot.digest, stamp)
            page = await self._makings.join(key, partial(self._made_in_turn, of, listed, making))
        else:
            page = self._made(of, *making())
        return replace(page, listed=listed, snapshot=listed.snapshot.bare())

    async def _made_in_turn(self, of: object, listed: Listing, making: _Making) -> FinishedPage:
        return self._made(of, *await in_turn(making, huge=len(listed.page.files) > _HUGE))

    def _made(self, of: object, page: FinishedPage, verdicts: PageVerdicts) -> FinishedPage:
        """Keep *page*, in the place of that from an older page, or older facts."""
        self.faults.note(verdicts.verdicts.apart.values())
        if len(page.body) + 2000 <= self._finished.maxsize:
            self._finished[of] = page
        return page

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
            good_until=good_until(known, policy, now),
        )
        return page, verdicts


def _is_over(page: FinishedPage, now: datetime) -> bool:
    return page.until is not None and now >= page.until
