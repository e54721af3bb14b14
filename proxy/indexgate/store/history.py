"""The history: downloads and what else is counted by the day, of every project, for about a year.

It is written day by day for a whole index (`load_day`) or project by project (`add`), and read as
panels. A day that is loaded again takes the place of itself, so whatever was broken off is simply
repeated. Weeks begin on Monday: a panel does too, and may hold some days more than asked for.

Arrays need numpy, which costs time and memory that a gate without history does not have to spend:
the modules that use it are imported when they are first needed.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from packaging.utils import NormalizedName
from sqlalchemy import Connection

from indexgate.store import events, history_days
from indexgate.store.history_days import ANYTHING, DAYS, LoadedDay
from indexgate.store.history_numbers import (
    AT_ONCE,
    HistoryNumbers,
    number_index,
    number_one,
    set_born,
    tiles,
)
from indexgate.store.reader import Reader
from indexgate.store.writer import Writer, in_turn
from indexgate_policy.signals import Unknown

if TYPE_CHECKING:
    from indexgate.store.history_panels import Projects, Span
    from indexgate_policy.downloads.day_counts import DayCounts
    from indexgate_policy.downloads.panel import Movement, Panel

Activity: TypeAlias = Literal["releases", "people", "inflow"]

PANEL_DAYS: Final = 182
"""Half a year: what the checks look back on."""

KEPT: Final = timedelta(days=400)
"""How long the history of a day is kept."""

_TILES_AT_ONCE = 32
"""Tiles changed in one transaction: some milliseconds, so that refusals do not wait."""

_ROWS_AT_ONCE = 1_000
"""Projects deleted in one transaction."""

_NEVER_SEEN = Unknown(reason="no download history of it is kept yet")


class History:
    """The history by index and project.

    What is not `async` blocks its thread: a single project for a few milliseconds, the rest for
    seconds. Every method raises StoreFailed.
    """

    def __init__(self, reader: Reader, writer: Writer, clock: Callable[[], datetime]) -> None:
        self._reader = reader
        self._writer = writer
        self._clock = clock
        self._numbers = HistoryNumbers(reader, writer)

    def panel(
        self, index_id: str, project: NormalizedName, until: date, days: int = PANEL_DAYS
    ) -> "Panel | Unknown":
        """Return the history of one project, its last day the newest known one up to *until*.

        It begins on the Monday at or before *days* days up to *until*.
        """
        found = self._numbers.project(index_id, project)
        index_number = self._numbers.index(index_id)
        if found is None or index_number is None or not self._is_anything_kept(index_number):
            return _NEVER_SEEN
        from indexgate.store.history_panels import Projects, known_days, panel_of

        id_, born = found
        span = self._span(index_number, until, days)
        panel = panel_of(self._reader, Projects(ids=(id_,), names=(project,), born=(born,)), span)
        known = known_days(panel)
        return _NEVER_SEEN if known == 0 else panel.until(known - 1)

    def panels(
        self,
        index_id: str,
        until: date,
        days: int = PANEL_DAYS,
        chunk: int = 4096,
        *,
        part: tuple[int, int] = (0, 1),
    ) -> "Iterator[Panel]":
        """Yield the history of the whole index, about *chunk* projects at a time.

        All have the same days; the last is the newest up to *until* that was loaded whole. Of
        *part* (k, n) only every n-th chunk is read, from number k on: n readers read all.
        """
        index_number = self._numbers.index(index_id)
        if index_number is None:
            return
        from indexgate.store.history_panels import panel_of

        whole = [day.day for day in self.days(index_id) if day.whole and day.day <= until]
        span = self._span(index_number, max(whole, default=until), days)
        ids = self._numbers.ids(index_number)
        number, of = part
        for first in range(ids.start + number * chunk, ids.stop, of * chunk):
            rows = self._numbers.between(range(first, min(first + chunk, ids.stop)))
            if rows:
                yield panel_of(self._reader, _projects(rows), span)

    def projects(self, index_id: str) -> int:
        """Return of how many projects of the index there is a history, at most."""
        index_number = self._numbers.index(index_id)
        return 0 if index_number is None else len(self._numbers.ids(index_number))

    def days(self, index_id: str) -> tuple[LoadedDay, ...]:
        """Return the days that were loaded for many projects at once, oldest first."""
        index_number = self._numbers.index(index_id)
        if index_number is None:
            return ()
        rows = self._reader.all(DAYS, index_number=index_number, first=date.min, last=date.max)
        return tuple(
            LoadedDay(
                day=row.day,
                source=row.source,
                whole=row.whole,
                complete=row.complete,
                projects=row.projects,
                loaded_at=row.loaded_at,
            )
            for row in rows
        )

    def load_day(
        self,
        index_id: str,
        day: date,
        counts: "Iterable[DayCounts]",
        *,
        source: str,
        complete: bool = True,
        whole: bool = True,
        among: Collection[NormalizedName] = (),
    ) -> int:
        """Put *counts* in the place of all that is held of *day*; return how many there were.

        *whole*: of every project of the index, so that who is not in them had no downloads. Else
        that holds for the projects *among* which was asked, and all others stay as they are.
        *complete*: no rows of the day are known to lack. When *counts* raises, only that the day
        was begun is written.
        """
        from indexgate.store.history_loading import Gathered

        at, write = self._clock(), self._writer.wait
        index_number = write(partial(number_index, index_id=index_id))
        # Some projects loaded anew do not make a whole day less than whole.
        noted = whole or day not in {loaded.day for loaded in self.days(index_id) if loaded.whole}
        if noted:
            write(lambda to: history_days.begin(to, index_number, day, source, at))
        gathered, absent = Gathered(), set() if whole else set(among)
        for some in in_turn(counts, AT_ONCE):
            ids = self._numbers.of(index_number, [one.project for one in some])
            gathered.put(ids, some)
            absent.difference_update(ids)
        told = gathered.count
        for some_absent in in_turn(sorted(absent), AT_ONCE):
            gathered.put_nothing(self._numbers.of(index_number, some_absent))
        concerned = tiles(self._numbers.ids(index_number)) if whole else gathered.tiles
        for some_tiles in in_turn(concerned, _TILES_AT_ONCE):
            write(partial(gathered.write, day=day, tiles=some_tiles, whole=whole))
        loaded = LoadedDay(
            day=day,
            source=source,
            whole=whole,
            complete=complete,
            projects=told,
            loaded_at=at,
        )
        if noted:
            write(lambda to: history_days.done(to, index_number, loaded))
        return told

    async def add(
        self, index_id: str, project: NormalizedName, counts: "Iterable[DayCounts]"
    ) -> None:
        """Put what is known of some days of one project in the place of what is held of them.

        Days that were loaded for the whole index stay as they are: the log knows better.
        """
        from indexgate.store.history_loading import add_days

        days = list(counts)

        def write(connection: Connection) -> None:
            id_ = number_one(connection, index_id, project)
            add_days(connection, id_, days)

        await self._writer.commit(write)

    async def note_activity(
        self,
        index_id: str,
        project: NormalizedName,
        what: Activity,
        values: Mapping[date, float],
    ) -> None:
        """Put *values* by day in the place of what is held of `Panel.releases` and the like."""
        from indexgate.store.history_loading import note_activity

        def write(connection: Connection) -> None:
            id_ = number_one(connection, index_id, project)
            note_activity(connection, id_, what, values)

        await self._writer.commit(write)

    def note_born(self, index_id: str, born: Mapping[NormalizedName, date]) -> None:
        """Note the days of first releases; a project without one counts as old in panels."""
        index_number = self._writer.wait(partial(number_index, index_id=index_id))
        for some in in_turn(born, AT_ONCE):
            ids = self._numbers.of(index_number, some)
            days = {ids[project]: born[project] for project in some}
            self._writer.wait(partial(set_born, born=days))

    async def note_one_born(self, index_id: str, project: NormalizedName, day: date) -> None:
        """Note the *day* of the first release of one project, as `note_born` does."""

        def write(connection: Connection) -> None:
            set_born(connection, {number_one(connection, index_id, project): day})

        await self._writer.commit(write)

    def movement(self, index_id: str, first_day: date, days: int) -> "Movement | Unknown":
        """Return how the whole index moved in *days* days from *first_day*, a Monday, on."""
        from indexgate.store import history_movement

        index_number = self._numbers.index(index_id)
        if index_number is None:
            return history_movement.NONE_KEPT
        return history_movement.read(self._reader, index_number, first_day, days)

    def save_movement(self, index_id: str, movement: "Movement") -> None:
        """Put what *movement* knows in the place of what is held of its days and weeks."""
        from indexgate.store import history_movement

        def write(connection: Connection) -> None:
            index_number = number_index(connection, index_id)
            history_movement.write(connection, index_number, movement)

        self._writer.wait(write)

    def roll_over(self, before: date | None = None) -> int:
        """Let go of what is older than *before*, `KEPT` ago by default; return how many rows.

        Whole weeks go. And of weeks too old to be loaded again the mixes are kept for the week
        only, which takes a fifth of the room. What breaks off is done the next time.
        """
        oldest = before or self._clock().date() - KEPT
        indexes = [number for number in self._numbers.indexes() if self._is_anything_kept(number)]
        dropped = self._drop_tiles(oldest) if indexes else 0
        for index_number in indexes:
            self._fold(index_number)
        return dropped + self._writer.wait(partial(_drop_notes, before=oldest))

    def _drop_tiles(self, before: date) -> int:
        from indexgate.store.history_tiles import drop_before, week_of

        some, dropped = partial(drop_before, week=week_of(before), most=_ROWS_AT_ONCE), 0
        while gone := self._writer.wait(some):
            dropped += gone
        return dropped

    def _fold(self, index_number: int) -> None:
        from indexgate.store.history_loading import fold

        ids = self._numbers.ids(index_number)
        days = self._reader.all(DAYS, index_number=index_number, first=date.min, last=date.max)
        for first in history_days.weeks_to_fold(days):
            for some in in_turn(tiles(ids), _TILES_AT_ONCE):
                self._writer.wait(partial(fold, tiles=some, first=first))
            self._writer.wait(partial(history_days.folded, index_number=index_number, first=first))

    def _is_anything_kept(self, index_number: int) -> bool:
        """Tell whether to look is worth its while; what looks needs numpy."""
        row = self._reader.quick(ANYTHING, index_number=index_number)
        return row is not None and bool(row.kept)

    def _span(self, index_number: int, until: date, days: int) -> "Span":
        from indexgate.store.history_panels import span_of

        return span_of(self._reader, index_number, until, days)


def _projects(rows: Sequence[Any]) -> "Projects":
    from indexgate.store.history_panels import Projects

    return Projects(
        ids=[row.id for row in rows],
        names=tuple(NormalizedName(row.project) for row in rows),
        born=[row.born for row in rows],
    )


def _drop_notes(connection: Connection, before: date) -> int:
    midnight = datetime.combine(before, time.min, UTC)
    return history_days.drop_before(connection, before) + events.drop_before(connection, midnight)
