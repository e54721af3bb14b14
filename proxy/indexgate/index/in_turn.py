"""Work on large pages, and on large documents: one after the other, whoever it is for.

To read, judge and write a large page takes the interpreter for tens of milliseconds up to seconds,
and threads share only one: side by side they are no sooner done, but the event loop, which has all
the small pages to answer, gets its turn after each of them. So they take turns, in one thread; what
is huge has another, so that the merely large does not wait for it. No third thread is to compete.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import TypeVar

T = TypeVar("T")
_large = ThreadPoolExecutor(1, thread_name_prefix="large-pages")
_huge = ThreadPoolExecutor(1, thread_name_prefix="huge-pages")


async def in_turn(work: Callable[[], T], *, huge: bool = False) -> T:
    """Return what *work* on something large, or *huge*, returns when its turn has come.

    Raises what *work* raises.
    """
    lane = _huge if huge else _large
    followed = partial(copy_context().run, work)
    return await asyncio.get_running_loop().run_in_executor(lane, followed)
