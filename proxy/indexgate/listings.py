"""What pages list, once read: a few small pages for long, large ones for a moment.

A small page is read anew in a millisecond, and held it takes ten times the room of its bytes. To
read a page of a hundred thousand files takes seconds and hundreds of megabytes. So it is read once
for all who ask at the same time, in a thread; and it stays until the client that asked for it has
had time to ask for its files as well, but no longer.
"""

import asyncio
from collections.abc import Callable
from functools import partial

from cachetools import LRUCache, TTLCache
from packaging.utils import NormalizedName

from indexgate.flights import Flights
from indexgate.index.in_turn import in_turn
from indexgate.index.listing import Listing

STAYS = 60.0
"""Seconds for which a large page is kept."""

_LARGE = 1_000  # files
_MORE = 30  # times as many files of large pages as of small ones: they are costly to read, and go


class Listings:
    """The listings of small pages with *most_files* files in all, of large ones with some more.

    And the latest that alone has more. A few large pages would drive out all the small ones.
    """

    def __init__(self, most_files: int, *, stays: float = STAYS) -> None:
        self._small_one = min(_LARGE, most_files)
        self._stays = stays
        self._small: LRUCache[NormalizedName, Listing] = LRUCache(most_files, getsizeof=_size)
        self._large: TTLCache[NormalizedName, Listing] = TTLCache(
            _MORE * most_files, stays, getsizeof=_size
        )
        self._huge: TTLCache[NormalizedName, Listing] = TTLCache(1, stays)
        self._readings: Flights[Listing] = Flights()

    def of(self, project: NormalizedName, digest: str) -> Listing | None:
        """Return the listing of the page with *digest*, None when it must be read."""
        kept = self._small.get(project) or self._large.get(project) or self._huge.get(project)
        return kept if kept is not None and kept.snapshot.digest == digest else None

    def keep(self, listed: Listing) -> None:
        """Keep what was read."""
        name, size = listed.project.name, _size(listed)
        for kept in (self._small, self._large, self._huge):
            kept.pop(name, None)
        if size <= self._small_one:
            self._small[name] = listed
            return
        passing = self._large if size <= self._large.maxsize else self._huge
        passing[name] = listed
        # Nothing else would let go of it, as long as nobody asks for anything large.
        asyncio.get_running_loop().call_later(self._stays + 1, passing.expire)

    async def read(
        self,
        project: NormalizedName,
        digest: str,
        reading: Callable[[], Listing],
        *,
        huge: bool = False,
    ) -> Listing:
        """Read a large page in a thread, once for all who ask; the reading outlives the asker.

        Raises what *reading* raises.
        """
        return await self._readings.join((project, digest), partial(self._read, reading, huge=huge))

    async def _read(self, reading: Callable[[], Listing], *, huge: bool) -> Listing:
        listed = await in_turn(reading, huge=huge)
        self.keep(listed)
        return listed


def _size(listed: Listing) -> int:
    return len(listed.page.files) + 1
