"""`/-/metrics`: what the gate counts, in the form of Prometheus or of OpenMetrics.

The values are read on the event loop, at once; making text of them, and importing what does that,
happens off it and only once somebody has asked. Whichever worker is asked gathers from all: each
metric says how their values become the gate's.
"""

import asyncio
import os
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

import msgspec
from aiohttp import hdrs, web
from msgspec import Struct

from indexgate.fellows import ALONE, Fellows
from indexgate.index.counts import BOUNDS, Histogram
from indexgate.web.joined_counts import Reading, Told, joined, of_processes
from indexgate.web.metric_table import METRICS, Metric, Sample, Watched
from indexgate.web.refusal import NO_STORE

if TYPE_CHECKING:
    from prometheus_client.core import Metric as Family

_PATIENCE = 5.0
"""Seconds for which the other workers are waited for."""


class Metrics(Struct, frozen=True):
    """The metrics of one gate."""

    watched: Watched
    fellows: Fellows = ALONE

    def routes(self) -> list[web.RouteDef]:
        """Return the route, for the application's table."""
        return [web.get("/-/metrics", self.answer)]

    async def answer(self, request: web.Request) -> web.Response:
        """Answer with all of them; Accept chooses the form."""
        told = await self.fellows.ask("metrics", within=_PATIENCE)
        others = [msgspec.convert(one, Told) for one in told]
        body, content_type = await asyncio.to_thread(
            rendered,
            joined(self.readings(), others),
            ",".join(request.headers.getall(hdrs.ACCEPT, [])),
            (os.getpid(), *(other.pid for other in others)),
        )
        return web.Response(body=body, headers={hdrs.CONTENT_TYPE: content_type, **NO_STORE})

    def readings(self) -> list[Reading]:
        """Return every metric with its samples as they are now."""
        return [(metric, list(metric.read(self.watched))) for metric in METRICS]


def rendered(readings: Iterable[Reading], accept: str, pids: Sequence[int]) -> tuple[bytes, str]:
    """Return *readings*, and what is known of the processes, as text; and its Content-Type."""
    from prometheus_client import CollectorRegistry
    from prometheus_client.exposition import choose_encoder
    from prometheus_client.registry import Collector

    class Read(Collector):
        def collect(self) -> "Iterable[Family]":
            families = [_family(metric, samples) for metric, samples in readings]
            return [*families, *of_processes(pids)]

    registry = CollectorRegistry()
    registry.register(Read())
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type


def _family(metric: Metric, samples: Sequence[Sample]) -> "Family":
    from prometheus_client.core import (
        CounterMetricFamily,
        GaugeMetricFamily,
        HistogramMetricFamily,
    )

    if metric.kind == "histogram":
        histogram = HistogramMetricFamily(metric.name, metric.says, labels=metric.labels)
        for labels, value in samples:
            if isinstance(value, Histogram):
                histogram.add_metric(labels, _buckets(value), value.total)
        return histogram
    family = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    single = family(metric.name, metric.says, labels=metric.labels)
    for labels, value in samples:
        if not isinstance(value, Histogram):
            single.add_metric(labels, value)
    return single


def _buckets(histogram: Histogram) -> list[tuple[str, float]]:
    bounds = (*(str(bound) for bound in BOUNDS), "+Inf")
    return [
        (bound, float(n)) for bound, n in zip(bounds, accumulate(histogram.counts), strict=True)
    ]
