"""What a source of signals is: one foreign service a file, nothing more.

To add a source:

1. Write `sources/<service>.py` with one class that fits `Source`. Its docstring names the service's
   documentation, its terms and its limits.
2. Ask through `outbound.answer` and read through `outbound.read_bounded`: that gives the limits of
   time and size, the check of every redirect, and failures as `SourceFailed`.
3. Decode into typed structs of the few fields that are needed. What the service did not say is
   `Unknown` with the reason, never a default; what it said that cannot be (another project's name,
   a page instead of JSON) is `SourceFailed` of the kind `garbage`.
4. State in `about` what the service gives, under which licence, whether a third party learns names.
5. Write `tests/standins/<service>.py`, a loopback service in the documented shape that can fail in
   every way, and a table of those failures.
6. Name the class where the sources are put together (`web/app.py`, `cli`), its limits in
   `sources/budgets.py`.

Nothing else changes: stored signals, the explain page and `signal.<name>` conditions follow. A
service that answers for many projects at once is a `Batch` too, one that has counts day by day a
`History`.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Protocol, runtime_checkable

from msgspec import Struct, field
from packaging.utils import NormalizedName

from indexgate_policy.signals import Signal, Signals, Unknown


class SourceFailed(Exception):
    """A source could not be read; what was known before still stands.

    `source` is its name, `kind` a stable slug: those of `UpstreamFailed`, and `cut-off`, `stale`
    (older than what was read before), `disk` (no place to put it), `budget` (not asked: the limits
    of `sources.budgets` are used up, or it wished to be left alone), `resting` (not asked: it
    failed several times in a row just now). `reason` is one ASCII clause
    ("did not answer within 10 s"), `status` the HTTP status if there was one, `retry_after` the
    seconds after which asking again makes sense, where that is known.
    """

    def __init__(
        self,
        source: str,
        kind: str,
        reason: str,
        *,
        status: int | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(source, kind, reason)
        self.source = source
        self.kind = kind
        self.reason = reason
        self.status = status
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f"{self.source} {self.reason}"

    @property
    def lasting(self) -> bool:
        """Whether asking again soon would give the same: the answer, not the service, is at fault.

        A missing project (404) is lasting; a refused key, a limit and a broken service are not.
        """
        if self.status is not None:
            return 400 <= self.status < 500 and self.status not in {401, 403, 408, 425, 429}
        return self.kind in {"garbage", "too-large"}


class About(Struct, frozen=True, kw_only=True):
    """What a source is.

    `name` is kebab-case and goes into `Signal.source`; `gives` are the names of its signals,
    `needs` those of the signals that it cannot do without (`repository`, say); `licence` is an SPDX
    id or `facts`. `third_party` is True when somebody other than the project's own index learns
    which projects are asked for. `fresh_for` is how long an answer is worth keeping. `title` is the
    service's own name, `by` who runs it, `documented_at` where it is described; `key` says what key
    it is asked with: empty for none, else one clause ("needed: ...", "better with: ...").
    """

    name: str
    gives: tuple[str, ...]
    needs: tuple[str, ...] = ()
    licence: str = "facts"
    third_party: bool
    fresh_for: timedelta
    title: str = ""
    by: str = ""
    documented_at: str = ""
    key: str = ""


class Asked(Struct, frozen=True, kw_only=True):
    """The project a source is asked about, and what is known of it already."""

    project: NormalizedName
    known: Signals = field(default_factory=Signals)


class Source(Protocol):
    """A service that knows something about single projects."""

    @property
    def about(self) -> About:
        """What the source is; constant."""

    async def signals(self, asked: Asked, now: datetime) -> tuple[Signal, ...]:
        """Return one signal for every name in `about.gives`, observed at *now* (aware UTC).

        Raises SourceFailed.
        """


@runtime_checkable
class Foreseeing(Source, Protocol):
    """A source that can be asked before it is certain that its answer is wanted."""

    def foresee(self, project: NormalizedName) -> None:
        """Begin to ask about *project*: `signals` is to follow soon, unless `forgo` does."""

    def forgo(self, project: NormalizedName) -> None:
        """End what was begun for *project*, if anything was: its answer is not wanted."""

    async def glance(self, project: NormalizedName, now: datetime) -> tuple[Signal, ...] | None:
        """Return the signals that are asked for first, or None where only `signals` can tell.

        That costs little; what was heard is kept for a while for `signals` to read it all. Raises
        SourceFailed.
        """


@runtime_checkable
class Batch(Source, Protocol):
    """A source that can answer for many projects with few requests."""

    @property
    def most_at_once(self) -> int:
        """How many projects one call of `many` may name."""

    async def many(
        self, asked: Sequence[Asked], now: datetime
    ) -> Mapping[NormalizedName, tuple[Signal, ...]]:
        """Return what `signals` would, for every project of *asked*.

        Raises SourceFailed when all of them failed; what only one lacks is its `Unknown`.
        """


class DayCount(Struct, frozen=True, kw_only=True):
    """The downloads of one day (UTC) that the index's log counts, None where that is not told.

    `everything` counts whoever fetched; `without_mirrors` leaves out those that name themselves
    mirrors; `systems` splits the latter by operating system: `Linux`, `Darwin`, `Windows`,
    `other`, `null` (not told).
    """

    day: date
    everything: int | None = None
    without_mirrors: int | None = None
    systems: Mapping[str, int] | None = None


class DailyCounts(Struct, frozen=True, kw_only=True):
    """What a service counted of a project, day by day, oldest first and no day twice.

    A day between two others that is left out had no downloads.
    """

    project: NormalizedName
    days: tuple[DayCount, ...]
    source: str
    observed_at: datetime
    licence: str = "facts"


@runtime_checkable
class History(Source, Protocol):
    """A source that has counts day by day beside its signals."""

    async def history(self, asked: Asked, now: datetime) -> DailyCounts:
        """Return the counts of the days that the service has. Raises SourceFailed."""

    async def with_history(
        self, asked: Asked, now: datetime
    ) -> tuple[tuple[Signal, ...], DailyCounts]:
        """Return both with one round of requests. Raises SourceFailed."""


def joined(signals: Iterable[Signal]) -> Signals:
    """Return the signals by name where several sources speak of the same.

    What is known goes before what is not, among equals the later before the earlier: name the
    sources in the order of rising trust.
    """
    return Signals(sorted(signals, key=lambda signal: not isinstance(signal.value, Unknown)))


async def observe(source: Source, asked: Asked, now: datetime) -> tuple[Signal, ...]:
    """Return the signals of *source*; when it fails, each of them as `Unknown` with the reason."""
    try:
        return await source.signals(asked, now)
    except SourceFailed as failed:
        return unobserved(source.about, failed.reason, now)


def unobserved(about: About, reason: str, now: datetime) -> tuple[Signal, ...]:
    """Return every signal of the source as `Unknown`, for *reason*."""
    return tuple(
        Signal(
            name=name,
            value=Unknown(reason=f"{about.name} {reason}"),
            source=about.name,
            observed_at=now,
            licence=about.licence,
        )
        for name in about.gives
    )
