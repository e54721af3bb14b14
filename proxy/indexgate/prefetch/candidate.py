"""Which file of a page an installer will choose: of the newest version that passes and fits."""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from operator import itemgetter

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from indexgate.index.listed_releases import latest_first
from indexgate.index.listing import Listing
from indexgate.prefetch.environment import Environment
from indexgate.simple.model import PageFile
from indexgate_policy.subject import Release

_LOOKED_AT = 200
"""Releases that are held against the requirements: those that were uploaded last."""

_LOOKED_AT_FIRST = 10
"""Those of them among which the newest version nearly always is, so that no others are parsed."""

_TRIED = 10
"""Releases whose files are looked at."""


def candidate(
    listed: Listing,
    passes: Callable[[Release], bool],
    versions: SpecifierSet,
    environment: Environment,
) -> PageFile | None:
    """Return the wheel that will be chosen of *versions*; None if it is a source, or none fits.

    *passes* tells whether the page offers a release.
    """
    allowed = filter(passes, _in_order(listed.releases, versions))
    for release in islice(allowed, _TRIED):
        names = release.filenames
        ranked = ((rank_of(name, environment), name) for name in names)
        wheels = sorted((rank, name) for rank, name in ranked if rank is not None)
        for _, name in wheels:
            if (wheel := listed.named(name)) is not None and _fits(wheel, environment):
                return wheel
        sources = (listed.named(name) for name in names if not name.endswith(".whl"))
        if any(source is not None and _fits(source, environment) for source in sources):
            return None
    return None


def rank_of(filename: str, environment: Environment) -> int | None:
    """Return how good a wheel is, 0 being the best; None for one that does not fit, or no wheel."""
    if not filename.endswith(".whl"):
        return None
    parts = filename.removesuffix(".whl").rsplit("-", 3)
    if len(parts) < 4 or "-" not in parts[0]:
        return None
    return _rank(environment, *parts[1:])


@lru_cache(4096)
def _rank(environment: Environment, pythons: str, abis: str, platforms: str) -> int | None:
    """Return the best rank of the tags that a wheel's name has, as it has them: few differ."""
    ranks = (
        environment.ranks.get(f"{python}-{abi}-{platform}")
        for python in pythons.split(".")
        for abi in abis.split(".")
        for platform in platforms.split(".")
    )
    return min((rank for rank in ranks if rank is not None), default=None)


def _in_order(releases: Sequence[Release], versions: SpecifierSet) -> Iterator[Release]:
    """Yield the *releases* of *versions*, newest first; pre-releases only if there are no others.

    Those are of no version that counts which have none by PEP 440. An old version may go before a
    new one that was uploaded long before: it is only a guess.
    """
    found = False
    early: list[Release] = []
    for version, release in _newest_first(releases):
        if version.is_prerelease and not versions.prereleases:
            early.append(release)
        elif versions.contains(version, prereleases=True):
            found = True
            yield release
    if not found:
        for release in early:
            if versions.contains(release.version, prereleases=True):
                yield release


def _newest_first(releases: Sequence[Release]) -> Iterator[tuple[Version, Release]]:
    latest = latest_first(releases)[:_LOOKED_AT]
    for part in (latest[:_LOOKED_AT_FIRST], latest[_LOOKED_AT_FIRST:]):
        parsed = ((release.parsed, release) for release in map(releases.__getitem__, part))
        known = ((version, one) for version, one in parsed if isinstance(version, Version))
        yield from sorted(known, key=itemgetter(0), reverse=True)


def _fits(file: PageFile, environment: Environment) -> bool:
    """Tell whether upstream did not yank the file, and it is for this Python."""
    told = file.requires_python
    fits_python = not isinstance(told, str) or _allows(told, environment.python)
    return file.yanked is False and fits_python


@lru_cache(1024)
def _allows(requires_python: str, python: Version) -> bool:
    try:
        return SpecifierSet(requires_python).contains(python, prereleases=True)
    except InvalidSpecifier:
        return True
