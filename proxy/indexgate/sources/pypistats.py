"""pypistats.org: downloads day by day for 180 days, without an account.

Source: the service's own API page; data cut from the index's public download log once a day at
01:00 UTC. No data licence is stated (the counts are facts); it asks not to be called more than once
a day for an endpoint and not in bulk. "Without mirrors" leaves out bandersnatch, z3c.pypimirror,
Artifactory, devpi and all that names no installer, but not Nexus, requests or browsers.

It does not tell CI from people, so installs by people are bounded, not counted: see
`indexgate_policy.downloads.bounded`.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Literal

import httpx
import msgspec
from packaging.utils import NormalizedName, canonicalize_name

from indexgate.sources.budgets import Budget
from indexgate.sources.protocol import About, Asked, DailyCounts, DayCount
from indexgate.sources.service import Service, part
from indexgate.sources.told import signals
from indexgate_policy.signals import Signal, Unknown

BASE = "https://pypistats.org/api"
ABOUT = About(
    name="pypistats",
    title="pypistats.org",
    by="the Python Software Foundation",
    documented_at="https://pypistats.org/api/",
    gives=(
        "downloads",
        "consumer_downloads",
        "human_installs",
        "human_installs_low",
        "human_installs_high",
        "people_low",
        "people",
        "people_high",
        "downloads_until",
    ),
    third_party=True,
    fresh_for=timedelta(hours=24),
)
_STALE = timedelta(days=10)
_MOST_DAYS = 400
_MOST_COUNT = 10**12
_SYSTEMS = {"linux": "Linux", "darwin": "Darwin", "windows": "Windows", "null": "null"}


class _Row(msgspec.Struct, gc=False):
    category: str | None
    date: date
    downloads: int


class _Answer(msgspec.Struct):
    package: str
    type: str
    data: list[_Row]


class Pypistats:
    """The service, as a source and as a history. *base* is the address of its API."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        budget: Budget,
        *,
        base: str = BASE,
        within: float = 20.0,
    ) -> None:
        self._service = Service(ABOUT, client, budget, base=base, within=within)

    @property
    def about(self) -> About:
        """What the source is."""
        return ABOUT

    async def signals(self, asked: Asked, now: datetime) -> tuple[Signal, ...]:
        """Return the downloads of the newest 30 days. Raises SourceFailed."""
        return (await self.with_history(asked, now))[0]

    async def history(self, asked: Asked, now: datetime) -> DailyCounts:
        """Return the counts of 180 days; none where the service has none. Raises SourceFailed."""
        return (await self.with_history(asked, now))[1]

    async def with_history(
        self, asked: Asked, now: datetime
    ) -> tuple[tuple[Signal, ...], DailyCounts]:
        """Return both with two requests. Raises SourceFailed."""
        today = now.astimezone(UTC).date()
        overall = await self._rows(asked.project, "overall", today)
        systems = await self._rows(asked.project, "system", today) if overall else None
        counts = DailyCounts(
            project=asked.project,
            days=_days(overall or {}, systems),
            source=ABOUT.name,
            observed_at=now,
            licence=ABOUT.licence,
        )
        return await asyncio.to_thread(_signals, counts, today), counts

    async def _rows(
        self, project: NormalizedName, what: Literal["overall", "system"], today: date
    ) -> dict[date, dict[str, int]] | None:
        """Return the counts by day and category; None where the service has none."""
        answer = await self._service.found(_Answer, f"packages/{part(project)}/{what}")
        if answer is None:
            return None
        if canonicalize_name(answer.package) != project:
            raise self._service.garbage("answered the counts of another project")
        if answer.type != f"{what}_downloads":
            raise self._service.garbage("answered other counts than those asked for")
        oldest = today - timedelta(days=_MOST_DAYS)
        found: dict[date, dict[str, int]] = defaultdict(dict)
        for row in answer.data:
            if not 0 <= row.downloads <= _MOST_COUNT or row.date > today:
                raise self._service.garbage("answered counts that cannot be")
            if row.date >= oldest:
                found[row.date][row.category or "null"] = row.downloads
        return found


def _days(
    overall: Mapping[date, Mapping[str, int]], systems: Mapping[date, Mapping[str, int]] | None
) -> tuple[DayCount, ...]:
    """Return the days of *overall*; what a day does not list, nobody downloaded."""
    return tuple(
        DayCount(
            day=day,
            everything=told.get("with_mirrors", told.get("without_mirrors", 0)),
            without_mirrors=told.get("without_mirrors", 0),
            systems=None if systems is None else _by_system(systems.get(day, {})),
        )
        for day, told in sorted(overall.items())
    )


def _by_system(told: Mapping[str, int]) -> dict[str, int]:
    found: dict[str, int] = defaultdict(int)
    for name, downloads in told.items():
        found[_SYSTEMS.get(name.lower(), "other")] += downloads
    return dict(found)


def _signals(counts: DailyCounts, today: date) -> tuple[Signal, ...]:
    """Return the newest 30 days; counts that ended long before *today* say nothing of now."""
    newest = counts.days[-1].day if counts.days else None
    if newest is None or today - newest > _STALE:
        after = "" if newest is None else f" after {newest.isoformat()}"
        untold = Unknown(reason=f"pypistats.org has no counts of it{after}")
        return tuple(signals(ABOUT, dict.fromkeys(ABOUT.gives, untold), counts.observed_at))
    # Needs numpy, which takes its time to load and which a gate that asks nobody does without.
    from indexgate_policy.downloads import bounded

    return bounded.signals(
        counts.days,
        observed_at=counts.observed_at,
        source=counts.source,
        licence=counts.licence,
    )
