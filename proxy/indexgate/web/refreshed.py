"""Refreshing on demand, in the same state folder as a gate that serves."""

import asyncio
import os
import threading
from collections.abc import Coroutine, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Protocol

from packaging.utils import NormalizedName

from indexgate.config import Settings
from indexgate.day_reading import DayReader
from indexgate.errors import GateError
from indexgate.gate import Gate
from indexgate.index.protocol import NoSuchProject, UpstreamFailed
from indexgate.refreshed import (
    DayRow,
    Intended,
    ProjectRow,
    Question,
    Refreshed,
    Wanted,
)
from indexgate.source_choice import Standing
from indexgate.source_offers import BY_NAME, OFFERS
from indexgate.sources.day_log import Plan
from indexgate.sources.protocol import Source, SourceFailed
from indexgate.store.engines import StoreFailed
from indexgate.surging_together import relate_surges
from indexgate.upstream_choice import UpstreamChoice
from indexgate.web.checked import read_feed
from indexgate.web.parts import Clock, Parts, open_parts, utc_now
from indexgate.web.sources import asked_projects, left_of
from indexgate.whole_index import Counted

AT_ONCE = 8
"""Projects that are refreshed at the same time; each source has its own bound below that."""

PATIENCE = timedelta(minutes=5)
"""How long one project waits for a source whose limits are used up for the moment."""

_NAMED = 20


class Progress(Protocol):
    """Who is told how far a refresh is. The methods may be called from any thread."""

    def begin(self, what: str, total: int | None) -> None:
        """Say that *what* begins, of *total* steps if that is known."""

    def step(self, text: str, count: int = 1) -> None:
        """Say that *count* further steps are done, the last one *text*."""


class Stop:
    """Whether somebody wants the refresh to end; set it from a signal's handler."""

    def __init__(self) -> None:
        self._wanted = threading.Event()
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def wanted(self) -> bool:
        """Whether it was asked for."""
        return self._wanted.is_set()

    def now(self) -> None:
        """Ask for it: what is under way is broken off, what is done stays done."""
        self._wanted.set()
        for task in self._tasks:
            task.cancel()

    async def unless(self, work: Coroutine[Any, Any, None]) -> None:
        """Do *work* until it is done, or until somebody asks to stop."""
        if self.wanted:
            work.close()
            return
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        try:
            await task
        except asyncio.CancelledError:
            if not self.wanted:
                raise
        finally:
            self._tasks.discard(task)


class _Stopped(Exception):
    """Raised inside blocking work that was asked to stop."""


async def refresh(
    settings: Settings,
    upstream: UpstreamChoice,
    wanted: Wanted,
    *,
    progress: Progress,
    stop: Stop,
    clock: Clock = utc_now,
    addresses: Mapping[str, str] | None = None,
) -> Refreshed:
    """Refresh what is *wanted*. Raises GateError, PolicyError."""
    async with open_parts(settings, upstream, base="/", clock=clock, addresses=addresses) as parts:
        work = _Work(parts, wanted, progress, stop)
        before = parts.sources.spending.left(clock())
        await work.do()
        billed = max(0, before - parts.sources.spending.left(clock()))
        return Refreshed(
            index=upstream.shown,
            at=clock(),
            projects=tuple(work.rows[name] for name in work.names),
            days=tuple(work.days),
            stopped=stop.wanted,
            billed=billed,
            dollars=_dollars(billed),
            feed_failure=work.feed_failure,
            whole_index=work.whole_index,
        )


async def intend(
    settings: Settings,
    upstream: UpstreamChoice,
    wanted: Wanted,
    *,
    clock: Clock = utc_now,
    addresses: Mapping[str, str] | None = None,
) -> Intended:
    """Say what `refresh` would ask of whom. Raises GateError, PolicyError."""
    async with open_parts(settings, upstream, base="/", clock=clock, addresses=addresses) as parts:
        work = _Work(parts, wanted, _Silent(), Stop())
        plans: list[Plan] = []
        untold: list[DayRow] = []
        for reader, day in work.days_wanted():
            try:
                plans.append(await asyncio.to_thread(reader.plan, day))
            except (SourceFailed, GateError, StoreFailed) as error:
                untold.append(DayRow(day=day, source=reader.source, error=_told(error)))
        return Intended(
            index=upstream.shown,
            projects=len(work.names),
            questions=tuple(work.questions()),
            days=tuple(plans),
            untold=tuple(untold),
        )


