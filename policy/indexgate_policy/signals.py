"""Signals: single observed facts about a project, each with where and when it was seen.

A fact that could not be had is a value too: `Unknown` with the reason. It is neither good nor bad.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import TypeAlias

from msgspec import Struct


class Unknown(Struct, frozen=True, kw_only=True):
    """A fact that was asked for and is not known, and why (one short clause)."""

    reason: str


Value: TypeAlias = bool | int | float | str | tuple[str, ...]


class Signal(Struct, frozen=True, kw_only=True):
    """One observed fact.

    `name` is snake_case (`owners`, `repository`), `source` the service it came from, `observed_at`
    an aware UTC time, `licence` an SPDX id or `facts` where no licence applies.
    """

    name: str
    value: Value | Unknown
    source: str
    observed_at: datetime
    licence: str = "facts"


class Signals(Mapping[str, Signal]):
    """The signals of one project by name; the last of two with one name wins."""

    __slots__ = ("_by_name",)

    def __init__(self, signals: Iterable[Signal] = ()) -> None:
        self._by_name = {signal.name: signal for signal in signals}

    def __getitem__(self, name: str) -> Signal:
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    def value(self, name: str) -> Value | Unknown:
        """Return the value of the signal *name*, or `Unknown` when it was never observed."""
        signal = self._by_name.get(name)
        return unobserved(name) if signal is None else signal.value


@cache  # most signals of most projects are unknown, and there are not many names
def unobserved(name: str) -> Unknown:
    """Return the value of a signal that was never observed."""
    return Unknown(reason=f"{name} has not been observed yet")
