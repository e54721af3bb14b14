"""Answers of sources kept for asking again, so that "not modified" is had after a restart too."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, select

from indexgate.sources.validators import LARGEST, Held
from indexgate.store.engines import StoreFailed
from indexgate.store.reader import Reader
from indexgate.store.schema import source_answers as table
from indexgate.store.upserts import insert_or_change
from indexgate.store.writer import Writer

KEPT = timedelta(days=60)
"""How long an answer is kept after it was last given."""

_ONE = select(table.c.etag, table.c.body, table.c.link).where(
    table.c.source == bindparam("source"), table.c.address == bindparam("address")
)


class StoredAnswers:
    """Answers by source and address; they fit `sources.validators.Answers`."""

    def __init__(self, reader: Reader, writer: Writer, clock: Callable[[], datetime]) -> None:
        self._reader = reader
        self._writer = writer
        self._clock = clock

    def held(self, source: str, address: str) -> Held | None:
        """Return the answer that is kept for *address*; None too when the store cannot tell."""
        try:
            row = self._reader.quick(_ONE, source=source, address=address)
        except StoreFailed:
            return None
        return None if row is None else Held(etag=row.etag, body=row.body, link=row.link)

    def keep(self, source: str, address: str, held: Held) -> None:
        """Replace it before long; a large one is not kept."""
        if len(held.body) > LARGEST:
            return
        answer = {
            "etag": held.etag,
            "body": held.body,
            "link": held.link,
            "kept_at": self._clock(),
        }
        row = {"source": source, "address": address, **answer}
        self._writer.soon(lambda to: insert_or_change(to, table, row, answer))

    async def prune(self, now: datetime) -> int:
        """Delete what was kept `KEPT` ago or longer; return how many. Raises StoreFailed."""
        old = delete(table).where(table.c.kept_at < now - KEPT)
        return await self._writer.commit(lambda to: to.execute(old).rowcount)
