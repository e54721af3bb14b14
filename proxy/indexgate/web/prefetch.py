"""Where fetching ahead begins: an installer was given what was not at hand.

What was at hand suggests that what comes next is, too. So the way of a warm answer ends here, and
what is behind it does not begin before the first cold one. What comes next is thought of when
the answer is on its way: the client is not to wait for that.
"""

import asyncio
from collections.abc import Callable
from contextvars import Context
from typing import TYPE_CHECKING

from aiohttp import hdrs, web

from indexgate.finished_page import FinishedPage, Variant
from indexgate.index.trace import current
from indexgate.judged_files import JudgedFile
from indexgate.prefetch.asker import Asker
from indexgate.prefetch.counts import PrefetchCounts
from indexgate.web.client import run_of
from indexgate_policy.subject import Client

if TYPE_CHECKING:
    from indexgate.prefetch.prefetching import Prefetching

_INSTALLERS = frozenset({"pip", "uv", "pipenv"})
"""Clients that tell what they install for."""


class Prefetch:
    """What routes tell of what they give out.

    *begin* makes what fetches ahead, once; without it nothing is.
    """

    def __init__(self, begin: "Callable[[], Prefetching] | None", counts: PrefetchCounts) -> None:
        self.counts = counts
        self._begin = begin
        self._begun: Prefetching | None = None

    @property
    def wanted(self) -> bool:
        """Whether anything is ever fetched ahead."""
        return self._begin is not None

    def page_given(
        self, request: web.Request, client: Client, page: FinishedPage, variant: Variant
    ) -> None:
        """Take note of a page that *client* is given."""
        self.counts.asked("page", page.snapshot.project)
        trace = current()
        cold = trace is not None and trace.upstream > 0 and trace.page != "stale"
        if self._is_followed(client, cold=cold):
            asker = _asker(request, client)
            self._soon(lambda ahead: ahead.page_given(asker, page, variant, cold=cold))

    def metadata_given(
        self, request: web.Request, client: Client, judged: JudgedFile, path: str
    ) -> None:
        """Take note of the core metadata that *client* is given, of the file at *path*."""
        self.counts.asked("metadata", path)
        trace = current()
        cold = trace is not None and trace.file == "miss"
        if self._is_followed(client, cold=cold):
            asker = _asker(request, client)
            self._soon(lambda ahead: ahead.metadata_given(asker, judged, cold=cold))

    async def settle(self) -> None:
        """Wait until nothing is under way."""
        if self._begun is not None:
            await self._begun.settle()

    async def close(self) -> None:
        """End what is under way, and begin nothing more."""
        begun, self._begun, self._begin = self._begun, None, None
        if begun is not None:
            await begun.close()

    def _is_followed(self, client: Client, *, cold: bool) -> bool:
        return client.family in _INSTALLERS and (cold or self._begun is not None)

    def _soon(self, tell: "Callable[[Prefetching], None]") -> None:
        # Outside of the request's context, as the rest of what is fetched ahead.
        asyncio.get_running_loop().call_soon(self._tell, tell, context=Context())

    def _tell(self, tell: "Callable[[Prefetching], None]") -> None:
        if self._begun is None and self._begin is not None:
            self._begun = self._begin()
        if self._begun is not None:
            tell(self._begun)


def _asker(request: web.Request, client: Client) -> Asker:
    headers = request.headers
    return Asker(
        remote=request.remote or "",
        agent=headers.get(hdrs.USER_AGENT, ""),
        run=run_of(headers.get(hdrs.AUTHORIZATION)),
        client=client,
    )
