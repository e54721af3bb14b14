"""Large work is done one after the other: who came first is served first, to the end."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from indexgate.index.in_turn import in_turn, take_number


@asynccontextmanager
async def busy() -> AsyncIterator[None]:
    """Keep the thread busy for as long as the block takes."""
    begun, go = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        go.wait(30)

    working = asyncio.create_task(in_turn(work))
    await asyncio.to_thread(begun.wait, 30)
    try:
        yield
    finally:
        go.set()
        await working


async def waiting(*asking: Callable[[], Awaitable[None]]) -> list[asyncio.Task[None]]:
    """Return tasks for all who ask, who wait for the thread in this order."""
    tasks = []
    for ask in asking:
        tasks.append(asyncio.ensure_future(ask()))
        await asyncio.sleep(0)
    return tasks


def page(done: list[str], name: str, *, behind: bool = False) -> Callable[[], Awaitable[None]]:
    async def take() -> None:
        take_number(behind=behind)
        await in_turn(lambda: done.append(name))

    return take


async def test_who_has_begun_goes_before_who_came_later() -> None:
    done: list[str] = []
    again = threading.Event()

    async def first() -> None:
        take_number()
        await in_turn(lambda: done.append("first"))
        asyncio.get_running_loop().call_soon(again.set)  # when it waits once more
        await in_turn(lambda: done.append("first again"))

    def until_again() -> None:
        again.wait(30)
        done.append("second")

    async def second() -> None:
        take_number()
        await in_turn(until_again)

    async with busy():
        tasks = await waiting(first, second, page(done, "third"))
    await asyncio.gather(*tasks)
    # Whether it waits again before the second is begun is the event loop's to say.
    assert done[0] == "first"
    assert done.index("first again") < done.index("third")


async def test_who_works_for_nobody_comes_behind_but_not_for_ever() -> None:
    done: list[str] = []
    later = [page(done, f"later {n}") for n in range(100)]
    async with busy():
        tasks = await waiting(page(done, "nobody's", behind=True), page(done, "asked"), *later)
    await asyncio.gather(*tasks)
    assert done[0] == "asked"
    assert 20 < done.index("nobody's") < 80


async def test_who_gives_up_waiting_is_passed_over() -> None:
    done: list[str] = []
    async with busy():
        tasks = await waiting(page(done, "gone"), page(done, "there"))
        tasks[0].cancel()
        await asyncio.wait(tasks[:1])
    await tasks[1]
    assert done == ["there"]


async def test_what_fails_is_told_and_holds_nobody_up() -> None:
    def broken() -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await in_turn(broken)
    assert await in_turn(lambda: "well") == "well"
