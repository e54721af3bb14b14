"""ClickHouse's public copy of the log of downloads, for some projects and without an account.

Documentation: github.com/ClickHouse/clickpy and github.com/ClickHouse/sql.clickhouse.com. The data
is PyPI's, CC BY 4.0. It is somebody's demonstration, with no terms and no promise, so it is asked
only when somebody turned it on. It has no CI mark, no distribution and no kernel, which the log in
BigQuery has. It allows 200 questions an hour, of 60 seconds each.

A question that comes to a limit is answered by what there was until then, and looks whole. So each
day is counted three times: the rows as they came, the same rows counted by the server in the same
question, and the server's own daily totals. A day that does not agree with itself is refused.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

import httpx
import msgspec

from indexgate.errors import GateError
from indexgate.sources.day_log import Batch, Plan, must_be_over, newest_settled
from indexgate.sources.outbound import answer, client, read_bounded, same_host
from indexgate.sources.protocol import SourceFailed

SOURCE: Final = "clickhouse"
ADDRESS: Final = "https://sql-clickhouse.clickhouse.com/"
USER: Final = "demo"

TOGETHER: Final = 10
"""Projects in one question: a day of ten large ones is some 100,000 rows."""

MOST_PROJECTS: Final = 900
"""Two questions for each ten projects, and 200 an hour are allowed."""

MOST_BYTES: Final = 64_000_000

LEAST_OF_A_DAY: Final = 0.4
"""A day with fewer downloads than this share of those a week before lacks rows."""

ALIKE: Final = 0.01
"""By how much two counts of one day may differ: the totals are kept apart from the rows."""

_DAY = (
    "SELECT max(date) AS newest, sum(if(date = {day:Date}, count, 0)) AS n, "
    "sum(if(date = {before:Date}, count, 0)) AS n_before "
    "FROM pypi.pypi_downloads_per_day WHERE date >= {before:Date}"
)
_TOTALS = (
    "SELECT project, sum(count) AS n FROM pypi.pypi_downloads_per_day "
    "WHERE date = {day:Date} AND project IN {projects:Array(String)} GROUP BY project"
)
_ROWS = (
    "SELECT project, installer, system, python_minor AS python, country_code AS country, version, "
    "type AS file_type, count() AS n, sum(count()) OVER (PARTITION BY project) AS whole "
    "FROM pypi.pypi WHERE date = {day:Date} AND project IN {projects:Array(String)} "
    "GROUP BY project, installer, system, python_minor, country_code, version, type "
    "ORDER BY project"
)
_ROW = ("project", "installer", "system", "python", "country", "version", "file_type", "n", "whole")
_NOT_HERE = ("installer_version", "ci", "distro", "kernel")

_CODES: Final[Mapping[str, tuple[str, str]]] = {
    "201": ("quota", "has answered as many questions as it allows in an hour"),
    "202": ("status", "is too busy to answer"),
    "159": ("timeout", "took longer over the question than it allows"),
    "160": ("timeout", "took longer over the question than it allows"),
    "158": ("too-large", "would have to read more for the question than it allows"),
    "241": ("too-large", "would have to read more for the question than it allows"),
    "307": ("too-large", "would have to read more for the question than it allows"),
    "396": ("too-large", "would have to answer more than it allows"),
    "47": ("schema", "has a table without a column that is asked for"),
    "60": ("schema", "does not have the table that is asked for"),
    "81": ("schema", "does not have the table that is asked for"),
    "192": ("refused", "does not let its public user in"),
    "193": ("refused", "does not let its public user in"),
    "497": ("refused", "does not let its public user read the log"),
    "516": ("refused", "does not let its public user in"),
}
"""What the server's exception codes stand for, see `ErrorCodes.cpp` in its source."""

_ALL = frozenset({200, 400, 401, 403, 404, 408, 413, 500, 503})


class _Column(msgspec.Struct, gc=False):
    name: str


class _Answer(msgspec.Struct):
    meta: list[_Column]
    data: list[list[Any]]
    rows: int


class _Summary(msgspec.Struct, gc=False):
    result_rows: int = 0


