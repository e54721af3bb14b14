"""Passes on what the workers of a gate say to each other."""

import asyncio
from collections.abc import Iterator

from indexgate.workers.frames import EVERYBODY, Frame, packed

_MOST_UNREAD = 64_000_000
"""Bytes that may wait for a worker; one that lets more gather hears nothing new until it reads."""


class Switchboard:
    """The workers that are on the line, by number."""

    def __init__(self) -> None:
        self._lines: dict[int, asyncio.StreamWriter] = {}
        self._asked: dict[tuple[int, int], set[int]] = {}

    def join(self, worker: int, line: asyncio.StreamWriter) -> None:
        """Put *worker* on the line."""
        self._lines[worker] = line

    def leave(self, worker: int) -> None:
        """Take *worker* off the line; nobody waits for its answers any more."""
        self._lines.pop(worker, None)
        for question in [question for question in self._asked if question[0] == worker]:
            del self._asked[question]
        for question in list(self._asked):
            self._is_answered(question, worker)

    def pass_on(self, worker: int, frame: Frame) -> None:
        """Pass on what *worker* says."""
        if frame.kind == "told":
            for to in self._others(worker, frame.worker):
                self._send(to, Frame("told", worker, said=frame.said))
        elif frame.kind == "asked":
            others = set(self._others(worker, EVERYBODY))
            self._asked[worker, frame.number] = others
            for to in others:
                self._send(to, Frame("asked", worker, frame.number, frame.said))
            self._end_of((worker, frame.number))
        elif frame.kind == "answer":
            question = (frame.worker, frame.number)
            if worker in self._asked.get(question, ()):
                if frame.said is not None:
                    self._send(frame.worker, Frame("answer", worker, frame.number, frame.said))
                self._is_answered(question, worker)

    def _is_answered(self, question: tuple[int, int], worker: int) -> None:
        self._asked[question].discard(worker)
        self._end_of(question)

    def _end_of(self, question: tuple[int, int]) -> None:
        if not self._asked[question]:
            del self._asked[question]
            self._send(question[0], Frame("end", number=question[1]))

    def _others(self, worker: int, meant: int) -> Iterator[int]:
        return (to for to in self._lines if to != worker and meant in {EVERYBODY, to})

    def _send(self, to: int, frame: Frame) -> None:
        line = self._lines.get(to)
        if line is None or line.is_closing():
            return
        if line.transport.get_write_buffer_size() < _MOST_UNREAD:
            line.write(packed(frame))
