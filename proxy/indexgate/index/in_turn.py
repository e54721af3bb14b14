"""Work on large pages, and on large documents: one after the other, whoever it is for.

To read, judge and write a large page takes the interpreter for tens of milliseconds up to seconds,
and threads share only one: side by side they are no sooner done, but the event loop, which has all
the small pages to answer, gets its turn after each of them. So they take turns, in one thread; what
is huge has another, so that the merely large does not wait for it. No third thread is to compete.

A page takes several turns. Who came first is served first, to the end: if all pages took their
first turns before any took its last, nobody would be served before everybody is. Who works for
nobody in particular comes behind those who have somebody waiting, until somebody waits for it too.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import ContextVar, copy_context
from functools import partial
from itertools import count
from threading import Lock
from typing import NamedTuple, TypeVar

T = TypeVar("T")

_BEHIND = 50
"""At most so many who come later go before one who works for nobody, lest it never has a turn."""

_arrivals = count()


class Place:
    """A place in the line: of all that waits, what has the lowest number is done next."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number


_place: ContextVar[Place | None] = ContextVar("place", default=None)
my_place = _place.get


class _Waiting(NamedTuple):
    place: Place
    came: int
    do: Callable[[], None]


class _Lane:
    """One thread, and the work that waits for it."""

    def __init__(self, name: str) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._waiting: list[_Waiting] = []
        self._lock = Lock()

    def add(self, place: Place, work: Callable[[], T]) -> "Future[T]":
        """Have *work* done when its *place* is the first of all that wait."""
        done: Future[T] = Future()
        with self._lock:
            self._waiting.append(_Waiting(place, next(_arrivals), partial(_do, work, done)))
        self._thread.submit(self._do_next)
        return done

    def _do_next(self) -> None:
        with self._lock:
            found = min(self._waiting, key=lambda each: (each.place.number, each.came))
            self._waiting.remove(found)
        found.do()


_large, _huge = _Lane("large-pages"), _Lane("huge-pages")


def take_number(*, behind: bool = False) -> None:
    """Let all that this task has done from now on count as one, which has come just now.

    Or later, if it is to be *behind*: nobody waits for it.
    """
    _place.set(Place(next(_arrivals) + (_BEHIND if behind else 0)))


def join(place: Place | None) -> None:
    """Have what waits at *place* done no later than what this task would do: it waits for that."""
    if place is not None:
        mine = my_place()
        place.number = min(place.number, next(_arrivals) if mine is None else mine.number)


async def in_turn(work: Callable[[], T], *, huge: bool = False) -> T:
    """Return what *work* on something large, or *huge*, returns when its turn has come.

    Raises what *work* raises.
    """
    lane = _huge if huge else _large
    followed = partial(copy_context().run, work)
    return await asyncio.wrap_future(lane.add(my_place() or Place(next(_arrivals)), followed))


def _do(work: Callable[[], T], done: "Future[T]") -> None:
    if not done.set_running_or_notify_cancel():
        return
    try:
        done.set_result(work())
    except BaseException as error:
        done.set_exception(error)
