"""The list of all projects: tens of megabytes, fetched once for everybody who asks for it.

One flight at a time takes it in, off the event loop, and keeps it packed; its HTML form is made of
that when the first client asks for it. While it is known nobody waits for a slow upstream, and a
failing one is stood in for.
"""

import asyncio
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

import msgspec
from msgspec import Struct

from indexgate.index.cached import Freshness
from indexgate.index.packing import pack, unpack
from indexgate.index.protocol import UpstreamFailed
from indexgate.index.upstream import ACCEPT
from indexgate.simple import read, write
from indexgate.simple.accept import Form
from indexgate.simple.model import Unreadable

IN_MEMORY = 8_000_000
"""A form of the list that is larger once packed (bytes) is read from the disk for each answer."""

Kind: TypeAlias = Literal["json", "html"]

_FORMAT = 1


class ListSource(Protocol):
    """Where the list comes from."""

    async def project_list(self, accept: str) -> tuple[bytes, str, str]:
        """Return body, content type and final address of the list. Raises UpstreamFailed."""


class _Kept(msgspec.Struct, array_like=True):
    format: int
    fetched_at: datetime
    digest: str
    packed: bytes


class ListedProjects(Struct, frozen=True, kw_only=True):
    """One form of the list: `packed` is gzip, `digest` that of the plain bytes.

    `stale` is why an old list stands in, None for one that is fresh.
    """

    packed: bytes
    digest: str
    fetched_at: datetime
    stale: str | None = None


