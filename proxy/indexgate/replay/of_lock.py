"""The history of a lock file, replayed: each version's pins as of the time of its commit.

A lock counts once for each version of it that was committed. Of a pinned version one file is
judged, a wheel if there is one.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from packaging.utils import NormalizedName
from packaging.version import InvalidVersion, Version

from indexgate.replay.kept_pages import KeptPages
from indexgate.replay.lock_history import LockVersion, pinned
from indexgate.replay.remembered import Paged, recall
from indexgate.replay.replayed import Replayed
from indexgate.replay.replaying import Replaying
from indexgate.replay.traffic import Name
from indexgate_policy.rules.replay import Ask

Pins: TypeAlias = Mapping[NormalizedName, Sequence[tuple[datetime, str]]]
"""By project: when a version of the lock was committed, and the version that it pins."""


def pins(
    lock: Path,
    versions: Iterable[LockVersion],
    *,
    asked: Callable[[str], bool],
    step: Callable[[], None] = lambda: None,
) -> tuple[Pins, int]:
    """Return what *versions* of *lock* pin, and how many pins are of another index.

    *asked* tells of an index's address whether it is asked through the gate. Raises GateError.
    """
    found: defaultdict[NormalizedName, list[tuple[datetime, str]]] = defaultdict(list)
    elsewhere = 0
    for version in versions:
        for entry in pinned(lock, version):
            if entry.index is None or asked(entry.index):
                found[entry.name].append((version.at, entry.version))
            else:
                elsewhere += 1
        step()
    return found, elsewhere


def replay_lock(
    pages: KeptPages,
    replaying: Replaying,
    found: Pins,
    owners: Mapping[NormalizedName, str],
    *,
    lock: str,
    elsewhere: int,
    places: tuple[str, str],
    since: datetime,
    now: datetime,
    step: Callable[[], None] = lambda: None,
) -> Replayed:
    """Try both policies on what a lock pinned; *owners* are the ids of the projects' indexes.

    Raises StoreFailed.
    """
    for project in sorted(found):
        name = (owners[project], project)
        page = pages.of(name)
        asks = [_ask(name, page, at, version) for at, version in found[project]]
        recalled = recall(
            pages.kept, *name, page=page, asks=asks, public=pages.public(name[0]), now=now
        )
        replaying.project(recalled, asks)
        step()
    notes = [f"{elsewhere:,} pins are of other indexes and left out"] if elsewhere else []
    return replaying.result(
        source="lock",
        of_what=f"the versions of {lock} in git",
        since=min((at for of in found.values() for at, _ in of), default=since),
        until=now,
        places=places,
        notes=notes,
    )


def _ask(name: Name, page: Paged | None, at: datetime, version: str) -> Ask:
    index_id, project = name
    filename, spelled = _file(page, version) or (f"{project}-{version}.tar.gz", version)
    return Ask(at=at, index_id=index_id, project=project, version=spelled, filename=filename)


def _file(page: Paged | None, version: str) -> tuple[str, str] | None:
    """Return a file of *version*, a wheel if there is one, and the page's spelling of *version*."""
    try:
        wanted = Version(version)
    except InvalidVersion:
        return None
    for release in () if page is None else page.releases:
        if release.parsed == wanted and release.files:
            wheel = next((file for file in release.files if file.kind == "wheel"), None)
            return (wheel or release.files[0]).filename, release.version
    return None
