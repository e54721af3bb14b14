"""Stars of source repositories: the total on each day that somebody looked.

Nobody else keeps when a star was given, so the record of totals is the only way to see a burst.
`Panel.stars` is made of the differences.
"""

from collections.abc import Mapping
from datetime import date
from functools import partial

from packaging.utils import NormalizedName
from sqlalchemy import Connection

from indexgate.store.history_numbers import HistoryNumbers, number_index, number_one
from indexgate.store.reader import Reader
from indexgate.store.writer import Writer, in_turn

_AT_ONCE = 1_000


class StarTotals:
    """Totals by index, project and day (UTC); the last one of a day is kept."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._writer = writer
        self._numbers = HistoryNumbers(reader, writer)

    async def note(self, index_id: str, project: NormalizedName, day: date, total: int) -> None:
        """Note that the repository of *project* had *total* stars on *day*. Raises StoreFailed."""

        def write(connection: Connection) -> None:
            _write(connection, {number_one(connection, index_id, project): total}, day)

        await self._writer.commit(write)

    def note_many(self, index_id: str, day: date, totals: Mapping[NormalizedName, int]) -> None:
        """Note the totals of many projects, blocking. Raises StoreFailed."""
        index_number = self._writer.wait(partial(number_index, index_id=index_id))
        for some in in_turn(sorted(totals), _AT_ONCE):
            ids = self._numbers.of(index_number, some)
            by_id = {ids[project]: totals[project] for project in some}
            self._writer.wait(partial(_write, totals=by_id, day=day))


def _write(connection: Connection, totals: Mapping[int, int], day: date) -> None:
    from indexgate.store.history_loading import note_totals

    note_totals(connection, day, totals)
