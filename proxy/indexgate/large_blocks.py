"""Memory that pages took goes back to the system when they are gone.

A page of some megabytes is read, made into another one, and dropped, in one thread or another. By
itself the C library of most Linux systems keeps such blocks between the small ones that stay, in a
heap of its own for every thread: after a few hundred pages the gate held twice what it needed. What
is free between small blocks it keeps for ever, ever more of it the longer the gate is busy.
"""

import asyncio
import ctypes
import sys
from collections.abc import Callable

_MMAP_THRESHOLD = -3
_ARENA_MAX = -8
_LARGE = 2**20  # bytes; what files are passed on in is smaller, and must not cost more for this


GIVE_BACK_EVERY = 30.0
"""Seconds; to look through the heap takes some milliseconds, in a thread of its own."""


def keep_large_blocks_apart() -> None:
    """Have large blocks taken from the system and given back one by one, small ones from one heap.

    Call it before there are other threads. Where the C library knows no such thing it does nothing.
    """
    mallopt = _of_c_library("mallopt")
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _LARGE)
        mallopt(_ARENA_MAX, 1)


def give_back() -> None:
    """Give back to the system what is free in the heap, where the C library knows how."""
    trim = _of_c_library("malloc_trim")
    if trim is not None:
        trim(0)


async def give_back_for_ever() -> None:
    """Give back what is free now and again, until cancelled."""
    while True:
        await asyncio.sleep(GIVE_BACK_EVERY)
        await asyncio.to_thread(give_back)


def _of_c_library(name: str) -> Callable[..., int] | None:
    if not sys.platform.startswith("linux"):
        return None
    try:
        function: Callable[..., int] = getattr(ctypes.CDLL(None), name)
    except (OSError, AttributeError):
        return None
    return function
