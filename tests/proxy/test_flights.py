"""What several want at once is done once."""

import asyncio

import pytest

from indexgate.flights import Flights


async def test_all_who_want_the_same_at_once_have_it_from_one_who_may_go_away() -> None:
    flights: Flights[str] = Flights()
    go, begun = asyncio.Event(), []

    async def work() -> str:
        begun.append("one")
        await go.wait()
        return "result"

    asks = [asyncio.create_task(flights.join("same", work)) for _ in range(3)]
    other = asyncio.create_task(flights.join("other", work))
    await asyncio.sleep(0)
    asks[0].cancel()
    go.set()
    assert await asyncio.gather(*asks[1:], other) == ["result"] * 3
    assert len(begun) == 2


async def test_what_has_ended_or_failed_begins_anew() -> None:
    flights: Flights[str] = Flights()

    async def broken() -> str:
        raise ValueError("broken")

    async def work() -> str:
        return "result"

    asks = await asyncio.gather(
        *(flights.join("same", broken) for _ in range(2)), return_exceptions=True
    )
    assert [type(ask) for ask in asks] == [ValueError, ValueError]
    with pytest.raises(ValueError, match="broken"):
        await flights.join("same", broken)
    assert await flights.join("same", work) == "result"
