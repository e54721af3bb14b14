"""The releases of a project in the order in which they were uploaded."""

from datetime import datetime, timedelta
from operator import attrgetter
from typing import NamedTuple

from indexgate_policy.signals import Unknown
from indexgate_policy.subject import Release

FRESH = timedelta(days=30)
"""For so long a release is news; by then people would have noticed what is wrong with it."""


class Dated(NamedTuple):
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
    return tuple(sorted(dated, key=attrgetter("at")))


def is_fresh(one: Dated, now: datetime) -> bool:
    """Tell whether *one* is news at *now*."""
    return now < one.at + FRESH


def is_attested(release: Release) -> bool | Unknown:
    """Tell whether a file of *release* carries attestations (PEP 740)."""
    told = [file.provenance for file in release.files]
    if True in told:
        return True
    return next((one for one in told if isinstance(one, Unknown)), False)
