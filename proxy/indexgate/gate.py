"""The gate: pages and files of one index, as the policy in force lets them pass.

A page is judged once a form and kept as finished bytes until the earliest moment at which its
verdicts may change. A file is judged again on every request, by the same function on the same
stored facts: a lock file never opens the page.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Literal

from cachetools import LRUCache
from packaging.utils import NormalizedName

from indexgate import formerly
from indexgate.facts import Facts
from indexgate.formerly import Formerly
from indexgate.index.addresses import FileAddress
from indexgate.index.cached import CachedIndex
from indexgate.index.listing import Listing, listing
from indexgate.index.packing import pack
from indexgate.index.presentation import Addresses, Presentation, present
from indexgate.index.protocol import NoSuchProject, Snapshot, UpstreamFailed
from indexgate.index.subjects import releases
from indexgate.policy_file import PolicyInForce
from indexgate.record import warned, withheld
from indexgate.simple import write
from indexgate.simple.accept import Coding, Form
from indexgate.simple.filename import candidates
from indexgate.simple.model import PageFile
from indexgate.store.records import VerdictSet
from indexgate_policy.rules.document import Policy
from indexgate_policy.rules.exemptions import GATE_FAULT
from indexgate_policy.rules.page import PageVerdicts, judge_page, judge_release
from indexgate_policy.rules.verdict import Verdict
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import Client, File

GRACE = timedelta(minutes=10)
"""How much later than pages files obey what tightens by itself (design: Consistency)."""

_LARGE = 300
_LISTED_FILES = 30_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """The form of a page that a client asked for."""

    form: Form
    coding: Coding
    for_uv: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedPage:
    """A page as bytes. `refused` is set when it may not be shown (`hide`, refused project)."""

    body: bytes
    etag: str
    until: datetime | None
    verdicts: PageVerdicts
    snapshot: Snapshot
    policy: str
    refused: Verdict | None = None
    withheld: VerdictSet | None = None
    warned: VerdictSet | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedFile:
    """A file, its verdict, and what is needed to serve it.

    `listed` is None for a file that upstream no longer lists.
    """

    subject: File
    verdict: Verdict
    listed: PageFile | None
    index_id: str
    policy: str


class Gate:
    """The gate in front of one index."""

    def __init__(
        self,
        index: CachedIndex,
        facts: Facts,
        policy: PolicyInForce,
        *,
        index_id: str,
        public: bool,
        presentation: Presentation,
        addresses: Addresses,
        first_seen: Callable[[NormalizedName], datetime | Unknown],
        watched_since: datetime,
        former: Callable[[FileAddress], Formerly | None],
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
        self._former = former
        self._clock = clock
        self._finished: LRUCache[object, FinishedPage] = LRUCache(
            page_memory, getsizeof=lambda page: len(page.body) + 2000
        )
        self._listings: LRUCache[NormalizedName, Listing] = LRUCache(
            _LISTED_FILES, getsizeof=lambda kept: len(kept.page.files) + 1
        )

    async def page(
        self,
        project: NormalizedName,
        variant: Variant,
        client: Client,
        *,
        max_age: float | None = None,
    ) -> FinishedPage:
        """Return the page of *project*. Raises NoSuchProject, UpstreamFailed."""
        snapshot = await self.index.snapshot(project, max_age=max_age)
        policy = self.policy.current()
        now = self._clock()
        asker = client if policy.asks_client else None
        key = (project, variant, asker, policy.digest, snapshot.digest, self.facts.stamp(project))
        page = self._finished.get(key)
        if page is not None and (page.until is None or now < page.until):
            return page if page.snapshot is snapshot else replace(page, snapshot=snapshot)
        listed = await self._listing(snapshot)
        assessment = await self.facts.of(listed)
        verdicts = judge_page(
            listed.releases, assessment, policy, client, now, presentation=self.presentation
        )
        soonest = now if isinstance(assessment, Unknown) else assessment.valid_until
        self._note_faults(verdicts.verdicts.values())
        build = self._finish(listed, verdicts, policy, variant, soonest)
        page = await asyncio.to_thread(build) if len(listed.page.files) > _LARGE else build()
        key = (*key[:-1], self.facts.stamp(project))
        if len(page.body) + 2000 <= self._finished.maxsize:
            self._finished[key] = page
        return page

    async def file(self, address: FileAddress, client: Client) -> JudgedFile | None:
        """Judge the file at *address*; None when the index lists no such file.

        Raises UpstreamFailed when the page that would tell cannot be had.
        """
        failed: UpstreamFailed | None = None
        former = self._former(address)
        names = candidates(address.filename)
        if former is not None and former.project not in names:
            names = (former.project, *names)
        for project in names:
            try:
                listed = await self._listing(await self.index.snapshot(project))
            except NoSuchProject:
                continue
            except UpstreamFailed as error:
                failed = failed or error
                continue
            file = listed.by_address.get(address.path)
            if file is not None:
                return await self._judged(listed, file, client)
        if failed is not None:
            raise failed
        return None if former is None else self._removed(former)

    async def blocked(
        self, project: NormalizedName, filename: str, client: Client
    ) -> JudgedFile | None:
        """Judge a file by its name, for the page that explains a refusal; None: not listed."""
        listed = await self._listing(await self.index.snapshot(project))
        file = next((file for file in listed.page.files if file.filename == filename), None)
        return None if file is None else await self._judged(listed, file, client)

    async def listing(self, project: NormalizedName) -> Listing:
        """Return what the index lists of *project*. Raises NoSuchProject, UpstreamFailed."""
        return await self._listing(await self.index.snapshot(project))

    async def _listing(self, snapshot: Snapshot) -> Listing:
        first_seen = self._first_seen(snapshot.project)
        kept = self._listings.get(snapshot.project)
        if kept is not None and kept.snapshot.digest == snapshot.digest:
            return kept if kept.snapshot is snapshot else replace(kept, snapshot=snapshot)
        if len(snapshot.packed) > 20_000:
            kept = await asyncio.to_thread(self._read, snapshot, first_seen)
        else:
            kept = self._read(snapshot, first_seen)
        if len(kept.page.files) < _LISTED_FILES:
            self._listings[snapshot.project] = kept
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
        return listing(snapshot, page, project, found)

    async def _judged(self, listed: Listing, file: PageFile, client: Client) -> JudgedFile:
        assessment = await self.facts.of(listed)
        policy = self.policy.current()
        now = self._clock()
        release, subject = listed.release_of(file.filename)
        verdict = judge_release(
            release, assessment, policy, client, now, presentation=self.presentation
        )[file.filename]
        if verdict.refused and not verdict.at_once:
            earlier = self.facts.before(listed.project.name, now - GRACE)
            if earlier is not None:
                then = max(now - GRACE, earlier.assessed_at)
                before = judge_release(
                    release, earlier, policy, client, then, presentation=self.presentation
                )[file.filename]
                if not before.refused:
                    verdict = replace(before, until=_sooner(before.until, then + GRACE))
        if verdict.refused:
            verdict = judge_page(
                listed.releases, assessment, policy, client, now, presentation=self.presentation
            ).verdicts[file.filename]
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

    def _removed(self, former: Formerly) -> JudgedFile:
        policy = self.policy.current()
        subject = formerly.subject(former, index_id=self.index_id, public=self.public)
        return JudgedFile(
            subject=subject,
            verdict=formerly.verdict(subject, policy, self._clock()),
            listed=None,
            index_id=self.index_id,
            policy=policy.digest,
        )

    def _finish(
        self,
        listed: Listing,
        verdicts: PageVerdicts,
        policy: Policy,
        variant: Variant,
        valid_until: datetime,
    ) -> Callable[[], FinishedPage]:
        def build() -> FinishedPage:
            hidden = verdicts.refused_project if self.presentation == "hide" else None
            shown = present(
                listed.page,
                listed.releases,
                verdicts,
                self._addresses,
                presentation=self.presentation,
                for_uv=variant.for_uv,
            )
            plain = write.json(shown) if variant.form is Form.JSON else write.html(shown)
            packed = variant.coding is Coding.GZIP
            return FinishedPage(
                body=pack(plain) if packed else plain,
                etag=etag(plain, variant.coding),
                until=_sooner(verdicts.until, valid_until),
                verdicts=verdicts,
                snapshot=listed.snapshot,
                policy=policy.digest,
                refused=hidden,
                withheld=withheld(listed, verdicts, policy.digest),
                warned=warned(listed, verdicts, policy.digest),
            )

        return build


def etag(plain: bytes, coding: Coding) -> str:
    """Return a strong ETag: a hash of the identity bytes, and the coding."""
    mark: Literal["-gzip", ""] = "-gzip" if coding is Coding.GZIP else ""
    return f'"{blake2b(plain, digest_size=16).hexdigest()}{mark}"'


def _sooner(left: datetime | None, right: datetime | None) -> datetime | None:
    moments = [moment for moment in (left, right) if moment is not None]
    return min(moments) if moments else None
