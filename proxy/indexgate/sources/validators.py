"""Answers kept for asking again: a service that says "not modified" is spared, and counts nothing.

The address of an answer is its key; addresses with a key or a token in them must not get here.
"""

from collections import OrderedDict
from typing import Protocol

from msgspec import Struct

LARGEST = 256_000
"""A larger answer is not kept (bytes)."""


class Held(Struct, frozen=True, kw_only=True):
    """An answer: its validator (RFC 9110, 8.8.3), its body, and its `Link` header."""

    etag: str
    body: bytes
    link: str = ""


class Answers(Protocol):
    """Where answers are kept."""

    def held(self, source: str, address: str) -> Held | None:
        """Return the answer that is kept for *address*."""

    def keep(self, source: str, address: str, held: Held) -> None:
        """Replace it."""


class RecentAnswers:
    """The last *most* answers, in memory."""

    def __init__(self, most: int = 500) -> None:
        self._most = most
        self._kept: OrderedDict[tuple[str, str], Held] = OrderedDict()

    def held(self, source: str, address: str) -> Held | None:
        """Return the answer that is kept for *address*."""
        return self._kept.get((source, address))

    def keep(self, source: str, address: str, held: Held) -> None:
        """Replace it, and let go of the oldest when there are too many."""
        self._kept[source, address] = held
        self._kept.move_to_end((source, address))
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)
