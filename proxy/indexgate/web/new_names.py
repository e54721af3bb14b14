"""How many names a client may ask for that the gate does not have: each costs requests upstream.

A runaway script that guesses names could else use the gate to ask an index for everything. The
bound is far above what the largest resolution needs.
"""

from collections import Counter
from collections.abc import Callable
from datetime import datetime

from indexgate.index.protocol import UpstreamFailed

A_MINUTE = 3_000


class NewNames:
    """Counts names by client in the running minute; addresses are forgotten with it."""

    def __init__(self, clock: Callable[[], datetime], a_minute: int = A_MINUTE) -> None:
        self._clock = clock
        self._a_minute = a_minute
        self._minute = 0
        self._counts: Counter[str] = Counter()

    def count(self, client: str) -> None:
        """Count one more name of *client*. Raises UpstreamFailed when that is too many."""
        minute = int(self._clock().timestamp() // 60)
        if minute != self._minute:
            self._minute = minute
            self._counts.clear()
        self._counts[client] += 1
        if self._counts[client] > self._a_minute:
            raise UpstreamFailed(
                "too-many",
                f"is not asked: this client asked for {self._a_minute} new names in a minute",
                status=429,
                retry_after=60,
            )
