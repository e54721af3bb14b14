"""Facts as they were: the assessments by which a project's files were judged.

Assessments are let go of a day after a newer one took their place. Those that files were served or
refused by are copied before, as packed JSON, so that a policy can be tried on what was known then
and on nothing later.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple, TypeAlias

import msgspec
from isal import isal_zlib
from packaging.utils import NormalizedName
from sqlalchemy import Connection, Text, bindparam, delete, or_, select, tuple_, type_coerce

from indexgate.store.reader import Reader
from indexgate.store.schema import assessments
from indexgate.store.schema import facts_then as table
from indexgate.store.upserts import insert_new
from indexgate_policy.assessment import Assessment
from indexgate_policy.flags import Flag
from indexgate_policy.health.result import HealthScore
from indexgate_policy.signals import Signal, Unknown

FACTS_AT_ONCE = 100
"""Projects in one transaction: some milliseconds, so that refusals do not wait."""

_Kept: TypeAlias = tuple[tuple[Signal, ...], tuple[Flag, ...], HealthScore | str | None]
_DECODER = msgspec.json.Decoder(_Kept)
_RAW = [type_coerce(assessments.c[name], Text).label(name) for name in ("inputs", "flags", "score")]
_OF = (
    select(table)
    .where(table.c.index_id == bindparam("index_id"), table.c.project == bindparam("project"))
    .order_by(table.c.assessed_at)
)
_NOT_SCORED = Unknown(reason="it had not been scored yet")


class FirstAsked(NamedTuple):
    """A project, and when one of its files was asked for."""

    index_id: str
    project: NormalizedName
    at: datetime


def keep_facts(connection: Connection, *, asked: Sequence[FirstAsked]) -> None:
    """Copy the assessments that were in force at these moments; those that are there stay."""
    since = {(one.index_id, one.project): one.at for one in asked}
    in_force = or_(
        assessments.c.superseded_at.is_(None), assessments.c.superseded_at > min(since.values())
    )
    found = connection.execute(
        select(
            assessments.c.index_id,
            assessments.c.project,
            assessments.c.formula,
            *_RAW,
            assessments.c.assessed_at,
            assessments.c.valid_until,
            assessments.c.superseded_at,
        )
        .where(tuple_(assessments.c.index_id, assessments.c.project).in_(sorted(since)), in_force)
        .order_by(assessments.c.index_id, assessments.c.project, assessments.c.id)
    ).all()
    rows = []
    for name, of_project in groupby(found, lambda row: (row.index_id, row.project)):
        first = next(
            (
                row
                for row in of_project
                if row.superseded_at is None or row.superseded_at > since[name]
            ),
            None,
        )
        if first is not None:
            rows.append(_row(first))
    if rows:
        insert_new(connection, table, rows)


def drop_facts_before(connection: Connection, moment: datetime) -> int:
    """Delete the facts from before *moment*; return how many."""
    return connection.execute(delete(table).where(table.c.assessed_at < moment)).rowcount


class FactsThen:
    """Kept assessments by project. Their `advisories` are never stored."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def of(self, index_id: str, project: NormalizedName) -> tuple[Assessment, ...]:
        """Return the kept assessments of *project*, in order of time.

        Those that this release cannot read are left out. Raises StoreFailed.
        """
        rows = self._reader.all(_OF, index_id=index_id, project=project)
        read = (_assessment(index_id, project, row) for row in rows)
        return tuple(one for one in read if one is not None)


def _row(row: Any) -> dict[str, Any]:
    # Already JSON: it is packed as it stands.
    whole = f"[{row.inputs},{row.flags},{row.score or 'null'}]"
    return {
        "index_id": row.index_id,
        "project": row.project,
        "assessed_at": row.assessed_at,
        "valid_until": row.valid_until,
        "formula": row.formula,
        "facts": isal_zlib.compress(whole.encode(), 1),
    }


def _assessment(index_id: str, project: NormalizedName, row: Any) -> Assessment | None:
    try:
        inputs, flags, score = _DECODER.decode(isal_zlib.decompress(row.facts))
    except (msgspec.MsgspecError, isal_zlib.error):  # type: ignore[misc]  # see `schema.Packed`
        return None
    if not isinstance(score, HealthScore):
        score = _NOT_SCORED if score is None else Unknown(reason=score)
    return Assessment(
        index_id=index_id,
        project=project,
        formula=row.formula,
        inputs=inputs,
        flags=flags,
        score=score,
        assessed_at=row.assessed_at,
        valid_until=row.valid_until,
    )
