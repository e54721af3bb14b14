"""The releases of a project that a resolver would look at, newest first, and their files."""

from collections.abc import Sequence

from msgspec import Struct
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from indexgate.index.listing import Listing
from indexgate.requirements.bounds import Bounds
from indexgate.simple.model import PageFile
from indexgate_policy.subject import File, Release


class NoCandidate(Exception):
    """No listed release will do; the message is a clause that says why."""


class NoSuchFile(NoCandidate):
    """Releases will do, but no listed file of them has one of the hashes."""


class Candidate(Struct, frozen=True, kw_only=True):
    """A release, and those of its files that the hashes allow."""

    release: Release
    files: tuple[File, ...]


def candidates(listed: Listing, bounds: Bounds, python: Version) -> tuple[Candidate, ...]:
    """Return the releases that *bounds* leave, newest first. Raises NoCandidate.

    A pin takes what it names. Otherwise, as pip: releases with no file for *python* are not seen,
    pre-releases only where nothing else is left, and yanked releases never (PEP 592).
    """
    pages = {file.filename: file for file in listed.page.files}
    name = listed.project.name
    if not listed.releases:
        raise NoCandidate(f"the index lists no files of {name}")
    matching = _matching(listed.releases, bounds)
    if not bounds.pinned:
        fitting = [
            r for r in listed.releases if any(_fits(pages[f.filename], python) for f in r.files)
        ]
        matching = _matching(fitting, bounds)
    if not matching:
        raise NoCandidate(f"the index lists no release of {name} that {_asked(bounds)}")
    unyanked = [release for release in matching if not release.yanked]
    if not bounds.pinned and not unyanked:
        raise NoCandidate(f"every release of {name} that {_asked(bounds)} was yanked")
    allowed = [
        Candidate(release=release, files=_allowed(release, pages, bounds.hashes))
        for release in unyanked or matching
    ]
    if not any(candidate.files for candidate in allowed):
        raise NoSuchFile(f"no file of {name} {allowed[0].release.version} has one of the hashes")
    return tuple(candidate for candidate in allowed if candidate.files)


def unlisted(listed: Listing, hashes: frozenset[str] | None) -> tuple[str, ...]:
    """Return those of *hashes* that no listed file has, though files have hashes of their kind."""
    left = set(hashes or ())
    kinds = set[str]()
    for file in reversed(listed.page.files):  # newest last, and mostly those are asked for
        if not left:
            break
        left.difference_update(_written(kind, digest) for kind, digest in file.hashes.items())
        kinds.update(kind.lower() for kind in file.hashes)
    return tuple(sorted(each for each in left if each.partition(":")[0] in kinds))


def _matching(releases: Sequence[Release], bounds: Bounds) -> list[Release]:
    regular = {r.parsed: r for r in releases if isinstance(r.parsed, Version) and r.files}
    kept = bounds.specifier.filter(regular, prereleases=bounds.prereleases or None)
    found = [regular[version] for version in sorted(kept, reverse=True)]
    # What is no PEP 440 version can only be named exactly.
    named = {each.version.lower() for each in bounds.specifier if each.operator == "==="}
    return found + [
        r
        for r in releases
        if not isinstance(r.parsed, Version) and r.files and r.version.lower() in named
    ]


def _allowed(
    release: Release, pages: dict[str, PageFile], hashes: frozenset[str] | None
) -> tuple[File, ...]:
    if hashes is None:
        return release.files
    kinds = {text.partition(":")[0] for text in hashes}
    found = []
    for file in release.files:
        has = pages[file.filename].hashes
        own = {_written(kind, digest) for kind, digest in has.items()}
        # A file without a hash of the asked kind may be the one: it cannot be told from here.
        if own & hashes or not kinds & has.keys():
            found.append(file)
    return tuple(found) if hashes else ()


def _fits(file: PageFile, python: Version) -> bool:
    """Tell whether *file* is for *python*; as for pip, one that says it wrongly is."""
    asked = file.requires_python
    if not isinstance(asked, str) or not asked:
        return True
    try:
        return SpecifierSet(asked).contains(python, prereleases=True)
    except InvalidSpecifier:
        return True


def _written(kind: str, digest: str) -> str:
    return f"{kind.lower()}:{digest.lower()}"


def _asked(bounds: Bounds) -> str:
    if bounds.pinned:
        return f"is {bounds.specifier}"
    fits = "fits this interpreter"
    return f"is {bounds.specifier} and {fits}" if len(bounds.specifier) else fits
