"""What several want at once is done once."""

import asyncio
import threading
from functools import partial

import pytest

from indexgate.flights import Flights
from indexgate.index.in_turn import in_turn, take_number


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


async def test_what_began_for_nobody_is_hurried_by_who_waits_for_it() -> None:
    flights: Flights[None] = Flights()
    go, done = threading.Event(), []

    async def made(name: str) -> None:
        await in_turn(lambda: done.append(name))

    async def ask(name: str, *, behind: bool = False) -> None:
        take_number(behind=behind)
        await flights.join(name, partial(made, name))

    holding = asyncio.create_task(in_turn(partial(go.wait, 30)))
    asks = []
    for name, behind in (("other", True), ("ahead", True), ("first", False), ("ahead", False)):
        asks.append(asyncio.create_task(ask(name, behind=behind)))
        await asyncio.sleep(0)
    asks.append(asyncio.create_task(ask("later")))
    for _ in range(3):  # all stand in the line
        await asyncio.sleep(0)
    go.set()
    await asyncio.gather(holding, *asks)
    assert done == ["first", "ahead", "later", "other"]
