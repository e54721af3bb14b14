"""The newest assessments of an index in memory, so that a page at hand asks the store nothing.

What another process makes, such as `indexgate refresh`, is seen when the store is looked at again:
`LOOKED_EVERY`, and then only when it is from, unless that has changed. That there is none is
remembered as well.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace
from packaging.utils import NormalizedName

from indexgate.store.engines import StoreFailed
from indexgate_policy.assessment import Assessment

LOOKED_EVERY = timedelta(minutes=1)
"""How soon an assessment is seen that another process has made."""

_MOST = 20_000


class StoredAssessments(Protocol):
    """The assessments that the store keeps."""

    def current(self, index_id: str, project: NormalizedName) -> Assessment | None:
        """Return the assessment in force."""

    def made_at(self, index_id: str, project: NormalizedName) -> datetime | None:
        """Return when the assessment in force was made; None without one."""

    def in_force_since(
        self, index_id: str, project: NormalizedName, since: datetime
    ) -> Assessment | None:
        """Return the oldest assessment that was in force at any moment after *since*."""

    async def save(self, assessment: Assessment) -> None:
        """Keep *assessment* as the one in force."""

    def save_soon(self, assessment: Assessment) -> None:
        """Keep *assessment*, the first of its project, before long."""

    async def saved(self) -> None:
        """Return when what is to be kept before long is kept, or cannot be."""


class Newest(Struct, frozen=True, kw_only=True):
    """The newest assessment of a project, and the digest of the page it is from, if that is known.

    `assessment` is None where there is none; `looked` is when the store was asked last.
    """

    assessment: Assessment | None
    page: str = ""
    looked: datetime

    @property
    def made_at(self) -> datetime | None:
        """When it was made."""
        return None if self.assessment is None else self.assessment.assessed_at


class AssessmentMemory:
    """What is known of an index's projects, as far as it was asked for lately.

    What *gives_way* does so to whatever the store has, also where that is older.
    """

    def __init__(
        self,
        index_id: str,
        stored: StoredAssessments,
        clock: Callable[[], datetime],
        *,
        gives_way: Callable[[Assessment], bool] = lambda _assessment: False,
    ) -> None:
        self._index_id = index_id
        self._stored = stored
        self._clock = clock
        self._gives_way = gives_way
        self._newest: dict[NormalizedName, Newest] = {}

    @property
    def assessments(self) -> list[Assessment]:
        """The assessments in memory."""
        found = (newest.assessment for newest in self._newest.values())
        return [assessment for assessment in found if assessment is not None]

    def newest(self, project: NormalizedName) -> Newest:
        """Return the newest assessment of *project*. Raises StoreFailed."""
        newest = self._newest.get(project)
        if newest is not None and self._clock() - newest.looked < LOOKED_EVERY:
            return newest
        return self._looked_up(project, newest)

    def put(self, assessment: Assessment, page: str) -> None:
        """Remember *assessment*, the newest of its project, from the page of that digest."""
        self._put(
            assessment.project, Newest(assessment=assessment, page=page, looked=self._clock())
        )

    def hear(self, project: NormalizedName, page: str) -> None:
        """Take in that another worker made an assessment, from the page of that digest."""
        known = self._newest.get(project)
        assessment = None if known is None else known.assessment
        long_ago = self._clock() - LOOKED_EVERY
        self._put(project, Newest(assessment=assessment, page=page, looked=long_ago))

    def look_again(self, project: NormalizedName) -> None:
        """Have the store asked about *project* the next time, whenever it was asked last."""
        newest = self._newest.get(project)
        if newest is not None:
            self._newest[project] = replace(newest, looked=newest.looked - LOOKED_EVERY)

    def _looked_up(self, project: NormalizedName, known: Newest | None) -> Newest:
        assessment = None if known is None else known.assessment
        page = "" if known is None else known.page
        looked = self._clock()
        try:
            at = self._stored.made_at(self._index_id, project)
            if at is not None and (
                assessment is None or assessment.assessed_at < at or self._gives_way(assessment)
            ):
                # Another process knows more.
                assessment = self._stored.current(self._index_id, project) or assessment
        except StoreFailed:
            if assessment is None:
                raise
        return self._put(project, Newest(assessment=assessment, page=page, looked=looked))

    def _put(self, project: NormalizedName, newest: Newest) -> Newest:
        self._newest.pop(project, None)
        self._newest[project] = newest
        while len(self._newest) > _MOST:
            del self._newest[next(iter(self._newest))]
        return newest
