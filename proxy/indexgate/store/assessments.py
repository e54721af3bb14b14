"""Assessments: the one in force of each project, and those of the last day before it.

The older ones are there because what tightens by itself reaches files later than pages: a file is
judged by the milder of the assessments that were in force in the last minutes.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeAlias

import msgspec
from msgspec.structs import replace
from packaging.utils import NormalizedName
from sqlalchemy import (
    Connection,
    Select,
    Text,
    bindparam,
    delete,
    insert,
    or_,
    select,
    type_coerce,
    update,
)

from indexgate.store.behind import Behind
from indexgate.store.column_types import storable
from indexgate.store.prepared import first_of, write_each
from indexgate.store.reader import Reader
from indexgate.store.schema import assessments as table
from indexgate.store.schema import projects
from indexgate.store.writer import Writer, in_turn
from indexgate_policy.assessment import Assessment
from indexgate_policy.health.result import HealthScore
from indexgate_policy.signals import Signal, Unknown

SUPERSEDED_KEPT = timedelta(days=1)
"""How long an assessment is kept after a newer one took its place."""

_Key: TypeAlias = tuple[str, NormalizedName]

_AT_ONCE = 500
"""Assessments saved in one transaction: some milliseconds, so that refusals do not wait."""

_NAMES_AT_ONCE = 500
"""Names in one question: SQLite takes some thousand parameters."""

_NOW_IN_FORCE = table.c.superseded_at.is_(None)
_OF_PROJECT = (table.c.index_id == bindparam("index_id")) & (
    table.c.project == bindparam("project")
)
_WHAT = (
    table.c.formula,
    table.c.inputs,
    table.c.flags,
    table.c.score,
    table.c.assessed_at,
    table.c.valid_until,
)
_FORGET = delete(table).where(_OF_PROJECT, table.c.superseded_at < bindparam("before"))
_SUPERSEDE = (
    update(table)
    .where(
        table.c.index_id == bindparam("of_index"),
        table.c.project == bindparam("of_project"),
        _NOW_IN_FORCE,
    )
    .values(superseded_at=bindparam("now"))
)
_INSERT = insert(table).inline()
_CURRENT = select(*_WHAT).where(_OF_PROJECT, _NOW_IN_FORCE)
_IN_FORCE_SINCE = (
    select(*_WHAT)
    .where(_OF_PROJECT, or_(_NOW_IN_FORCE, table.c.superseded_at > bindparam("since")))
    .order_by(table.c.id)
    .limit(1)
)
_MADE_AT = select(table.c.assessed_at).where(_OF_PROJECT, _NOW_IN_FORCE)
_CURRENT_WITH_LINES = _CURRENT.add_columns(table.c.score_lines)
_NEXT = (
    (table.c.index_id == bindparam("index_id"))
    & (table.c.project > bindparam("after"))
    & _NOW_IN_FORCE
)
_EVERY = (
    select(table.c.project, *_WHAT, table.c.score_lines)
    .where(_NEXT)
    .order_by(table.c.project)
    .limit(bindparam("limit"))
)
_EVERY_NAME = (
    select(table.c.project).where(_NEXT).order_by(table.c.project).limit(bindparam("limit"))
)
_WHEN = select(table.c.project, table.c.assessed_at).where(
    table.c.index_id == bindparam("index_id"),
    table.c.project.in_(bindparam("projects", expanding=True)),
    _NOW_IN_FORCE,
)
_INPUTS = select(table.c.project, type_coerce(table.c.inputs, Text).label("inputs")).where(
    table.c.index_id == bindparam("index_id"),
    table.c.project.in_(bindparam("projects", expanding=True)),
    _NOW_IN_FORCE,
)
_UNREAD = msgspec.json.Decoder(list[dict[str, Any]])
_DUE = (
    select(projects.c.project)
    .join_from(
        projects,
        table,
        (table.c.index_id == projects.c.index_id)
        & (table.c.project == projects.c.project)
        & _NOW_IN_FORCE,
        isouter=True,
    )
    .where(
        projects.c.index_id == bindparam("index_id"),
        or_(table.c.id.is_(None), table.c.valid_until <= bindparam("now")),
        projects.c.last_asked >= bindparam("asked_since"),
    )
    .order_by(table.c.valid_until.asc().nulls_first(), projects.c.project)
    .limit(bindparam("limit"))
)


class Assessments:
    """Assessments by index and project. Their `advisories` are never stored."""

    def __init__(self, reader: Reader, writer: Writer, clock: Callable[[], datetime]) -> None:
        self._reader = reader
        self._writer = writer
        self._clock = clock
        self._soon: Behind[_Key, Assessment] = Behind(writer, self._write_soon)

    def current(
        self, index_id: str, project: NormalizedName, *, lines: bool = True
    ) -> Assessment | None:
        """Return the assessment in force; None when the project was never assessed.

        None as well for one that this release cannot read: it is unknown until assessed again.
        Without *lines* the score's are left out, which takes half the time: a verdict needs its
        value only. Raises StoreFailed.
        """
        coming = self._soon.get((index_id, project))
        if coming is not None:
            return coming
        return self._one(_CURRENT_WITH_LINES if lines else _CURRENT, index_id, project)

    def made_at(self, index_id: str, project: NormalizedName) -> datetime | None:
        """Return when the assessment in force was made; None without one. Raises StoreFailed."""
        coming = self._soon.get((index_id, project))
        if coming is not None:
            return coming.assessed_at
        row = self._reader.quick(_MADE_AT, index_id=index_id, project=project)
        return None if row is None else row.assessed_at

    def in_force_since(
        self, index_id: str, project: NormalizedName, since: datetime
    ) -> Assessment | None:
        """Return the oldest assessment that was in force at any moment after *since*.

        It is the current one if nothing changed after *since*, and None as `current` is. Its score
        comes without lines.
        Raises StoreFailed.
        """
        return self._one(_IN_FORCE_SINCE, index_id, project, since=since)

    def every(self, index_id: str, at_once: int = 500) -> Iterator[Assessment]:
        """Yield all assessments in force of an index, in the database's order of names.

        Those that this release cannot read are left out. It may go on for minutes and holds up
        nobody: what is saved meanwhile may be in it or not. Raises StoreFailed.
        """
        after = ""
        while some := self._after(index_id, after, at_once):
            yield from (one for _, one in some if one is not None)
            after, _ = some[-1]

    def assessed_when(
        self, index_id: str, projects: Iterable[NormalizedName]
    ) -> dict[NormalizedName, datetime]:
        """Return when those of *projects* (some hundred) that were ever assessed were so last.

        Raises StoreFailed.
        """
        rows = self._reader.all(_WHEN, index_id=index_id, projects=list(projects))
        return {row.project: row.assessed_at for row in rows}

    async def save(self, assessment: Assessment) -> None:
        """Put *assessment* in force from now on. Raises StoreFailed."""
        rows = [_row(assessment)]
        self._soon.drop([(assessment.index_id, assessment.project)])
        await self._writer.commit(lambda to: self._put_in_force(to, rows))

    def save_soon(self, assessment: Assessment) -> None:
        """Put *assessment* in force before long, together with others; `current` knows it at once.

        For the first one of a project: if another process has saved a newer one by then, that one
        stays in force.
        """
        self._soon.put((assessment.index_id, assessment.project), assessment)

    async def saved(self) -> None:
        """Return when all that is to be saved soon is, or cannot be."""
        await self._soon.written()

    def close(self) -> None:
        """Write what is still to be written. Blocks."""
        self._soon.close()

    def save_many(self, assessments: Iterable[Assessment]) -> int:
        """Put each of *assessments* in force, some hundred at a time; return how many.

        It blocks its thread. What was saved stays saved when *assessments* raises. Raises
        StoreFailed.
        """
        count = 0
        for some in in_turn(assessments, _AT_ONCE):
            rows = list({(one.index_id, one.project): _row(one) for one in some}.values())
            self._soon.drop((row["index_id"], row["project"]) for row in rows)
            self._writer.wait(partial(self._put_in_force, rows=rows))
            count += len(some)
        return count

    def inputs_of(
        self,
        index_id: str,
        names: Sequence[NormalizedName],
        *,
        wanted: Callable[[str, str], bool] = lambda _name, _source: True,
    ) -> dict[NormalizedName, tuple[Signal, ...]]:
        """Return the inputs of the assessments in force of those of *names* that have one.

        Only those *wanted* by name and source are read, which takes a fraction of the time for
        many projects. Raises StoreFailed.
        """
        found = {}
        for some in in_turn(names, _NAMES_AT_ONCE):
            for row in self._reader.all(_INPUTS, index_id=index_id, projects=list(some)):
                found[NormalizedName(row.project)] = tuple(
                    msgspec.convert(one, Signal)
                    for one in _UNREAD.decode(row.inputs)
                    if wanted(one["name"], one["source"])
                )
        return found

    def due(
        self, index_id: str, now: datetime, limit: int, *, asked_since: datetime | None = None
    ) -> list[NormalizedName]:
        """Return at most *limit* projects of an index to assess at *now*, oldest first.

        Those are the projects that were asked for (since *asked_since*) and were never assessed, or
        whose assessment was valid until *now* at most. Raises StoreFailed.
        """
        earliest = asked_since or datetime.min.replace(tzinfo=now.tzinfo)
        rows = self._reader.all(_DUE, index_id=index_id, now=now, asked_since=earliest, limit=limit)
        return [row.project for row in rows]

    async def prune(self, now: datetime) -> int:
        """Delete all that were superseded more than a day ago; return how many."""
        stale = delete(table).where(table.c.superseded_at < now - SUPERSEDED_KEPT)
        return await self._writer.commit(lambda to: to.execute(stale).rowcount)

    def _write_soon(self, connection: Connection, some: Sequence[Assessment]) -> None:
        rows = [_row(one) for one in some if not self._is_late(connection, one)]
        if rows:
            self._put_in_force(connection, rows)

    def _is_late(self, connection: Connection, assessment: Assessment) -> bool:
        key = {"index_id": assessment.index_id, "project": assessment.project}
        there = first_of(connection, _MADE_AT, key)
        return there is not None and there.assessed_at > assessment.assessed_at

    def _put_in_force(self, connection: Connection, rows: list[dict[str, Any]]) -> None:
        # Always in one order, so that two machines cannot wait for each other's rows.
        rows = sorted(rows, key=_key)
        now = self._clock()
        before, keys = now - SUPERSEDED_KEPT, list(map(_key, rows))
        old = [{"index_id": index, "project": name, "before": before} for index, name in keys]
        last = [{"of_index": index, "of_project": name, "now": now} for index, name in keys]
        write_each(connection, _FORGET, old)
        write_each(connection, _SUPERSEDE, last)
        write_each(connection, _INSERT, rows)

    def _one(
        self, select_one: Select[Any], index_id: str, project: NormalizedName, **values: Any
    ) -> Assessment | None:
        try:
            row = self._reader.quick(select_one, index_id=index_id, project=project, **values)
        except msgspec.MsgspecError:
            return None
        if row is None:
            return None
        return _assessment(index_id, project, row)

    def _after(
        self, index_id: str, after: str, limit: int
    ) -> list[tuple[NormalizedName, Assessment | None]]:
        """Return the next projects after that name; None for what cannot be read."""
        try:
            rows = self._reader.all(_EVERY, index_id=index_id, after=after, limit=limit)
        except msgspec.MsgspecError:
            # One row spoils the reading of all.
            names = self._reader.all(_EVERY_NAME, index_id=index_id, after=after, limit=limit)
            return [(row.project, self.current(index_id, row.project)) for row in names]
        return [(row.project, _assessment(index_id, row.project, row)) for row in rows]


def _assessment(index_id: str, project: NormalizedName, row: Any) -> Assessment:
    return Assessment(
        index_id=index_id,
        project=project,
        formula=row.formula,
        inputs=row.inputs,
        flags=row.flags,
        score=_score(row),
        assessed_at=row.assessed_at,
        valid_until=row.valid_until,
    )


def _score(row: Any) -> HealthScore | Unknown:
    if row.score is None:
        return Unknown(reason="it has not been scored yet")
    if isinstance(row.score, str):
        return Unknown(reason=row.score)
    score: HealthScore = row.score
    lines = getattr(row, "score_lines", None)
    return score if lines is None else replace(score, lines=lines)


def _row(assessment: Assessment) -> dict[str, Any]:
    inputs = assessment.inputs
    if not all(map(storable, inputs)):
        inputs = tuple(_stored(signal) for signal in inputs)
    score, lines = assessment.score, None
    if not isinstance(score, Unknown) and (lines := score.lines):
        score = replace(score, lines=())
    return {
        "index_id": assessment.index_id,
        "project": assessment.project,
        "formula": assessment.formula,
        "inputs": inputs,
        "flags": assessment.flags,
        "score": score.reason if isinstance(score, Unknown) else score,
        "score_lines": lines or None,  # nothing to pack
        "assessed_at": assessment.assessed_at,
        "valid_until": assessment.valid_until,
    }


def _key(row: dict[str, Any]) -> _Key:
    return row["index_id"], row["project"]


def _stored(signal: Signal) -> Signal:
    if storable(signal):
        return signal
    return replace(signal, value=Unknown(reason=f"{signal.source} gave no finite number"))
