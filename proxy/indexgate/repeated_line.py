"""A line of the log that is written again and again, rendered once.

To render a line costs more than to answer from memory. Of a request that comes again only the
moment, its id and its milliseconds are new; these are filled in where the first line had them.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from secrets import randbits, token_hex
from typing import Any

from msgspec import Struct

from indexgate import logs

GATHERED_FOR = 0.02
"""Seconds for which lines gather, to be written at once."""

# Nobody can guess them, and so put them into a line.
_MOMENT, _ID = token_hex(16), token_hex(16)
_MILLISECONDS = 2**40 + randbits(40) + 0.5


class RepeatedLine(Struct, frozen=True):
    """A line as text; `pattern` has a place for each of the three, in the `order` of the log."""

    pattern: str
    order: tuple[int, ...]

    @classmethod
    def of(cls, event: str, told: Mapping[str, Any]) -> "RepeatedLine | None":
        """Return the line of *event* with *told*; None when the log does not take such lines."""
        if not logs.log().takes("info"):
            return None
        text = logs.log().line("info", event, {**told, "id": _ID, "ms": _MILLISECONDS}, _MOMENT)
        marks = (_MOMENT, _ID, str(_MILLISECONDS))
        if not all(mark in text for mark in marks):
            return None
        order = sorted(range(len(marks)), key=lambda place: text.index(marks[place]))
        pattern = text.replace("%", "%%")
        for mark in marks:
            pattern = pattern.replace(mark, "%s")
        return cls(pattern, tuple(order))

    def filled(self, at: float, identity: str, milliseconds: float) -> str:
        """Return the line as it is at the moment *at*, in seconds since 1970."""
        values = (_written(at), identity, f"{milliseconds:.2f}")
        first, second, third = self.order
        return self.pattern % (values[first], values[second], values[third])


def _written(at: float) -> str:
    """Return a moment as the log writes it: ISO 8601 in UTC, with microseconds."""
    second = int(at)
    return f"{_second(second)}.{int((at - second) * 1e6):06d}Z"


@lru_cache(2)
def _second(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))


class Gathered:
    """Lines on their way to the log, many in one write. For the event loop's thread."""

    def __init__(self, schedule: Callable[[float, Callable[[], None]], object]) -> None:
        self._schedule = schedule
        self._lines: list[str] = []

    @classmethod
    def here(cls) -> "Gathered":
        """Return one for the running event loop."""
        return cls(asyncio.get_running_loop().call_later)

    def write(self, line: str) -> None:
        """Write *line* soon."""
        if not self._lines:
            self._schedule(GATHERED_FOR, self.flush)
        self._lines.append(line)

    def flush(self) -> None:
        """Write what has gathered."""
        if self._lines:
            lines, self._lines = self._lines, []
            logs.log().write("\n".join(lines))
