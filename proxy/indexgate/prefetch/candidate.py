"""Which file of a page an installer will choose: of the newest version that passes and fits."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from indexgate.index.listing import Listing
from indexgate.prefetch.environment import Environment
from indexgate.simple.filename import pep440
from indexgate.simple.model import PageFile

_LOOKED_AT = 300
"""Versions that are held against the requirements, newest first."""

_TRIED = 10
"""Versions whose files are looked at."""


def candidate(
    listed: Listing, passing: Sequence[str], versions: SpecifierSet, environment: Environment
) -> PageFile | None:
    """Return the wheel that will be chosen of *versions*; None if it is a source, or none fits.

    *passing* are the versions that the page offers, newest first.
    """
    for version in islice(_in_order(passing[:_LOOKED_AT], versions), _TRIED):
        names = _filenames(listed, version)
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
    parts = filename.removesuffix(".whl").split("-")
    if not filename.endswith(".whl") or len(parts) < 5:
        return None
    pythons, abis, platforms = (part.split(".") for part in parts[-3:])
    ranks = (
        environment.ranks.get(f"{python}-{abi}-{platform}")
        for python in pythons
        for abi in abis
        for platform in platforms
    )
    return min((rank for rank in ranks if rank is not None), default=None)


def _in_order(passing: Sequence[str], versions: SpecifierSet) -> Iterator[str]:
    """Yield those of *passing* that *versions* allow; pre-releases only where there is no other."""
    early: list[tuple[str, Version]] = []
    found = False
    for text in passing:
        version = pep440(text)
        if version is None:
            continue
        if version.is_prerelease and not versions.prereleases:
            early.append((text, version))
        elif versions.contains(version, prereleases=True):
            found = True
            yield text
    if not found:
        yield from (text for text, version in early if versions.contains(version, prereleases=True))


def _filenames(listed: Listing, version: str) -> Sequence[str]:
    releases = (release for release in reversed(listed.releases) if release.version == version)
    release = next(releases, None)
    return () if release is None else release.filenames


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
