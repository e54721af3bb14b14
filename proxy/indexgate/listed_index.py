"""The pages of one index as what they list, each read once for as long as it is of use."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import partial

from msgspec.structs import replace
from packaging.utils import NormalizedName

from indexgate.finished_page import FinishedPage
from indexgate.index.listing import Listing, listing
from indexgate.index.protocol import Index, Snapshot, UpstreamFailed
from indexgate.index.subjects import releases
from indexgate.listings import Listings
from indexgate.simple.ordinary_files import versions
from indexgate_policy.signals import Unknown

_HUGE_BYTES = 2_500_000  # packed
_MUCH = 20_000  # packed
_MANY = 800  # files: on the event loop, beside two lanes at work, each millisecond takes three
_MANY_ODD = 50  # files whose names can be read in several ways: each may take milliseconds
_LISTED_FILES = 700  # at a good kilobyte each


class ListedIndex:
    """What the pages of *index* list.

    *first_seen* tells when a project was first met, and notes it if somebody asked. *remember* is
    told of each file address that does not tell its project.
    """

    def __init__(
        self,
        index: Index,
        *,
        index_id: str,
        public: bool,
        first_seen: Callable[[NormalizedName, bool], datetime | Unknown],
        watched_since: datetime,
        remember: Callable[[str, NormalizedName], None],
    ) -> None:
        self.first_seen = first_seen
        self._index = index
        self._index_id = index_id
        self._public = public
        self._watched_since = watched_since
        self._remember = remember
        self._kept = Listings(_LISTED_FILES)

    async def of(
        self, project: NormalizedName, *, asked: bool = True, patient: bool = False
    ) -> Listing:
        """Return what the index lists of *project*; whether somebody *asked* for it is noted.

        Who is *patient* waits for a slow upstream, and has the stored page only where upstream
        fails. Raises NoSuchProject, UpstreamFailed.
        """
        if patient:
            with suppress(UpstreamFailed):
                newest = await self._index.snapshot(project, stand_in=False)
                return await self.by(newest, asked=asked)
        return await self.by(await self._index.snapshot(project), asked=asked)

    async def by(self, snapshot: Snapshot, *, asked: bool = True) -> Listing:
        """Return what *snapshot* lists; whether somebody *asked* for its project is noted."""
        first_seen = self.first_seen(snapshot.project, asked)
        kept = self._kept.of(snapshot.project, snapshot.digest)
        if kept is not None:
            bare = snapshot.put_away()
            return kept if kept.snapshot is bare else replace(kept, snapshot=bare)
        if _takes_long(snapshot):
            reading = partial(self.read, snapshot, first_seen)
            kept = await self._kept.read(
                snapshot.project, snapshot.digest, reading, huge=len(snapshot.packed) > _HUGE_BYTES
            )
        else:
            kept = self.read(snapshot, first_seen)
            self._kept.keep(kept)
        for path in kept.unguessable:
            self._remember(path, snapshot.project)
        return kept

    def read(self, snapshot: Snapshot, first_seen: datetime | Unknown) -> Listing:
        """Read *snapshot* anew, and keep nothing of it."""
        page = snapshot.page()
        project, found = releases(
            page,
            index_id=self._index_id,
            public=self._public,
            first_seen=first_seen,
            watched_since=self._watched_since,
        )
        return listing(snapshot.put_away(), page, project, found)

    def at_hand(self, page: FinishedPage) -> Listing | None:
        """Return what *page* lists, if it was read so lately that it need not be read for this."""
        return page.listed or self._kept.of(page.snapshot.project, page.snapshot.digest)


def _takes_long(snapshot: Snapshot) -> bool:
    """Tell whether the page takes so long to list that others should not wait for it."""
    page = snapshot.at_hand  # read already, so that only its releases are to be found
    if page is None:
        return len(snapshot.packed) > _MUCH
    odd = versions(page.files, snapshot.project).texts.count("")
    return len(page.files) > _MANY or odd > _MANY_ODD
