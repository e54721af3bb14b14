"""The download history of one project, or of many side by side over the same days."""

from datetime import date, timedelta
from typing import Any, Self, TypeAlias

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from packaging.utils import NormalizedName

from indexgate_policy.downloads.kinds import CLASSES, CONSUMERS

Counts: TypeAlias = NDArray[np.float32]
"""Counts; not-a-number where the count is not known, which is something other than 0."""

NOT_BORN = 1_000_000
"""`Panel.born` of a project whose first release the panel does not reach."""

_CONSUMERS = [CLASSES.index(name) for name in CONSUMERS]


class Panel(Struct, frozen=True, kw_only=True, eq=False):
    """N projects over T days and W = T // 7 weeks; week w is the days [7w, 7w + 7).

    `classes` is (N, T, 7) downloads a day by `kinds.CLASSES`. `installers` (N, W, 6), `regions`
    (N, W, 12) and `version_ages` (N, W, 4) are downloads a week by the tuples of that name. `stars`
    (new ones), `people` (different people who opened an issue, discussion or pull request),
    `releases` and `inflow` (consumer downloads a day of projects that began to depend on this one
    in the 30 days before) are (N, T). `born` (N,) is the day of the first release: -1 before
    the panel, `NOT_BORN` after it. `incomplete` (T,) marks days of which the log is known to lack
    rows. The last day is the newest that is known; nothing later may be in any array.
    """

    names: tuple[NormalizedName, ...]
    first_day: date
    classes: Counts
    installers: Counts
    regions: Counts
    version_ages: Counts
    stars: Counts
    people: Counts
    releases: Counts
    inflow: Counts
    born: NDArray[np.int32]
    incomplete: NDArray[np.bool_]

    @property
    def days(self) -> int:
        """T, the number of days."""
        return int(self.classes.shape[1])

    @property
    def last_day(self) -> date:
        """The newest day that the panel holds."""
        return self.first_day + timedelta(days=self.days - 1)

    @property
    def consumers(self) -> Counts:
        """(N, T) downloads a day by those who install: CI, pipelines and people."""
        chosen: Counts = self.classes[:, :, _CONSUMERS].sum(axis=2)
        return chosen

    def of_class(self, name: str) -> Counts:
        """Return (N, T) downloads a day of the class *name*. Raises ValueError."""
        chosen: Counts = self.classes[:, :, CLASSES.index(name)]
        return chosen

    def only(self, rows: slice) -> Self:
        """Return the panel of the projects *rows*, over the same days."""
        per_project: dict[str, Any] = {
            field: getattr(self, field)[rows]
            for field in (
                "names", "classes", "installers", "regions", "version_ages",
                "stars", "people", "releases", "inflow", "born",
            )
        }  # fmt: skip
        return type(self)(first_day=self.first_day, incomplete=self.incomplete, **per_project)

    def until(self, day: int) -> Self:
        """Return what was known at the end of day *day* (0 is the first)."""
        days, weeks = day + 1, (day + 1) // 7
        return type(self)(
            names=self.names,
            first_day=self.first_day,
            classes=self.classes[:, :days],
            installers=self.installers[:, :weeks],
            regions=self.regions[:, :weeks],
            version_ages=self.version_ages[:, :weeks],
            stars=self.stars[:, :days],
            people=self.people[:, :days],
            releases=self.releases[:, :days],
            inflow=self.inflow[:, :days],
            born=np.where(self.born <= day, self.born, NOT_BORN).astype(np.int32),
            incomplete=self.incomplete[:days],
        )


class Movement(Struct, frozen=True, kw_only=True, eq=False):
    """How the whole index moved, so that what everybody does is nobody's own.

    `consumers` (T,) is the log of a day's consumer downloads against the same weekday one to four
    weeks before, the median over sizeable projects (science g). The mixes are (W, K) logs of a
    week's share against the mean of weeks -9 to -2, the median likewise. Not a number: too few
    projects to tell. Days and weeks are those of the panel it is used with.
    """

    first_day: date
    consumers: Counts
    installers: Counts
    regions: Counts
    version_ages: Counts
