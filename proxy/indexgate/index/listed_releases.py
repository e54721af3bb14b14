"""The releases of a page, of which each is made when somebody looks at it: most never are."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import overload

from indexgate.index.listed_release import ListedFiles, ListedRelease, earliest
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import Release, TimedReleases, release_times


class ListedReleases(TimedReleases):
    """The releases of the files that are *listed*, of *versions*: each has files at *places*."""

    __slots__ = ("_all", "_listed", "_made", "_places", "_times", "versions")

    def __init__(
        self,
        listed: ListedFiles,
        versions: Iterable[str] = (),
        places: Iterable[Sequence[int]] = (),
    ) -> None:
        self.versions = tuple(versions)
        self._listed = listed
        self._places = tuple(places)
        self._made: dict[int, Release] = {}
        self._all: tuple[Release, ...] | None = None
        self._times: list[datetime | Unknown] | None = None

    @property
    def times(self) -> Sequence[datetime | Unknown]:
        """When each was released: when the first of its files was uploaded."""
        if self._times is None:
            self._times = list(map(self._first, self._places))
        return self._times

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, place: int) -> Release: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Release, ...]: ...
    def __getitem__(self, place: int | slice) -> Release | tuple[Release, ...]:
        every = range(len(self))[place]
        return self._release(every) if isinstance(every, int) else tuple(map(self._release, every))

    def __iter__(self) -> Iterator[Release]:
        one_by_one = map(self._release, range(len(self)))
        if len(self._made) < len(self):
            return one_by_one
        if self._all is None:  # somebody looked at all, and others will
            self._all = tuple(one_by_one)
        return iter(self._all)

    def _release(self, place: int) -> Release:
        made = self._made.get(place)
        if made is None:
            version, places = self.versions[place], self._places[place]
            # Who judges tells releases apart by what they are: all threads must get the same one.
            made = self._made.setdefault(
                place, ListedRelease(self._listed, version, places, self._first(places))
            )
        return made

    def _first(self, places: Sequence[int]) -> datetime | Unknown:
        uploads = self._listed.uploads
        if len(places) == 1:  # as of all projects without platforms
            return uploads[places[0]]
        return earliest([uploads[place] for place in places])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]


def versions_of(releases: Sequence[Release]) -> tuple[str, ...]:
    """Return the version of each of *releases*, making none of them for it."""
    if isinstance(releases, ListedReleases):
        return releases.versions
    return tuple(release.version for release in releases)


def latest_first(releases: Sequence[Release]) -> Sequence[int]:
    """Return the places of *releases*, that of the one uploaded last first, making none for it.

    Indexes list files by their names or as they like, so that where one stands tells little; where
    not all upload times are told, it is all there is.
    """
    told = release_times(releases)
    try:
        return sorted(range(len(told)), key=told.__getitem__, reverse=True)  # type: ignore[arg-type]
    except TypeError:  # one that is not known compares with nothing
        return range(len(told) - 1, -1, -1)
