"""A worker's line to its fellows, by way of the process that started them all."""

import asyncio
import time
from itertools import count, groupby
from operator import itemgetter
from typing import Any

from indexgate.fellows import Answer, Hear, Plain
from indexgate.logs import logger
from indexgate.workers.frames import EVERYBODY, Frame, packed, read

_TOGETHER = 0.01
"""Seconds for which what is to be told waits for company: one message instead of many."""

_FIRST = 0


class Line:
    """The fellows of worker *number* of *workers*."""

    def __init__(
        self,
        number: int,
        workers: int,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._number = number
        self._workers = workers
        self._reader = reader
        self._writer = writer
        self._hear: dict[str, Hear] = {}
        self._answer: dict[str, Answer] = {}
        self._telling: list[tuple[int, tuple[Plain, ...]]] = []
        self._asking: dict[int, asyncio.Queue[Frame]] = {}
        # Numbers that no worker of this number had before: an answer may still come for that one.
        self._numbers = count(time.time_ns())
        self._joined = asyncio.Event()
        self._answering: set[asyncio.Task[None]] = set()

    @property
    def number(self) -> int:
        """The worker's own number; 0 is the first."""
        return self._number

    @property
    def count(self) -> int:
        """How many workers the gate has, this one included."""
        return self._workers

    async def join(self) -> None:
        """Return once all others are there, and what they tell from now on will be heard."""
        self._send(Frame("join"))
        await self._joined.wait()

    def tell(self, topic: str, *said: Plain) -> None:
        """Tell all others, before long. A worker that is being started anew hears nothing."""
        self._tell(EVERYBODY, (topic, *said))

    def tell_first(self, topic: str, *said: Plain) -> None:
        """Tell the first worker alone."""
        self._tell(_FIRST, (topic, *said))

    def hear(self, topic: str, hear: Hear) -> None:
        """Have *hear* called with what others tell."""
        self._hear[topic] = hear

    def answer(self, topic: str, answer: Answer) -> None:
        """Have *answer* awaited with what others ask; it returns plain data."""
        self._answer[topic] = answer

    async def ask(
        self, topic: str, *said: Plain, within: float, most: int | None = None
    ) -> list[Any]:
        """Return what the others answer within so many seconds; who cannot is left out.

        So many as *most* are enough.
        """
        self._send_told()  # what was told before is heard before
        number = next(self._numbers)
        answers: list[Any] = []
        arriving = self._asking[number] = asyncio.Queue()
        self._send(Frame("asked", number=number, said=(topic, *said)))
        try:
            async with asyncio.timeout(within):
                while len(answers) != most and (frame := await arriving.get()).kind == "answer":
                    answers.append(frame.said)
        except TimeoutError:
            pass
        finally:
            del self._asking[number]
        return answers

    def ready(self, said: object) -> None:
        """Say that this worker serves."""
        self._send(Frame("ready", said=said))

    async def failed(self, said: object) -> None:
        """Say why it cannot serve."""
        self._send(Frame("failed", said=said))
        await self._writer.drain()

    async def run(self) -> None:
        """Hear and answer the others, until the process that started them all is gone."""
        try:
            while (frame := await read(self._reader)) is not None:
                self._take(frame)
        finally:
            for task in self._answering:
                task.cancel()
            await asyncio.gather(*self._answering, return_exceptions=True)

    def _take(self, frame: Frame) -> None:
        if frame.kind == "told":
            for topic, *said in frame.said:
                self._heard(topic, said)
        elif frame.kind == "asked":
            task = asyncio.create_task(self._answered(frame))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)
        elif frame.kind == "join":
            self._joined.set()
        elif frame.number in self._asking:
            self._asking[frame.number].put_nowait(frame)

    def _heard(self, topic: str, said: list[Plain]) -> None:
        hear = self._hear.get(topic)
        try:
            if hear is not None:
                hear(*said)
        except Exception:
            # What goes wrong with one message must not end the line for all that follow.
            logger("workers").exception("not-heard", topic=topic)

    async def _answered(self, frame: Frame) -> None:
        topic, *said = frame.said
        answer = self._answer.get(topic)
        told = None
        try:
            if answer is not None:
                told = await answer(*said)
        except Exception:
            logger("workers").exception("not-answered", topic=topic)
        self._send_told()  # what was told before the answer is heard before it
        self._send(Frame("answer", frame.worker, frame.number, told))

    def _tell(self, worker: int, said: tuple[Plain, ...]) -> None:
        if not self._telling:
            asyncio.get_running_loop().call_later(_TOGETHER, self._send_told)
        self._telling.append((worker, said))

    def _send_told(self) -> None:
        telling, self._telling = self._telling, []
        for worker, group in groupby(telling, key=itemgetter(0)):
            self._send(Frame("told", worker, said=[said for _, said in group]))

    def _send(self, frame: Frame) -> None:
        if not self._writer.is_closing():
            self._writer.write(packed(frame))
