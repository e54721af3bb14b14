"""What is fetched ahead, and whether anybody makes use of it: each thing once, by its name."""

from collections import Counter
from collections.abc import Callable
from typing import Literal, TypeAlias

from cachetools import TTLCache

Kind: TypeAlias = Literal["page", "metadata"]
Why: TypeAlias = Literal["idle", "missing", "upstream"]
"""Why something is not fetched ahead: the client has gone, there is no such thing, upstream is in
trouble."""

_REMEMBERED = 10_000


class PrefetchCounts:
    """The counts since the start. What is used after *lifetime* seconds by *now* counts for none.

    A name is a project's for a page, the address of the file for its metadata.
    """

    def __init__(self, lifetime: float, now: Callable[[], float]) -> None:
        self.fetched: Counter[Kind] = Counter()
        self.used: Counter[Kind] = Counter()
        self.dropped: Counter[Why] = Counter()
        self._unused: TTLCache[tuple[Kind, str], bool] = TTLCache(
            _REMEMBERED, max(lifetime, 1.0), timer=now
        )
        self._under_way: dict[tuple[Kind, str], bool] = {}

    def begin(self, kind: Kind, name: str) -> None:
        """Say that it may have to be fetched."""
        self._under_way[kind, name] = False

    def end(self, kind: Kind, name: str, *, fetched: bool) -> None:
        """Say whether it had to be."""
        used = self._under_way.pop((kind, name), False)
        if not fetched:
            return
        self.fetched[kind] += 1
        if used:
            self.used[kind] += 1
        else:
            self._unused[kind, name] = True

    def asked(self, kind: Kind, name: str) -> None:
        """Say that a client asks for it."""
        key = (kind, name)
        if key in self._under_way:
            self._under_way[key] = True
        elif self._unused and self._unused.pop(key, False):
            self.used[kind] += 1
