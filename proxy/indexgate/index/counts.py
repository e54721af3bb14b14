"""Counts in plain numbers: cheap enough for every request, read when somebody looks at them.

All of it belongs to the event loop's thread. Labels come from fixed sets, never from what a client
or an index can choose.
"""

import asyncio
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Literal, TypeAlias

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
    """One request to upstream, while it is under way."""

    __slots__ = ("answered", "result", "started")

    def __init__(self) -> None:
        self.started = perf_counter()
        self.answered: float | None = None
        self.result = "ok"

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

    @contextmanager
    def asking(self, what: What) -> Iterator[Asking]:
        """Count what is asked within, with its result; one that ended well says which itself."""
        asking = Asking()
        try:
            yield asking
        except NoSuchProject:
            asking.result = "missing"
            raise
        except UpstreamFailed as error:
            asking.result = _result(error)
            raise
        except (asyncio.CancelledError, GeneratorExit):
            asking.result = "abandoned"
            raise
        except Exception:
            asking.result = "other"
            raise
        finally:
            self.results[what, asking.result] += 1
            self.seconds[what].observe((asking.answered or perf_counter()) - asking.started)


def _result(error: UpstreamFailed) -> str:
    if error.kind != "status":
        return error.kind if error.kind in RESULTS else "other"
    if error.status == 429:
        return "status-429"
    return "status-5xx" if error.status is not None and error.status >= 500 else "status-4xx"
