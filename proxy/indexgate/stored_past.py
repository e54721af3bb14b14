"""The past as the store keeps it: written at each sight of a project, read when it is assessed."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from cachetools import LRUCache
from msgspec.structs import replace
from packaging.utils import NormalizedName

from indexgate.index.listing import Listing
from indexgate.past import Recalled
from indexgate.sources import operator_evidence, own_traffic
from indexgate.sources.project_document import ABOUT
from indexgate.sources.protocol import DailyCounts
from indexgate.store.database import Store
from indexgate.store.engines import StoreFailed
from indexgate.store.history import KEPT
from indexgate.store.standing import SOURCE as WATCHED
from indexgate_policy.events import Event
from indexgate_policy.signals import Signal, Signals, Unknown, Value
from indexgate_policy.subject import Release

if TYPE_CHECKING:
    from indexgate_policy.downloads.panel import Panel

EVENTS_SINCE = KEPT
"""How long an event is remembered."""

CLEANED = "download-log"
"""The source of signals made from the download history."""

PROJECT_JSON = ABOUT.name
COUNTED_STARS = "github"
"""The source of stars that are counted when it is asked."""

_ON_THE_PAGE = "page"
_MONTH = 30
_MOST_YANKED = 500
_REMEMBERED = 20_000


class StoredPast:
    """The memory of the projects of the index *index_id* in *store*.

    What the store cannot take or tell is left out and told in the *log*.
    """

    def __init__(self, store: Store, index_id: str, log: Callable[[str, str], None]) -> None:
        self._store = store
        self._index_id = index_id
        self._log = log
        # What was noted already in this process, so that the same sight is written once.
        self._noted: LRUCache[tuple[str, str], object] = LRUCache(_REMEMBERED)
        self._stars: LRUCache[str, int] = LRUCache(_REMEMBERED)

    @property
    def speaks_as(self) -> frozenset[str]:
        """The sources that its signals name."""
        return frozenset({WATCHED, CLEANED, own_traffic.SOURCE, operator_evidence.SOURCE})

    async def note(self, listing: Listing, signals: Signals, before: Signals) -> None:
        """Remember owners, repository and stars of *signals*, releases and changes of the page.

        *before* are the signals of the assessment before this one.
        """
        try:
            # What a third party says of owners may be older: no change can be told from it.
            own = Signals(one for one in signals.values() if one.source == PROJECT_JSON)
            name = listing.project.name
            # At the same time, so that they share a commit.
            await asyncio.gather(
                self._note_standing(name, "owners", own.get("owners")),
                self._note_standing(name, "repository", own.get("repository")),
                self._note_stars(name, signals.get("stars")),
                self._note_page(listing, before),
            )
        except StoreFailed as error:
            self._log("store-failed", error.message)

    async def recall(self, project: NormalizedName, listing: Listing, now: datetime) -> Recalled:
        """Return what is remembered of *project* at *now*, off the loop."""
        try:
            return await asyncio.to_thread(self._recall, project, listing, now)
        except StoreFailed as error:
            self._log("store-failed", error.message)
            unreadable = Unknown(reason=f"the store cannot be read: {error.message}")
            return Recalled(signals=tuple(_seen(listing, now)), history=unreadable)

    async def counted(self, counts: DailyCounts) -> None:
        """Keep what a service counted by the day, as far as classes can be told from it."""
        from indexgate_policy.downloads.bounded import day_counts

        try:
            await self._store.history.add(
                self._index_id, counts.project, tuple(day_counts(counts.project, counts.days))
            )
        except StoreFailed as error:
            self._log("store-failed", error.message)

    async def _note_standing(self, project: NormalizedName, name: str, seen: Signal | None) -> None:
        if seen is None or self._is_noted(project, name, seen.observed_at):
            return
        standing, index_id = self._store.standing, self._index_id
        if name == "owners" and isinstance(seen.value, tuple):
            await standing.note_owners(index_id, project, seen.value, seen.observed_at)
        elif isinstance(seen.value, str):
            await standing.note_repository(index_id, project, seen.value, seen.observed_at)
        self._noted[project, name] = seen.observed_at

    async def _note_stars(self, project: NormalizedName, stars: Signal | None) -> None:
        # Others keep totals of some other day: what lies between two counts is no burst.
        if stars is None or stars.source != COUNTED_STARS or not isinstance(stars.value, int):
            return
        self._stars[project] = stars.value
        day = stars.observed_at.astimezone(UTC).date()
        if not self._is_noted(project, "stars", (day, stars.value)):
            await self._store.stars.note(self._index_id, project, day, stars.value)
            self._noted[project, "stars"] = (day, stars.value)

    async def _note_page(self, listing: Listing, before: Signals) -> None:
        project = listing.project.name
        if self._is_noted(project, "page", listing.snapshot.digest):
            return
        at = listing.snapshot.fetched_at
        # What is older would be let go of at the next tidying up.
        told = [*_releases(listing, at - EVENTS_SINCE), *_changes(listing, before, at)]
        noting = [self._store.events.note_all(self._index_id, project, told)]
        born = listing.project.first_upload
        if isinstance(born, datetime):
            day = born.astimezone(UTC).date()
            noting.append(self._store.history.note_one_born(self._index_id, project, day))
        await asyncio.gather(*noting)
        self._noted[project, "page"] = listing.snapshot.digest

    def _is_noted(self, project: NormalizedName, what: str, value: object) -> bool:
        return self._noted.get((project, what)) == value

    def _recall(self, project: NormalizedName, listing: Listing, now: datetime) -> Recalled:
        store, index_id = self._store, self._index_id
        watched = (
            *store.standing.signals(index_id, project),
            *_seen(listing, now),
            *self._told_here(listing, now),
        )
        events = (
            *store.events.of(index_id, project, now - EVENTS_SINCE),
            *self._advisories(listing, now),
        )
        panel = store.history.panel(index_id, project, now.astimezone(UTC).date())
        if isinstance(panel, Unknown):
            return Recalled(signals=watched, events=_in_order(events), history=panel)
        # From here on there is a history, and with it numpy.
        from indexgate_policy.downloads import breaks

        cleaned = (*_cleaned(panel), *_star_bursts(panel, self._stars.get(project), now))
        movement = store.history.movement(index_id, panel.first_day, panel.days)
        counting = breaks.events(panel.first_day, panel.last_day)
        panel, movement = breaks.applied(_with_page(panel, listing), movement)
        return Recalled(
            signals=(*watched, *cleaned),
            events=_in_order((*events, *counting)),
            history=panel,
            movement=movement,
        )

    def _advisories(self, listing: Listing, now: datetime) -> Iterator[Event]:
        """Yield the advisories of the local feed that came out lately."""
        if not listing.project.public:
            return
        for advisory in self._store.advisories.of(listing.project.name):
            published = advisory.published
            if published is not None and now - EVENTS_SINCE <= published <= now:
                text = f"{advisory.id} published: {advisory.summary}"
                yield Event(kind="advisory", at=published, text=text, source=advisory.source)

    def _told_here(self, listing: Listing, now: datetime) -> Iterator[Signal]:
        """Yield what this gate's own clients and operators tell."""
        store, index_id, project = self._store, self._index_id, listing.project
        today = now.astimezone(UTC).date()
        yield from own_traffic.signals(
            project,
            store.asked.counts(index_id, project.name, today, own_traffic.DAYS),
            store.asked.waited_for(index_id, project.name),
            watched_since=store.created_at,
            now=now,
        )
        yield from operator_evidence.signals(store.evidence.of(index_id, project.name))


