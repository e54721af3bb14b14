"""What paid queries cost in a month, and the budget that stops them beforehand.

Each job is written down with the most it can cost before it starts, and with what it did cost when
it has ended. So the sum of a month never lags behind what is owed, whenever the gate is killed; a
job that nobody settled is looked up later under its id.
"""

from datetime import UTC, date, datetime
from typing import Protocol

from msgspec import Struct

from indexgate.errors import GateError


class Spending(Struct, frozen=True, kw_only=True):
    """One job: `job` is its id, `month` the UTC month that pays (`2026-11`).

    `purpose` is kebab-case, `day` the day of the log it reads (None: no single one). `bytes_billed`
    is the most it can cost until it is `settled`, then what it cost. `at` is when it was reserved.
    """

    job: str
    source: str
    month: str
    purpose: str
    day: date | None
    bytes_billed: int
    settled: bool
    at: datetime


class Ledger(Protocol):
    """Where spendings are kept. Every method blocks until it is on the disk."""

    def reserve(self, spending: Spending, most: int) -> bool:
        """Write *spending* unless its source's month would then come to more than *most* bytes.

        Tell whether it is written. It is one step, whoever else reserves at the same time, and the
        same job is written once.
        """

    def settle(self, job: str, bytes_billed: int) -> None:
        """Put what *job* did cost in the place of the most it could have cost."""

    def spent(self, source: str, month: str) -> int:
        """Return the sum of bytes of a month."""

    def unsettled(self, source: str) -> tuple[Spending, ...]:
        """Return the jobs of which nobody knows yet what they cost, oldest first."""


class Budget:
    """The bytes that *source* may be billed for in a calendar month (UTC)."""

    def __init__(self, ledger: Ledger, *, source: str, monthly: int) -> None:
        self.source = source
        self.monthly = monthly
        self._ledger = ledger

    def left(self, now: datetime) -> int:
        """Return the bytes that this month still holds, 0 at least."""
        return max(0, self.monthly - self._ledger.spent(self.source, month_of(now)))

    def require(self, most: int, *, what: str, now: datetime) -> None:
        """Raise GateError when *most* bytes are more than is left for *what*."""
        if most > self.left(now):
            raise self._used_up(most, what, now)

    def reserve(
        self, job: str, most: int, *, purpose: str, day: date | None, now: datetime
    ) -> None:
        """Set *most* bytes aside for *job*, before it starts. Raises GateError: too few left."""
        spending = Spending(
            job=job,
            source=self.source,
            month=month_of(now),
            purpose=purpose,
            day=day,
            bytes_billed=most,
            settled=False,
            at=now,
        )
        if not self._ledger.reserve(spending, self.monthly):
            raise self._used_up(most, f"`{purpose}`" if day is None else f"`{day}`", now)

    def settle(self, job: str, bytes_billed: int) -> None:
        """Note what *job* did cost."""
        self._ledger.settle(job, bytes_billed)

    def unsettled(self) -> tuple[Spending, ...]:
        """Return the jobs that were started and never settled."""
        return self._ledger.unsettled(self.source)

    def _used_up(self, most: int, what: str, now: datetime) -> GateError:
        return GateError(
            f"{self.source}-budget",
            f"Reading {what} from {self.source} may bill {in_units(most)}, and "
            f"{in_units(self.left(now))} of {in_units(self.monthly)} are left for {month_of(now)}",
            f"it is read next month, or sooner with a larger `{self.source}-budget`",
        )


def month_of(now: datetime) -> str:
    """Return the UTC month of *now*, `2026-11`."""
    return now.astimezone(UTC).strftime("%Y-%m")


def in_units(count: int) -> str:
    """Return *count* bytes as people write them, in powers of 1,000."""
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.2f} TB"
