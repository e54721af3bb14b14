"""Giving out a snapshot: all that is known of an index's projects and may be passed on."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from packaging.utils import NormalizedName

from indexgate.own_version import own_version
from indexgate.snapshot import passable, write
from indexgate.snapshot.assess_again import AssessAgain
from indexgate.snapshot.manifest import IndexIdentity, LeftOut, Manifest
from indexgate.store.database import Store
from indexgate.store.schema import kept
from indexgate.store.upserts import insert_or_change
from indexgate_policy.assessment import Assessment
from indexgate_policy.signals import Unknown

_TELL_EVERY = 1_000


class _Passed:
    """The assessments of the index as they go out, and what was left out of them."""

    def __init__(
        self,
        again: AssessAgain,
        private: Callable[[NormalizedName], bool],
        tell: Callable[[int], None],
    ) -> None:
        self._again = again
        self._is_private = private
        self._tell = tell
        self._signals = 0
        self._private = 0

    def each(self) -> Iterator[Assessment]:
        """Yield what may be given away. Raises StoreFailed."""
        done = 0
        for found in self._again.store.assessments.every(self._again.index_id):
            done += 1
            if done % _TELL_EVERY == 0:
                self._tell(done)
            if self._is_private(found.project):
                self._private += 1
                continue
            self._signals += sum(
                not passable.may_be_passed_on(s) and not isinstance(s.value, Unknown)
                for s in found.inputs
            )
            yield passable.passed_on(found, self._again)

    def left_out(self) -> LeftOut:
        """Return what was left out so far."""
        return LeftOut(
            signals=self._signals,
            private=self._private,
            again=self._again.count,
            without_page=self._again.without_page,
        )


def give_out(
    folder: Path,
    index: IndexIdentity,
    *,
    key: Path,
    lasts: timedelta,
    again: AssessAgain,
    now: datetime,
    private: Callable[[NormalizedName], bool] = lambda _: False,
    further: Callable[[Path], int] | None = None,
    tell: Callable[[int], None] = lambda _: None,
) -> Manifest:
    """Write a snapshot of *index* to the new *folder*, signed with *key*; return its manifest.

    It holds for *lasts* from *now* on. Projects that are *private* stay out; *further* writes the
    table of downloads. It blocks. Raises SnapshotFailed, StoreFailed.
    """
    passed = _Passed(again, private, tell)
    label = write.Label(
        serial=_serial(again.store, now),
        created=now,
        expires=now + lasts,
        made_by=f"indexgate {own_version()}",
        index=index,
        key=key,
    )
    return write.write(folder, label, passed.each(), passed.left_out, further)


def _serial(store: Store, now: datetime) -> int:
    """Return a serial above all before: the time, so that a lost store does not start again."""
    before = store.kept.get(_SERIAL) or ""
    serial = max(int(now.timestamp()), int(before) + 1 if before.isdecimal() else 1)
    row = {"key": _SERIAL, "value": str(serial)}
    store.writer.wait(lambda to: insert_or_change(to, kept, row, ["value"]))
    return serial


_SERIAL = "snapshot-serial"
