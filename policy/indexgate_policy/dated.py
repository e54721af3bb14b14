"""The releases of a project in the order in which they were uploaded."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import overload

from msgspec import Struct

from indexgate_policy.signals import Unknown
from indexgate_policy.subject import Release, release_times


class Dated(Struct, frozen=True):
    """A release and when its first file was uploaded."""

    release: Release
    at: datetime


class DatedReleases(Sequence[Dated]):
    """Releases, the earliest first; `times` has when the first file of each was uploaded.

    Of thousands one asks for the last few, so that each is looked at only when it is asked for.
    """

    __slots__ = ("_places", "_releases", "times")

    def __init__(
        self, releases: Sequence[Release], places: Sequence[int], times: Sequence[datetime]
    ) -> None:
        self._releases = releases
        self._places = places
        self.times = times

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, place: int) -> Dated: ...
    @overload
    def __getitem__(self, place: slice) -> "DatedReleases": ...
    def __getitem__(self, place: int | slice) -> "Dated | DatedReleases":
        if isinstance(place, slice):
            return DatedReleases(self._releases, self._places[place], self.times[place])
        return Dated(self._releases[self._places[place]], self.times[place])

    def __iter__(self) -> Iterator[Dated]:
        for place, at in zip(self._places, self.times, strict=True):
            yield Dated(self._releases[place], at)


def by_upload(releases: Sequence[Release]) -> DatedReleases | Unknown:
    """Return all *releases*, yanked ones too, earliest first; unknown when one has no time."""
    told = release_times(releases)
    times = [at for at in told if not isinstance(at, Unknown)]
    if len(times) < len(told):
        first = next(place for place, at in enumerate(told) if isinstance(at, Unknown))
        return Unknown(reason=f"the upload time of {releases[first].version} is not known")
    places = sorted(range(len(times)), key=times.__getitem__)
    return DatedReleases(releases, places, [times[place] for place in places])
