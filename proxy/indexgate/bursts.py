"""Bursts of first sights: installers wait for those, so the background lets them pass."""

import asyncio

BURST_REST = 0.5
"""Seconds without a first sight after which the background goes on."""

LONGEST_BURST = 15.0
"""Seconds for which the background waits for that at most."""


class Bursts:
    """When the last project was seen for the first time."""

    def __init__(self) -> None:
        self._busy_until = 0.0

    def note(self) -> None:
        """Note that a project is seen for the first time."""
        self._busy_until = asyncio.get_running_loop().time() + BURST_REST

    async def over(self) -> None:
        """Wait for the burst under way to end, but not for ever."""
        loop = asyncio.get_running_loop()
        latest = loop.time() + LONGEST_BURST
        while (rest := min(self._busy_until, latest) - loop.time()) > 0:  # noqa: ASYNC110 - time is what it waits for
            await asyncio.sleep(rest)
