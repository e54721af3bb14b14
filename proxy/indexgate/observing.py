"""Asking sources about a project: each when its last answer is old, in the order of their needs.

A source that fails keeps what it said before: that is older, not wrong. Whom nobody may tell a name
is not asked about it, and a source is asked no sooner than it is worth it: an answer is kept for
`about.fresh_for`, and failures make the next attempt later each time.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from packaging.utils import NormalizedName

from indexgate.asking_turns import turns
from indexgate.failed_attempts import SOONEST_AGAIN, FailedAttempts
from indexgate.said_before import by_source, filled, is_due, is_without
from indexgate.sources.protocol import (
    About,
    Asked,
    DailyCounts,
    Foreseeing,
    History,
    Source,
    SourceFailed,
    joined,
    unobserved,
)
from indexgate_policy.signals import Signal, Signals, Unknown

NOT_YET = "has not answered yet"


class Failure(Struct, frozen=True, kw_only=True):
    """A source that could not answer, and why (one clause). `kind` is that of `SourceFailed`."""

    source: str
    kind: str
    reason: str


class Observed(Struct, frozen=True, kw_only=True):
    """What is known of a project from sources, what they said before included.

    `asked` names the sources that answered now; `failures` those that could not. `again_at` is when
    asking one of them again makes sense; None: not before their answers are old.
    """

    signals: tuple[Signal, ...]
    asked: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()
    again_at: datetime | None = None


class _Answer(Struct, frozen=True, kw_only=True):
    """What one source has to say in the end."""

    signals: tuple[Signal, ...]
    asked: bool = False
    failure: Failure | None = None
    again_at: datetime | None = None


class Surveyed(Struct, frozen=True, kw_only=True):
    """What an observer tells of its work, so that it outlives it; each may do nothing."""

    succeeded: Callable[[str, datetime], None] = lambda _source, _at: None
    failed: Callable[[str, datetime, str], None] = lambda _source, _at, _reason: None
    counted: Callable[[DailyCounts], Awaitable[None]] | None = None


class _Question(Struct, frozen=True, kw_only=True):
    """What sources are asked: about what project, knowing what, and how (`Observer.observe`)."""

    project: NormalizedName
    known: Signals
    anew: bool
    patience: timedelta


class Observer:
    """Asks *sources*, named in the order of rising trust; none of them when *offline*.

    `failures` counts what sources failed with, by source and kind.

    *private* names what no third party is told; *chance* gives numbers from 0 to 1, so that many
    attempts do not fall together; *wait* is how time passes for those who have patience.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        *,
        offline: bool,
        clock: Callable[[], datetime],
        log: Callable[[str, str], None],
        private: Callable[[NormalizedName], bool] = lambda _name: False,
        chance: Callable[[], float] = lambda: 0.5,
        told: Surveyed | None = None,
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.all = tuple(sources)
        self.own = tuple(source for source in sources if not source.about.third_party)
        self._offline = offline
        self._clock = clock
        self._log = log
        self._private = private
        self._told = told or Surveyed()
        self._wait = wait
        self.failures: Counter[tuple[str, str]] = Counter()
        self._failed = FailedAttempts(chance)
        self._foreseeing = tuple(source for source in self.own if isinstance(source, Foreseeing))

    @property
    def trust(self) -> Mapping[str, int]:
        """The rank of each source: what a higher one says goes before what a lower one says."""
        return {source.about.name: rank for rank, source in enumerate(self.all)}

    def foresee(self, project: NormalizedName) -> None:
        """Have the project's own index asked about it: `observe` follows soon, or `forgo`.

        For a project of which nothing is known: what was said of it before is not looked at.
        """
        if self._offline:
            return
        for source in self._foreseeing:
            if self._may_ask(source, project):
                source.foresee(project)

    def forgo(self, project: NormalizedName) -> None:
        """Take back `foresee`."""
        for source in self._foreseeing:
            source.forgo(project)

    async def glance(self, project: NormalizedName) -> tuple[Signal, ...] | None:
        """Return what the project's own index says first; None where it takes `observe` to know.

        For a project of which nothing is known. What fails here fails in `observe`, and is told.
        """
        glanced: list[Signal] = []
        for source in self.own:
            if self._offline or not isinstance(source, Foreseeing):
                return None
            if not self._may_ask(source, project):
                return None
            try:
                said = await source.glance(project, self._clock())
            except Exception:  # whatever it is, `observe` meets it too, and tells
                return None
            if said is None:
                return None
            glanced += said
        return tuple(glanced)

    def _may_ask(self, source: Source, project: NormalizedName) -> bool:
        failed = self._failed.of(source.about.name, project)
        return failed is None or failed[1] <= self._clock()

    def not_yet(self, sources: Iterable[Source]) -> tuple[Signal, ...]:
        """Return the signals of *sources* as unknown: they were asked and have not answered."""
        now = self._clock()
        return tuple(signal for s in sources for signal in unobserved(s.about, NOT_YET, now))

    def may_know(self, project: NormalizedName, about: About) -> bool:
        """Tell whether *about* may be told the name of *project* at all."""
        return not (about.third_party and self._private(project))

    def due(
        self, project: NormalizedName, sources: Iterable[Source], before: Sequence[Signal]
    ) -> tuple[Source, ...]:
        """Return those of *sources* that would be asked about *project* now, nobody asked."""
        kept, now = by_source(before), self._clock()
        known = joined(before)
        return tuple(
            source
            for source in sources
            if not self._offline
            and self._objection(project, source.about, known) is None
            and is_due(source.about, kept.get(source.about.name, ()), now)
        )

    async def observe(
        self,
        project: NormalizedName,
        sources: Iterable[Source],
        before: Sequence[Signal],
        *,
        anew: bool = False,
        patience: timedelta = timedelta(0),
    ) -> Observed:
        """Ask those of *sources* whose answer in *before* is old; keep what all others said.

        With *anew* the project's own index is asked whatever it said before. *patience* is how long
        to wait for a source whose budget is used up.
        """
        kept = by_source(before)
        answers: list[tuple[str, _Answer]] = []
        for turn in turns(tuple(sources)):
            question = _Question(
                project=project,
                known=joined(self._ranked(kept)),
                anew=anew,
                patience=patience,
            )
            asking = [
                self._answer(question, source, kept.get(source.about.name, ())) for source in turn
            ]
            # Most often it is the index alone, for which a page waits: it needs no task of its own.
            told = await asyncio.gather(*asking) if len(asking) > 1 else [await asking[0]]
            for source, answer in zip(turn, told, strict=True):
                kept[source.about.name] = answer.signals
                answers.append((source.about.name, answer))
        return Observed(
            signals=tuple(self._ranked(kept)),
            asked=tuple(name for name, answer in answers if answer.asked),
            failures=tuple(a.failure for _, a in answers if a.failure is not None),
            again_at=min((a.again_at for _, a in answers if a.again_at is not None), default=None),
        )

    def _ranked(self, kept: Mapping[str, tuple[Signal, ...]]) -> Iterator[Signal]:
        trust = self.trust
        for name in sorted(kept, key=lambda name: (trust.get(name, -1), name)):
            yield from kept[name]

    async def _answer(
        self, question: _Question, source: Source, before: tuple[Signal, ...]
    ) -> _Answer:
        about, now, project = source.about, self._clock(), question.project
        if self._offline:
            offline = Failure(
                source=about.name, kind="offline", reason="is not asked: the gate is offline"
            )
            return self._instead(about, before, offline, now + SOONEST_AGAIN)
        objection = self._objection(project, about, question.known)
        if objection is not None:
            # What was said of a repository that the project no longer names is not about it.
            stands = () if is_without(about, question.known) else before
            return _Answer(signals=stands or unobserved(about, objection, now))
        anew = question.anew and not about.third_party
        if not anew and not is_due(about, before, now):
            return _Answer(signals=before)
        attempts, again_at = self._failed.of(about.name, project) or (0, now)
        if not anew and now < again_at:
            waits = unobserved(about, "failed lately and is asked again later", now)
            return _Answer(signals=before or waits, again_at=again_at)
        return await self._ask(question, source, before, attempts)

    def _objection(self, project: NormalizedName, about: About, known: Signals) -> str | None:
        """Return why *about* is not asked about *project* whatever its age, if so."""
        if not self.may_know(project, about):
            return "is not asked: the name is private"
        for need in about.needs:
            value = known.value(need)
            if isinstance(value, Unknown) or value in ("", ()):
                return f"needs the {need.replace('_', ' ')}, which is not known"
        return None

    async def _ask(
        self, question: _Question, source: Source, before: tuple[Signal, ...], attempts: int
    ) -> _Answer:
        name = source.about.name
        try:
            signals = await self._patiently(question, source)
        except SourceFailed as error:
            now = self._clock()
            failure = Failure(source=name, kind=error.kind, reason=error.reason)
            wish = timedelta(seconds=error.retry_after or 0)
            if error.kind in {"budget", "resting"}:  # nobody was asked, so nobody failed
                again = now + (wish or SOONEST_AGAIN)
                return self._instead(source.about, before, failure, again)
        except Exception as error:
            # One source must not take down what the others say, whatever a service sends.
            self._log("source-fault", f"{name} on {question.project}: {error!r}")
            now, wish = self._clock(), timedelta(0)
            failure = Failure(source=name, kind="fault", reason="sent what cannot be taken in")
        else:
            self._failed.forget(name, question.project)
            self._told.succeeded(name, self._clock())
            return _Answer(signals=filled(source.about, signals, before), asked=True)
        self.failures[name, failure.kind] += 1
        self._told.failed(name, now, failure.reason)
        again = self._failed.add(name, question.project, now, before=attempts, wish=wish)
        return self._instead(source.about, before, failure, again)

    async def _patiently(self, question: _Question, source: Source) -> tuple[Signal, ...]:
        """Ask *source*; wait for its budget as long as patience lasts. Raises SourceFailed."""
        until = self._clock() + question.patience
        asked = Asked(project=question.project, known=question.known)
        while True:
            try:
                return await self._signals(source, asked)
            except SourceFailed as error:
                soon = timedelta(seconds=error.retry_after or 0)
                if error.kind != "budget" or not soon or self._clock() + soon > until:
                    raise
                await self._wait(soon.total_seconds())

    async def _signals(self, source: Source, asked: Asked) -> tuple[Signal, ...]:
        now = self._clock()
        if self._told.counted is None or not isinstance(source, History):
            return await source.signals(asked, now)
        signals, counts = await source.with_history(asked, now)
        await self._told.counted(counts)
        return signals

    def _instead(
        self, about: About, before: tuple[Signal, ...], failure: Failure, again_at: datetime
    ) -> _Answer:
        signals = before or unobserved(about, failure.reason, self._clock())
        return _Answer(signals=signals, failure=failure, again_at=again_at)
