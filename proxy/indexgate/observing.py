"""Asking sources about a project: their signals, and whether all of them could answer."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from packaging.utils import NormalizedName

from indexgate.sources.protocol import Asked, Source, SourceFailed, unobserved
from indexgate_policy.signals import Signal

NOT_YET = "has not answered yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What sources said; `complete` is False when one of them failed and should be asked again."""

    signals: tuple[Signal, ...]
    complete: bool


class Observer:
    """Asks *sources*; none of them when *offline*."""

    def __init__(
        self,
        sources: Sequence[Source],
        *,
        offline: bool,
        clock: Callable[[], datetime],
        log: Callable[[str, str], None],
    ) -> None:
        self.all = tuple(sources)
        self.own = tuple(source for source in sources if not source.about.third_party)
        self._offline = offline
        self._clock = clock
        self._log = log

    def not_yet(self, sources: Iterable[Source]) -> tuple[Signal, ...]:
        """Return the signals of *sources* as unknown: they were asked and have not answered."""
        now = self._clock()
        return tuple(signal for s in sources for signal in unobserved(s.about, NOT_YET, now))

    async def observe(
        self, project: NormalizedName, sources: Iterable[Source], before: Sequence[Signal]
    ) -> Observed:
        """Ask *sources*. One that fails keeps what it said *before*: that is older, not wrong."""
        answers = await asyncio.gather(*(self._ask(project, s, before) for s in sources))
        return Observed(
            signals=tuple(signal for answer in answers for signal in answer.signals),
            complete=all(answer.complete for answer in answers),
        )

    async def _ask(
        self, project: NormalizedName, source: Source, before: Sequence[Signal]
    ) -> Observed:
        now = self._clock()
        if self._offline:
            return self._instead(source, before, "is not asked: the gate is offline", now)
        try:
            signals = await source.signals(Asked(project=project), now)
        except SourceFailed as error:
            return self._instead(source, before, error.reason, now)
        except Exception as error:
            # One source must not take down what the others say, whatever a service sends.
            self._log("source-fault", f"{source.about.name} on {project}: {error!r}")
            return self._instead(source, before, "sent what cannot be taken in", now)
        return Observed(signals=signals, complete=True)

    def _instead(
        self, source: Source, before: Sequence[Signal], reason: str, now: datetime
    ) -> Observed:
        seen = tuple(signal for signal in before if signal.source == source.about.name)
        return Observed(signals=seen or unobserved(source.about, reason, now), complete=False)
