"""pepy.tech: downloads by version and day of the last three months, with a key.

Source: the service's API page. The free plan answers 5 times a minute; CI is told apart in the paid
ones only and not read here. Cut from the same public log as pypistats: two that agree are one.
"""

from datetime import UTC, date, datetime, timedelta

import httpx
import msgspec
from packaging.utils import canonicalize_name

from indexgate.sources.budgets import Budget
from indexgate.sources.protocol import About, Asked
from indexgate.sources.service import Service, part
from indexgate.sources.told import signals
from indexgate_policy.signals import Signal, Unknown, Value

BASE = "https://api.pepy.tech/api/v2"
ABOUT = About(
    name="pepy",
    title="pepy.tech",
    by="pepy.tech",
    documented_at="https://pepy.tech/pepy-api",
    gives=("downloads", "downloads_until"),
    third_party=True,
    fresh_for=timedelta(hours=24),
    key="needed: a key of a (free) account",
)

_MONTH = timedelta(days=30)
_STALE = timedelta(days=10)
_MOST_COUNT = 10**12
_NO_COUNTS = Unknown(reason="pepy.tech has no counts of it")


class _Answer(msgspec.Struct):
    id: str
    downloads: dict[date, dict[str, int]]


class Pepy:
    """The service, as a source. *base* is the address of its API, *key* the account's."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        budget: Budget,
        *,
        key: str,
        base: str = BASE,
        within: float = 20.0,
    ) -> None:
        self._service = Service(
            ABOUT,
            client,
            budget,
            base=base,
            within=within,
            headers={"X-API-Key": key},
            keyed=True,
        )

    @property
    def about(self) -> About:
        """What the source is."""
        return ABOUT

    async def signals(self, asked: Asked, now: datetime) -> tuple[Signal, ...]:
        """Return the downloads of the newest 30 days. Raises SourceFailed."""
        answer = await self._service.found(_Answer, f"projects/{part(asked.project)}")
        if answer is None:
            return tuple(signals(ABOUT, dict.fromkeys(ABOUT.gives, _NO_COUNTS), now))
        if canonicalize_name(answer.id) != asked.project:
            raise self._service.garbage("answered the counts of another project")
        return tuple(signals(ABOUT, self._month(answer, now.astimezone(UTC).date()), now))

    def _month(self, answer: _Answer, today: date) -> dict[str, Value | Unknown]:
        days = {day: sum(counts.values()) for day, counts in answer.downloads.items()}
        counts = [count for told in answer.downloads.values() for count in told.values()]
        if any(not 0 <= count <= _MOST_COUNT for count in counts) or any(d > today for d in days):
            raise self._service.garbage("answered counts that cannot be")
        if not days:
            return dict.fromkeys(ABOUT.gives, _NO_COUNTS)
        newest = max(days)
        if today - newest > _STALE:
            old = Unknown(reason=f"pepy.tech has no counts after {newest.isoformat()}")
            return {"downloads": old, "downloads_until": newest.isoformat()}
        month = sum(count for day, count in days.items() if newest - day < _MONTH)
        return {"downloads": month, "downloads_until": newest.isoformat()}
