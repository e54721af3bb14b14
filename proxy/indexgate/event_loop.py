"""The event loop that a gate runs on: Python's own, or uvloop, which is written in C.

uvloop takes less of the processor for small answers and cannot have the system send files by
itself: it copies them.
"""

import asyncio
from collections.abc import Callable

from indexgate.errors import GateError

UVLOOP = "uvloop"


def runner(name: str) -> asyncio.Runner:
    """Return what runs a coroutine on the event loop *name*. Raises GateError."""
    return asyncio.Runner(loop_factory=_maker(name))


def must_be_installed(name: str) -> None:
    """Raise GateError when the event loop *name* is not there."""
    _maker(name)


def _maker(name: str) -> Callable[[], asyncio.AbstractEventLoop]:
    if name != UVLOOP:
        return asyncio.new_event_loop
    try:
        import uvloop
    except ImportError as error:
        raise GateError(
            "event-loop-extra",
            "the event loop `uvloop` is not installed",
            "Run `pip install 'indexgate[uvloop]'` in the gate's environment. Windows has none.",
        ) from error
    return uvloop.new_event_loop