def _releases(listing: Listing, since: datetime) -> Iterator[tuple[Event, str]]:
    """Yield a release event for every version that came out *since* then, each with its key."""
    first = listing.project.first_upload
    for release in listing.releases:
        at = release.released
        if isinstance(at, datetime) and at >= since:
            is_first = at == first
            yield (
                Event(
                    kind="first-release" if is_first else "release",
                    at=at,
                    text=f"{'first release, ' if is_first else 'release '}{release.version}",
                    source=_ON_THE_PAGE,
                ),
                f"release {release.version}",
            )


def _changes(listing: Listing, before: Signals, at: datetime) -> Iterator[tuple[Event, str]]:
    """Yield what the page of *listing* says otherwise than the one before it."""
    known = before.value("yanked_versions")
    if isinstance(known, tuple) and len(known) < _MOST_YANKED:  # else not all of them are known
        for version in sorted(set(_yanked(listing.releases)) - set(known)):
            text = f"version {version} yanked"
            yield Event(kind="yank", at=at, text=text, source=_ON_THE_PAGE), f"yank {version}"
    status, now = before.value("index_status"), listing.project.status
    if isinstance(status, str) and status != now:
        event = Event(
            kind="status", at=at, text=f"status changed from {status} to {now}", source=_ON_THE_PAGE
        )
        yield event, f"status {status} {now} {at:%Y-%m-%d}"


