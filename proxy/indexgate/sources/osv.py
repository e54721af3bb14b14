"""The advisories of OSV: the whole feed once, then only what changed.

Source: OSV's public bucket, documented at OSV under "Data dumps"; no account, no limit stated.
`PyPI/all.zip` holds every record, `PyPI/modified_id.csv` lists their last changes newest first, and
`PyPI/<id>.json` is one record. Only files are asked for, never a name that this gate was asked for:
OSV learns nothing of what is installed here.
"""

import asyncio
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

import httpx
from msgspec import Struct
from msgspec.structs import replace

from indexgate.sources.osv_archive import BrokenArchive, Limits, census, holding
from indexgate.sources.osv_records import (
    SOURCE,
    AdvisorySink,
    FeedState,
    Record,
    Unreadable,
    parse,
    valid_id,
)
from indexgate.sources.outbound import answer, chunks, read_bounded, same_host
from indexgate.sources.protocol import SourceFailed

BUCKET = "https://osv-vulnerabilities.storage.googleapis.com"
MOST_CHANGES = 2_000
"""With more changes than this the whole feed is the cheaper way."""

OVERLAP = timedelta(hours=2)
"""Records reach the bucket somewhat out of order, so changes are read from before the newest."""

_SLACK = timedelta(days=1)  # that the list may lag behind the archive before it is suspicious
_MOST_OF_LIST = 64_000_000
_LONGEST_LINE = 512
_AT_ONCE = 8
_NOT_FOUND = 404


class _Changes(Struct, frozen=True, kw_only=True):
    """What the list says: ids with their times, and how to ask for it next time.

    `ids` is None when the list cannot tell what changed: it ends too early or is not in order.
    """

    ids: dict[str, datetime] | None
    newest: datetime
    etag: str | None


