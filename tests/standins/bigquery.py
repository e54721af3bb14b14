"""A loopback stand-in of BigQuery's REST API v2, for the real client to ask.

It counts bytes as BigQuery does: a dry run says the most that can be billed (whole days of the
columns), a run bills what its blocks hold, in whole MiB; `maximumBytesBilled` is held against the
former, the month's free bytes against the latter. `faults` makes it answer wrongly.
"""

import base64
import json
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import duckdb

from tests.standins.bigquery_sql import Declined, question
from tests.standins.bigquery_table import Field, Scan, Table

DOWNLOADS = "bigquery-public-data.pypi.file_downloads"
UPLOADS = "bigquery-public-data.pypi.distribution_metadata"
MIB = 2**20
BILLED_AT_LEAST = 10 * MIB

_PAGE_AT_MOST = 100_000
_TYPES = {
    "VARCHAR": "STRING",
    "BIGINT": "INTEGER",
    "BOOLEAN": "BOOLEAN",
    "TIMESTAMP WITH TIME ZONE": "TIMESTAMP",
}
_JOB = re.compile(r"/bigquery/v2/projects/([^/]+)/jobs(?:/([^/]+?))?(/cancel)?")
_DATA = re.compile(r"/bigquery/v2/projects/[^/]+/datasets/_anonymous/tables/([^/]+)/data")


def _text(name: str) -> Field:
    return {"name": name, "type": "STRING"}


def _record(name: str, *fields: Field) -> Field:
    return {"name": name, "type": "RECORD", "fields": fields}


DOWNLOADS_FIELDS: tuple[Field, ...] = (
    {"name": "timestamp", "type": "TIMESTAMP"},
    _text("country_code"),
    _text("url"),
    _text("project"),
    _record("file", *map(_text, ("filename", "project", "version", "type"))),
    _record(
        "details",
        _record("installer", *map(_text, ("name", "version", "subcommand"))),
        _text("python"),
        _record("implementation", *map(_text, ("name", "version"))),
        _record(
            "distro",
            *map(_text, ("name", "version", "id")),
            _record("libc", *map(_text, ("lib", "version"))),
        ),
        _record("system", *map(_text, ("name", "release"))),
        *map(_text, ("cpu", "openssl_version", "setuptools_version", "rustc_version")),
        {"name": "ci", "type": "BOOLEAN"},
    ),
    *map(_text, ("tls_protocol", "tls_cipher")),
)

