"""Advisories as the feed told them, found by project.

A whole reading of the feed (a load) is written in small transactions beside the one in force, and
then takes its place in one step: nobody sees half of it, and no refusal waits for its tens of
thousands of rows. Most projects have no advisory at all, which is answered from memory.
"""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any

import msgspec
from msgspec import Struct
from packaging.utils import NormalizedName
from sqlalchemy import ColumnElement, Connection, bindparam, delete, func, select, tuple_

from indexgate.sources.osv_records import SOURCE, FeedState, Record
from indexgate.store.column_types import in_json
from indexgate.store.engines import StoreFailed
from indexgate.store.reader import Reader
from indexgate.store.schema import advisories as table
from indexgate.store.schema import advisory_feed as feeds
from indexgate.store.upserts import insert_or_change
from indexgate.store.writer import Writer
from indexgate_policy.advisories import Advisory

_AT_ONCE = 500
"""Records in one transaction: a few milliseconds, so that refusals do not wait."""

_LOOK_EVERY = timedelta(seconds=1)
"""How often to look whether another worker has changed the advisories."""

_FEED = select(feeds).where(feeds.c.source == SOURCE)
_OF = (
    select(table.c.advisory)
    .join_from(table, feeds, table.c.load == feeds.c.load)
    .where(feeds.c.source == SOURCE, table.c.project == bindparam("project"))
    .order_by(table.c.record, table.c.position)
)
_NAMES = select(table.c.project).where(table.c.load == bindparam("load")).distinct()
_KEY = (table.c.load, table.c.project, table.c.record, table.c.position)

_decoder = msgspec.json.Decoder(Advisory)


class _Names(Struct, frozen=True, kw_only=True):
    """The projects that have advisories at a revision, as sorted 64-bit hashes (eight bytes each).

    Two names with one hash cost a needless look into the database, nothing else.
    """

    revision: int
    hashes: "array[int]"

    def __contains__(self, project: str) -> bool:
        wanted = hash(project)
        place = bisect_left(self.hashes, wanted)
        return place < len(self.hashes) and self.hashes[place] == wanted


_NONE = _Names(revision=0, hashes=array("q"))


