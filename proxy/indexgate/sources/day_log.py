"""A log of downloads that is read a whole day at a time, where a source is asked about one project.

A day does not change once it is settled, so it is read once and its counts are kept; to read the
last thirty days every day would cost thirty times as much. A day log gives grouped rows in columns,
a batch at a time and in bounded memory, to be rolled up into counts (`downloads.roll_up`).

The calls block, for minutes where a whole index is read: call them on a thread of their own.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol, TypeAlias

from msgspec import Struct

from indexgate.errors import GateError

Batch: TypeAlias = Mapping[str, Sequence[Any]]
"""Rows as columns of one length, by the names of `downloads.log_row.COLUMNS`.

A log that does not carry the CI mark gives the column `ci_told`, all False, with them.
"""

SETTLED_AFTER = timedelta(days=2)
"""Rows of a day still come in on the next one, the loader's left-overs first."""


class Plan(Struct, frozen=True, kw_only=True):
    """What it takes to read a day.

    `jobs` is how many queries. `most_bytes` is what they can be billed for at the very most,
    `likely_bytes` what others have paid for as much, both 0 where nothing is billed;
    `likely_dollars` is the list price of that, free allowance left out of account. `left_bytes` is
    what this month's budget still holds, None where there is none. `settled` tells whether the
    day's rows are all there; one that is not has to be read again. `labels` go onto each job.
    """

    source: str
    day: date
    settled: bool
    jobs: int
    most_bytes: int
    likely_bytes: int
    likely_dollars: float
    left_bytes: int | None
    labels: Mapping[str, str]


class DayLog(Protocol):
    """A log that can be read by days. Nothing here is safe to call from two threads at once."""

    @property
    def name(self) -> str:
        """The name of the source, kebab-case."""

    @property
    def reads_whole_index(self) -> bool:
        """Whether *projects* may be None, which stands for all."""

    def plan(self, day: date, projects: frozenset[str] | None, now: datetime) -> Plan:
        """Say what reading *day* takes; asks nothing that costs.

        Raises SourceFailed, which may pass, and GateError, which needs somebody to do something.
        """

    def rows(self, day: date, projects: frozenset[str] | None, now: datetime) -> Iterator[Batch]:
        """Yield the rows of *day*, of *projects* (normalised names) or of all.

        They come in the order of their projects, so that a project is done when the next begins.
        Only an iterator that ends by itself has given the whole day: whatever keeps counts commits
        them after that. Raises what `plan` raises, at any point.
        """

    def close(self) -> None:
        """Close connections that are still open."""


def newest_settled(now: datetime) -> date:
    """Return the newest day that is settled at *now*."""
    return now.astimezone(UTC).date() - SETTLED_AFTER


def due(
    read: Mapping[date, datetime], *, first: date, now: datetime, tail: bool = False
) -> tuple[date, ...]:
    """Return the days from *first* on that are to be read at *now*, the newest first.

    *read* says when each day was last read as a whole. A day that was settled by then is never read
    again; with *tail* yesterday is read before it is settled, and once more afterwards.
    """
    newest = newest_settled(now) + (timedelta(days=1) if tail else timedelta())
    days = (newest - timedelta(days=back) for back in range((newest - first).days + 1))
    return tuple(day for day in days if day not in read or _read_early(day, read[day], now))


def _read_early(day: date, read_at: datetime, now: datetime) -> bool:
    return newest_settled(read_at) < day <= newest_settled(now)


def must_be_over(source: str, day: date, now: datetime) -> None:
    """Raise GateError when *day* is not over, so that nobody takes a part of it for the whole."""
    if day >= now.astimezone(UTC).date():
        raise GateError(
            "day-not-over",
            f"The downloads of `{day}` cannot be read from {source} before that day is over",
            f"the newest day that is complete is `{newest_settled(now)}`",
        )
