"""Which of several indexes a project comes from.

A name that a namespace has belongs to that index. For all others the indexes are asked in order:
the first that has the project is its owner, "no such project" leads on, and a failure never does,
since then whoever can make an index fail decides what is installed. So what is known of an owner
stands in while an earlier index cannot be asked, and stands for as long as a page would.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from cachetools import LRUCache
from msgspec import Struct
from msgspec.structs import replace
from packaging.utils import NormalizedName

from indexgate.fellows import ALONE, Fellows
from indexgate.gate import Gate
from indexgate.index.cached import Freshness
from indexgate.index.protocol import NoSuchProject, UpstreamFailed
from indexgate.namespaces import Namespaces
from indexgate.owner_folder import OwnerFolder

_REMEMBERED = 50_000
ALWAYS = datetime.max.replace(tzinfo=UTC)
"""When an owner was confirmed that is so by configuration."""


class Behind(Struct, frozen=True, kw_only=True):
    """An index behind the gate. `name` is empty where it is the only one, `url` is safe to print.

    `stored` tells when the page of a project on the disk was confirmed; it reads the disk.
    """

    name: str
    url: str
    gate: Gate
    stored: Callable[[NormalizedName], datetime | None]


class Owner(Struct, frozen=True, kw_only=True):
    """The index that a project comes from, and why.

    `namespace` is the pattern that says so, if one does; else `without` are the earlier indexes,
    which had no such project at `confirmed_at`. `unsure` is why they could not be asked since.
    """

    index: Behind
    confirmed_at: datetime = ALWAYS
    namespace: str = ""
    without: tuple[str, ...] = ()
    unsure: str | None = None


class Owners:
    """The owners of projects among several *indexes*, in their order and with their *namespaces*.

    *kept* remembers them over a restart, while the same indexes stand there in the same order.
    *log* takes an event and its text; *fellows* hear of a change, and look at what is kept.
    `changes` counts the projects that another index had before, `last_change` tells of the last
    one.
    """

    def __init__(
        self,
        indexes: Sequence[Behind],
        namespaces: Namespaces,
        *,
        kept: OwnerFolder,
        freshness: Freshness,
        clock: Callable[[], datetime],
        log: Callable[[str, str], None],
        fellows: Fellows = ALONE,
    ) -> None:
        self.changes = 0
        self.last_change: str | None = None
        self._indexes = tuple(indexes)
        self._by_id = {index.gate.index_id: index for index in indexes}
        self._namespaces = namespaces
        self._kept = kept
        self._freshness = freshness
        self._clock = clock
        self._log = log
        self._fellows = fellows
        fellows.hear("owner", lambda project: self._known.pop(project, None))
        self._known: LRUCache[NormalizedName, Owner] = LRUCache(_REMEMBERED)
        self._flights: dict[NormalizedName, asyncio.Task[Owner]] = {}
        self._failed: LRUCache[NormalizedName, tuple[datetime, UpstreamFailed]] = LRUCache(1000)

    def home(self, project: NormalizedName) -> tuple[Behind, str] | None:
        """Return the index that *project* belongs to by its name, and the pattern that says so."""
        home = self._namespaces.home(project)
        return None if home is None else (self._by_id[home[1]], home[0])

    async def of(
        self, project: NormalizedName, *, max_age: float | None = None, anew: bool = False
    ) -> Owner:
        """Return the owner of *project*, confirmed at most *max_age* seconds ago if that can be.

        With *anew* the indexes are asked and waited for, whatever is known. Raises NoSuchProject,
        UpstreamFailed.
        """
        home = self.home(project)
        if home is not None:
            index, pattern = home
            return Owner(index=index, namespace=pattern)
        known = self._known.get(project)
        if known is None:
            remembered = await asyncio.to_thread(self._remembered, project)
            known = self._known.get(project) or remembered  # a flight may have landed meanwhile
            if known is not None:
                self._known[project] = known
        if anew or known is None:
            return await asyncio.shield(self._flight(project))
        ttl = self._freshness.ttl if max_age is None else min(max_age, self._freshness.ttl)
        if not known.without or self._age(known.confirmed_at) < ttl:
            return known
        return await self._confirmed(project, known)

    async def close(self) -> None:
        """End the asking under way."""
        flights = list(self._flights.values())
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)

    async def _confirmed(self, project: NormalizedName, known: Owner) -> Owner:
        """Return the owner as the indexes tell it now; *known* stands in for those that fail."""
        failed = self._failed.get(project)
        if failed is not None and self._age(failed[0]) < self._freshness.breather:
            return self._stand_in(known, failed[1])
        try:
            flight = asyncio.shield(self._flight(project))
            return await asyncio.wait_for(flight, self._freshness.patience)
        except TimeoutError:
            earlier = " or ".join(f"`{name}`" for name in known.without)
            failure = UpstreamFailed("timeout", f"{earlier} is slow to answer")
        except UpstreamFailed as error:
            failure = error
        self._failed[project] = (self._clock(), failure)
        return self._stand_in(known, failure)

    def _stand_in(self, known: Owner, failure: UpstreamFailed) -> Owner:
        if self._age(known.confirmed_at) > self._freshness.max_stale:
            raise failure
        return replace(known, unsure=failure.reason)

    def _flight(self, project: NormalizedName) -> asyncio.Task[Owner]:
        flight = self._flights.get(project)
        if flight is None:
            flight = asyncio.create_task(self._walk(project))
            self._flights[project] = flight
            flight.add_done_callback(lambda done: self._landed(project, done))
        return flight

    def _landed(self, project: NormalizedName, flight: asyncio.Task[Owner]) -> None:
        self._flights.pop(project, None)
        if not flight.cancelled():
            flight.exception()  # everybody may have stopped waiting

    async def _walk(self, project: NormalizedName) -> Owner:
        """Ask the indexes in order. Raises NoSuchProject, UpstreamFailed."""
        without: list[str] = []
        for index in self._indexes:
            try:
                await index.gate.index.snapshot(project)
            except NoSuchProject:
                without.append(index.name)
                continue
            owner = Owner(index=index, confirmed_at=self._clock(), without=tuple(without))
            await asyncio.to_thread(self._keep, project, owner)
            self._note(project, owner)
            return owner
        self._known.pop(project, None)
        await asyncio.to_thread(self._kept.forget, project)
        self._fellows.tell("owner", project)
        raise NoSuchProject(project)

    def _note(self, project: NormalizedName, owner: Owner) -> None:
        self._failed.pop(project, None)
        before = self._known.get(project)
        self._known[project] = owner
        if before is None or before.index is owner.index:
            return
        self.changes += 1
        was, now = before.index.name, owner.index.name
        why = (
            f"`{was}` has it no more"
            if was in owner.without
            else f"`{now}` is asked before it and has it now"
        )
        self.last_change = f"`{project}` came from `{was}` and comes from `{now}` now: {why}"
        self._log("owner-changed", self.last_change)
        self._fellows.tell("owner", project)

    def _keep(self, project: NormalizedName, owner: Owner) -> None:
        """Keep what a later index's ownership rests on; the first one's needs no witness."""
        if not owner.without:
            self._kept.forget(project)
            return
        try:
            self._kept.save(project, owner.index.gate.index_id, owner.confirmed_at)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            self._log("owner-not-kept", f"{project}: {reason}; kept in memory only")

    def _remembered(self, project: NormalizedName) -> Owner | None:
        """Return the owner by what is on the disk: the first index with a page, if it may be."""
        without: list[str] = []
        for index in self._indexes:
            at = index.stored(project)
            if at is None:
                without.append(index.name)
                continue
            if not without:
                return Owner(index=index, confirmed_at=at)
            kept = self._kept.load(project)
            if kept is None or kept.index_id != index.gate.index_id:
                return None
            return Owner(index=index, confirmed_at=kept.confirmed_at, without=tuple(without))
        return None

    def _age(self, since: datetime) -> float:
        return (self._clock() - since).total_seconds()
