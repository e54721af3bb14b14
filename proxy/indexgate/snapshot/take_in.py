"""Taking a snapshot into the store, beside a gate that serves from it.

What nobody has assessed here is taken as it is. What was assessed here keeps its own result, which
is made from the page as it is now, and gets the signals that the snapshot knows better; it is due
at once, so that the next refresh makes something of them. Every transaction is small, and doing it
again changes nothing.
"""

import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from indexgate.assessing import OURS
from indexgate.snapshot import read, signing
from indexgate.snapshot.faults import SnapshotFailed
from indexgate.snapshot.manifest import IndexIdentity
from indexgate.snapshot.passable import IMPORTED
from indexgate.snapshot.read import SignedSnapshot
from indexgate.store.database import Store
from indexgate.store.schema import kept
from indexgate.store.standing import SOURCE as WATCHED
from indexgate.store.upserts import insert_or_change
from indexgate.stored_past import CLEANED
from indexgate_policy.assessment import Assessment
from indexgate_policy.signals import Signal, Unknown

AT_ONCE: Final = 100
"""Assessments saved in one transaction: some milliseconds, so that refusals do not wait."""

ELSEWHERE: Final = "snapshot-"
"""Before the source of what another gate remembers, since a gate makes its own anew each time."""

_MADE_ANEW = frozenset({WATCHED, CLEANED})
_NOTICEABLY = timedelta(microseconds=1)
"""A gate that serves looks for what is later than what it has in memory."""

_LAST = re.compile(r"([0-9]{1,19}) ([0-9a-f]{64})")


class Last(Struct, frozen=True, kw_only=True):
    """The newest snapshot of one maker that was taken in: its serial, and its manifest's digest."""

    serial: int
    digest: str


class TakenIn(Struct, frozen=True, kw_only=True):
    """What came of it: `new` taken as they are, `joined` with what is known here, `same` as is."""

    new: int = 0
    joined: int = 0
    same: int = 0

    @property
    def projects(self) -> int:
        """How many the snapshot has."""
        return self.new + self.joined + self.same


def last(store: Store, key: str, index_id: str) -> Last | None:
    """Return the newest snapshot of *key* that was taken in for an index. Raises StoreFailed."""
    found = _LAST.fullmatch(store.kept.get(_kept_as(key, index_id)) or "")
    return None if found is None else Last(serial=int(found[1]), digest=found[2])


def check_serial(snapshot: SignedSnapshot, before: Last | None) -> None:
    """Raise SnapshotFailed `snapshot-older` unless *snapshot* is as new as the one *before*."""
    serial = snapshot.manifest.serial
    if before is None or serial > before.serial:
        return
    if serial == before.serial and snapshot.digest == before.digest:
        return
    what = "is older than" if serial < before.serial else "has the serial of another one than"
    raise SnapshotFailed(
        "snapshot-older",
        f"the snapshot (serial {serial}) {what} the one taken in last (serial {before.serial})",
        "Get the newest one, or give `--allow-older` to use this one all the same.",
    )


def check_index(about: IndexIdentity, index_id: str, *, public: bool) -> None:
    """Raise SnapshotFailed `snapshot-other-index` unless *about* speaks of the gate's projects.

    It does when it is the same index, or when both are public: those have the same projects.
    """
    if about.id == index_id or (about.public and public):
        return
    raise SnapshotFailed(
        "snapshot-other-index",
        f"the snapshot speaks of the projects of `{about.url}`, and this gate stands in front of"
        " another index, which may have others of the same names",
        "A mirror of the public index is told by `--upstream-public yes`.",
    )


