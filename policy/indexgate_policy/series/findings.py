"""All that the series of a panel tell: every detector over the same days."""

from collections.abc import Iterator

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from indexgate_policy.downloads.panel import Movement, Panel
from indexgate_policy.series.automation import automations
from indexgate_policy.series.baseline import baseline
from indexgate_policy.series.candidates import candidates
from indexgate_policy.series.drop import drops
from indexgate_policy.series.finding import Finding
from indexgate_policy.series.first_week import first_weeks
from indexgate_policy.series.index_level import Common, common
from indexgate_policy.series.mix import INSTALLERS, REGIONS, VERSIONS, shifts
from indexgate_policy.series.stars import MANY as STARS
from indexgate_policy.series.stars import star_bursts
from indexgate_policy.series.surge import surges
from indexgate_policy.series.windows import WEEK, trailing_sum

LEAST_WEEK = 14
"""A project of which fewer were downloaded in every week is not looked at."""

LEAST_DAYS = 28
"""With fewer days before, no day is looked at."""


def findings(
    panel: Panel,
    movement: Movement | None = None,
    *,
    first: int = 0,
    first_mix: int | None = None,
) -> list[Finding]:
    """Return the findings of the days from *first* to the panel's last, in order of row and day.

    *movement* tells how the whole index moved over the same days; without it a panel of many
    projects tells it itself, and of few the rules demand more. What is said of a day rests on that
    day and earlier ones; a finding of a mix comes on the last day of its week. *first_mix*: mixes
    are looked at from that day on instead, which must not be after *first*.
    """
    panel, index = common(panel, movement)
    first = max(first, LEAST_DAYS)
    if first >= panel.days:
        return list(first_weeks(panel, 0))
    from_mix = first if first_mix is None else max(first_mix, LEAST_DAYS)
    rows = _noticeable(panel, from_mix)
    panel = _of(panel, rows)
    found = [
        _at(one, int(rows[one.row]))
        for one in (
            *volume(panel, index, first),
            *mixes(panel, index, from_mix),
            *star_bursts(panel, first),
        )
    ]
    return sorted(found, key=lambda one: (one.row, one.day, one.kind))


def _noticeable(panel: Panel, first: int) -> NDArray[np.intp]:
    """Return the rows that some rule may speak of: most of an index is too small for any."""
    downloads = np.nan_to_num(trailing_sum(panel.consumers, least=1)).max(axis=1)
    stars = np.nan_to_num(panel.stars[:, max(0, first - WEEK) :]).sum(axis=1)
    return np.flatnonzero(
        (downloads >= LEAST_WEEK) | (stars >= STARS) | (panel.born >= first - WEEK)
    )


def _of(panel: Panel, rows: NDArray[np.intp]) -> Panel:
    if len(rows) == len(panel.names):
        return panel
    return Panel(
        names=tuple(panel.names[row] for row in rows),
        first_day=panel.first_day,
        classes=panel.classes[rows],
        installers=panel.installers[rows],
        regions=panel.regions[rows],
        version_ages=panel.version_ages[rows],
        stars=panel.stars[rows],
        people=panel.people[rows],
        releases=panel.releases[rows],
        inflow=panel.inflow[rows],
        born=panel.born[rows],
        incomplete=panel.incomplete,
    )


def _at(found: Finding, row: int) -> Finding:
    peak = None if found.peak is None else replace(found.peak, row=row)
    return replace(found, row=row, peak=peak)


def volume(panel: Panel, index: Common, first: int) -> Iterator[Finding]:
    """Yield the surges, drops and first weeks on the days from *first*."""
    rows = candidates(panel, index, first)
    few = _of(panel, rows)
    past = baseline(few, index, first)
    for one in (*surges(few, past, index), *drops(past, index)):
        yield _at(one, int(rows[one.row]))
    yield from first_weeks(panel, first)


def mixes(panel: Panel, index: Common, first: int) -> Iterator[Finding]:
    """Yield the shifts of the four mixes on the days from *first*."""
    for mix in (INSTALLERS, REGIONS, VERSIONS):
        yield from shifts(panel, mix, index, first)
    yield from automations(panel, index, first)
