"""How long a client is kept waiting, and what is said when that was not enough."""

from indexgate.index import trace
from indexgate.index.protocol import UpstreamFailed

DEADLINE = 12.0
"""Seconds in which a page that is not stored is answered; pip and Poetry stop reading at 15."""


def late(seconds: float = DEADLINE) -> UpstreamFailed:
    """Return what to say after so many *seconds*: who it was that took most of them."""
    request = trace.current()
    if request is not None and request.upstream < seconds / 2:
        reason = f"is not to blame: the gate itself was not done within {seconds:g} s, it is busy"
        return UpstreamFailed("timeout", reason, retry_after=5)
    return UpstreamFailed("timeout", f"did not answer within {seconds:g} s")
