"""What each worker counts, as the counts of one gate."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from indexgate.index.counts import Histogram
from indexgate.web.metric_table import Metric, Sample, Value

if TYPE_CHECKING:
    from prometheus_client.core import Metric as Family

Reading: TypeAlias = tuple[Metric, Sequence[Sample]]
_Labels: TypeAlias = tuple[str, ...]


_OVER: Mapping[str, Callable[[Iterable[float]], float]] = {"sum": sum, "most": max, "least": min}
_OF_PROCESSES = {"process_start_time_seconds": "least", "process_max_fds": "least"}
"""How those come together that are not summed up."""


class _Seconds(msgspec.Struct, array_like=True):
    counts: list[int]
    total: float


class Told(msgspec.Struct, array_like=True):
    """What one worker tells another: its process, and its samples by metric."""

    pid: int
    samples: dict[str, list[tuple[_Labels, int | float | _Seconds]]]


def told(readings: Iterable[Reading]) -> Told:
    """Return *readings* as another worker is told."""
    samples = {
        metric.name: [(labels, _plain(value)) for labels, value in samples]
        for metric, samples in readings
    }
    return Told(os.getpid(), samples)


def joined(own: Sequence[Reading], others: Sequence[Told]) -> list[Reading]:
    """Return the readings of all workers as those of one gate, each as its metric says."""
    if not others:
        return list(own)
    return [
        (metric, _over(metric, samples, [other.samples.get(metric.name, ()) for other in others]))
        for metric, samples in own
    ]


def of_processes(pids: Sequence[int]) -> "list[Family]":
    """Return what the system knows of the processes *pids*, as of one."""
    from prometheus_client import ProcessCollector

    whole: dict[str, Family] = {}
    for pid in pids:
        for family in ProcessCollector(pid=partial(int, pid), registry=None).collect():
            there = whole.setdefault(family.name, family)
            if there is not family:
                over = _OVER[_OF_PROCESSES.get(family.name, "sum")]
                there.samples = [
                    one._replace(value=over([one.value, other.value]))
                    for one, other in zip(there.samples, family.samples, strict=True)
                ]
    return list(whole.values())


def _over(
    metric: Metric,
    own: Sequence[Sample],
    others: Sequence[Sequence[tuple[_Labels, int | float | _Seconds]]],
) -> list[Sample]:
    found: dict[_Labels, list[Value]] = {}
    for labels, value in own:
        found.setdefault(labels, []).append(value)
    for labels, plain in chain.from_iterable(others):
        found.setdefault(labels, []).append(_value(plain))
    return [(labels, _one_of(metric, values)) for labels, values in found.items()]


def _one_of(metric: Metric, values: Sequence[Value]) -> Value:
    numbers = [value for value in values if not isinstance(value, Histogram)]
    if numbers:
        return _OVER[metric.over](numbers)
    whole = Histogram()
    for one in values:
        if isinstance(one, Histogram):
            whole.counts = [a + b for a, b in zip(whole.counts, one.counts, strict=True)]
            whole.total += one.total
    return whole


def _plain(value: Value) -> int | float | _Seconds:
    return _Seconds(value.counts, value.total) if isinstance(value, Histogram) else value


def _value(plain: int | float | _Seconds) -> Value:
    if not isinstance(plain, _Seconds):
        return plain
    seconds = Histogram()
    seconds.counts, seconds.total = plain.counts, plain.total
    return seconds