class StoredAdvisories:
    """The feed's advisories; an `AdvisorySink`, whose writing methods block their thread."""

    def __init__(self, reader: Reader, writer: Writer, clock: Callable[[], datetime]) -> None:
        self._reader = reader
        self._writer = writer
        self._clock = clock
        self._names = _NONE
        self._feed: FeedState | None = None
        # When it was looked last, and until when that does: of each warm page this is asked.
        self._looked = self._look_again = datetime.min.replace(tzinfo=UTC)

    def of(self, project: NormalizedName) -> tuple[Advisory, ...]:
        """Return all advisories about *project*, by id. Raises StoreFailed.

        What another worker changed is seen within a second.
        """
        if project not in self._current_names():
            return ()
        rows = self._reader.quick_all(_OF, project=project)
        try:
            return tuple(_decoder.decode(row.advisory) for row in rows)
        except msgspec.MsgspecError as error:
            # To leave it out would let through what it warns of.
            raise StoreFailed(
                "store-unreadable", f"An advisory about `{project}` cannot be read: {error}"
            ) from error

    def revision(self) -> int:
        """Return a number that grows with every change of the advisories. Raises StoreFailed."""
        return self._current_names().revision

    def feed_state(self) -> FeedState | None:
        """Return the feed's state as last stored; None before the first. Raises StoreFailed.

        What another worker stored is seen within a second.
        """
        self._current_names()
        return self._feed

    def replace_all(self, records: Iterable[Record], feed: FeedState) -> int:
        """Put *records* in the place of all that is held; return the number of rows.

        When *records* raises, nothing is changed. Raises StoreFailed.
        """
        load, count = self._writer.wait(self._new_load), 0
        try:
            for some in _in_turn(records):
                count += self._writer.wait(partial(_exchange, load=load, some=some))
            self._writer.wait(partial(_put_in_force, load=load, feed=feed, anew=True))
        except BaseException:
            self._clear(table.c.load == load)
            raise
        # A load above this one is another worker's, under way.
        self._clear(table.c.load < load)
        self._look()
        return count

    def apply(self, changed: Iterable[Record], feed: FeedState) -> int:
        """Put each of *changed* in the place of the record with its id; delete withdrawn ones.

        Returns the number of rows written. The feed's state is written last, so that what was cut
        off is applied again. Raises StoreFailed.
        """
        count, anew, load = 0, False, self._writer.wait(self._load_in_force)
        for some in _in_turn(changed):
            anew = True
            count += self._writer.wait(partial(_exchange, load=load, some=some))
        self._writer.wait(partial(_put_in_force, load=load, feed=feed, anew=anew))
        self._look()
        return count

    def _new_load(self, connection: Connection) -> int:
        """Return a number above all loads that are there, and above those of other workers."""
        highest = connection.execute(select(func.max(table.c.load))).scalar() or 0
        return max(int(highest) + 1, int(self._clock().timestamp() * 1_000_000))

    def _load_in_force(self, connection: Connection) -> int:
        row = connection.execute(_FEED).first()
        return self._new_load(connection) if row is None else int(row.load)

    def _clear(self, which: ColumnElement[bool]) -> None:
        """Delete the rows of loads that are not in force, a few at a time."""
        idle = table.c.load.not_in(select(feeds.c.load))
        some = select(*_KEY).where(which, idle).limit(2 * _AT_ONCE)
        few = delete(table).where(tuple_(*_KEY).in_(some))
        while self._writer.wait(lambda to: to.execute(few).rowcount):
            pass

    def _current_names(self) -> _Names:
        if not self._looked <= self._clock() < self._look_again:
            self._look()
        return self._names

    def _look(self) -> None:
        row = self._reader.quick(_FEED)
        self._feed = None if row is None else _feed(row)
        if row is None:
            self._names = _NONE
        elif row.revision != self._names.revision:
            names = self._reader.all(_NAMES, load=row.load)
            hashes = array("q", sorted(hash(name) for (name,) in names))
            self._names = _Names(revision=row.revision, hashes=hashes)
        self._looked = self._clock()
        self._look_again = self._looked + _LOOK_EVERY


def _feed(row: Any) -> FeedState:
    return FeedState(
        fetched_at=row.fetched_at,
        newest_modified=row.newest_modified,
        etag=row.etag,
        records=row.records,
    )


def _in_turn(records: Iterable[Record]) -> Iterator[list[Record]]:
    """Yield *records*, a transaction's worth at a time; the last of those with one id wins."""
    left = iter(records)
    while some := list(islice(left, _AT_ONCE)):
        yield list({record.id: record for record in some}.values())


def _rows(load: int, records: Iterable[Record]) -> list[dict[str, Any]]:
    return [
        {
            "load": load,
            "project": project,
            "record": record.id,
            "position": position,
            "advisory": in_json(advisory),
        }
        for record in records
        for position, (project, advisory) in enumerate(record.advisories)
    ]


def _exchange(connection: Connection, *, load: int, some: list[Record]) -> int:
    ids = [record.id for record in some]
    connection.execute(delete(table).where(table.c.load == load, table.c.record.in_(ids)))
    rows = _rows(load, some)
    if rows:
        connection.execute(table.insert(), rows)
    return len(rows)


def _put_in_force(connection: Connection, *, load: int, feed: FeedState, anew: bool) -> None:
    """Let the rows of *load* count from now on, unless those of a later one do already."""
    there = connection.execute(_FEED).first()
    if there is not None and there.load > load:
        return
    values = {
        "load": load,
        "revision": 1 if there is None else there.revision + anew,
        "fetched_at": feed.fetched_at,
        "newest_modified": feed.newest_modified,
        "etag": feed.etag,
        "records": feed.records,
    }
    insert_or_change(connection, feeds, {"source": SOURCE, **values}, values)
