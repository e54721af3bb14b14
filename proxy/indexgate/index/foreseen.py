"""Pages of an index, of each of which somebody is told when it begins to be fetched.

What is needed to judge a page can be asked for at the same time as the page itself; that saves a
whole way to the index and back.
"""

from collections.abc import Callable

from packaging.utils import NormalizedName

from indexgate.index.cached import PageSource
from indexgate.index.protocol import Snapshot


class Foreseen:
    """The pages of *source*; *begun* is told of each project first, *failed* if there is none."""

    def __init__(
        self,
        source: PageSource,
        *,
        begun: Callable[[NormalizedName], None],
        failed: Callable[[NormalizedName], None],
    ) -> None:
        self._source = source
        self._begun = begun
        self._failed = failed

    async def page(self, project: NormalizedName, known: Snapshot | None) -> Snapshot:
        """Fetch a page; *known* makes it conditional. Raises NoSuchProject, UpstreamFailed."""
        self._begun(project)
        try:
            return await self._source.page(project, known)
        except BaseException:
            self._failed(project)
            raise