UPLOADS_FIELDS: tuple[Field, ...] = (
    *map(_text, ("name", "version", "summary")),
    {"name": "upload_time", "type": "TIMESTAMP"},
    *map(_text, ("filename", "packagetype")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A request: the faults look at it."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Mapping[str, Any]


def dry(ask: Ask) -> bool:
    """Tell whether *ask* starts a dry run."""
    return bool(ask.body.get("configuration", {}).get("dryRun"))


def runs(ask: Ask) -> bool:
    """Tell whether *ask* starts a query that is billed."""
    return ask.method == "POST" and ask.path.endswith("/jobs") and not dry(ask)


def reads(ask: Ask) -> bool:
    """Tell whether *ask* is for a page of a result."""
    return ask.path.endswith("/data")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """An answer in the place of the right one.

    `body` stands for itself; `cut` bytes of the right one come, or what `edit` makes of it. `after`
    makes the right thing happen first, so that only its answer is lost.
    """

    status: int = 200
    body: bytes | None = None
    cut: int | None = None
    edit: Callable[[bytes], bytes] | None = None
    after: bool = False


Fault = Callable[[Ask], Wrong | None]


def refused(status: int, reason: str, message: str = "an example", *, after: bool = False) -> Wrong:
    """Return an error answer in BigQuery's shape."""
    return Wrong(status=status, body=_error_body(Declined(status, reason, message)), after=after)


@dataclass(slots=True, kw_only=True)
class Job:
    """A query that was asked for; `pending` looks at it still find it running."""

    id: str
    project: str
    configuration: dict[str, Any]
    bound: int
    billed: int = 0
    error: Declined | None = None
    fields: list[dict[str, str]] = field(default_factory=list)
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    pending: int = 0


class BigQueryService:
    """The service. `jobs` are those that were really run, `asked` everything that was asked.

    *token* is the only bearer that is let in (None: anybody), *free* the bytes of the month.
    `fails_as` makes the next jobs end in that error, `looks` is how often a job is found running.
    """

    def __init__(self, *, token: str | None = None, free: int | None = None) -> None:
        self.database = duckdb.connect()
        self.database.execute("SET TimeZone = 'UTC'")
        self.downloads = Table(
            reference=DOWNLOADS,
            fields=DOWNLOADS_FIELDS,
            partition="timestamp",
            cluster="project",
            partition_required=True,
            database=self.database,
        )
        self.uploads = Table(
            reference=UPLOADS,
            fields=UPLOADS_FIELDS,
            partition="upload_time",
            cluster=None,
            partition_required=False,
            database=self.database,
        )
        self.token = token
        self.free = free
        self.faults: list[Fault] = []
        self.fails_as: Declined | None = None
        self.looks = 0
        self.jobs: dict[str, Job] = {}
        self.asked: list[Ask] = []
        self.dry_runs = 0
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def url(self) -> str:
        """The address of the service."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def billed(self) -> int:
        """The bytes that all jobs were billed for."""
        return sum(job.billed for job in self.jobs.values())

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        with self._lock:  # an answer that nobody waits for may still be made
            self.database.close()

    def answer(self, ask: Ask) -> dict[str, Any]:
        """Return the right answer to *ask*. Raises Declined."""
        if found := _JOB.fullmatch(ask.path):
            project, job_id, cancel = found.groups()
            if job_id is None:
                return self._insert(project, ask.body)
            if job_id not in self.jobs:
                raise Declined(404, "notFound", f"Not found: Job {project}:US.{job_id}")
            job = self.jobs[job_id]
            if cancel:
                job.error = Declined(499, "stopped", "Job execution was cancelled")
                job.pending = 0
                return {"kind": "bigquery#jobCancelResponse", "job": _resource(job)}
            job.pending -= job.pending > 0
            return _resource(job)
        if found := _DATA.fullmatch(ask.path):
            return _page(self.jobs[found[1]], ask.query)
        raise Declined(501, "notImplemented", f"stand-in: no {ask.method} {ask.path}")

    def _insert(self, project: str, body: Mapping[str, Any]) -> dict[str, Any]:
        configuration = body["configuration"]
        job_id = body.get("jobReference", {}).get("jobId") or f"dry-{self.dry_runs}"
        if job_id in self.jobs:
            raise Declined(409, "duplicate", f"Already Exists: Job {project}:US.{job_id}")
        told = configuration["query"]
        asked = question(told["query"], _parameters(told), self._tables())
        whole = Scan(
            columns=asked.scan.columns, first=asked.scan.first, last=asked.scan.last, clusters=None
        )
        job = Job(
            id=job_id,
            project=project,
            configuration=configuration,
            bound=asked.table.bytes_of(whole),
            pending=self.looks,
        )
        job.fields = self._fields(asked.sql, asked.parameters)
        if configuration.get("dryRun"):
            self.dry_runs += 1
            return _resource(job)
        self.jobs[job_id] = job
        billed = billable(asked.table.bytes_of(asked.scan))
        job.error = self.fails_as or self._too_much(told, job.bound, billed)
        if job.error is None:
            job.billed = billed
            job.rows = self._rows(asked.sql, asked.parameters, job.fields)
        return _resource(job)

    def _too_much(self, told: Mapping[str, Any], bound: int, billed: int) -> Declined | None:
        cap = told.get("maximumBytesBilled")
        if cap is not None and billable(bound) > int(cap):
            message = (
                f"Query exceeded limit for bytes billed: {cap}. {billable(bound)} or higher "
                "required."
            )
            return Declined(400, "bytesBilledLimitExceeded", message)
        if self.free is not None and self.billed + billed > self.free:
            message = "Quota exceeded: Your project exceeded quota for free query bytes scanned."
            return Declined(403, "quotaExceeded", message)
        return None

    def _tables(self) -> dict[str, Table]:
        return {table.reference: table for table in (self.downloads, self.uploads)}

    def _fields(self, sql: str, parameters: Mapping[str, Any]) -> list[dict[str, str]]:
        found = self.database.execute(f"DESCRIBE {sql}", dict(parameters)).fetchall()
        return [
            {"name": name, "type": _TYPES[kind], "mode": "NULLABLE"} for name, kind, *_ in found
        ]

    def _rows(
        self, sql: str, parameters: Mapping[str, Any], fields: Sequence[Mapping[str, str]]
    ) -> list[tuple[Any, ...]]:
        columns = ", ".join(
            f'epoch_us("{one["name"]}")' if one["type"] == "TIMESTAMP" else f'"{one["name"]}"'
            for one in fields
        )
        return self.database.execute(f"SELECT {columns} FROM ({sql})", dict(parameters)).fetchall()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args: object) -> None:
                """Say nothing."""

            def do_GET(self) -> None:
                service._serve(self)

            def do_POST(self) -> None:
                service._serve(self)

        return Handler

    def _serve(self, request: BaseHTTPRequestHandler) -> None:
        sent = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        target = urlsplit(request.path)
        ask = Ask(
            method=request.command,
            path=target.path,
            query={name: values[0] for name, values in parse_qs(target.query).items()},
            body=json.loads(sent) if sent else {},
        )
        with self._lock:
            self.asked.append(ask)
            wrong = next((found for fault in self.faults if (found := fault(ask))), Wrong())
            if wrong.body is None or wrong.after:
                status, body = self._honest(ask, request.headers.get("Authorization"))
        if wrong.body is not None:
            status, body = wrong.status, wrong.body
        elif wrong.edit is not None:
            body = wrong.edit(body)
        with suppress(ConnectionError):  # the asker may have had enough
            _send(request, status, body, wrong.cut)

    def _honest(self, ask: Ask, bearer: str | None) -> tuple[int, bytes]:
        if self.token is not None and bearer != f"Bearer {self.token}":
            return 401, _error_body(Declined(401, "authError", "Invalid Credentials"))
        try:
            return 200, json.dumps(self.answer(ask)).encode()
        except Declined as declined:
            return declined.status, _error_body(declined)
        except Exception as error:  # never leave the client without an answer: it would try on
            told = f"stand-in: {type(error).__name__}: {error}"
            return 501, _error_body(Declined(501, "notImplemented", told))


def billable(count: int) -> int:
    """Return what a query of *count* bytes is billed for."""
    return max(BILLED_AT_LEAST, -(-count // MIB) * MIB)


def _send(request: BaseHTTPRequestHandler, status: int, body: bytes, cut: int | None) -> None:
    request.send_response(status)
    request.send_header("Content-Type", "application/json")
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body if cut is None else body[:cut])
    if cut is not None:
        request.close_connection = True


def _error_body(declined: Declined) -> bytes:
    error = {
        "code": declined.status,
        "message": declined.message,
        "errors": [{**declined.proto, "domain": "global"}],
    }
    return json.dumps({"error": error}).encode()


def _parameters(told: Mapping[str, Any]) -> dict[str, Any]:
    return {
        one["name"]: [each["value"] for each in one["parameterValue"].get("arrayValues", ())]
        for one in told.get("queryParameters", ())
    }


def _resource(job: Job) -> dict[str, Any]:
    dry = bool(job.configuration.get("dryRun"))
    running = job.pending > 0
    status: dict[str, Any] = {"state": "RUNNING" if running else "DONE"}
    if job.error is not None and not running:
        status |= {"errorResult": job.error.proto, "errors": [job.error.proto]}
    query = {
        "totalBytesProcessed": str(job.bound if dry else job.billed),
        "totalBytesBilled": str(job.billed),
        "statementType": "SELECT",
    }
    if dry:
        query["schema"] = {"fields": job.fields}  # type: ignore[assignment]
    result = {"projectId": job.project, "datasetId": "_anonymous", "tableId": job.id}
    configuration = json.loads(json.dumps(job.configuration))
    configuration["query"]["destinationTable"] = result
    return {
        "kind": "bigquery#job",
        "id": f"{job.project}:US.{job.id}",
        "jobReference": {"projectId": job.project, "location": "US", "jobId": job.id},
        "configuration": {**configuration, "jobType": "QUERY"},
        "status": status,
        "statistics": {
            "creationTime": "1795132800000",
            "totalBytesProcessed": query["totalBytesProcessed"],
            "query": query,
        },
    }


def _page(job: Job, query: Mapping[str, str]) -> dict[str, Any]:
    token = query.get("pageToken")
    start = int(base64.urlsafe_b64decode(token)) if token else 0
    end = start + min(int(query.get("maxResults", _PAGE_AT_MOST)), _PAGE_AT_MOST)
    page: dict[str, Any] = {
        "kind": "bigquery#tableDataList",
        "totalRows": str(len(job.rows)),
        "rows": [{"f": [{"v": _cell(value)} for value in row]} for row in job.rows[start:end]],
    }
    if end < len(job.rows):
        page["pageToken"] = base64.urlsafe_b64encode(str(end).encode()).decode()
    return page


def _cell(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else str(value)
