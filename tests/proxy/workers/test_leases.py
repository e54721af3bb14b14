"""One worker does a thing and the others wait for it, but for nobody who never begins."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from indexgate import leases
from indexgate.fellows import Alone, Answer
from indexgate.leases import Leases

_KEY = "first-sight demo"


class Fellow(Alone):
    """The fellows of a worker that another one asks how its work ends."""

    def __init__(self) -> None:
        self._answers: dict[str, Answer] = {}

    def answer(self, topic: str, answer: Answer) -> None:
        self._answers[topic] = answer

    async def is_asked_how_it_ends(self, key: str) -> object:
        [answer] = self._answers.values()
        return await answer(key)


@asynccontextmanager
async def worker(folder: Path) -> AsyncIterator[tuple[Fellow, Leases]]:
    fellow = Fellow()
    opened = Leases(folder / "fetches.lock", fellow)
    try:
        yield fellow, opened
    finally:
        opened.close()


def giving(value: Any) -> Callable[[], Awaitable[Any]]:
    async def give() -> Any:
        return value

    return give


async def test_what_was_claimed_and_never_begun_is_left_to_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "CLAIMED_FOR", 0.01)
    async with worker(tmp_path) as (fellow, held):
        assert held.claim(_KEY)
        assert await fellow.is_asked_how_it_ends(_KEY) is None
        assert held.claim(_KEY)  # it can be claimed again, and ends again
        assert await fellow.is_asked_how_it_ends(_KEY) is None


async def test_what_was_claimed_and_begun_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "CLAIMED_FOR", 0.01)
    may_end = asyncio.Event()

    async def do() -> str:
        await may_end.wait()
        return "made"

    async with worker(tmp_path) as (fellow, held):
        assert held.claim(_KEY)
        doing = asyncio.create_task(held.once(_KEY, do, giving(None)))
        asking = asyncio.create_task(fellow.is_asked_how_it_ends(_KEY))
        await asyncio.sleep(0.02)  # the claim would have ended by now
        assert not asking.done()
        may_end.set()
        assert (await doing, await asking) == ("made", "done")


async def test_what_is_given_up_can_be_done_by_whoever_comes_next(tmp_path: Path) -> None:
    async with worker(tmp_path) as (fellow, held):
        assert held.claim(_KEY)
        held.give_up(_KEY)
        held.give_up(_KEY)
        assert await fellow.is_asked_how_it_ends(_KEY) is None
        assert await held.once(_KEY, giving("made"), giving(None)) == "made"
