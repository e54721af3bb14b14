"""A first week of 10,000 downloads: of a new project, with nobody behind it or with a launch."""

from collections.abc import Iterator

import numpy as np

from indexgate_policy.downloads.panel import Panel
from indexgate_policy.series.finding import Finding

MANY = 10_000
DAYS = 7
STARS = 20
"""A launch brings so many stars in its first week, in proportion, and somebody who writes."""

_CARRIED = 0.5  # of the downloads by dependents make it a part of them


def first_weeks(panel: Panel, first: int) -> Iterator[Finding]:
    """Yield the projects whose downloads, of every class, reach `MANY` in their first week.

    Told on the day they reach it, from the second day on: a launch is heard of a day late.
    """
    born = panel.born
    for row in np.flatnonzero((born >= max(0, first - DAYS)) & (born < panel.days)):
        start = int(born[row])
        week = np.nan_to_num(panel.classes[row, start : start + DAYS]).sum(axis=1)
        reached = np.flatnonzero(week.cumsum() >= MANY)
        if not len(reached):
            continue
        day = max(start + int(reached[0]), start + 1)
        if not first <= day < panel.days:
            continue
        so_far = slice(start, day + 1)
        downloads = float(np.nan_to_num(panel.classes[row, so_far]).sum())
        stars = float(np.nansum(panel.stars[row, so_far]))
        talk = float(np.nansum(panel.people[row, so_far])) >= 1
        brought = float(np.nansum(panel.inflow[row, so_far]))
        launched = talk and stars >= STARS * (day - start + 1) / DAYS
        carried = brought > _CARRIED * downloads
        yield Finding(
            row=int(row),
            day=day,
            last=day,
            kind="surge",
            why="first-week",
            onset=start,
            before=0.0,
            now=downloads,
            score=downloads / MANY,
            explained=1.0 if launched or carried else 0.0,
            by="stars" if launched else "new-dependents" if carried else "",
        )
