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
6. Name the class where the sources are put together (`web/app.py`, `cli`).

Nothing else changes: stored signals, the explain page and `signal.<name>` conditions follow.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from packaging.utils import NormalizedName

from indexgate_policy.signals import Signal, Signals, Unknown


class SourceFailed(Exception):
    """A source could not be read; what was known before still stands.

    `source` is its name, `kind` a stable slug: those of `UpstreamFailed`, and `cut-off`, `stale`
    (older than what was read before), `disk` (no place to put it). `reason` is one ASCII clause
    ("did not answer within 10 s"), `status` the HTTP status if there was one, `retry_after` the
    service's wish in seconds.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a source is.

    `name` is kebab-case and goes into `Signal.source`; `gives` are the names of its signals,
    `needs` those of the signals that it cannot do without (`repository`, say); `licence` is an SPDX
    id or `facts`. `third_party` is True when somebody other than the project's own index learns
    which projects are asked for. `fresh_for` is how long an answer is worth keeping.
    """

    name: str
    gives: tuple[str, ...]
    needs: tuple[str, ...] = ()
    licence: str = "facts"
    third_party: bool
    fresh_for: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
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
