"""Which releases of a project the requirements leave, and whether they leave just one."""

from collections.abc import Iterable, Mapping

from msgspec import Struct
from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName

from indexgate.requirements.entries import Elsewhere, Wanted
from indexgate.requirements.file import Requirements


class Bounds(Struct, frozen=True, kw_only=True):
    """What all lines about one project together ask of it.

    `hashes` is None where no line has any; an empty set is left where two lines share none.
    """

    specifier: SpecifierSet
    hashes: frozenset[str] | None = None
    prereleases: bool = False

    @property
    def pinned(self) -> bool:
        """Whether a version is named (`==2.0`, not `==2.*`), so that a yanked one may be taken."""
        return any(
            each.operator == "===" or (each.operator == "==" and not each.version.endswith(".*"))
            for each in self.specifier
        )


class InForce(Struct, frozen=True, kw_only=True):
    """The requirements whose markers hold here, and the bounds on each project.

    `skipped` are the entries whose marker does not hold, each once; `elsewhere` the projects that a
    constraint takes from an address.
    """

    skipped: frozenset[int]
    bounds: Mapping[NormalizedName, Bounds]
    elsewhere: Mapping[NormalizedName, Elsewhere]


def holds(entry: Wanted | Elsewhere, environment: Mapping[str, str]) -> bool:
    """Tell whether the marker of *entry* holds for the interpreter of *environment* (PEP 508)."""
    marker = entry.requirement.marker if isinstance(entry, Wanted) else entry.marker
    return marker is None or marker.evaluate(dict(environment))


def in_force(requirements: Requirements, environment: Mapping[str, str]) -> InForce:
    """Sort out what holds here; bounds of one project are joined, as a resolver would join them."""
    entries = requirements.entries
    skipped = frozenset(n for n, entry in enumerate(entries) if not holds(entry, environment))
    active = [entry for n, entry in enumerate(entries) if n not in skipped]
    constraints = [each for each in requirements.constraints if holds(each, environment)]
    by_name: dict[NormalizedName, list[Wanted]] = {}
    for entry in (*active, *constraints):
        if isinstance(entry, Wanted):
            by_name.setdefault(entry.name, []).append(entry)
    return InForce(
        skipped=skipped,
        bounds={
            name: _joined(together, prereleases=requirements.prereleases)
            for name, together in by_name.items()
        },
        elsewhere={
            each.name: each
            for each in constraints
            if isinstance(each, Elsewhere) and each.name is not None
        },
    )


def _joined(together: Iterable[Wanted], *, prereleases: bool) -> Bounds:
    specifier = SpecifierSet()
    hashes: frozenset[str] | None = None
    for entry in together:
        specifier &= entry.requirement.specifier
        if entry.hashes:
            hashes = entry.hashes if hashes is None else hashes & entry.hashes
    return Bounds(specifier=specifier, hashes=hashes, prereleases=prereleases)
