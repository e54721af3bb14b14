"""Reading a day of the download log into the history: what it will cost, and doing it.

A day is read as a whole or not at all: it counts as read only once every row of it is in the
history, so a reading that was broken off is simply done again.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING

from msgspec import Struct
from packaging.utils import NormalizedName

from indexgate.index.listing import Listing
from indexgate.sources.day_log import Batch, DayLog, Plan, due, newest_settled
from indexgate.store.history import History
from indexgate_policy.signals import Unknown

if TYPE_CHECKING:
    from indexgate_policy.downloads.roll_up import Upload, Uploads

BREAK_EVEN = 500
"""From so many projects on the whole index costs no more than its parts, see `sources.bigquery`."""

CATCH_UP = timedelta(days=7)
"""How far back days are read by themselves; older ones on demand."""

WEEKS_OF_MOVEMENT = 26
WEEKS_COMPARED = 11
"""Weeks that a day and its week are compared with, and one to spare (see `movement`)."""


class Reading(Struct, frozen=True, kw_only=True):
    """A day that was read: of how many projects there were downloads, and of how many rows."""

    day: date
    source: str
    projects: int
    rows: int


class DayReader:
    """Reads days of *log* into *history* for the index *index_id*.

    *projects* are those that clients asked for: they are asked about by name, or the whole index
    is when they are many. *listing* returns what the index lists of one of them, None when it
    cannot. All of it blocks: for a thread of its own.
    """

    def __init__(
        self,
        log: DayLog,
        history: History,
        *,
        index_id: str,
        projects: Callable[[], frozenset[NormalizedName]],
        listing: Callable[[NormalizedName], Listing | None],
        clock: Callable[[], datetime],
    ) -> None:
        self._log = log
        self._history = history
        self._index_id = index_id
        self._projects = projects
        self._listing = listing
        self._clock = clock

    @property
    def source(self) -> str:
        """The name of the log."""
        return self._log.name

    def due(self) -> tuple[date, ...]:
        """Return the days that are to be read now, the newest first. Raises StoreFailed.

        None are while nobody has asked for anything.
        """
        if not self._projects():
            return ()
        now = self._clock()
        read = {
            day.day: day.loaded_at for day in self._history.days(self._index_id) if day.complete
        }
        return due(read, first=newest_settled(now) - CATCH_UP, now=now)

    def plan(self, day: date) -> Plan:
        """Say what reading *day* takes. Raises SourceFailed, GateError, StoreFailed."""
        return self._log.plan(day, self._asked(), self._clock())

    def read(self, day: date, *, tell: Callable[[int], None] = lambda _rows: None) -> Reading:
        """Read *day* as a whole; *tell* hears how many rows came so far.

        Raises SourceFailed, GateError, StoreFailed; then the day counts as not read.
        """
        from indexgate_policy.downloads.roll_up import roll_up

        names = self._asked()
        rows = _Counting(self._log.rows(day, names, self._clock()), tell)
        projects = self._history.load_day(
            self._index_id,
            day,
            roll_up(rows, self._uploads(), sorted_by_project=True),
            source=self._log.name,
            whole=names is None,
            among=frozenset(map(NormalizedName, names or ())),
        )
        if names is None:
            self._note_movement(day)
        return Reading(day=day, source=self._log.name, projects=projects, rows=rows.count)

    def _asked(self) -> frozenset[str] | None:
        names = self._projects()
        whole = self._log.reads_whole_index and len(names) > BREAK_EVEN
        return None if whole else frozenset(names)

    def _uploads(self) -> "Uploads":
        """Return what tells when a version was uploaded, for projects whose page is at hand."""
        from indexgate_policy.downloads.roll_up import Upload

        asked = self._projects()  # of the others no page is fetched for this
        pages: dict[NormalizedName, Mapping[str, Upload]] = {}

        def upload(project: NormalizedName, version: str) -> Upload | None:
            if project not in asked:
                return None
            if project not in pages:
                pages[project] = dict(_uploads_of(self._listing(project)))
            return pages[project].get(version)

        return upload

    def _note_movement(self, day: date) -> None:
        """Work out anew how the whole index moved, now that *day* is known too."""
        from indexgate_policy.downloads.movement import movement

        panels = self._history.panels(self._index_id, day, 7 * self._weeks_to_compare(day))
        first = next(panels, None)
        if first is not None:
            self._history.save_movement(self._index_id, movement(chain([first], panels)))

    def _weeks_to_compare(self, day: date) -> int:
        """Return the weeks that tell what *day* adds to a movement that is held, or all of it."""
        monday = day - timedelta(days=day.weekday() + 7)
        held = self._history.movement(self._index_id, monday, 7)
        known = not isinstance(held, Unknown) and bool((held.consumers == held.consumers).any())
        return WEEKS_COMPARED if known else WEEKS_OF_MOVEMENT


def days_between(first: date, last: date) -> Iterator[date]:
    """Yield the days from *first* to *last*, the newest first."""
    for back in range((last - first).days + 1):
        yield last - timedelta(days=back)


class _Counting:
    """Batches, and how many rows they had."""

    def __init__(self, batches: Iterable[Batch], tell: Callable[[int], None]) -> None:
        self.count = 0
        self._batches = batches
        self._tell = tell

    def __iter__(self) -> Iterator[Batch]:
        for batch in self._batches:
            self.count += len(batch["project"])
            self._tell(self.count)
            yield batch


def _uploads_of(listing: Listing | None) -> "Iterator[tuple[str, Upload]]":
    from indexgate_policy.downloads.roll_up import Upload

    for release in () if listing is None else listing.releases:
        if isinstance(release.released, datetime):
            wheel = any(file.kind == "wheel" for file in release.files)
            yield release.version, Upload(on=release.released.astimezone(UTC).date(), wheel=wheel)
