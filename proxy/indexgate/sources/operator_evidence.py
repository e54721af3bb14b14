"""What an operator entered by hand, as a signal that says so."""

from collections.abc import Sequence

from indexgate.store.evidence import Evidence
from indexgate_policy.signals import Signal

SOURCE = "entered-by-hand"
"""The source of the signal. It is not for others: not in snapshots, not to services."""

MOST = 200
"""How many entries the signal holds at most, the newest of them."""


def signals(entries: Sequence[Evidence]) -> tuple[Signal, ...]:
    """Return *entries*, oldest first, as the one signal `evidence`; none at all is no signal.

    Each text begins with its kind, which checks count: `contact on 2026-11-20 by ann: ...`.
    """
    if not entries:
        return ()
    texts = tuple(
        f"{entry.kind} on {entry.day} by {entry.author}: {entry.text}" for entry in entries[-MOST:]
    )
    newest = max(entry.entered_at for entry in entries)
    return (Signal(name="evidence", value=texts, source=SOURCE, observed_at=newest),)
