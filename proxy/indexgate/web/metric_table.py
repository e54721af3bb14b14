"""Every metric, once: what is served under `/-/metrics` and `docs/reference/metrics.md` is this.

Each says where its values come from. They are plain numbers that somebody counts anyway, or what
can be looked up at once; nothing here waits. Labels have few values: never a project, never a
client.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Literal, TypeAlias

from msgspec import Struct

from indexgate.gate import Gate
from indexgate.index.counts import Histogram
from indexgate.index.file_cache import FileCache
from indexgate.index.upstream import Upstream
from indexgate.prefetch.counts import Kind, PrefetchCounts, Why
from indexgate.record import Recorder
from indexgate.sources.osv_records import FeedState
from indexgate.store.asked import Asked
from indexgate.store.engines import StoreFailed
from indexgate.store.served import Served
from indexgate.verdict_counts import VerdictCounts
from indexgate.web.request_counts import RequestCounts
from indexgate_policy.assessment import Assessment

Value: TypeAlias = int | float | Histogram
Sample: TypeAlias = tuple[tuple[str, ...], Value]
"""The values of the labels, and the number."""


class Watched(Struct, frozen=True, kw_only=True):
    """What is looked at. `upstreams` are by their index's name, or its address where it has none.

    `owner_changes` counts projects that came from another index than before.
    """

    version: str
    requests: RequestCounts
    gates: tuple[Gate, ...]
    upstreams: Mapping[str, Upstream]
    files: FileCache
    prefetch: PrefetchCounts
    recorder: Recorder
    asked: Asked
    served: Served
    feed: Callable[[], FeedState | None]
    degraded: Callable[[], int]
    owner_changes: Callable[[], int]
    clock: Callable[[], datetime]


class Metric(Struct, frozen=True, kw_only=True):
    """One metric. A counter's `name` is without the `_total` that it is served with.

    `over` says how the values of several workers become the gate's.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    says: str
    labels: tuple[str, ...] = ()
    over: Literal["sum", "most", "least"] = "sum"
    read: Callable[[Watched], Iterable[Sample]]

    @property
    def served_as(self) -> str:
        """The name to write into a query."""
        return f"{self.name}_total" if self.kind == "counter" else self.name


def _one(value: Value | None) -> tuple[Sample, ...]:
    return () if value is None else (((), value),)


def _page_bytes(watched: Watched) -> Iterator[Sample]:
    yield ("upstream",), sum(gate.index.bytes_in_memory for gate in watched.gates)
    yield ("finished",), sum(gate.bytes_finished for gate in watched.gates)


def _joined(watched: Watched) -> Iterator[Sample]:
    yield ("page",), sum(gate.index.joined for gate in watched.gates)
    yield ("file",), watched.files.joined


def _ahead(
    counted: Callable[[PrefetchCounts], Mapping[Kind, int] | Mapping[Why, int]],
) -> Callable[[Watched], Iterator[Sample]]:
    def read(watched: Watched) -> Iterator[Sample]:
        for label, count in counted(watched.prefetch).items():
            yield (label,), count

    return read


def _upstream_requests(watched: Watched) -> Iterator[Sample]:
    for name, upstream in watched.upstreams.items():
        for (what, result), count in upstream.counts.results.items():
            yield (name, what, result), count


def _upstream_seconds(watched: Watched) -> Iterator[Sample]:
    for name, upstream in watched.upstreams.items():
        for what, seconds in upstream.counts.seconds.items():
            yield (name, what), seconds


def _breaker_open(watched: Watched) -> Iterator[Sample]:
    for name, upstream in watched.upstreams.items():
        yield (name,), int(not upstream.breaker.closed)


def _breaker_opened(watched: Watched) -> Iterator[Sample]:
    for name, upstream in watched.upstreams.items():
        yield (name,), upstream.breaker.opened


def _last_success(watched: Watched) -> Iterator[Sample]:
    for name, upstream in watched.upstreams.items():
        if upstream.last_success is not None:
            yield (name,), upstream.last_success.timestamp()


def _clock_ahead(watched: Watched) -> Iterator[Sample]:
    for name, upstream in watched.upstreams.items():
        yield (name,), upstream.clock_ahead


def _verdicts(watched: Watched) -> Iterator[Sample]:
    counts: VerdictCounts = watched.recorder.verdicts
    for of, verdicts in (("page", counts.pages), ("file", counts.files)):
        for (action, rule), count in verdicts.items():
            yield (of, action.value, rule), count


def _at_hand(watched: Watched) -> Iterator[Assessment]:
    for gate in watched.gates:
        yield from gate.facts.at_hand


def _source_failures(watched: Watched) -> Iterable[Sample]:
    failures: Counter[tuple[str, ...]] = Counter()
    for gate in watched.gates:
        failures.update(gate.facts.observer.failures)
    return failures.items()


def _assessments_due(watched: Watched) -> Iterator[Sample]:
    now = watched.clock()
    yield (), sum(one.valid_until <= now for one in _at_hand(watched))