class OsvFeed:
    """Keeps *sink* as new as OSV's feed.

    *base* is the address of the bucket or of a mirror of it, *spool* the folder for the archive
    while it is read (the system's by default). The archive may take *archive_within* seconds, the
    list of changes and each single record *within*.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        sink: AdvisorySink,
        *,
        base: str = BUCKET,
        limits: Limits | None = None,
        most_changes: int = MOST_CHANGES,
        spool: Path | None = None,
        within: float = 30.0,
        archive_within: float = 600.0,
    ) -> None:
        self._client = client
        self._sink = sink
        self._root = f"{base.rstrip('/')}/PyPI"
        self._allowed = same_host(base)
        self._limits = limits or Limits()
        self._most_changes = most_changes
        self._spool = spool
        self._within = within
        self._archive_within = archive_within
        self._applied: dict[str, datetime] = {}
        self.unreadable: tuple[str, ...] = ()
        """What the last refresh had to leave out, one line a record."""

    async def refresh(self, now: datetime) -> FeedState:
        """Bring the sink up to date and return the new state; *now* is an aware UTC time.

        Raises SourceFailed; the sink then holds what it held before.
        """
        held = await asyncio.to_thread(self._sink.feed_state)
        if held is None or held.newest_modified is None:
            return await self._read_whole(held, now)
        since = held.newest_modified - OVERLAP
        listed = await self._list(held.etag, since)
        if listed is None:
            return await self._apply((), replace(held, fetched_at=now))
        if listed.newest < held.newest_modified - _SLACK:
            raise self._failed("stale", "has a list of changes older than the one read before")
        if listed.ids is None:
            return await self._read_whole(held, now)
        changed = {id_: when for id_, when in listed.ids.items() if self._applied.get(id_) != when}
        if len(changed) > self._most_changes:
            return await self._read_whole(held, now)
        return await self._read_changes(held, listed.etag, changed, now)

    async def _list(self, etag: str | None, since: datetime) -> _Changes | None:
        """Return what changed after *since*, None when the list is the one with *etag*."""
        ids: dict[str, datetime] = {}
        newest = last = None
        async with answer(
            self._client,
            f"{self._root}/modified_id.csv",
            source=SOURCE,
            allowed=self._allowed,
            headers={"If-None-Match": etag} if etag else {},
            accept=frozenset({200, 304} if etag else {200}),
            within=self._within,
        ) as response:
            if response.status_code != 200:
                return None
            async with aclosing(_lines(chunks(response, _MOST_OF_LIST))) as lines:
                async for line in lines:
                    when, id_ = self._change(line)
                    newest = newest or when
                    if when <= since:
                        tag = response.headers.get("ETag")
                        return _Changes(ids=ids, newest=newest, etag=tag)
                    if last is not None and when > last:
                        break
                    last = when
                    ids[id_] = when
        if newest is None:
            raise self._failed("garbage", "answered an empty list of changes")
        return _Changes(ids=None, newest=newest, etag=None)

    def _change(self, line: bytes) -> tuple[datetime, str]:
        time, _, id_ = line.decode("ascii", "replace").strip().partition(",")
        try:
            when = datetime.fromisoformat(time)
        except ValueError:
            when = None
        if when is None or when.tzinfo is None or not valid_id(id_):
            raise self._failed("garbage", "answered a list of changes that cannot be read")
        return when.astimezone(UTC), id_

    async def _read_changes(
        self, held: FeedState, etag: str | None, changed: dict[str, datetime], now: datetime
    ) -> FeedState:
        records, unreadable = await self._fetch(changed)
        fresh = {r.id: changed[r.id] for r in records if r.modified >= _whole_second(changed[r.id])}
        # A time that is still to come would hide all changes until then, so it is no mark.
        past = (when for when in changed.values() if when <= now)
        newest = max([held.newest_modified or now, *past])
        # What was unreadable, or older than the list says, is asked for again as long as the
        # overlap shows it; so the list must be read again even if it stays the same.
        feed = replace(
            held,
            fetched_at=now,
            newest_modified=newest,
            etag=etag if len(fresh) == len(changed) else None,
        )
        await self._apply(records, feed)
        since = newest - OVERLAP
        applied = {**self._applied, **fresh}
        self._applied = {id_: when for id_, when in applied.items() if when > since}
        self.unreadable = unreadable
        return feed

    async def _fetch(
        self, changed: dict[str, datetime]
    ) -> tuple[tuple[Record, ...], tuple[str, ...]]:
        """Return the changed records, and a line for each that could not be read."""
        turn = asyncio.Semaphore(_AT_ONCE)

        async def one(id_: str, when: datetime) -> Record | str:
            async with turn:
                return await self._record(id_, when)

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(id_, when)) for id_, when in changed.items()]
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None
        found = [task.result() for task in tasks]
        records = tuple(item for item in found if isinstance(item, Record))
        return records, tuple(item for item in found if isinstance(item, str))

    async def _record(self, id_: str, when: datetime) -> Record | str:
        """Return the record *id_*; as withdrawn when it is about PyPI no more."""
        try:
            async with answer(
                self._client,
                f"{self._root}/{id_}.json",
                source=SOURCE,
                allowed=self._allowed,
                within=self._within,
            ) as response:
                document = await read_bounded(response, self._limits.record)
            record = parse(document)
        except Unreadable as bad:
            return f"`{id_}` {bad.reason}"
        except SourceFailed as failed:
            if failed.status != _NOT_FOUND and failed.kind != "too-large":
                raise
            return f"`{id_}` {failed.reason}"
        if record is None:
            return Record(id=id_, modified=when, withdrawn=True, advisories=())
        return record if record.id == id_ else f"`{id_}` is the record `{record.id}`"

    async def _read_whole(self, held: FeedState | None, now: datetime) -> FeedState:
        try:
            with self._place() as archive:
                await self._download(archive)
                found = await asyncio.to_thread(census, archive, self._limits, now)
                if found.records == 0:
                    raise self._failed("garbage", "has an archive without any record about PyPI")
                if held is not None and 2 * found.records < held.records:
                    reason = f"has an archive of {found.records:,} records where it had"
                    raise self._failed("garbage", f"{reason} {held.records:,} before")
                feed = FeedState(
                    fetched_at=now,
                    newest_modified=found.newest,
                    etag=None,
                    records=found.records,
                )
                records = holding(archive, self._limits)
                await asyncio.to_thread(self._sink.replace_all, records, feed)
        except BrokenArchive as broken:
            raise self._failed("garbage", broken.reason) from broken
        self._applied = {}
        self.unreadable = found.unreadable
        return feed

    async def _download(self, archive: IO[bytes]) -> None:
        async with answer(
            self._client,
            f"{self._root}/all.zip",
            source=SOURCE,
            allowed=self._allowed,
            headers={"Accept-Encoding": "identity"},
            within=self._archive_within,
        ) as response:
            async for piece in chunks(response, self._limits.archive):
                self._put(archive, piece)

    def _place(self) -> IO[bytes]:
        try:
            return tempfile.TemporaryFile(dir=self._spool)
        except OSError as error:
            raise self._failed("disk", "has an archive that finds no place here") from error

    def _put(self, archive: IO[bytes], piece: bytes) -> None:
        """Write *piece* through to the disk's cache: a full disk shows here, not later."""
        try:
            archive.write(piece)
            archive.flush()
        except OSError as error:
            raise self._failed("disk", "has an archive that finds no room here") from error

    async def _apply(self, records: tuple[Record, ...], feed: FeedState) -> FeedState:
        await asyncio.to_thread(self._sink.apply, records, feed)
        return feed

    def _failed(self, kind: str, reason: str) -> SourceFailed:
        return SourceFailed(SOURCE, kind, reason)


def _whole_second(time: datetime) -> datetime:
    return time.replace(microsecond=0)


async def _lines(pieces: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """Yield the lines of *pieces* without empty ones, each of a bounded length."""
    rest = b""
    async for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            if line.strip():
                yield line
        rest = rest[: _LONGEST_LINE + 1]
    if rest.strip():
        yield rest
