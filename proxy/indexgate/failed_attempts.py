"""How often a source failed about a project, and when it makes sense to ask it again."""

from collections.abc import Callable
from datetime import datetime, timedelta

from cachetools import LRUCache
from packaging.utils import NormalizedName

SOONEST_AGAIN = timedelta(minutes=10)
"""After a failure; each further one doubles it."""

LATEST_AGAIN = timedelta(days=1)

_MOST = 50_000


class FailedAttempts:
    """The attempts in a row that failed, by source and project; *chance* gives numbers from 0 to 1.

    By it many attempts do not fall together.
    """

    def __init__(self, chance: Callable[[], float]) -> None:
        self._chance = chance
        self._kept: LRUCache[tuple[str, str], tuple[int, datetime]] = LRUCache(_MOST)

    def of(self, source: str, project: NormalizedName) -> tuple[int, datetime] | None:
        """Return how many failed, and when *source* is asked again; None: the last one did not."""
        return self._kept.get((source, project))

    def forget(self, source: str, project: NormalizedName) -> None:
        """Note that *source* answered."""
        self._kept.pop((source, project), None)

    def add(
        self, source: str, project: NormalizedName, now: datetime, *, before: int, wish: timedelta
    ) -> datetime:
        """Note a failure after so many *before*; return when *source* is asked again.

        Not sooner than after its *wish*.
        """
        again = now + max(wish, self._rest(before))
        self._kept[source, project] = (before + 1, again)
        return again

    def _rest(self, before: int) -> timedelta:
        """Return how long to leave a source alone after so many failures, give or take a quarter.

        The first attempt is not late, so that an index that was down for a moment is asked soon.
        """
        rest: timedelta = min(SOONEST_AGAIN * 2 ** min(before, 10), LATEST_AGAIN)
        return rest * (0.75 + self._chance() / 2)
