"""Which versions to name in place of one that is refused."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import chain

from packaging.version import Version

from indexgate_policy.signals import Unknown
from indexgate_policy.subject import Release

_LOWEST = Version("0.dev0")


def parsed(release: Release) -> Version:
    """Return its version; what is not PEP 440 counts as the lowest there is."""
    return _LOWEST if isinstance(release.parsed, Unknown) else release.parsed


class Offered:
    """Releases that may be named in place of one that is refused; sorted when that is asked."""

    def __init__(self, releases: Iterable[Release]) -> None:
        self._given = releases

    def __bool__(self) -> bool:
        return any(True for _ in self.newest_first())

    def newest_first(self) -> Iterator[Release]:
        """Yield all, newest first."""
        return filter(_is_filled, reversed(self._all))

    def instead_of(self, release: Release) -> Iterator[Release]:
        """Yield what to name for *release*, best first: the nearest before it, else the newest.

        Pre-releases come only in place of pre-releases, or after everything else.
        """
        nearest = _nearest(release, self._all)
        if not parsed(release).is_prerelease:
            nearest = chain(_nearest(release, self._finals), nearest)
        return filter(_is_filled, nearest)

    @cached_property
    def _all(self) -> list[Release]:
        given = list(self._given)
        unread = [each for each in given if isinstance(each.parsed, Unknown)]
        read = [each for each in given if not isinstance(each.parsed, Unknown)]
        return [*unread, *sorted(read, key=parsed)]  # what is not PEP 440 counts as the oldest

    @cached_property
    def _finals(self) -> list[Release]:
        return [each for each in self._all if not parsed(each).is_prerelease]


def _is_filled(release: Release) -> bool:
    return bool(release.filenames)


def _nearest(release: Release, ascending: Sequence[Release]) -> Iterator[Release]:
    place = bisect_left(ascending, parsed(release), key=parsed)
    for before in range(place - 1, -1, -1):
        yield ascending[before]
    for after in range(len(ascending) - 1, place - 1, -1):
        yield ascending[after]
