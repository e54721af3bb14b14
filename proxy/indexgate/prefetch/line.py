"""What one client is likely to ask for next, the nearest first, and never far ahead of it.

Pure: times are seconds of any clock that only grows. The line gives out a project only while few of
those before it are still unused, so for a client that makes no use of them it ends by itself.
"""

from collections.abc import Iterable
from heapq import heappop, heappush

from msgspec import Struct
from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName

from indexgate.index.listing import Listing
from indexgate.prefetch.requirements import Need
from indexgate.simple.model import PageFile

AHEAD = 32
"""Pages fetched that the client has not asked for yet; then it is waited for."""

IDLE = 10.0
"""Seconds without a request of the client after which nothing more is fetched for it."""

A_MINUTE = 600
"""Projects fetched ahead for one client within a minute."""

DEEPEST = 30
"""Steps from what a client asked for to what is fetched ahead."""

_MOST = 5_000  # projects in a line


class Step(Struct, frozen=True, kw_only=True):
    """A project to look at, so many requirements away from what the client asked for.

    `chosen` is the file, of the index `index_id`, that the client is held to choose; without it
    the page is to be looked at first. `listed` has it, where nobody has judged it yet.
    """

    project: NormalizedName
    depth: int = 0
    chosen: PageFile | None = None
    index_id: str = ""
    listed: Listing | None = None


class Line:
    """The line of one client."""

    def __init__(self, now: float) -> None:
        self._asked_at = now
        self._waiting: list[tuple[int, int, Step]] = []
        self._added = 0
        self._expected: set[NormalizedName] = set()
        self._unused: set[NormalizedName] = set()
        self._asked: set[NormalizedName] = set()
        self._needs: dict[NormalizedName, dict[NormalizedName, Need]] = {}
        self._followed: dict[NormalizedName, set[tuple[str, frozenset[str]]]] = {}
        self._minute = now
        self._in_minute = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def asked(self, project: NormalizedName, now: float) -> None:
        """Note that the client asks for *project* by itself."""
        self._asked_at = now
        self._asked.add(project)
        self._unused.discard(project)

    def add(self, step: Step) -> None:
        """Put in what follows from what the client was just given."""
        self._expected.add(step.project)
        self._put(step)

    def needed(self, parent: Step, needs: Iterable[Need]) -> None:
        """Put in what the release of *parent* needs, in place of what another one of it needed."""
        for need in needs:
            name = need.project
            before = self.extras(name)
            self._needs.setdefault(name, {})[parent.project] = need
            again = name in self._followed and not self.extras(name) <= before
            if (name not in self._expected or again) and parent.depth < DEEPEST:
                self._expected.add(name)
                self._put(Step(project=name, depth=parent.depth + 1))

    def versions(self, project: NormalizedName) -> SpecifierSet:
        """Return which versions of *project* are needed, by all that is known."""
        found = SpecifierSet()
        for need in self._needs.get(project, {}).values():
            found &= need.versions
        return found

    def extras(self, project: NormalizedName) -> frozenset[str]:
        """Return the extras of *project* that are needed."""
        return frozenset().union(*(need.extras for need in self._needs.get(project, {}).values()))

    def was_followed(self, project: NormalizedName) -> bool:
        """Tell whether it was read before what a release of *project* needs."""
        return project in self._followed

    def follow(self, project: NormalizedName, filename: str) -> bool:
        """Tell whether what *filename* needs is still to be read, with the extras known by now."""
        followed = self._followed.setdefault(project, set())
        key = (filename, self.extras(project))
        if key in followed:
            return False
        followed.add(key)
        return True

    def next(self, now: float) -> Step | None:
        """Take out the next step, if there is one that may be taken now."""
        if not self._waiting or self.is_idle(now):
            return None
        step = self._waiting[0][2]
        if step.depth:
            if now - self._minute >= 60:
                self._minute, self._in_minute = now, 0
            if len(self._unused) >= AHEAD or self._in_minute >= A_MINUTE:
                return None
            self._in_minute += 1
            if step.project not in self._asked:
                self._unused.add(step.project)
        heappop(self._waiting)
        return step

    def useless(self, project: NormalizedName) -> None:
        """Note that nothing was fetched for *project* that the client could use."""
        self._unused.discard(project)

    def is_idle(self, now: float) -> bool:
        """Tell whether the client has asked for nothing in a while."""
        return now - self._asked_at > IDLE

    def clear(self) -> int:
        """Drop what waits and tell how much that was."""
        dropped = len(self._waiting)
        self._waiting.clear()
        return dropped

    def _put(self, step: Step) -> None:
        if len(self._expected) <= _MOST:
            self._added += 1  # nearer ones first; of those equally near the one that came first
            heappush(self._waiting, (step.depth, self._added, step))
