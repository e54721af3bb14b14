"""A loopback stand-in of ClickHouse's HTTP interface, with the tables of its copy of the log.

`rows` are downloads in the columns of `pypi.pypi`; the daily totals follow from them unless
`totals` says otherwise. `limit` is how many rows of a result come before the server gives up and,
like the public one, answers with what there is.
"""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Self

import duckdb
import sqlglot
from aiohttp import web

from tests.standins.faults import Fault, Hold

Row = Mapping[str, Any]

_PARAMETER = re.compile(r"\{(\w+):(Date|Array\(String\))\}")
_NAMES = ("date", "country_code", "project", "type", "installer", "python_minor", "system")


def fetched(day: date, project: str, **more: str) -> Row:
    """Return one download; what the log does not have is an empty text."""
    return {
        "date": day.isoformat(),
        "country_code": "DE",
        "project": project,
        "type": "bdist_wheel",
        "installer": "pip",
        "python_minor": "3.12",
        "system": "Linux",
        "version": "1.0",
        **more,
    }


class ClickHouseService:
    """The service, an async context manager. `log` holds the questions and their parameters."""

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self.rows = list(rows)
        self.totals: dict[tuple[str, str], int] = {}
        self.limit: int | None = None
        self.summary = True
        self.port = 0
        self.log: list[tuple[str, dict[str, str]]] = []
        self._faults: list[tuple[str, Fault]] = []
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """The address of the interface."""
        return f"http://127.0.0.1:{self.port}/"

    def fault(self, part: str, fault: Fault) -> None:
        """Answer questions that contain *part* wrongly from now on; the latest counts."""
        self._faults.append((part, fault))

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        for _, fault in self._faults:
            if isinstance(fault, Hold):
                fault.release()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        sql = (await request.read()).decode()
        self.log.append((sql, dict(request.query)))

        async def honest() -> web.Response:
            return self._honest(sql, request.query)

        for part, fault in reversed(self._faults):
            if part in sql:
                return await fault.answer(request, honest)
        return await honest()

    def _honest(self, sql: str, query: Mapping[str, str]) -> web.Response:
        if query.get("user") != "demo" or query.get("default_format") != "JSONCompact":
            return web.Response(status=403, headers={"X-ClickHouse-Exception-Code": "516"})
        names, rows = self._result(sql, query)
        kept = rows if self.limit is None else rows[: self.limit]
        answer = {
            "meta": [{"name": name, "type": "String"} for name in names],
            "data": [[_cell(*cell) for cell in zip(names, row, strict=True)] for row in kept],
            "rows": len(kept),
            "statistics": {"elapsed": 0.021, "rows_read": len(self.rows), "bytes_read": 1},
        }
        summary = json.dumps({"read_rows": "1", "result_rows": str(len(kept)), "elapsed_ns": "1"})
        headers = {"X-ClickHouse-Summary": summary} if self.summary else {}
        return web.Response(text=json.dumps(answer), headers=headers)

    def _result(self, sql: str, query: Mapping[str, str]) -> tuple[list[str], list[Any]]:
        bound = _PARAMETER.sub(lambda found: _literal(query[f"param_{found[1]}"], found[2]), sql)
        with duckdb.connect() as database:
            database.execute("CREATE SCHEMA pypi")
            columns = ", ".join(f'"{name}" VARCHAR' for name in (*_NAMES[1:], "version"))
            database.execute(f"CREATE TABLE pypi.pypi (date DATE, {columns})")
            for row in self.rows:
                values = [row[name] for name in (*_NAMES, "version")]
                database.execute("INSERT INTO pypi.pypi VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
            database.execute(
                "CREATE TABLE pypi.pypi_downloads_per_day AS "
                "SELECT date, project, count(*) AS count FROM pypi.pypi GROUP BY date, project"
            )
            for (day, project), count in self.totals.items():
                database.execute(
                    "UPDATE pypi.pypi_downloads_per_day SET count = ? "
                    "WHERE date = ? AND project = ?",
                    [count, day, project],
                )
            found = database.execute(sqlglot.transpile(bound, read="clickhouse", write="duckdb")[0])
            return [column[0] for column in found.description or ()], found.fetchall()


def _literal(value: str, kind: str) -> str:
    return f"CAST('{value}' AS Date)" if kind == "Date" else f"({value.strip('[]')})"


def _cell(name: str, value: Any) -> str:
    """Write a value as the server does: large numbers as text, nothing as 0 or the first date."""
    if value is None:
        return "1970-01-01" if name == "newest" else "0"
    return str(value)
