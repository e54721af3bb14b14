"""The other workers of one gate, as its parts know them: what one learns, all are told.

A gate of one worker has no fellows: nothing is told, nobody answers, and it costs nothing.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeAlias

Plain: TypeAlias = str | bool | int | float
Hear: TypeAlias = Callable[..., object]
Answer: TypeAlias = Callable[..., Awaitable[object]]


class Fellows(Protocol):
    """The fellows of one worker. Topics are plain names, what is said of them is plain data.

    `number` is the worker's own, from 0; the first one does the work that a gate does once.
    """

    @property
    def number(self) -> int:
        """The worker's own number; 0 is the first."""

    @property
    def count(self) -> int:
        """How many workers the gate has, this one included."""

    async def join(self) -> None:
        """Return once all others are there, and what they tell from now on will be heard.

        One that is started anew finds them there.
        """

    def tell(self, topic: str, *said: Plain) -> None:
        """Tell all others, before long. A worker that is being started anew hears nothing."""

    def tell_first(self, topic: str, *said: Plain) -> None:
        """Tell the first worker alone."""

    def hear(self, topic: str, hear: Hear) -> None:
        """Have *hear* called with what others tell."""

    def answer(self, topic: str, answer: Answer) -> None:
        """Have *answer* awaited with what others ask; it returns plain data."""

    async def ask(
        self, topic: str, *said: Plain, within: float, most: int | None = None
    ) -> list[Any]:
        """Return what the others answer within so many seconds; who cannot is left out.

        So many as *most* are enough.
        """


class Alone:
    """The fellows of the only worker: nobody."""

    number = 0
    count = 1

    async def join(self) -> None:
        """There is nobody to hear."""

    def tell(self, topic: str, *said: Plain) -> None:
        """Tell nobody."""

    def tell_first(self, topic: str, *said: Plain) -> None:
        """Tell nobody."""

    def hear(self, topic: str, hear: Hear) -> None:
        """Nobody will say anything."""

    def answer(self, topic: str, answer: Answer) -> None:
        """Nobody will ask anything."""

    async def ask(
        self, topic: str, *said: Plain, within: float, most: int | None = None
    ) -> list[Any]:
        """Return no answers."""
        return []


ALONE = Alone()