_decoder = msgspec.json.Decoder(_Answer)
_summary = msgspec.json.Decoder(_Summary, strict=False)


class ClickHouseLog:
    """The copy as a `DayLog`. *open_client* makes the HTTP client, *within* counts seconds."""

    name = SOURCE
    reads_whole_index = False

    def __init__(
        self,
        *,
        address: str = ADDRESS,
        user: str = USER,
        open_client: Callable[[], httpx.AsyncClient] = client,
        within: float = 90.0,
    ) -> None:
        self._address = address
        self._user = user
        self._open_client = open_client
        self._within = within

    def plan(self, day: date, projects: frozenset[str] | None, now: datetime) -> Plan:
        """Say what reading *day* takes; see `DayLog.plan`. Asks nothing."""
        groups = _groups(_chosen(projects))
        must_be_over(SOURCE, day, now)
        return Plan(
            source=SOURCE,
            day=day,
            settled=day <= newest_settled(now),
            jobs=1 + 2 * len(groups) if groups else 0,
            most_bytes=0,
            likely_bytes=0,
            likely_dollars=0.0,
            left_bytes=None,
            labels={},
        )

    def rows(self, day: date, projects: frozenset[str] | None, now: datetime) -> Iterator[Batch]:
        """Yield the rows of *day*; see `DayLog.rows`. Not on a thread that runs an event loop."""
        groups = _groups(_chosen(projects))
        must_be_over(SOURCE, day, now)
        return self._read(day, groups)

    def close(self) -> None:
        """Close nothing: connections are closed with the day that they were opened for."""

    def _read(self, day: date, groups: list[tuple[str, ...]]) -> Iterator[Batch]:
        if not groups:
            return
        with asyncio.Runner() as runner:
            asking = self._open_client()
            try:
                runner.run(self._look_whole(asking, day))
                for group in groups:
                    rows = runner.run(self._group(asking, day, group))
                    if rows:
                        yield _batch(rows, day)
            finally:
                runner.run(asking.aclose())

    async def _look_whole(self, asking: httpx.AsyncClient, day: date) -> None:
        """Raise SourceFailed when the copy has not come to *day*, or to a part of it only."""
        before = day - timedelta(days=7)
        values = {"day": day.isoformat(), "before": before.isoformat()}
        rows = await self._ask(asking, _DAY, values, ("newest", "n", "n_before"))
        if len(rows) != 1:
            raise _garbage()
        newest, count, usual = rows[0][0], _count(rows[0][1]), _count(rows[0][2])
        if newest < day.isoformat():
            reason = f"has nothing newer than {newest}" if newest >= "2016" else "has no rows"
            raise SourceFailed(SOURCE, "stale", reason)
        if count < LEAST_OF_A_DAY * usual or not count:
            share = f"{100 * count / usual:.0f} %" if usual else "none"
            reason = f"has only {share} as many downloads of {day} as of the day a week before"
            raise SourceFailed(SOURCE, "partial", reason)

    async def _group(
        self, asking: httpx.AsyncClient, day: date, group: tuple[str, ...]
    ) -> list[list[Any]]:
        names = ",".join(f"'{name}'" for name in group)
        values = {"day": day.isoformat(), "projects": f"[{names}]"}
        totals = await self._ask(asking, _TOTALS, values, ("project", "n"))
        rows = await self._ask(asking, _ROWS, values, _ROW)
        _must_agree(rows, {name: _count(n) for name, n in totals}, group)
        return rows

    async def _ask(
        self,
        asking: httpx.AsyncClient,
        sql: str,
        values: Mapping[str, str],
        columns: tuple[str, ...],
    ) -> list[list[Any]]:
        """Return the rows of an answer that says itself that it is whole."""
        query = {
            "user": self._user,
            "default_format": "JSONCompact",
            # Then a failure has its own status, and the summary is that of the whole answer.
            "wait_end_of_query": "1",
            **{f"param_{name}": value for name, value in values.items()},
        }
        async with answer(
            asking,
            f"{self._address}?{urlencode(query)}",
            source=SOURCE,
            allowed=same_host(self._address),
            accept=_ALL,
            within=self._within,
            question=sql.encode(),
        ) as response:
            if response.status_code != httpx.codes.OK:
                raise _failed(response)
            body = await read_bounded(response, MOST_BYTES)
            stated = response.headers.get("X-ClickHouse-Summary", "{}")
        return _rows_of(body, stated, columns)


