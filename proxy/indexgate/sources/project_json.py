"""The project JSON: what an index tells of a project beside its page.

Source: PyPI's "JSON API" documentation; the data are facts. The document is asked of the very index
that served the page, never of another: whoever runs that index knows the name already, and nobody
else's project of the same name may speak for it.
"""

import asyncio
from datetime import datetime
from functools import partial
from typing import Protocol

from packaging.utils import NormalizedName

from indexgate.index.documents import document_address
from indexgate.index.in_turn import in_turn
from indexgate.index.protocol import UpstreamFailed
from indexgate.sources.project_document import ABOUT, glanced, read
from indexgate.sources.protocol import About, Asked, SourceFailed
from indexgate_policy.signals import Signal

MOST = 20_000_000
"""A larger document is not read (bytes, decompressed)."""

_OFF_THE_LOOP = 256_000
_HUGE = 12_000_000
_GLANCED_AT = 1_000_000  # of more even a glance takes too long on the loop
_MOST_FORESEEN = 1000
_FORESEEN_FOR = 30.0
"""Seconds after which nobody is expected any more to want what was asked for early."""

_MOST_KEPT = 30_000_000
"""Bytes of documents that were glanced at and are kept to be read."""


class BesidePages(Protocol):
    """An index that can be asked for what lies beside its pages."""

    async def beside(self, url: str, *, limit: int, seconds: float) -> bytes:
        """Return the JSON of at most *limit* bytes at *url*. Raises UpstreamFailed."""


class ProjectJson:
    """The project JSON of one index, as a source that foresees (`indexgate.sources.protocol`).

    *index* is asked, None when offline; *index_url* is the root of its simple index, *within* the
    limit in seconds for one project.
    """

    def __init__(self, index: BesidePages | None, *, index_url: str, within: float = 15.0) -> None:
        self._index = index
        self._index_url = index_url
        self._within = within
        self._foreseen: dict[NormalizedName, tuple[asyncio.Task[bytes], asyncio.TimerHandle]] = {}
        self._kept: dict[NormalizedName, int] = {}  # the bytes of those that were glanced at

    @property
    def about(self) -> About:
        """What the source is."""
        return ABOUT

    async def signals(self, asked: Asked, now: datetime) -> tuple[Signal, ...]:
        """Return the signals of a project, see `ABOUT`; `observe` makes a failure `Unknown`.

        Raises SourceFailed.
        """
        foreseen = self._taken(asked.project)
        body = await (self._body(asked.project) if foreseen is None else foreseen)
        if len(body) > _OFF_THE_LOOP:
            reading = partial(read, body, asked.project, now)
            return await in_turn(reading, huge=len(body) > _HUGE)
        return read(body, asked.project, now)

    def foresee(self, project: NormalizedName) -> None:
        """Begin to ask about *project*: `signals` is to follow soon, unless `forgo` does."""
        if project not in self._foreseen and len(self._foreseen) < _MOST_FORESEEN:
            task = asyncio.create_task(self._body(project))
            task.add_done_callback(_seen)
            expiry = asyncio.get_running_loop().call_later(_FORESEEN_FOR, self.forgo, project)
            self._foreseen[project] = task, expiry

    def forgo(self, project: NormalizedName) -> None:
        """End what was begun for *project*: nobody will ask."""
        foreseen = self._taken(project)
        if foreseen is not None:
            foreseen.cancel()

    async def glance(self, project: NormalizedName, now: datetime) -> tuple[Signal, ...] | None:
        """Return links and what is said of the newest version, see `Foreseeing`."""
        self.foresee(project)
        if project not in self._foreseen:
            return None
        foreseen, _ = self._foreseen[project]
        await asyncio.wait({foreseen})
        if foreseen.cancelled():
            return None
        body = foreseen.result()
        kept = len(body) + sum(self._kept.values())
        if len(body) > _GLANCED_AT or kept > _MOST_KEPT or project not in self._foreseen:
            return None
        self._kept[project] = len(body)
        return glanced(body, project, now)

    def _taken(self, project: NormalizedName) -> asyncio.Task[bytes] | None:
        self._kept.pop(project, None)
        task, expiry = self._foreseen.pop(project, (None, None))
        if expiry is not None:
            expiry.cancel()
        return task

    async def _body(self, project: NormalizedName) -> bytes:
        url = document_address(self._index_url, project)
        if url is None:
            reason = "is not known for an index whose address does not end in `/simple/`"
            raise SourceFailed(ABOUT.name, "status", reason)
        if self._index is None:
            raise SourceFailed(ABOUT.name, "offline", "is not asked: the gate is offline")
        try:
            return await self._index.beside(url, limit=MOST, seconds=self._within)
        except UpstreamFailed as error:
            raise SourceFailed(
                ABOUT.name,
                error.kind,
                error.reason,
                status=error.status,
                retry_after=error.retry_after,
            ) from error


def _seen(foreseen: asyncio.Task[bytes]) -> None:
    """Look at how *foreseen* ended: whoever it was for may have gone, and it is no fault."""
    if not foreseen.cancelled():
        foreseen.exception()
