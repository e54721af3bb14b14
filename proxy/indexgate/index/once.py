"""Work that all workers of a gate want done once: who comes second waits for what the first does.

Within one worker those who want the same find each other; this is for several, and one worker alone
needs none of it.
"""

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

T = TypeVar("T")


class Once(Protocol):
    """Has work done by one worker at a time."""

    def claim(self, key: str) -> bool:
        """Tell whether the work is this worker's, and keep it so: `once` follows, or `give_up`."""

    def give_up(self, key: str) -> None:
        """Leave what was claimed, if it was, to whoever wants it."""

    async def once(
        self,
        key: str,
        do: Callable[[], Awaitable[T]],
        there: Callable[[], Awaitable[T | None]],
    ) -> T:
        """Return what *do* returns, or what *there* finds after another worker did it.

        Raises what *do* raises, also in another worker: NoSuchProject, UpstreamFailed.
        """


class EachAlone:
    """There is only one worker."""

    def claim(self, key: str) -> bool:
        """All work is this worker's."""
        return True

    def give_up(self, key: str) -> None:
        """Nobody else wants it."""

    async def once(
        self,
        key: str,
        do: Callable[[], Awaitable[T]],
        there: Callable[[], Awaitable[T | None]],
    ) -> T:
        """Return what *do* returns."""
        return await do()


EACH_ALONE = EachAlone()
