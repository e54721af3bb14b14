"""What only the background needs, opened at its first use: the first answers do not wait for it.

To import the HTTP library of the feeds and to load the authorities that it trusts takes longer than
a page takes to come.
"""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    import httpx

Opened = TypeVar("Opened")


class Late(Generic[Opened]):
    """What *opening* returns, in a thread, with the client that it asks by; *stack* closes that."""

    def __init__(
        self, stack: AsyncExitStack, opening: "Callable[[], tuple[Opened, httpx.AsyncClient]]"
    ) -> None:
        self._stack = stack
        self._opening = opening
        self._opened: Opened | None = None

    async def opened(self) -> Opened:
        """Return it. One task alone may ask."""
        if self._opened is None:
            opened, client = await asyncio.to_thread(self._opening)
            self._stack.push_async_callback(client.aclose)
            self._opened = opened
        return self._opened
