"""How far a score moves when one thing is missing.

`python -m tests.policy.health.missing` prints the table.
"""

import dataclasses
from collections.abc import Callable, Iterator
from functools import partial

from msgspec.structs import replace

from indexgate_policy.health.score import score
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import File
from tests.policy.health.packages import Package, load

GONE = Unknown(reason="it was taken away")


def moves(package: Package) -> Iterator[tuple[str, float]]:
    """Yield what was taken from *package* and by how many points its score moved."""
    before = score(package.case, package.advisories).value
    for name in package.case.signals:
        after = package.with_signals(**{name: GONE})
        yield name, score(after.case, after.advisories).value - before
    yield "advisories", score(package.case, GONE).value - before
    for name, take in FROM_THE_PAGE.items():
        after = take(package)
        yield name, score(after.case, after.advisories).value - before


def _without(package: Package, taken: Callable[[File], File]) -> Package:
    releases = tuple(
        dataclasses.replace(each, files=tuple(taken(file) for file in each.files))
        for each in package.case.releases
    )
    return package.with_releases(releases)


def _without_times(package: Package) -> Package:
    return package.with_releases(
        tuple(dataclasses.replace(each, released=GONE) for each in package.case.releases)
    )


def _without_first(package: Package) -> Package:
    project = replace(package.case.project, first_upload=GONE)
    return dataclasses.replace(package, case=replace(package.case, project=project))


FROM_THE_PAGE: dict[str, Callable[[Package], Package]] = {
    "attestations": partial(_without, taken=lambda file: replace(file, provenance=GONE)),
    "file sizes": partial(_without, taken=lambda file: replace(file, size=GONE)),
    "upload times": _without_times,
    "first upload": _without_first,
}


def main() -> None:
    """Print for each thing the largest move either way, and where."""
    table: dict[str, list[tuple[float, str]]] = {}
    for package in load():
        for name, move in moves(package):
            table.setdefault(name, []).append((move, f"{package.label}"))
    for name, found in sorted(table.items(), key=lambda row: -max(abs(m) for m, _ in row[1])):
        (low, lowest), (high, highest) = min(found), max(found)
        print(f"{name:26}{low:+6.1f} {lowest:40}{high:+6.1f} {highest}")


if __name__ == "__main__":
    main()
