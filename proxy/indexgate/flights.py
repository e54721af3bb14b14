"""Work under way, once for all who want the same of it; it outlives who asked first."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from functools import partial
from typing import Any, Generic, TypeVar

from indexgate.index.in_turn import Place, join, my_place

T = TypeVar("T")


class Flights(Generic[T]):
    """The work that is under way, by what it is for, with its place in the line."""

    def __init__(self) -> None:
        self._under_way: dict[Hashable, tuple[asyncio.Task[T], Place | None]] = {}

    async def join(self, key: Hashable, begin: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Return what the work for *key* returns, which begins now unless it is under way.

        Raises what it raises.
        """
        under_way = self._under_way.get(key)
        if under_way is None:
            flight = asyncio.create_task(begin())
            self._under_way[key] = flight, my_place()
            flight.add_done_callback(partial(self._landed, key))
        else:
            flight, place = under_way
            join(place)
        return await asyncio.shield(flight)

    def _landed(self, key: Hashable, flight: asyncio.Task[T]) -> None:
        del self._under_way[key]
        if not flight.cancelled():
            flight.exception()  # whoever waited has it; nobody may be left who does
