import asyncio
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexgate.index.counts import BOUNDS, RESULTS, Histogram, UpstreamCounts
from indexgate.index.protocol import NoSuchProject, UpstreamFailed
from indexgate.index.trace import Trace, current, follow, judging, met_page, waiting_for_upstream


@given(st.lists(st.floats(0, 100)))
def test_a_histogram_counts_each_value_at_its_bound(values: list[float]) -> None:
    histogram = Histogram()
    for value in values:
        histogram.observe(value)
    summed = list(accumulate(histogram.counts))
    assert summed[-1] == len(values)
    for bound, count in zip(BOUNDS, summed, strict=False):
        assert count == sum(value <= bound for value in values)
    assert histogram.total == pytest.approx(sum(values))


@pytest.mark.parametrize(
    ("error", "result"),
    [
        (None, "ok"),
        (NoSuchProject("demo"), "missing"),
        (UpstreamFailed("dns", "has no name"), "dns"),
        (UpstreamFailed("status", "said 429", status=429), "status-429"),
        (UpstreamFailed("status", "said 403", status=403), "status-4xx"),
        (UpstreamFailed("status", "said 599", status=599), "status-5xx"),
        (UpstreamFailed("a new kind", "did something"), "other"),
        (asyncio.CancelledError(), "abandoned"),
        (ValueError(), "other"),
    ],
)
def test_what_upstream_is_asked_is_counted_by_how_it_ends(
    error: BaseException | None, result: str
) -> None:
    counts = UpstreamCounts()
    try:
        with counts.asking("page"):
            if error is not None:
                raise error  # noqa: TRY301 - what is counted is this raise
    except BaseException as raised:
        assert raised is error  # noqa: PT017 - a cancellation is one of them
    assert counts.results == {("page", result): 1}
    assert result in RESULTS
    assert sum(counts.seconds["page"].counts) == 1


def test_waiting_for_upstream_is_no_judging() -> None:
    trace = Trace("x")
    follow(trace)
    try:
        with judging(), waiting_for_upstream():
            pass
    finally:
        follow(None)
    assert trace.upstream > 0
    assert trace.judge >= 0


def test_without_a_request_nothing_is_noted() -> None:
    follow(None)
    with judging(), waiting_for_upstream():
        met_page("hit")
    assert current() is None
