"""Blocking work in a thread that has ended when the awaiting side goes on, cancelled or not."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


async def off_loop(pool: Executor, work: Callable[[], T]) -> T:
    """Return what *work* returns, done in *pool*; raise what it raises.

    A cancelled caller still waits for work that has begun: what it closes next, no thread uses.
    """
    job = pool.submit(work)
    end = asyncio.wrap_future(job)
    try:
        await asyncio.wait((end,))
    except asyncio.CancelledError:
        if not job.cancel():
            await _await_in_any_case(end)
        raise
    return end.result()


async def _await_in_any_case(end: asyncio.Future[T]) -> None:
    while not end.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait((end,))
    end.exception()  # looked at, so that asyncio does not report it as lost
