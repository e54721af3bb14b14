"""The record of decisions: every refusal on the disk before its answer leaves.

When the database cannot take a refusal, the file is refused all the same; the row waits in memory,
a bounded number of them, health says so, and the rows are written when the database is back.
What pages withhold or warn of is counted by the hour and written before long.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from secrets import token_hex
from typing import Any

from packaging.utils import NormalizedName
from sqlalchemy import Connection, Row, delete, select

from indexgate.store.engines import StoreFailed, store_failed
from indexgate.store.notices import Notices
from indexgate.store.reader import Reader
from indexgate.store.records import Decision, Notice, RecordHealth, Refusal, VerdictSet
from indexgate.store.schema import notices, refusals, verdict_sets
from indexgate.store.upserts import insert_new
from indexgate.store.writer import Writer

KEPT = timedelta(days=90)
"""How long decisions are kept."""

SPOOL = 10_000
"""Most refusals, and most different notices, that wait in memory."""

PATIENCE = 6.0
"""Seconds for which an answer waits for the database; above its own wait for another process."""

_TOGETHER = 500


class Decisions:
    """The record, for the event loop's thread. Noting never raises: `health` tells what failed.

    `spool` bounds what waits in memory, `patience` (seconds) how long an answer waits,
    `retry_every` (seconds) is how often waiting refusals are tried again.
    """

    def __init__(
        self,
        reader: Reader,
        writer: Writer,
        *,
        spool: int = SPOOL,
        patience: float = PATIENCE,
        retry_every: float = 5.0,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._room = spool
        self._patience = patience
        self._retry_every = retry_every
        self._spool: dict[str, dict[str, Any]] = {}
        self._dropped = 0
        self._fault: StoreFailed | None = None
        self._notices = Notices(writer, spool)
        self._keeping: set[asyncio.Task[None]] = set()
        self._retrying: asyncio.Task[None] | None = None

    async def refused(self, refusal: Refusal) -> None:
        """Return once *refusal* is on the disk, or spooled because the database cannot take it.

        A caller that is cancelled leaves; its refusal is kept all the same.
        """
        keeping = asyncio.create_task(self._keep(_refusal_row(refusal)))
        self._keeping.add(keeping)
        keeping.add_done_callback(self._keeping.discard)
        await asyncio.shield(keeping)

    def noticed(
        self,
        kind: Notice,
        verdicts: VerdictSet,
        *,
        run: str | None,
        family: str,
        hour: datetime,
        count: int = 1,
    ) -> None:
        """Count that a page with *verdicts* was given out in *hour*; written before long."""
        self._notices.count(
            kind, verdicts, run=run or "", family=_storable(family), hour=_hour(hour), count=count
        )

    async def flush(self) -> bool:
        """Write all that waits in memory; tell whether that went well."""
        if self._keeping:
            await asyncio.wait(self._keeping)
        try:
            while some := dict(islice(self._spool.items(), _TOGETHER)):
                await self._write_spooled(some)
            self._fault = None
            while self._notices.waiting:
                self._notices.send()
                # Writes keep their order: when this one is done, the notices' is too.
                await self._writer.commit(_nothing)
                if self._notices.fault is not None:
                    return False
        except StoreFailed as error:
            self._fault = error
            return False
        return True

    def health(self) -> RecordHealth:
        """Return whether the record is kept, and what waits or is lost."""
        fault = self._fault or self._notices.fault or self._writer.fault
        return RecordHealth(
            reason=None if fault is None else fault.message,
            spooled=len(self._spool),
            dropped=self._dropped + self._notices.dropped,
        )

    def query(
        self,
        *,
        since: datetime,
        project: str | None = None,
        rule: str | None = None,
        run: str | None = None,
        limit: int = 1000,
    ) -> list[Decision]:
        """Return the newest *limit* decisions since *since* that match, newest first.

        Raises StoreFailed.
        """
        refused = select(refusals).where(refusals.c.at >= since).order_by(refusals.c.at.desc())
        noticed = (
            select(notices, notices.c.count.label("number"), verdict_sets)
            .join_from(notices, verdict_sets, notices.c.digest == verdict_sets.c.digest)
            .where(notices.c.hour >= _hour(since))
            .order_by(notices.c.hour.desc(), notices.c.digest, verdict_sets.c.position)
        )
        if project is not None:
            refused = refused.where(refusals.c.project == project)
            noticed = noticed.where(verdict_sets.c.project == project)
        if rule is not None:
            refused = refused.where(refusals.c.rule == rule)
            noticed = noticed.where(verdict_sets.c.rule == rule)
        if run is not None:
            refused = refused.where(refusals.c.run == run)
            noticed = noticed.where(notices.c.run == run)
        found = [_refused(row) for row in self._reader.all(refused.limit(limit))]
        found += [_noticed(row) for row in self._reader.all(noticed.limit(limit))]
        return sorted(found, key=lambda decision: decision.at, reverse=True)[:limit]

    async def prune(self, now: datetime, keep: timedelta = KEPT) -> int:
        """Delete what is older than *keep*; return the number of rows. Raises StoreFailed."""
        before = now - keep

        def write(connection: Connection) -> int:
            count = connection.execute(delete(refusals).where(refusals.c.at < before)).rowcount
            count += connection.execute(delete(notices).where(notices.c.hour < before)).rowcount
            unused = verdict_sets.c.digest.not_in(select(notices.c.digest))
            return count + connection.execute(delete(verdict_sets).where(unused)).rowcount

        return await self._writer.commit(write)

    def close(self) -> None:
        """Write what waits in memory, if the database can take it. Blocks."""
        if self._retrying is not None and not self._retrying.get_loop().is_closed():
            self._retrying.cancel()
        try:
            if self._spool:
                self._writer.wait(partial(_insert, rows=list(self._spool.values())))
                self._spool.clear()
            while self._notices.waiting:
                self._notices.send()
                self._writer.wait(_nothing)
                if self._notices.fault is not None:
                    break
        except Exception as error:  # the rest of the store has to be closed all the same
            self._fault = store_failed(error)

    async def _keep(self, row: dict[str, Any]) -> None:
        try:
            async with asyncio.timeout(self._patience):
                await self._writer.commit(partial(_insert, rows=[row]))
        except StoreFailed as error:
            self._put_aside(row, error)
        except TimeoutError:
            # It may be written yet; the row's key keeps it from being there twice.
            message = f"The store did not take a refusal within {self._patience:g} s"
            self._put_aside(row, StoreFailed("store-slow", message))
        except Exception as error:  # the database declined this row and would again
            self._dropped += 1
            self._fault = store_failed(error)
        else:
            if not self._spool:
                self._fault = None

    def _put_aside(self, row: dict[str, Any], error: StoreFailed) -> None:
        self._fault = error
        if len(self._spool) < self._room:
            self._spool[row["key"]] = row
        else:
            self._dropped += 1
        if self._retrying is None or self._retrying.done():
            self._retrying = asyncio.create_task(self._retry())

    async def _write_spooled(self, rows: dict[str, dict[str, Any]]) -> None:
        """Write *rows* of the spool and take them out; one that is declined is dropped."""
        try:
            await self._writer.commit(partial(_insert, rows=list(rows.values())))
        except StoreFailed:
            raise
        except Exception:
            if len(rows) > 1:
                for key, row in rows.items():
                    await self._write_spooled({key: row})
                return
            self._dropped += 1
        for key in rows:
            self._spool.pop(key, None)

    async def _retry(self) -> None:
        written = False
        while not written:
            await asyncio.sleep(self._retry_every)
            written = await self.flush()


def _nothing(_connection: Connection) -> None:
    """Write nothing: a place in the queue."""


def _insert(connection: Connection, *, rows: list[dict[str, Any]]) -> None:
    insert_new(connection, refusals, rows)


def _hour(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _refusal_row(refusal: Refusal) -> dict[str, Any]:
    return {
        "key": token_hex(16),
        "at": refusal.at,
        "index_id": refusal.index_id,
        "project": refusal.project,
        "version": _storable(refusal.version),
        "filename": _storable(refusal.filename),
        "rule": refusal.rule,
        "reason": _storable(refusal.reason),
        "policy_digest": refusal.policy_digest,
        "run": refusal.run,
        "family": _storable(refusal.family),
        "formula": refusal.formula,
        "assessed_at": refusal.assessed_at,
    }


def _storable(text: str) -> str:
    """Return *text* as a database takes it: what a client sends can hold halves of characters."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def _refused(row: Row[Any]) -> Decision:
    return Decision(
        kind="refused",
        at=row.at,
        index_id=row.index_id,
        project=NormalizedName(row.project),
        versions=(row.version,),
        filename=row.filename,
        rule=row.rule,
        reason=row.reason,
        policy_digest=row.policy_digest,
        run=row.run,
        family=row.family,
        count=1,
    )


def _noticed(row: Row[Any]) -> Decision:
    return Decision(
        kind=row.kind,
        at=row.hour,
        index_id=row.index_id,
        project=NormalizedName(row.project),
        versions=row.versions,
        filename=None,
        rule=row.rule,
        reason=row.reason,
        policy_digest=row.policy_digest,
        run=row.run or None,
        family=row.family,
        count=row.number,
    )
