"""The reference page of the metrics, made from their own table.

`python -m indexgate.web.metrics_reference` prints it.
"""

import sys
from collections.abc import Iterator

from indexgate.index.counts import BOUNDS
from indexgate.index.counts import RESULTS as UPSTREAM_RESULTS
from indexgate.web.metric_table import METRICS, Metric
from indexgate.web.request_counts import KINDS, RESULTS

_INTRODUCTION = """\
# Metrics

What `/-/metrics` serves, in the form of Prometheus or of OpenMetrics as the scraper asks for it.
Counters begin at 0 with each start of the gate. No label ever holds a project or a client, so a
busy gate has no more series than a quiet one. [Watch the gate](../tasks/watch-the-gate.md) says how
to scrape them and what to be woken by. This page is made from the program's own definitions.
"""

_PROCESS = """\

Where the system tells, `process_resident_memory_bytes`, `process_cpu_seconds_total`,
`process_open_fds` and `process_start_time_seconds` stand beside them, as every Prometheus client
gives them.
"""


def render() -> str:
    """Return `docs/reference/metrics.md`."""
    return "\n".join(
        [
            *_INTRODUCTION.splitlines(),
            "",
            "| metric | kind | labels | says |",
            "| --- | --- | --- | --- |",
            *(_row(metric) for metric in METRICS),
            *_PROCESS.splitlines(),
            *_labels(),
            "",
        ]
    )


def _row(metric: Metric) -> str:
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    return f"| `{metric.served_as}` | {metric.kind} | {labels} | {metric.says} |"


def _labels() -> Iterator[str]:
    yield from ("", "## What the labels can be", "", "| label | values |", "| --- | --- |")
    yield f"| `kind` | {_listed(KINDS)} |"
    yield f"| `result` of requests | {_listed(RESULTS)} |"
    yield f"| `result` of upstream | {_listed(UPSTREAM_RESULTS)} |"
    yield "| `result` of look-ups | as the metric says |"
    yield "| `what` | `page`, `file`, `list` |"
    yield "| `upstream` | name of the index, or its address without credentials |"
    yield "| `action` | `allow`, `warn`, `refuse` |"
    yield "| `rule` | ids of the policy's rules; `other` for what comes after 300 of them |"
    bounds = ", ".join(f"{bound:g}" for bound in BOUNDS)
    yield f"| `le` | {bounds} and +Inf, in seconds |"


def _listed(values: tuple[str, ...]) -> str:
    return ", ".join(f"`{value}`" for value in values)


if __name__ == "__main__":
    sys.stdout.write(render())