def _failed(response: httpx.Response) -> SourceFailed:
    status = response.status_code
    code = response.headers.get("X-ClickHouse-Exception-Code", "")
    kind, reason = _CODES.get(code, ("status", f"answered {status}"))
    wait = 3600 if kind == "quota" else None
    return SourceFailed(SOURCE, kind, reason, status=status, retry_after=wait)


def _rows_of(body: bytes, stated: str, columns: tuple[str, ...]) -> list[list[Any]]:
    try:
        told = _decoder.decode(body)
        summary = _summary.decode(stated)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        if b"DB::Exception" in body:
            reason = "broke off in the middle of the answer"
            raise SourceFailed(SOURCE, "cut-off", reason) from error
        raise _garbage() from error
    if tuple(column.name for column in told.meta) != columns:
        reason = "answered other columns than those that were asked for"
        raise SourceFailed(SOURCE, "schema", reason)
    if any(len(row) != len(columns) for row in told.data):
        raise _garbage()
    for whole in (told.rows, summary.result_rows or told.rows):
        if whole != len(told.data):
            reason = f"gave {len(told.data):,} rows of {whole:,}"
            raise SourceFailed(SOURCE, "cut-off", reason)
    return told.data


def _must_agree(rows: list[list[Any]], totals: Mapping[str, int], group: tuple[str, ...]) -> None:
    """Raise SourceFailed unless rows, the server's count of them and its daily totals agree."""
    came: dict[str, int] = {}
    counted: dict[str, int] = {}
    for row in rows:
        name = row[0]
        came[name] = came.get(name, 0) + _count(row[-2])
        counted[name] = _count(row[-1])
    if strangers := (came.keys() | totals.keys()) - set(group):
        raise SourceFailed(SOURCE, "garbage", f"answered {len(strangers)} other projects")
    for name in sorted(came.keys() | totals.keys()):
        rows_say, it_says, total = came.get(name, 0), counted.get(name, 0), totals.get(name, 0)
        if rows_say != it_says:
            reason = f"gave {rows_say:,} of {it_says:,} downloads of `{name}`"
            raise SourceFailed(SOURCE, "cut-off", reason)
        if abs(it_says - total) > ALIKE * max(it_says, total):
            reason = f"counts {it_says:,} downloads of `{name}`, and {total:,} in its daily totals"
            raise SourceFailed(SOURCE, "partial", reason)


def _batch(rows: list[list[Any]], day: date) -> Batch:
    columns = dict(zip(_ROW, zip(*rows, strict=True), strict=True))
    n = [int(count) for count in columns.pop("n")]
    del columns["whole"]
    told = {name: [value or None for value in values] for name, values in columns.items()}
    lacking: dict[str, list[Any]] = {name: [None] * len(n) for name in _NOT_HERE}
    return {**told, **lacking, "ci_told": [False] * len(n), "day": [day] * len(n), "n": n}


def _chosen(projects: frozenset[str] | None) -> frozenset[str]:
    if projects is None or len(projects) > MOST_PROJECTS:
        asked = "every project" if projects is None else f"{len(projects):,} projects"
        raise GateError(
            "clickhouse-too-many",
            f"ClickHouse's public copy of the download log cannot be asked about {asked} at once",
            f"name {MOST_PROJECTS} at most, or use BigQuery",
        )
    return projects


def _groups(projects: frozenset[str]) -> list[tuple[str, ...]]:
    names = sorted(projects)
    return [tuple(names[at : at + TOGETHER]) for at in range(0, len(names), TOGETHER)]


def _count(value: object) -> int:
    """Return a count, which the server writes as text when it may be large."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise _garbage()
    try:
        return int(value)
    except ValueError as error:
        raise _garbage() from error


def _garbage() -> SourceFailed:
    return SourceFailed(SOURCE, "garbage", "answered what is not ClickHouse's JSON")
