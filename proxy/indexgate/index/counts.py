"""Counts in plain numbers: cheap enough for every request, read when somebody looks at them.

All of it belongs to the event loop's thread. Labels come from fixed sets, never from what a client
or an index can choose.
"""

import asyncio
from bisect import bisect_left
from collections import Counter
from time import perf_counter
from typing import Literal, Self, TypeAlias

from indexgate.index.protocol import NoSuchProject, UpstreamFailed

BOUNDS = (
    0.0005,
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
    12.0,
)
"""Seconds: from a page at hand to the deadline of one that is not."""

What: TypeAlias = Literal["page", "file", "list"]

RESULTS = (
    "ok",
    "not-modified",
    "missing",
    "refused",
    "dns",
    "timeout",
    "certificate",
    "cut-off",
    "garbage",
    "too-large",
    "redirect",
    "private-address",
    "loop",
    "version",
    "hash",
    "status-429",
    "status-4xx",
    "status-5xx",
    "abandoned",
    "other",
)
"""How a request to upstream can end: the kinds of `UpstreamFailed`, and those that are no failure.

`abandoned`: whoever wanted the answer went away, or could not take it.
"""


class Histogram:
    """How many of the observed seconds lie at most at each bound; `counts` are not summed up."""

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        self.total = 0.0

    def observe(self, seconds: float, times: int = 1) -> None:
        """Count one more, or several that took so many *seconds* in all, and each its share."""
        self.counts[bisect_left(BOUNDS, seconds / times)] += times
        self.total += seconds


class Asking:
    """One request to upstream, while it is under way: what is done within is counted in *counts*.

    One that ended well says in `result` how.
    """

    __slots__ = ("_counts", "_what", "answered", "result", "started")

    def __init__(self, counts: "UpstreamCounts", what: What) -> None:
        self._counts = counts
        self._what = what
        self.started = perf_counter()
        self.answered: float | None = None
        self.result = "ok"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        if error is not None:
            self.result = _result(error)
        seconds = (self.answered or perf_counter()) - self.started
        self._counts.results[self._what, self.result] += 1
        self._counts.seconds[self._what].observe(seconds)

    def is_answered(self) -> None:
        """Say that the answer has begun: what follows is its length, not upstream's latency."""
        self.answered = perf_counter()


class UpstreamCounts:
    """The requests to one upstream: `results` by what was asked and how it ended, `seconds`."""

    def __init__(self) -> None:
        self.results: Counter[tuple[What, str]] = Counter()
        self.seconds: dict[What, Histogram] = {
            "page": Histogram(),
            "file": Histogram(),
            "list": Histogram(),
        }

    def asking(self, what: What) -> Asking:
        """Return a context that counts what is asked within, with its result."""
        return Asking(self, what)


def _result(error: BaseException) -> str:
    if isinstance(error, NoSuchProject):
        return "missing"
    if isinstance(error, (asyncio.CancelledError, GeneratorExit)):
        return "abandoned"
    if not isinstance(error, UpstreamFailed):
        return "other"
    if error.kind != "status":
        return error.kind if error.kind in RESULTS else "other"
    if error.status == 429:
        return "status-429"
    return "status-5xx" if error.status is not None and error.status >= 500 else "status-4xx"
