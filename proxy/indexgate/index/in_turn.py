"""Work on large pages, and on large documents: one after the other, whoever it is for.

To read, judge and write a large page takes the interpreter for tens of milliseconds up to seconds,
and threads share only one: side by side they are no sooner done, but the event loop, which has all
the small pages to answer, gets its turn after each of them. So they take turns, in one thread; what
is huge has another, so that the merely large does not wait for it. No third thread is to compete.

A page takes several turns. Who came first is served first, to the end: if all pages took their
first turns before any took its last, nobody would be served before everybody is. Who works for
nobody in particular comes behind those who have somebody waiting.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import ContextVar, copy_context
from functools import partial
from itertools import count
from queue import PriorityQueue
from typing import TypeVar

T = TypeVar("T")

_BEHIND = 50
"""How many who come later go before one who works for nobody: not all, lest it never has a turn."""

_arrivals = count()
_number: ContextVar[int | None] = ContextVar("number", default=None)


class _Lane:
    """One thread, and the work that waits for it."""

    def __init__(self, name: str) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._waiting: PriorityQueue[tuple[int, int, Callable[[], None]]] = PriorityQueue()

    def add(self, number: int, work: Callable[[], T]) -> "Future[T]":
        """Have *work* done when of all that waits its *number* is the lowest."""
        done: Future[T] = Future()
        self._waiting.put((number, next(_arrivals), partial(_do, work, done)))
        self._thread.submit(self._do_next)
        return done

    def _do_next(self) -> None:
        *_, do = self._waiting.get()
        do()


_large, _huge = _Lane("large-pages"), _Lane("huge-pages")


def take_number(*, behind: bool = False) -> None:
    """Let all that this task has done from now on count as one, which has come just now.

    Or later, if it is to be *behind*: nobody waits for it.
    """
    _number.set(next(_arrivals) + (_BEHIND if behind else 0))


async def in_turn(work: Callable[[], T], *, huge: bool = False) -> T:
    """Return what *work* on something large, or *huge*, returns when its turn has come.

    Raises what *work* raises.
    """
    number = _number.get()
    lane = _huge if huge else _large
    followed = partial(copy_context().run, work)
    return await asyncio.wrap_future(
        lane.add(next(_arrivals) if number is None else number, followed)
    )


def _do(work: Callable[[], T], done: "Future[T]") -> None:
    if not done.set_running_or_notify_cancel():
        return
    try:
        done.set_result(work())
    except BaseException as error:
        done.set_exception(error)
