"""The releases of a project in the order in which they were uploaded."""

from collections.abc import Iterable
from datetime import datetime
from operator import attrgetter

from msgspec import Struct

from indexgate_policy.signals import Unknown
from indexgate_policy.subject import Release


class Dated(Struct, frozen=True):
    """A release and when its first file was uploaded."""

    release: Release
    at: datetime


def by_upload(releases: Iterable[Release]) -> tuple[Dated, ...] | Unknown:
    """Return all *releases*, yanked ones too, earliest first; unknown when one has no time."""
    dated = []
    for release in releases:
        at = release.released
        if isinstance(at, Unknown):
            return Unknown(reason=f"the upload time of {release.version} is not known")
        dated.append(Dated(release, at))
    return tuple(sorted(dated, key=attrgetter("at")))