def _yanked(releases: Iterable[Release]) -> tuple[str, ...]:
    return tuple(sorted(release.version for release in releases if release.yanked))


def _seen(listing: Listing, now: datetime) -> Iterator[Signal]:
    """Yield what the page shows and the next one is compared with."""
    values: dict[str, Value] = {
        "yanked_versions": _yanked(listing.releases)[:_MOST_YANKED],
        "index_status": listing.project.status,
    }
    for name, value in values.items():
        yield Signal(name=name, value=value, source=WATCHED, observed_at=now)


def _with_page(panel: "Panel", listing: Listing) -> "Panel":
    """Return *panel* with the releases and the birth that the page tells, which is all of them."""
    import numpy as np

    from indexgate_policy.downloads.panel import NOT_BORN

    releases = np.zeros((1, panel.days), np.float32)
    for release in listing.releases:
        if isinstance(release.released, datetime):
            day = _day(release.released, panel.first_day)
            if 0 <= day < panel.days:
                releases[0, day] += 1
    born = panel.born
    if isinstance(listing.project.first_upload, datetime):
        day = _day(listing.project.first_upload, panel.first_day)
        born = np.array([max(-1, day) if day < panel.days else NOT_BORN], np.int32)
    return replace(panel, releases=releases, born=born)


def _cleaned(panel: "Panel") -> tuple[Signal, ...]:
    """Return the signals on downloads, where the log itself was read.

    Days that a service counted without telling who fetched give only bounds, and that service's own
    signals say so.
    """
    import numpy as np

    from indexgate_policy.downloads.summary import summaries

    if not np.isfinite(panel.of_class("bot")[:, -_MONTH:]).any():
        return ()
    over = datetime.combine(panel.last_day + timedelta(days=1), time(), UTC)
    [signals] = summaries(panel, observed_at=over, source=CLEANED)
    return signals


def _star_bursts(panel: "Panel", total: int | None, now: datetime) -> Iterator[Signal]:
    """Yield the share of all stars that came in bursts which nothing explains, where known."""
    import numpy as np

    from indexgate_policy.series.stars import stars_in_bursts

    if not total or not np.isfinite(panel.stars).any():
        return
    [burst] = stars_in_bursts(panel, 0)
    share = min(1.0, float(burst) / total)
    yield Signal(name="star_burst_share", value=share, source=WATCHED, observed_at=now)


def _in_order(events: Iterable[Event]) -> tuple[Event, ...]:
    return tuple(sorted(events, key=lambda event: event.at))


def _day(moment: datetime, first: date) -> int:
    return (moment.astimezone(UTC).date() - first).days
