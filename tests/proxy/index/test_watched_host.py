"""A host that is left alone is watched until it is back, whatever happens to the watch."""

import asyncio

import pytest

from indexgate.index.breaker import Breaker
from indexgate.index.protocol import UpstreamFailed
from indexgate.index.watched_host import WatchedHost
from tests.proxy.index.test_breaker import REFUSED, Turned


async def test_a_watch_that_broke_is_taken_up_by_the_next_request() -> None:
    clock, back = Turned(), asyncio.Event()
    asked: list[str] = []

    async def probe(address: str, _seconds: float) -> None:
        asked.append(address)
        back.set()
        if len(asked) == 1:
            raise RuntimeError("a fault of the gate's own")

    host = WatchedHost("`host`", Breaker(clock, after=1), probe, lambda _event, _text: None)
    with pytest.raises(UpstreamFailed), host.asking("a"):
        raise REFUSED
    clock.now += 10  # the next probe is due
    await back.wait()
    back.clear()
    await asyncio.sleep(0)  # the watch ends
    assert not host.breaker.closed
    with pytest.raises(UpstreamFailed), host.asking("a"):
        pytest.fail("it is left alone")
    await back.wait()
    await asyncio.sleep(0)
    assert asked == ["a", "a"]
    with host.asking("a"):
        pass
    await host.close()
