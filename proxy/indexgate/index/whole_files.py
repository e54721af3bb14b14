"""A file of which a part was passed through is fetched whole, so that the cache has it next time.

Where an index offers no core metadata, uv reads the end of a wheel by ranges and then, mostly, asks
for the wheel. Ranges are not kept (a part cannot be checked against the file's hash); the file is,
and so a later run needs no upstream.
"""

import asyncio
from collections.abc import Callable
from contextlib import aclosing

from indexgate.index.file_cache import FileCache
from indexgate.index.files import Fetch, Wanted
from indexgate.index.protocol import UpstreamFailed

LARGEST = 32 * 1024 * 1024
"""Bytes above which a file is not fetched for a part of it: too much for what may be no use."""

_AT_ONCE = 2
_MOST_WAITING = 100


class WholeFiles:
    """Fetches files in the background, a few at once; what is too much is left alone."""

    def __init__(self, cache: FileCache, log: Callable[[str, str], None]) -> None:
        self._cache = cache
        self._log = log
        self._free = asyncio.Semaphore(_AT_ONCE)
        self._tasks: dict[Wanted, asyncio.Task[None]] = {}

    def fetch_soon(self, wanted: Wanted, fetch: Fetch) -> None:
        """Have the file *wanted* in the cache before long, if it is worth it."""
        small = wanted.size is not None and wanted.size <= LARGEST
        if not small or wanted in self._tasks or len(self._tasks) >= _MOST_WAITING:
            return
        task = asyncio.create_task(self._fetch(wanted, fetch))
        self._tasks[wanted] = task
        task.add_done_callback(lambda _: self._tasks.pop(wanted, None))

    async def settle(self) -> None:
        """Wait until nothing is being fetched."""
        while self._tasks:
            await asyncio.wait(self._tasks.values())

    async def close(self) -> None:
        """End what is being fetched."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _fetch(self, wanted: Wanted, fetch: Fetch) -> None:
        async with self._free:
            try:
                body = await self._cache.open(wanted, fetch)
                try:
                    async with aclosing(body.read(max(0, (body.size or 1) - 1))) as end:
                        async for _ in end:  # the last byte comes when the whole file is right
                            pass
                finally:
                    body.close()
            except (UpstreamFailed, OSError) as error:
                self._log("file-not-kept", f"{wanted.key}: {error}")
