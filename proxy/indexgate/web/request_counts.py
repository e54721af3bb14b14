"""Requests as they are counted: by kind, by how they ended, and what the caches had for them."""

from collections import Counter

from indexgate.index.counts import Histogram
from indexgate.index.trace import Met, MetFile, Trace

KINDS = ("page", "file", "metadata", "list", "document", "blocked", "health", "other")
"""What is asked for; `document` is a project's JSON, `health` the gate's own state and metrics."""

RESULTS = (
    "ok",
    "not-modified",
    "redirect",
    "refused",
    "missing",
    "upstream-trouble",
    "turned-away",
    "broken-off",
    "fault",
)
"""How requests end. `turned-away` is the client's doing, `broken-off` an answer that had
begun: the client went away, or the rest could not be had."""

_BY_STATUS = {304: "not-modified", 404: "missing", 410: "missing", 403: "refused", 451: "refused"}


def kind_of(path: str) -> str:
    """Return what *path* asks for, of `KINDS`."""
    if path.startswith("/simple"):
        return "page" if path[7:].strip("/") else "list"
    if path.startswith("/files/"):
        return "metadata" if path.endswith(".metadata") else "file"
    if path.startswith("/pypi/"):
        return "document"
    if path.startswith("/blocked/"):
        return "blocked"
    return "health" if path.startswith(("/-/health", "/-/metrics")) else "other"


def result_of(status: int, problem: str = "") -> str:
    """Return what *status*, and the kind of *problem* that goes with it, say; of `RESULTS`."""
    if problem in {"loop", "upstream-too-many"}:
        return "turned-away"
    if problem.startswith("upstream-"):
        return "upstream-trouble"
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status < 300:
        return "ok"
    if status < 400:
        return "redirect"
    return "turned-away" if status < 500 else "fault"


class RequestCounts:
    """What has been answered since the start. `under_way` are those that have not ended yet."""

    def __init__(self) -> None:
        self.under_way = 0
        self.results: Counter[tuple[str, str]] = Counter()
        self.seconds = {kind: Histogram() for kind in KINDS}
        self.pages: Counter[tuple[str, Met]] = Counter()
        self.files: Counter[tuple[str, MetFile]] = Counter()
        self.sent: Counter[str] = Counter()

    def count(self, trace: Trace, sent: int) -> None:
        """Count a request that has ended and that *sent* so many bytes of body."""
        kind = trace.kind
        self.results[kind, trace.result] += 1
        if trace.answered is not None:
            self.seconds[kind].observe(trace.answered - trace.started)
        if trace.page is not None:
            self.pages[kind, trace.page] += 1
        if trace.file is not None:
            self.files[kind, trace.file] += 1
        self.sent[kind] += sent

    def again(self, kind: str, result: str, sent: int, seconds: float, times: int) -> None:
        """Count requests that were answered as one before them, from memory, in all of *seconds*.

        Each *sent* so many bytes of body.
        """
        self.results[kind, result] += times
        self.seconds[kind].observe(seconds, times)
        (self.pages if kind == "page" else self.files)[kind, "hit"] += times
        self.sent[kind] += sent * times
