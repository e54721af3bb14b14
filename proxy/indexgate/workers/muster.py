"""The workers of a gate begin to serve together.

A connection stays with the worker that it was dealt to. One that listened before its fellows would
get all that come first, and do their work alone for as long as the clients keep them.
"""

from collections.abc import Callable


class Muster:
    """Waits for the workers *expected*, by number."""

    def __init__(self, expected: range) -> None:
        self._missing = set(expected)
        self._waiting: list[Callable[[], object]] = []

    def come(self, worker: int, serve: Callable[[], object]) -> None:
        """Have *serve* called when all have come: at once, if *worker* is the last or comes again.

        One that was started anew, since it ended, has nobody to wait for.
        """
        self._missing.discard(worker)
        self._waiting.append(serve)
        if self._missing:
            return
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each()