def take_in(
    store: Store,
    snapshot: SignedSnapshot,
    index_id: str,
    now: datetime,
    *,
    tell: Callable[[int], None] = lambda _: None,
    rest: Callable[[], None] = lambda: None,
) -> TakenIn:
    """Take the assessments of *snapshot* into *store* as those of *index_id*.

    It blocks. *tell* is given how many projects are done, now and then; *rest* is called between
    two transactions. Raises SnapshotFailed, StoreFailed: what was taken in stays so.
    """
    _remember(store, snapshot, index_id)
    mark, count = _mark(snapshot), TakenIn()
    for many in read.assessments(snapshot, index_id):
        for first in range(0, len(many), AT_ONCE):
            some = [_at_home(one, mark) for one in many[first : first + AT_ONCE]]
            new, joined = _changes(store, some, now)
            if new or joined:
                store.assessments.save_many([*new, *joined])
                rest()
            count = TakenIn(
                new=count.new + len(new),
                joined=count.joined + len(joined),
                same=count.same + len(some) - len(new) - len(joined),
            )
        tell(count.projects)
    return count


def _changes(
    store: Store, theirs: list[Assessment], now: datetime
) -> tuple[list[Assessment], list[Assessment]]:
    """Return which of *theirs* to take as they are, and what is known here joined with theirs."""
    new, joined = [], []
    known = store.assessments.assessed_when(theirs[0].index_id, [one.project for one in theirs])
    for one in theirs:
        if known.get(one.project) == one.assessed_at:
            continue
        ours = None
        if one.project in known:
            ours = store.assessments.current(one.index_id, one.project)
        if ours is None or any(signal.name == IMPORTED for signal in ours.inputs):
            new.append(one)
            continue
        better = _better(ours.inputs, one.inputs)
        if better != set(ours.inputs):
            inputs = tuple(sorted(better, key=lambda signal: (signal.name, signal.source)))
            joined.append(
                replace(
                    ours,
                    inputs=inputs,
                    assessed_at=ours.assessed_at + _NOTICEABLY,
                    valid_until=min(ours.valid_until, now),
                )
            )
    return new, joined


def _better(ours: Iterable[Signal], theirs: Iterable[Signal]) -> set[Signal]:
    """Return *ours*, and those of *theirs* that are later words of the same source, or new."""
    found = {(signal.source, signal.name): signal for signal in ours}
    for signal in theirs:
        if signal.source == OURS:  # about their assessment, not about the project
            continue
        mine = found.get((signal.source, signal.name))
        if mine is None or _is_better(signal, mine):
            found[signal.source, signal.name] = signal
    return set(found.values())


def _is_better(signal: Signal, than: Signal) -> bool:
    if isinstance(signal.value, Unknown):
        return False
    return isinstance(than.value, Unknown) or signal.observed_at > than.observed_at


def _at_home(one: Assessment, mark: Signal) -> Assessment:
    """Return *one* with the mark, and with what others remember told apart from our memory."""
    inputs = (_told_elsewhere(signal) for signal in one.inputs)
    return replace(one, inputs=(mark, *inputs))


def _told_elsewhere(signal: Signal) -> Signal:
    if signal.source not in _MADE_ANEW:
        return signal
    return Signal(  # `replace` takes five times as long, and this is done ten million times
        name=signal.name,
        value=signal.value,
        source=f"{ELSEWHERE}{signal.source}",
        observed_at=signal.observed_at,
        licence=signal.licence,
    )


def _mark(snapshot: SignedSnapshot) -> Signal:
    """Return the input that tells whose assessment it is; it goes when it is made anew here."""
    manifest = snapshot.manifest
    value = (
        f"snapshot {manifest.serial} of {manifest.created:%Y-%m-%d %H:%M} UTC,"
        f" signed with the key {signing.key_id(snapshot.key)}"
    )
    return Signal(name=IMPORTED, value=value, source=OURS, observed_at=manifest.created)


def _remember(store: Store, snapshot: SignedSnapshot, index_id: str) -> None:
    """Note the snapshot before anything of it is there: an older one must not come on top."""
    manifest = snapshot.manifest
    before = last(store, snapshot.key, index_id)
    if before is not None and before.serial > manifest.serial:
        return
    row = {
        "key": _kept_as(snapshot.key, index_id),
        "value": f"{manifest.serial} {snapshot.digest}",
    }
    store.writer.wait(lambda to: insert_or_change(to, kept, row, ["value"]))


def _kept_as(key: str, index_id: str) -> str:
    return f"snapshot {signing.key_id(key)} {index_id}"
