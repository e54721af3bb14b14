"""Which versions to name in place of one that is refused."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import chain

from indexgate_policy.subject import Release
from indexgate_policy.version_order import Order, is_final, order


class Offered:
    """Releases that may be named in place of one that is refused; sorted when that is asked.

    What is not PEP 440 counts as the oldest.
    """

    def __init__(self, releases: Iterable[Release]) -> None:
        self._given = releases

    def __bool__(self) -> bool:
        return bool(self._all)

    def newest_first(self) -> Iterator[Release]:
        """Yield all, newest first."""
        return reversed(self._all)

    def instead_of(self, release: Release) -> Iterator[Release]:
        """Yield what to name for *release*, best first: the nearest before it, else the newest.

        Pre-releases come only in place of pre-releases, or after everything else.
        """
        nearest = _nearest(release, self._all)
        return chain(_nearest(release, self._finals), nearest) if _is_final(release) else nearest

    @cached_property
    def _all(self) -> list[Release]:
        return sorted(self._given, key=place_of)

    @cached_property
    def _finals(self) -> list[Release]:
        return [each for each in self._all if _is_final(each)]


def _is_final(release: Release) -> bool:
    place = order(release)
    return place is not None and is_final(place)


def place_of(release: Release) -> Order | tuple[()]:
    """Return what *release* is sorted by, below all others for what is not PEP 440."""
    return order(release) or ()


def _nearest(release: Release, ascending: Sequence[Release]) -> Iterator[Release]:
    place = bisect_left(ascending, place_of(release), key=place_of)
    for before in range(place - 1, -1, -1):
        yield ascending[before]
    for after in range(len(ascending) - 1, place - 1, -1):
        yield ascending[after]
