"""What the gate served to an `indexgate run`, so that its summary can say what was taken instead.

In memory, for runs only, and bounded: a run asks for it as soon as its command has ended.
"""

from collections.abc import Iterable, Mapping

from cachetools import LRUCache
from msgspec import Struct, field
from packaging.utils import NormalizedName

RUNS = 64
PROJECTS = 5_000
VERSIONS = 200


class Seen(Struct):
    """What one run saw of a project.

    `newest` is the newest version that passed when the page was given out (None: none passed);
    `served` has each version of which something was served: True if a whole file, False if only
    metadata.
    """

    newest: str | None = None
    served: dict[str, bool] = field(default_factory=dict)


def joined(memories: Iterable[Mapping[NormalizedName, Seen]]) -> dict[NormalizedName, Seen]:
    """Return what a run saw by what each of the workers that served it remembers."""
    found: dict[NormalizedName, Seen] = {}
    for memory in memories:
        for project, seen in memory.items():
            there = found.setdefault(project, Seen())
            there.newest = there.newest or seen.newest
            for version, whole in seen.served.items():
                there.served[version] = there.served.get(version, False) or whole
    return found


class RunMemory:
    """What runs saw, by token. For the event loop's thread."""

    def __init__(self) -> None:
        self._runs: LRUCache[str, dict[NormalizedName, Seen]] = LRUCache(RUNS)

    def page_served(self, run: str, project: NormalizedName, newest: str | None) -> None:
        """Note that *run* was given the page of *project*."""
        seen = self._seen(run, project)
        if seen is not None:
            seen.newest = newest

    def file_served(self, run: str, project: NormalizedName, version: str, *, whole: bool) -> None:
        """Note that *run* was given a file of *version*, or (not *whole*) its metadata."""
        seen = self._seen(run, project)
        if seen is not None and (version in seen.served or len(seen.served) < VERSIONS):
            seen.served[version] = seen.served.get(version, False) or whole

    def of(self, run: str) -> dict[NormalizedName, Seen]:
        """Return what *run* saw, by project."""
        return self._runs.get(run) or {}

    def _seen(self, run: str, project: NormalizedName) -> Seen | None:
        projects = self._runs.get(run)
        if projects is None:
            projects = self._runs[run] = {}
        if project not in projects and len(projects) >= PROJECTS:
            return None
        return projects.setdefault(project, Seen())
