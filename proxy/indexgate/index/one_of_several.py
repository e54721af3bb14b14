"""The pages of one index of several: named in its failures, and without what is another's.

A name that belongs to another index is turned away here, below everything that asks: pages, files,
the background. So this index is never asked for it, and an old page of it is never used.
"""

from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace
from packaging.utils import NormalizedName

from indexgate.index.protocol import Index, NoSuchProject, Snapshot, UpstreamFailed


class OneOfSeveral(Struct, frozen=True, kw_only=True):
    """The *index* that is called *name*; *elsewhere* tells which names belong to another one."""

    index: Index
    name: str
    elsewhere: Callable[[NormalizedName], bool]

    async def snapshot(
        self, project: NormalizedName, *, max_age: float | None = None, stand_in: bool = True
    ) -> Snapshot:
        """Return the page of *project*. Raises NoSuchProject, UpstreamFailed."""
        if self.elsewhere(project):
            raise NoSuchProject(project)
        try:
            found = await self.index.snapshot(project, max_age=max_age, stand_in=stand_in)
        except UpstreamFailed as error:
            raise named(self.name, error) from error
        if found.stale is None:
            return found
        return replace(found, stale=f"`{self.name}` {found.stale}")

    def holds(self, project: NormalizedName) -> bool:
        """Tell whether the page of *project* is at hand without asking disk or upstream."""
        return not self.elsewhere(project) and self.index.holds(project)

    def at_hand(self, project: NormalizedName) -> Snapshot | None:
        """Return the page of *project*, bare, if upstream need not be asked for it."""
        return None if self.elsewhere(project) else self.index.at_hand(project)

    @property
    def bytes_in_memory(self) -> int:
        """The packed bytes of the pages in memory."""
        return self.index.bytes_in_memory

    @property
    def joined(self) -> int:
        """How often somebody waited for a page that another one had asked for."""
        return self.index.joined


def named(name: str, error: UpstreamFailed) -> UpstreamFailed:
    """Return *error* with the name of the index in it: "upstream `acme` did not answer"."""
    return UpstreamFailed(
        error.kind,
        f"`{name}` {error.reason}",
        status=error.status,
        retry_after=error.retry_after,
    )
