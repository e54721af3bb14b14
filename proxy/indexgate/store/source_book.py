"""What outlives the process of each source: what it was asked lately, and how that went.

It is kept among the small things of the store, one JSON a source. Processes that share a store see
each other's entries a few seconds late, so together they may ask a little more than one would.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from indexgate.sources.budgets import NOTHING_SPENT, Spent, Window
from indexgate.store.engines import StoreFailed
from indexgate.store.kept import Kept

READ_EVERY = timedelta(seconds=10)
WRITTEN_EVERY = timedelta(seconds=2)
"""Requests in between are counted in memory; pauses and failures are written at once."""


class Entry(Struct, frozen=True, kw_only=True):
    """What is kept of a source: `spent`, and when it answered and failed last, and why."""

    spent: Spent = NOTHING_SPENT
    succeeded_at: datetime | None = None
    failed_at: datetime | None = None
    failure: str = ""


class _Held(Struct):
    entry: Entry
    read_at: datetime
    written_at: datetime | None = None
    changed: bool = False


class SourceBook:
    """The entries of all sources; a store that fails makes it a book in memory."""

    def __init__(self, kept: Kept, clock: Callable[[], datetime]) -> None:
        self._kept = kept
        self._clock = clock
        self._held: dict[str, _Held] = {}

    def entry(self, source: str) -> Entry:
        """Return what is known of *source*."""
        return self._of(source).entry

    def spent(self, source: str) -> Spent:
        """Return what *source* was asked lately."""
        return self.entry(source).spent

    def keep(self, source: str, spent: Spent) -> None:
        """Replace what *source* was asked lately."""
        held = self._of(source)
        at_once = spent.paused_until != held.entry.spent.paused_until
        self._change(source, replace(held.entry, spent=spent), at_once=at_once)

    def succeeded(self, source: str, at: datetime) -> None:
        """Note that *source* answered."""
        entry = replace(self.entry(source), succeeded_at=at)
        self._change(source, entry, at_once=False)

    def failed(self, source: str, at: datetime, reason: str) -> None:
        """Note that *source* failed."""
        entry = replace(self.entry(source), failed_at=at, failure=reason)
        self._change(source, entry, at_once=True)

    def flush(self) -> None:
        """Write what is counted in memory only."""
        for source, held in self._held.items():
            if held.changed:
                self._write(source, held, self._clock())

    def _of(self, source: str) -> _Held:
        now, held = self._clock(), self._held.get(source)
        if held is None or now - held.read_at >= READ_EVERY:
            stored = self._stored(source)
            entry = stored if held is None else _merged(held.entry, stored)
            if held is None:
                held = self._held[source] = _Held(entry, now)
            held.entry, held.read_at = entry, now
        return held

    def _stored(self, source: str) -> Entry:
        try:
            text = self._kept.get(_key(source))
            return Entry() if text is None else msgspec.json.decode(text, type=Entry)
        except (StoreFailed, msgspec.MsgspecError):
            return Entry()

    def _change(self, source: str, entry: Entry, *, at_once: bool) -> None:
        held, now = self._of(source), self._clock()
        held.entry, held.changed = entry, True
        if at_once or held.written_at is None or now - held.written_at >= WRITTEN_EVERY:
            self._write(source, held, now)

    def _write(self, source: str, held: _Held, now: datetime) -> None:
        text = msgspec.json.encode(held.entry).decode()
        if self._kept.put_soon(_key(source), text):
            held.written_at, held.changed = now, False


def _key(source: str) -> str:
    return f"source:{source}"


def _merged(one: Entry, other: Entry) -> Entry:
    later = max(one, other, key=lambda entry: _moment(entry.failed_at))
    return Entry(
        spent=_spent(one.spent, other.spent),
        succeeded_at=max(one.succeeded_at, other.succeeded_at, key=_moment),
        failed_at=later.failed_at,
        failure=later.failure,
    )


def _spent(one: Spent, other: Spent) -> Spent:
    windows: dict[int, Window] = {}
    for window in (*one.windows, *other.windows):
        known = windows.get(window.seconds)
        if known is None or (known.started, known.used) < (window.started, window.used):
            windows[window.seconds] = window
    later = max(one, other, key=lambda spent: _moment(spent.paused_until))
    return replace(later, windows=tuple(windows.values()))


def _moment(at: datetime | None) -> float:
    return 0.0 if at is None else at.timestamp()
