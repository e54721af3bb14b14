"""What one worker says, the others hear, in its order; who is asked answers, or is left out."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from indexgate.workers.frames import packed, read
from indexgate.workers.line import Line
from indexgate.workers.switchboard import Switchboard


class Gate:
    """Workers of one gate, all in this process."""

    def __init__(self) -> None:
        self._board = Switchboard()

    @asynccontextmanager
    async def worker(self, number: int, workers: int = 3) -> AsyncIterator[Line]:
        ours, theirs = socket.socketpair()
        reader, writer = await asyncio.open_connection(sock=ours)
        there, back = await asyncio.open_connection(sock=theirs)
        line = Line(number, workers, there, back)
        passing = asyncio.create_task(self._pass_on(number, reader, writer))
        hearing = asyncio.create_task(line.run())
        await line.join()
        try:
            yield line
        finally:
            hearing.cancel()
            await asyncio.gather(hearing, return_exceptions=True)
            back.close()
            await passing
            writer.close()

    async def _pass_on(
        self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while (frame := await read(reader)) is not None:
            if frame.kind == "join":
                self._board.join(number, writer)
                writer.write(packed(frame))
            else:
                self._board.pass_on(number, frame)
        self._board.leave(number)


@pytest.fixture
async def three() -> AsyncIterator[tuple[Line, Line, Line]]:
    gate = Gate()
    async with gate.worker(0) as first, gate.worker(1) as second, gate.worker(2) as third:
        yield first, second, third


async def test_all_others_hear_what_one_tells_in_its_order(
    three: tuple[Line, Line, Line],
) -> None:
    first, second, third = three
    heard: dict[str, list[object]] = {"first": [], "second": [], "third": []}
    done = asyncio.Event()
    first.hear("page", lambda *said: heard["first"].append(said))
    second.hear("page", lambda *said: heard["second"].append(said))
    third.hear("page", lambda *said: heard["third"].append(said))
    first.hear("end", done.set)
    second.tell("page", "demo", True)
    second.tell_first("page", "only for the first")
    second.tell("page", "other", False)
    second.tell_first("end")
    await done.wait()
    assert heard["first"] == [("demo", True), ("only for the first",), ("other", False)]
    assert heard["second"] == []
    await third.ask("anything", within=30)  # what was on its way to it has come by then
    assert heard["third"] == [("demo", True), ("other", False)]


async def test_who_answers_is_heard_to_the_end_first(three: tuple[Line, Line, Line]) -> None:
    heard: list[str] = []
    three[0].hear("news", heard.append)

    async def answer(name: str) -> object:
        three[1].tell("news", "told first")
        return [name, 1]

    three[1].answer("well", answer)
    assert await three[0].ask("well", "demo", within=30) == [["demo", 1]]
    assert heard == ["told first"]


async def test_one_answer_can_be_enough(three: tuple[Line, Line, Line]) -> None:
    async def never() -> object:
        await asyncio.Event().wait()
        return None

    async def at_once() -> object:
        return "me"

    three[1].answer("who", at_once)
    three[2].answer("who", never)
    assert await three[0].ask("who", within=300, most=1) == ["me"]


async def test_nobody_waits_for_a_worker_that_ends() -> None:
    gate = Gate()
    asked = asyncio.Event()

    async def never() -> object:
        asked.set()
        await asyncio.Event().wait()
        return None

    async with gate.worker(0) as line, AsyncExitStack() as other:
        ending = await other.enter_async_context(gate.worker(1))
        ending.answer("who", never)
        asking = asyncio.create_task(line.ask("who", within=300))
        await asked.wait()
        await other.aclose()
        assert await asking == []


async def test_what_was_answered_to_a_worker_that_ended_is_not_for_the_one_in_its_place() -> None:
    gate = Gate()
    asked, may_answer = asyncio.Event(), asyncio.Event()

    async def answer(what: str) -> object:
        asked.set()
        if what == "old":
            await may_answer.wait()
        else:
            may_answer.set()
            await other_answered.wait()
        return what

    async with gate.worker(0) as first:
        first.answer("how", answer)
        other_answered = asyncio.Event()
        first.hear("end", other_answered.set)
        async with gate.worker(1) as ending:
            asking = asyncio.create_task(ending.ask("how", "old", within=30))
            await asked.wait()
        asking.cancel()
        async with gate.worker(1) as anew, gate.worker(2) as third:
            asking = asyncio.create_task(anew.ask("how", "new", within=30))
            await may_answer.wait()
            await third.ask("anything", within=30)  # the old answer has come by then
            third.tell("end")
            assert await asking == ["new"]


async def test_what_goes_wrong_with_one_message_does_not_end_the_line(
    three: tuple[Line, Line, Line],
) -> None:
    heard = asyncio.Event()

    def fails() -> None:
        raise ValueError

    async def fails_too() -> object:
        raise ValueError

    three[0].hear("bad", fails)
    three[0].hear("good", heard.set)
    three[0].answer("bad", fails_too)
    three[1].tell("bad")
    assert await three[1].ask("bad", within=30) == []
    three[1].tell("good")
    await heard.wait()
