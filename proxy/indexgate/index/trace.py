"""What one request met on its way: for its log line, its `Server-Timing` and the counts.

The way leads through rooms that know nothing of requests, so this travels in a context variable.
What goes on in the background has none, unless a request began it: then it is that request's.
"""

from contextvars import ContextVar
from time import perf_counter
from typing import Literal, TypeAlias

Met: TypeAlias = Literal["hit", "miss", "stale"]
"""A page that was at hand, one for which upstream was waited, an old one that stood in."""

MetFile: TypeAlias = Literal["hit", "miss", "passed"]
"""A kept file, one that is fetched into the cache, a part that went past it."""


class Trace:
    """One request.

    `id` names it in the log, in the answer's header and in what it failed with; `kind` is what is
    asked for. `started` and `answered` (None: not yet) are of `perf_counter`; `upstream` is for how
    many seconds upstream was waited, `judge` for how many the page was read and judged. `page` and
    `file` tell what the caches had. `result`, `why`, `rule` and `project` are what is told of it,
    empty where there is nothing to tell.
    """

    answered: float | None = None
    upstream = 0.0
    judge = 0.0
    page: Met | None = None
    file: MetFile | None = None
    result = ""
    why = ""
    rule = ""
    project = ""

    def __init__(self, id: str, kind: str = "", started: float | None = None) -> None:  # noqa: A002
        self.id = id
        self.kind = kind
        self.started = perf_counter() if started is None else started


_TRACE: ContextVar[Trace | None] = ContextVar("trace", default=None)
current = _TRACE.get
follow = _TRACE.set


class waiting_for_upstream:  # noqa: N801 - read as a function; a generator costs thrice
    """Count what is done within as time for which the request waited for upstream."""

    __slots__ = ("_began", "_trace")

    def __enter__(self) -> None:
        self._trace = current()
        self._began = perf_counter()

    def __exit__(self, *_: object) -> None:
        if self._trace is not None:
            self._trace.upstream += perf_counter() - self._began


class judging:  # noqa: N801 - as the one above
    """Count what is done within as reading and judging, less the time upstream was waited for."""

    __slots__ = ("_began", "_trace")

    def __enter__(self) -> None:
        self._trace = current()
        self._began = perf_counter()

    def __exit__(self, *_: object) -> None:
        trace = self._trace
        if trace is not None:
            trace.judge += perf_counter() - self._began - trace.upstream


def met_page(what: Met) -> None:
    """Note what the cache of pages had, the last time it was looked at."""
    trace = current()
    if trace is not None:
        trace.page = what


def met_file(what: MetFile) -> None:
    """Note what the cache of files had."""
    trace = current()
    if trace is not None:
        trace.file = what


def about(project: str) -> None:
    """Note the project that is asked for."""
    trace = current()
    if trace is not None:
        trace.project = project


def broke_off(why: str) -> None:
    """Note that the answer, which had begun, does not come to its end."""
    trace = current()
    if trace is not None:
        trace.result, trace.why = "broken-off", why