@dataclass(slots=True)
class _Work:
    """A refresh under way, and what came of it so far."""

    parts: Parts
    wanted: Wanted
    progress: Progress
    stop: Stop
    names: tuple[NormalizedName, ...] = field(init=False)
    chosen: frozenset[str] | None = field(init=False)
    rows: dict[NormalizedName, ProjectRow] = field(init=False)
    days: list[DayRow] = field(default_factory=list)
    feed_failure: str | None = None
    whole_index: Counted | None = None

    def __post_init__(self) -> None:
        known = {
            name
            for index in self.parts.each
            for name in asked_projects(self.parts.store, index.gate.index_id, None)
        }
        names = (*self.wanted.projects, *(sorted(known) if self.wanted.everything else ()))
        self.names = tuple(dict.fromkeys(names))
        self.rows = {
            name: ProjectRow(project=name, state="not reached", error="") for name in self.names
        }
        self.chosen = chosen_sources(self.wanted.sources, self.parts.sources.standings)
        if self.wanted.days and not any(self._wants(reader.source) for reader in self.parts.days):
            raise GateError(
                "no-day-log",
                "no source is on that could be asked for a day of the download log",
                "`indexgate sources` says what `bigquery` and `clickhouse` need.",
            )

    async def do(self) -> None:
        """Read the feed and the days, then refresh the projects, until told to stop."""
        if self._wants("osv") and not self.stop.wanted:
            self.feed_failure = await read_feed(self.parts)
        for reader, day in self.days_wanted():
            if not self.stop.wanted:
                await self._day(reader, day)
        if self.wanted.whole_index and not self.stop.wanted:
            await self._whole_index()
        if not self.names:
            return
        self.progress.begin("projects", len(self.names))
        waiting = iter(self.names)
        async with asyncio.TaskGroup() as together:
            for _ in range(AT_ONCE):
                together.create_task(self._in_turn(waiting))
        if not self.stop.wanted:
            for index in self.parts.each:
                await relate_surges(self.parts.store, index.gate.index_id)

    def days_wanted(self) -> Iterator[tuple[DayReader, date]]:
        """Yield the days to read. Raises StoreFailed."""
        for reader in self.parts.days:
            if not self._wants(reader.source):
                continue
            named = reader.source in self.wanted.sources
            due = reader.due() if self.wanted.everything or named else ()
            for day in self.wanted.days or due:
                yield reader, day

    def questions(self) -> Iterator[Question]:
        """Yield what each source would be asked. Raises StoreFailed."""
        for source in self._sources(self.parts.gate):
            sure, perhaps = [], 0
            for name in self.names:
                gate = self.parts.known_by(name)
                facts, sources = gate.facts, self._sources(gate)
                if source.about.name not in {one.about.name for one in sources}:
                    continue
                said = facts.said(name)
                anew = not source.about.third_party and self._anew(name)
                due = {one.about.name for one in facts.observer.due(name, sources, said)}
                if anew or source.about.name in due:
                    sure.append(name)
                elif (
                    source.about.needs
                    and facts.observer.may_know(name, source.about)
                    and not any(s.source == source.about.name for s in said)
                ):
                    perhaps += 1
            offer = BY_NAME[source.about.name]
            yield Question(
                source=offer.name,
                projects=len(sure),
                perhaps=perhaps,
                names=tuple(sure[:_NAMED]),
                left=left_of(self.parts.sources, offer, self.parts.clock()),
                costs=offer.costs,
            )

    def _sources(self, gate: Gate) -> tuple[Source, ...]:
        """Return those of the chosen sources that are asked about projects of *gate*."""
        everyone = gate.facts.observer.all
        return tuple(s for s in everyone if self.chosen is None or s.about.name in self.chosen)

    def _wants(self, source: str) -> bool:
        return not self.wanted.sources or source in self.wanted.sources

    async def _in_turn(self, waiting: Iterator[NormalizedName]) -> None:
        for name in waiting:
            await self.stop.unless(self._project(name))

    def _anew(self, name: NormalizedName) -> bool:
        # Who names a project wants it now; in a long list what is fresh is passed over, so that a
        # refresh that was stopped goes on where it was.
        return name in self.wanted.projects and len(self.names) <= AT_ONCE

    async def _project(self, name: NormalizedName) -> None:
        try:
            gate = (await self.parts.indexes.owner(name)).index.gate
            renewed = await gate.facts.renew(
                name,
                self._sources(gate),
                # Of `--all` nobody asks for one: what no client wants is not kept alive by it.
                asked=name in self.wanted.projects,
                anew=self._anew(name),
                patience=PATIENCE,
            )
        except NoSuchProject:
            row = ProjectRow(
                project=name, state="failed", error="the index has no project of that name"
            )
        except UpstreamFailed as error:
            row = ProjectRow(project=name, state="failed", error=f"upstream {error.reason}")
        except StoreFailed as error:
            row = ProjectRow(project=name, state="failed", error=error.message)
        else:
            row = ProjectRow(
                project=name,
                state="refreshed",
                score=renewed.assessment.score,
                flags=renewed.assessment.flags,
                asked=renewed.observed.asked,
                failures=renewed.observed.failures,
            )
        self.rows[name] = row
        self.progress.step(name)

    async def _whole_index(self) -> None:
        from indexgate.whole_index import assess_whole_index

        parts, done = self.parts, 0
        index_id = parts.gate.index_id
        self.progress.begin("whole index", parts.store.history.projects(index_id))

        def tell(assessed: int) -> None:
            nonlocal done
            if self.stop.wanted:
                raise _Stopped
            self.progress.step(f"{assessed:,} projects", assessed - done)
            done = assessed

        with suppress(_Stopped):
            self.whole_index = await asyncio.to_thread(
                assess_whole_index,
                parts.store.place,
                index_id,
                parts.clock(),
                workers=os.cpu_count() or 1,
                tell=tell,
            )

    async def _day(self, reader: DayReader, day: date) -> None:
        self.progress.begin(f"{reader.source} {day}", None)
        seen = 0

        def tell(rows: int) -> None:
            nonlocal seen
            if self.stop.wanted:
                raise _Stopped
            self.progress.step(f"{rows:,} rows", rows - seen)
            seen = rows

        try:
            # A thread does not end because nobody waits for it: `tell` ends it between batches.
            read = await asyncio.to_thread(reader.read, day, tell=tell)
        except (SourceFailed, GateError, StoreFailed) as error:
            self.days.append(DayRow(day=day, source=reader.source, error=_told(error)))
        except _Stopped:
            self.days.append(DayRow(day=day, source=reader.source, error="stopped"))
        else:
            self.days.append(
                DayRow(day=day, source=reader.source, projects=read.projects, rows=read.rows)
            )


class _Silent:
    """Tells nobody."""

    def begin(self, what: str, total: int | None) -> None:
        """Say nothing."""

    def step(self, text: str, count: int = 1) -> None:
        """Say nothing."""


def chosen_sources(names: Iterable[str], standings: tuple[Standing, ...]) -> frozenset[str] | None:
    """Return the sources to ask, None for all that are on.

    Raises GateError `source-unknown` or `source-off` for one that cannot be asked.
    """
    chosen = frozenset(names)
    by_name = {standing.offer.name: standing for standing in standings}
    for name in sorted(chosen):
        if name not in by_name:
            known = ", ".join(f"`{offer.name}`" for offer in OFFERS)
            raise GateError("source-unknown", f"there is no source `{name}`", f"Known: {known}.")
        standing = by_name[name]
        if not standing.on:
            raise GateError("source-off", f"`{name}` is off: {standing.why}", standing.hint)
    return chosen or None


def _told(error: SourceFailed | GateError | StoreFailed) -> str:
    return str(error) if isinstance(error, SourceFailed) else error.message


def _dollars(billed: int) -> float:
    if not billed:
        return 0.0
    from indexgate.sources.bigquery_price import dollars

    return dollars(billed)
