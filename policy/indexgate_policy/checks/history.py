"""The releases of a project in the order in which they were uploaded."""

from dataclasses import dataclass
from datetime import datetime

from indexgate_policy.signals import Unknown
from indexgate_policy.subject import Release


@dataclass(frozen=True, slots=True)
class Dated:
    """A release and when its first file was uploaded."""

    release: Release
    at: datetime


def history(releases: tuple[Release, ...]) -> tuple[Dated, ...] | Unknown:
    """Return all *releases*, yanked ones too, earliest first; unknown when one has no time."""
    dated = []
    for release in releases:
        if isinstance(release.released, Unknown):
            return Unknown(reason=f"the upload time of {release.version} is not known")
        dated.append(Dated(release, release.released))
    return tuple(sorted(dated, key=lambda one: one.at))