class ProjectLists:
    """The list of one index in both forms, kept in *folder*. `source` None means offline."""

    def __init__(
        self,
        source: ListSource | None,
        folder: Path,
        *,
        freshness: Freshness,
        clock: Callable[[], datetime],
        log: Callable[[str, str], None] = lambda _event, _text: None,
        in_memory: int = IN_MEMORY,
    ) -> None:
        self._source = source
        self._folder = folder
        self._freshness = freshness
        self._clock = clock
        self._log = log
        self._in_memory = in_memory
        self._memory: dict[Kind, _Kept] = {}
        self._flight: asyncio.Task[_Kept] | None = None
        self._making: asyncio.Task[_Kept] | None = None
        self._failure: tuple[datetime, UpstreamFailed] | None = None

    async def listed(self, form: Form) -> ListedProjects:
        """Return the list in *form*. Raises UpstreamFailed."""
        kept, stale = await self._json()
        if form is not Form.JSON:
            kept = await self._html(kept)
        return ListedProjects(
            packed=kept.packed, digest=kept.digest, fetched_at=kept.fetched_at, stale=stale
        )

    async def _json(self) -> tuple[_Kept, str | None]:
        """Return the list as JSON, and why it is an old one if it is. Raises UpstreamFailed."""
        kept = self._memory.get("json") or await asyncio.to_thread(self._load, "json")
        if kept is not None and self._age(kept.fetched_at) < self._freshness.ttl:
            return kept, None
        try:
            return await self._fetched(patient=kept is None), None
        except TimeoutError:
            failure = UpstreamFailed("timeout", "is slow to answer")
        except UpstreamFailed as error:
            failure = error
        if kept is None or self._age(kept.fetched_at) > self._freshness.max_stale:
            raise failure
        return kept, failure.reason

    async def _html(self, json: _Kept) -> _Kept:
        """Return the HTML form of *json*, made once for all who ask."""
        kept = self._memory.get("html") or await asyncio.to_thread(self._load, "html")
        if kept is not None and kept.fetched_at == json.fetched_at:
            return kept
        if self._making is None:
            self._making = asyncio.create_task(self._make_html(json))
            self._making.add_done_callback(self._made)
        return await asyncio.shield(self._making)

    def _made(self, making: asyncio.Task[_Kept]) -> None:
        self._making = None
        if not making.cancelled():
            making.exception()

    async def _make_html(self, json: _Kept) -> _Kept:
        html = await asyncio.to_thread(_html_form, json)
        await self._keep("html", html)
        return html

    async def close(self) -> None:
        """End the fetch under way."""
        under_way = [task for task in (self._flight, self._making) if task is not None]
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

    async def _fetched(self, *, patient: bool) -> _Kept:
        """Fetch, or join who does. Raises UpstreamFailed, TimeoutError if not *patient*."""
        if self._source is None:
            raise UpstreamFailed("offline", "is not asked: the gate is offline")
        failed = self._failure
        if failed and not patient and self._age(failed[0]) < self._freshness.breather:
            raise failed[1]
        if self._flight is None:
            self._flight = asyncio.create_task(self._fetch(self._source))
            self._flight.add_done_callback(self._landed)
        patience = None if patient else self._freshness.patience
        return await asyncio.wait_for(asyncio.shield(self._flight), patience)

    def _landed(self, flight: asyncio.Task[_Kept]) -> None:
        self._flight = None
        if not flight.cancelled():
            flight.exception()  # everybody may have stopped waiting: it is logged, not lost

    async def _fetch(self, source: ListSource) -> _Kept:
        try:
            body, content_type, url = await source.project_list(ACCEPT)
            kept = await asyncio.to_thread(_json_form, body, content_type, url, self._clock())
        except Exception as error:
            failure = _failure(error)
            self._failure = (self._clock(), failure)
            self._log("list-failed", f"the project list: upstream {failure.reason}")
            raise failure from error
        self._failure = None
        await self._keep("json", kept)
        return kept

    async def _keep(self, kind: Kind, kept: _Kept) -> None:
        self._memory.pop(kind, None)
        if not await asyncio.to_thread(self._save, kind, kept) or self._fits(kept):
            self._memory[kind] = kept

    def _fits(self, kept: _Kept) -> bool:
        return len(kept.packed) <= self._in_memory

    def _load(self, kind: Kind) -> _Kept | None:
        try:
            kept = msgspec.msgpack.decode((self._folder / kind).read_bytes(), type=_Kept)
        except (OSError, msgspec.MsgspecError):
            return None
        if kept.format != _FORMAT:
            return None
        if self._fits(kept):
            self._memory.setdefault(kind, kept)
        return kept

    def _save(self, kind: Kind, kept: _Kept) -> bool:
        """Write beside and rename, so that the list is there whole or not at all."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            handle, part = tempfile.mkstemp(dir=self._folder, suffix=".part")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(msgspec.msgpack.encode(kept))
                Path(part).replace(self._folder / kind)
            except BaseException:
                with suppress(OSError):
                    Path(part).unlink(missing_ok=True)
                raise
        except OSError as error:
            self._log("page-not-kept", f"the project list: {error.strerror or error}")
            return False
        return True

    def _age(self, since: datetime) -> float:
        return (self._clock() - since).total_seconds()


def _json_form(body: bytes, content_type: str, url: str, now: datetime) -> _Kept:
    """Return the list as JSON, packed. Raises Unreadable."""
    projects = read.project_list(body, content_type=content_type, url=url)
    own = content_type.partition(";")[0].strip().lower() == Form.JSON.value
    # JSON as it came, if all of it is well: it may say more of each project than the standard does.
    as_it_came = own and not projects.dropped
    return _packed(body if as_it_came else write.list_json(projects), now)


def _html_form(json: _Kept) -> _Kept:
    """Return the same list as HTML, packed; it was readable when it was taken in."""
    body = unpack(json.packed)
    projects = read.project_list(body, content_type=Form.JSON.value, url="")
    return _packed(write.list_html(projects), json.fetched_at)


def _packed(form: bytes, fetched_at: datetime) -> _Kept:
    return _Kept(_FORMAT, fetched_at, blake2b(form, digest_size=16).hexdigest(), pack(form))


def _failure(error: Exception) -> UpstreamFailed:
    if isinstance(error, UpstreamFailed):
        return error
    if isinstance(error, Unreadable):
        return UpstreamFailed(error.kind, error.reason)
    return UpstreamFailed("garbage", f"sent a list that fails the gate ({type(error).__name__})")
