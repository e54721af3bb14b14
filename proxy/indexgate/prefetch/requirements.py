"""What a release needs: its core metadata, read as far as it says what is asked for next."""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from msgspec import Struct
from packaging.markers import InvalidMarker, Marker, UndefinedComparison, UndefinedEnvironmentName
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name

from indexgate.prefetch.environment import Environment
from indexgate.simple.projects import valid_name

MOST = 200
"""How many requirements of one release are looked at."""

_LONGEST = 500
_FIELD = b"requires-dist:"
# Possessive: strangers write these texts, and one that does not fit must not be tried for seconds.
_REQUIREMENT = re.compile(
    r"(?P<name>[A-Za-z0-9._-]++)\s*+(?:\[(?P<extras>[^\]]*+)\])?"
    r"\s*+\(?(?P<versions>[^()@]*+)\)?"
)
_EXTRA = re.compile(r"""\bextra\s*==\s*["']([^"']+)["']""")
_EITHER = re.compile(r"\bor\b")


class Need(Struct, frozen=True, kw_only=True):
    """A project that is needed: in which versions, and with which of its extras."""

    project: NormalizedName
    versions: SpecifierSet
    extras: frozenset[str] = frozenset()


def requirements(metadata: bytes) -> tuple[str, ...]:
    """Return the texts of `Requires-Dist` in a core metadata file, at most `MOST`."""
    found = []
    for line in metadata.splitlines():
        if not line.strip():
            break  # the description follows
        if line[: len(_FIELD)].lower() == _FIELD:
            found.append(line[len(_FIELD) :].decode("utf-8", "replace").strip()[:_LONGEST])
    return tuple(found[:MOST])


def needs(
    texts: Iterable[str], environment: Environment, extras: frozenset[str] = frozenset()
) -> Iterator[Need]:
    """Yield what the requirements *texts* ask an index for, of a release with *extras*.

    What cannot be read, and what names an address of its own, is passed over.
    """
    for text in texts:
        told, _, marker = text.partition(";")
        if marker and not _holds(marker.strip(), environment, extras):
            continue
        match = _REQUIREMENT.fullmatch(told.strip())
        project = None if match is None else valid_name(match["name"])
        versions = None if match is None else _versions(match["versions"].strip())
        if match is not None and project is not None and versions is not None:
            yield Need(project=project, versions=versions, extras=_extras(match["extras"]))


def _extras(told: str | None) -> frozenset[str]:
    names = (name.strip() for name in (told or "").split(","))
    return frozenset(canonicalize_name(name) for name in names if name)


@lru_cache(1024)
def _versions(told: str) -> SpecifierSet | None:
    try:
        return SpecifierSet(told)
    except InvalidSpecifier:
        return None


@lru_cache(4096)
def _holds(told: str, environment: Environment, extras: frozenset[str]) -> bool:
    """Tell whether a marker holds, with any of *extras* or with none."""
    if _is_of_another(told, extras):
        return False
    try:
        marker = Marker(told)
        return any(
            marker.evaluate({**environment.markers, "extra": extra}) for extra in ("", *extras)
        )
    except (InvalidMarker, UndefinedComparison, UndefinedEnvironmentName):
        return False


def _is_of_another(told: str, extras: frozenset[str]) -> bool:
    """Tell whether a marker asks for an extra that is none of *extras*, whatever else it asks for.

    Most do, and to read one in full takes a good while.
    """
    asked = _EXTRA.findall(told)
    return any(canonicalize_name(name) not in extras for name in asked) and not _EITHER.search(told)
