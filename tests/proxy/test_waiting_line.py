"""Who is next: what clients asked for goes first, and nothing grows without bound."""

import asyncio

from packaging.utils import NormalizedName

from indexgate.waiting_line import WaitingLine


def _add(line: WaitingLine, *names: str, asked: bool) -> None:
    for name in names:
        line.add(NormalizedName(name), asked=asked)


async def _drained(line: WaitingLine) -> list[str]:
    return [await line.next() for _ in range(len(line))]


async def test_what_clients_asked_for_goes_before_what_is_due() -> None:
    line = WaitingLine()
    _add(line, "due-1", "due-2", asked=False)
    _add(line, "asked-1", "asked-2", asked=True)
    assert await _drained(line) == ["asked-1", "asked-2", "due-1", "due-2"]


async def test_a_project_is_in_the_line_once_and_moves_up_when_asked_for() -> None:
    line = WaitingLine()
    _add(line, "a", "b", "b", asked=False)
    _add(line, "b", "b", asked=True)
    _add(line, "b", asked=False)
    assert await _drained(line) == ["b", "a"]


async def test_a_full_line_drops_what_is_due_for_what_is_asked() -> None:
    line = WaitingLine(most=2)
    _add(line, "due-1", "due-2", "due-3", asked=False)
    _add(line, "asked-1", asked=True)
    assert len(line) == 2
    _add(line, "asked-2", "asked-3", asked=True)
    assert await _drained(line) == ["asked-1", "asked-2"]


async def test_who_waits_is_woken_by_the_next_project() -> None:
    line = WaitingLine()
    waiting = asyncio.create_task(line.next())
    await asyncio.sleep(0)
    _add(line, "late", asked=True)
    assert await waiting == "late"
    assert len(line) == 0


async def test_a_project_that_is_being_assessed_waits_until_that_is_done() -> None:
    line = WaitingLine()
    _add(line, "a", asked=True)
    a = await line.next()
    _add(line, "a", "b", asked=True)
    assert await line.next() == "b"
    waiting = asyncio.create_task(line.next())
    await asyncio.sleep(0)
    assert not waiting.done()
    line.done(a)
    assert await waiting == "a"
