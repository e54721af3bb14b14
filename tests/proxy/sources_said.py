"""Sources that say what a test wants, and count how often they are asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from packaging.utils import NormalizedName

from indexgate.sources.protocol import About, Asked, DailyCounts, DayCount, SourceFailed
from indexgate_policy.signals import Signal, Unknown, Value

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DEMO = NormalizedName("demo")


class Clock:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def turn(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass
class Said:
    """A source: what it says by name, or how it fails, and what it was asked."""

    name: str
    says: dict[str, Value | Unknown] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    third_party: bool = True
    fresh_for: timedelta = timedelta(hours=24)
    failures: list[Exception] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)

    @property
    def about(self) -> About:
        return About(
            name=self.name,
            gives=tuple(self.says),
            needs=self.needs,
            third_party=self.third_party,
            fresh_for=self.fresh_for,
        )

    async def signals(self, asked: Asked, now: datetime) -> tuple[Signal, ...]:
        self.asked.append(asked)
        if self.failures:
            raise self.failures.pop(0)
        return self._of(now)

    def _of(self, now: datetime) -> tuple[Signal, ...]:
        return tuple(
            Signal(name=name, value=value, source=self.name, observed_at=now)
            for name, value in self.says.items()
        )

    @property
    def names(self) -> list[str]:
        return [asked.project for asked in self.asked]


@dataclass
class SaidInBatches(Said):
    """A source that can be asked about several projects at once."""

    most_at_once: int = 3
    batches: list[list[str]] = field(default_factory=list)
    left_out: str = ""

    async def many(
        self, asked: Sequence[Asked], now: datetime
    ) -> Mapping[NormalizedName, tuple[Signal, ...]]:
        self.batches.append([one.project for one in asked])
        if self.failures:
            raise self.failures.pop(0)
        return {one.project: self._of(now) for one in asked if one.project != self.left_out}


@dataclass
class SaidByTheDay(Said):
    """A source with counts day by day."""

    async def history(self, asked: Asked, now: datetime) -> DailyCounts:
        return (await self.with_history(asked, now))[1]

    async def with_history(
        self, asked: Asked, now: datetime
    ) -> tuple[tuple[Signal, ...], DailyCounts]:
        days = (DayCount(day=date(2026, 11, 20), everything=7),)
        counts = DailyCounts(project=asked.project, days=days, source=self.name, observed_at=now)
        return await self.signals(asked, now), counts


def failed(kind: str = "status", *, retry_after: int | None = None) -> SourceFailed:
    return SourceFailed("some", kind, "answered 500", retry_after=retry_after)
