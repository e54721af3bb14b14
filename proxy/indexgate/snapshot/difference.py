"""What is different between two snapshots: names, scores, flags. Needs pyarrow."""

from typing import Any, Final

import msgspec
from msgspec import Struct

from indexgate.snapshot import read
from indexgate.snapshot.faults import SnapshotFailed
from indexgate.snapshot.manifest import ASSESSMENTS
from indexgate.snapshot.read import SignedSnapshot
from indexgate_policy.flags import Flag

_COLUMNS: Final = ["project", "health", "flags"]
_flags = msgspec.json.Decoder(tuple[Flag, ...])


class Moved(Struct, frozen=True, kw_only=True):
    """A project whose score moved; None: it has none."""

    project: str
    before: float | None
    after: float | None


class Flagged(Struct, frozen=True, kw_only=True):
    """A project whose flags are not those that they were: ids that came, and that went."""

    project: str
    came: tuple[str, ...]
    went: tuple[str, ...]


class Difference(Struct, frozen=True, kw_only=True):
    """What *after* has otherwise than *before*, each by name; moves with the largest first."""

    before: int
    after: int
    added: tuple[str, ...]
    removed: tuple[str, ...]
    moved: tuple[Moved, ...]
    flagged: tuple[Flagged, ...]


def difference(before: SignedSnapshot, after: SignedSnapshot, least: float) -> Difference:
    """Return the difference, moves of scores from *least* points on. Raises SnapshotFailed.

    A score that came or went is told as a move, too.
    """
    from pyarrow import compute as pc  # type: ignore[import-untyped]

    old = _read(before).append_column("was", _true(before))
    new = _read(after).append_column("is", _true(after))
    both = old.join(new, "project", join_type="full outer", right_suffix="_now").sort_by("project")
    added = both.filter(pc.is_null(both["was"]))["project"].to_pylist()
    removed = both.filter(pc.is_null(both["is"]))["project"].to_pylist()
    kept = both.filter(pc.and_(pc.is_valid(both["was"]), pc.is_valid(both["is"])))
    changed = kept.filter(pc.not_equal(kept["flags"], kept["flags_now"])).to_pylist()
    flagged = [_flagged(row) for row in changed]
    return Difference(
        before=before.manifest.serial,
        after=after.manifest.serial,
        added=tuple(added),
        removed=tuple(removed),
        moved=tuple(_moved(kept, least)),
        flagged=tuple(one for one in flagged if one.came or one.went),
    )


def _read(snapshot: SignedSnapshot) -> Any:
    said = snapshot.manifest.file(ASSESSMENTS)
    if said is None:
        raise SnapshotFailed("snapshot-missing", "the snapshot has no assessments")
    import pyarrow as pa

    from indexgate.snapshot.columns import SCHEMA

    with read.checked_file(snapshot, said) as file:
        table = read.opened_table(file, said)
        found = list(read.batches(table, said.name, columns=_COLUMNS))
    return pa.Table.from_batches(found, pa.schema([SCHEMA.field(name) for name in _COLUMNS]))


def _true(snapshot: SignedSnapshot) -> Any:
    import pyarrow as pa

    said = snapshot.manifest.file(ASSESSMENTS)
    return pa.repeat(pa.scalar(True), 0 if said is None else said.rows)


def _moved(kept: Any, least: float) -> list[Moved]:
    from pyarrow import compute as pc

    move = pc.abs(pc.subtract(kept["health_now"], kept["health"]))
    one_only = pc.xor(pc.is_null(kept["health"]), pc.is_null(kept["health_now"]))
    wanted = pc.or_(pc.fill_null(pc.greater_equal(move, least), False), one_only)
    rows = kept.filter(wanted).select(["project", "health", "health_now"]).to_pylist()
    moves = [
        Moved(project=row["project"], before=row["health"], after=row["health_now"]) for row in rows
    ]
    return sorted(moves, key=lambda one: (-_size(one), one.project))


def _size(one: Moved) -> float:
    return abs((one.after or 0.0) - (one.before or 0.0))


def _flagged(row: dict[str, Any]) -> Flagged:
    try:
        before = {flag.check for flag in _flags.decode(row["flags"])}
        after = {flag.check for flag in _flags.decode(row["flags_now"])}
    except msgspec.MsgspecError as error:
        raise SnapshotFailed(
            "snapshot-unreadable", f"the flags of `{row['project']}` cannot be read: {error}"
        ) from error
    return Flagged(
        project=row["project"],
        came=tuple(sorted(after - before)),
        went=tuple(sorted(before - after)),
    )