def _assessment_ages(watched: Watched) -> Iterator[Sample]:
    now = watched.clock().timestamp()
    ages = sorted(now - one.assessed_at.timestamp() for one in _at_hand(watched))
    if ages:
        for quantile in (0.5, 0.9, 1.0):
            yield (f"{quantile:g}",), ages[round(quantile * (len(ages) - 1))]


def _feed_age(watched: Watched) -> Iterator[Sample]:
    try:
        state = watched.feed()
    except StoreFailed:
        return
    if state is not None:
        yield ("osv",), (watched.clock() - state.fetched_at).total_seconds()


METRICS: tuple[Metric, ...] = (
    Metric(
        name="indexgate_build_info",
        kind="gauge",
        says="Always 1; the label says which release runs.",
        labels=("version",),
        over="most",
        read=lambda watched: [((watched.version,), 1)],
    ),
    Metric(
        name="indexgate_workers",
        kind="gauge",
        says="Workers that serve; `--workers` says how many should. Counts are those of all of"
        " them, and one that ends takes its own with it.",
        read=lambda _watched: _one(1),
    ),
    Metric(
        name="indexgate_degraded",
        kind="gauge",
        says="How many parts are not as they should be; `/-/health` says which, in words.",
        over="most",
        read=lambda watched: _one(watched.degraded()),
    ),
    Metric(
        name="indexgate_requests",
        kind="counter",
        says="Requests that were answered, by what was asked for and how it ended.",
        labels=("kind", "result"),
        read=lambda watched: watched.requests.results.items(),
    ),
    Metric(
        name="indexgate_request_seconds",
        kind="histogram",
        says="From a request's coming to the beginning of its answer.",
        labels=("kind",),
        read=lambda watched: (((kind,), of) for kind, of in watched.requests.seconds.items()),
    ),
    Metric(
        name="indexgate_requests_under_way",
        kind="gauge",
        says="Requests that have not ended yet.",
        read=lambda watched: _one(watched.requests.under_way),
    ),
    Metric(
        name="indexgate_response_bytes",
        kind="counter",
        says="Bytes of answers, without their headers.",
        labels=("kind",),
        read=lambda watched: (((kind,), sent) for kind, sent in watched.requests.sent.items()),
    ),
    Metric(
        name="indexgate_page_lookups",
        kind="counter",
        says="What was at hand of the project page that a request needed: `hit`, `miss` (upstream"
        " was waited for), or `stale` (an old page stood in).",
        labels=("kind", "result"),
        read=lambda watched: watched.requests.pages.items(),
    ),
    Metric(
        name="indexgate_page_memory_bytes",
        kind="gauge",
        says="Pages in memory: `upstream` as they came, packed; `finished` as they are given out.",
        labels=("form",),
        read=_page_bytes,
    ),
    Metric(
        name="indexgate_file_lookups",
        kind="counter",
        says="Files given out: kept ones (`hit`), fetched into the cache (`miss`), or a part of a"
        " long file that went past it (`passed`).",
        labels=("kind", "result"),
        read=lambda watched: watched.requests.files.items(),
    ),
    Metric(
        name="indexgate_file_cache_bytes",
        kind="gauge",
        says="Finished files on disk; absent until they were counted after the start.",
        over="most",
        read=lambda watched: _one(watched.files.bytes_kept),
    ),
    Metric(
        name="indexgate_file_cache_works",
        kind="gauge",
        says="1 while files can be kept, 0 while the disk takes none and they pass through.",
        over="least",
        read=lambda watched: _one(int(watched.files.keeps)),
    ),
    Metric(
        name="indexgate_joined",
        kind="counter",
        says="Requests that found what they wanted being fetched for somebody else.",
        labels=("what",),
        read=_joined,
    ),
    Metric(
        name="indexgate_prefetched",
        kind="counter",
        says="Pages and metadata that were fetched before a client asked for them.",
        labels=("kind",),
        read=_ahead(lambda counts: counts.fetched),
    ),
    Metric(
        name="indexgate_prefetch_used",
        kind="counter",
        says="Those of them that a client then asked for while they were fresh.",
        labels=("kind",),
        read=_ahead(lambda counts: counts.used),
    ),
    Metric(
        name="indexgate_prefetch_dropped",
        kind="counter",
        says="What was not fetched ahead after all: the client has gone (`idle`), there is no such"
        " project (`missing`), or upstream is in trouble (`upstream`).",
        labels=("why",),
        read=_ahead(lambda counts: counts.dropped),
    ),
    Metric(
        name="indexgate_upstream_requests",
        kind="counter",
        says="What upstream was asked for, and how that ended.",
        labels=("upstream", "what", "result"),
        read=_upstream_requests,
    ),
    Metric(
        name="indexgate_upstream_request_seconds",
        kind="histogram",
        says="How long upstream took: pages and lists to their end, files to their beginning.",
        labels=("upstream", "what"),
        read=_upstream_seconds,
    ),
    Metric(
        name="indexgate_upstream_breaker_open",
        kind="gauge",
        says="1 while upstream is left alone, as it failed several times in a row.",
        labels=("upstream",),
        over="most",
        read=_breaker_open,
    ),
    Metric(
        name="indexgate_upstream_breaker_opened",
        kind="counter",
        says="How often that began.",
        labels=("upstream",),
        read=_breaker_opened,
    ),
    Metric(
        name="indexgate_upstream_last_success_timestamp_seconds",
        kind="gauge",
        says="When upstream last gave a page; absent before the first.",
        labels=("upstream",),
        over="most",
        read=_last_success,
    ),
    Metric(
        name="indexgate_upstream_clock_ahead_seconds",
        kind="gauge",
        says="By how much upstream's clock is ahead of this machine's.",
        labels=("upstream",),
        over="most",
        read=_clock_ahead,
    ),
    Metric(
        name="indexgate_owner_changes",
        kind="counter",
        says="Projects that came from another index than before: each may be a confusion of names.",
        read=lambda watched: _one(watched.owner_changes()),
    ),
    Metric(
        name="indexgate_verdicts",
        kind="counter",
        says="What the policy said of pages given out (once for each rule by which versions are"
        " withheld or warned of) and of files asked for. The rule is empty for what passes.",
        labels=("of", "action", "rule"),
        read=_verdicts,
    ),
    Metric(
        name="indexgate_unjudged",
        kind="counter",
        says="Files that the gate failed to judge; they are refused.",
        read=lambda watched: _one(sum(gate.faults.count for gate in watched.gates)),
    ),
    Metric(
        name="indexgate_checks_failed",
        kind="counter",
        says="Checks that failed while projects were assessed; what they would say is unknown.",
        read=lambda watched: _one(sum(gate.facts.failed_checks for gate in watched.gates)),
    ),
    Metric(
        name="indexgate_policy_edits",
        kind="counter",
        says="Edits of the policy file since the start: `taken`, or `rejected` as broken.",
        labels=("result",),
        over="most",
        read=lambda watched: [
            (("taken",), watched.gates[0].policy.taken),
            (("rejected",), watched.gates[0].policy.rejected),
        ],
    ),
    Metric(
        name="indexgate_policy_broken",
        kind="gauge",
        says="1 while the policy file is broken and the policy read before stays in force.",
        over="most",
        read=lambda watched: _one(int(watched.gates[0].policy.broken is not None)),
    ),
    Metric(
        name="indexgate_refresh_waiting",
        kind="gauge",
        says="Projects that wait to be assessed again.",
        read=lambda watched: _one(sum(gate.facts.waiting for gate in watched.gates)),
    ),
    Metric(
        name="indexgate_assessments",
        kind="gauge",
        says="Assessments in memory: those of the projects asked for last.",
        over="most",
        read=lambda watched: _one(sum(1 for _ in _at_hand(watched))),
    ),
    Metric(
        name="indexgate_assessments_due",
        kind="gauge",
        says="Those of them that are no longer good; they are made anew when asked for.",
        over="most",
        read=_assessments_due,
    ),
    Metric(
        name="indexgate_assessment_age_seconds",
        kind="gauge",
        says="Their ages: the median, nine of ten, and the oldest.",
        labels=("quantile",),
        over="most",
        read=_assessment_ages,
    ),
    Metric(
        name="indexgate_feed_age_seconds",
        kind="gauge",
        says="How long ago an advisory feed was read; absent before the first time.",
        labels=("feed",),
        over="most",
        read=_feed_age,
    ),
    Metric(
        name="indexgate_source_failures",
        kind="counter",
        says="Sources that were asked about a project and could not answer.",
        labels=("source", "failure"),
        read=_source_failures,
    ),
    Metric(
        name="indexgate_record_waiting",
        kind="gauge",
        says="Refusals that wait in memory as the store cannot take them.",
        read=lambda watched: _one(watched.recorder.decisions.health().spooled),
    ),
    Metric(
        name="indexgate_record_lost",
        kind="counter",
        says="Refusals and warnings that were never written down, for want of room or by a fault.",
        read=lambda watched: _one(watched.recorder.decisions.health().dropped),
    ),
    Metric(
        name="indexgate_own_traffic_waiting",
        kind="gauge",
        says="Counts of what clients ask for that are not written yet.",
        read=lambda watched: _one(watched.asked.waiting),
    ),
    Metric(
        name="indexgate_own_traffic_dropped",
        kind="counter",
        says="Requests that were not counted there, for want of room.",
        read=lambda watched: _one(watched.asked.dropped),
    ),
    Metric(
        name="indexgate_served_files_waiting",
        kind="gauge",
        says="Counts of served files, for replays, that are not written yet.",
        read=lambda watched: _one(watched.served.waiting),
    ),
    Metric(
        name="indexgate_served_files_dropped",
        kind="counter",
        says="Served files that were not counted there, for want of room or by a fault.",
        read=lambda watched: _one(watched.served.dropped),
    ),
)
