"""The public log of downloads in BigQuery, a day at a time, within a budget.

Documentation: docs.cloud.google.com/bigquery (REST v2). The data is PyPI's, CC BY 4.0. It needs the
extra `indexgate[bigquery]` and Application Default Credentials that may run queries in a project;
that project pays, and Google learns which projects are asked for unless it is the whole index.

Every question is first asked as a dry run, which is free: it tells the most that the question can
be billed for, and the columns of the answer. That sum is set aside in the ledger, given to BigQuery
as the job's limit, and replaced by what was billed when the job has ended. The dry run also shows a
day that is not whole: its bound is the size of the day's columns, whatever projects are asked for.
"""

import time
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

from msgspec import Struct

from indexgate.errors import GateError
from indexgate.sources.bigquery_columns import columns
from indexgate.sources.bigquery_failures import SOURCE, of_reason, told
from indexgate.sources.bigquery_price import billable, dollars
from indexgate.sources.bigquery_query import (
    BREAK_EVEN,
    DOWNLOADS,
    UPLOADS,
    Statement,
    downloads_of_day,
    uploads,
)
from indexgate.sources.day_log import Batch, Plan, must_be_over, newest_settled
from indexgate.sources.protocol import SourceFailed
from indexgate.sources.spending import Budget

if TYPE_CHECKING:
    from google.api_core.retry import Retry
    from google.auth.credentials import Credentials
    from google.cloud.bigquery import Client, QueryJob, SchemaField

LEAST_OF_A_DAY = 0.4
"""A day smaller than this share of the day a week before it lacks rows (holidays keep .6)."""

_LOCATION = "US"
_STARTED = timedelta(hours=1)
"""How long a job may be set aside before it stands in BigQuery's books."""


class Patience(Struct, frozen=True, kw_only=True):
    """Seconds: of one answer, of trying again (first after `pause`), of a query, between looks."""

    answer: float = 60.0
    again: float = 120.0
    pause: float = 1.0
    query: float = 1800.0
    look: float = 2.0


class _DryRun(Struct, frozen=True, kw_only=True):
    scanned: int
    fields: "tuple[SchemaField, ...]"


class BigQueryLog:
    """The log as a `DayLog`. *project* pays; None takes the one that the credentials name.

    *downloads* and *uploads* are the tables. *endpoint* and *credentials* take the place of
    Google's own (`google.auth.default`). *page* is the rows of a batch: memory follows it.
    *new_job* draws a job's id, *wait* sleeps, *timer* counts seconds.
    """

    name = SOURCE
    reads_whole_index = True

    def __init__(
        self,
        *,
        project: str | None,
        budget: Budget,
        downloads: str = DOWNLOADS,
        uploads: str = UPLOADS,
        endpoint: str | None = None,
        credentials: "Credentials | None" = None,
        page: int = 4_000,
        patience: Patience = Patience(),
        new_job: Callable[[], str] = lambda: f"indexgate-{uuid4().hex}",
        wait: Callable[[float], None] = time.sleep,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._project = project
        self._budget = budget
        self._downloads = downloads
        self._uploads = uploads
        self._endpoint = endpoint
        self._credentials = credentials
        self._page = page
        self._patience = patience
        self._new_job = new_job
        self._wait = wait
        self._timer = timer
        self._opened: Client | None = None

    def plan(self, day: date, projects: frozenset[str] | None, now: datetime) -> Plan:
        """Say what reading *day* takes; see `DayLog.plan`."""
        must_be_over(SOURCE, day, now)
        statements = downloads_of_day(day, projects, table=self._downloads)
        scanned = likely = 0
        if statements:
            with told(self._project):
                scanned = self._whole_day(statements[0], day)
            likely = _likely(scanned, projects)
        return Plan(
            source=SOURCE,
            day=day,
            settled=day <= newest_settled(now),
            jobs=len(statements),
            most_bytes=billable(scanned) * len(statements),
            likely_bytes=likely,
            likely_dollars=dollars(likely),
            left_bytes=self._budget.left(now),
            labels=_labels("downloads"),
        )

    def rows(self, day: date, projects: frozenset[str] | None, now: datetime) -> Iterator[Batch]:
        """Yield the rows of *day*; see `DayLog.rows`."""
        must_be_over(SOURCE, day, now)
        return self._read_day(day, projects, now)

    def uploads(
        self, projects: frozenset[str] | None, since: date | None, now: datetime
    ) -> Iterator[Batch]:
        """Yield when versions were first uploaded: `project`, `version`, `uploaded`, `wheel`.

        `uploaded` is an aware time, `wheel` whether the version has one; versions without an upload
        from *since* on are left out. Files that were deleted since are counted; the table has
        known gaps. Raises what `rows` raises.
        """
        statement = uploads(projects, since, table=self._uploads)
        with told(self._project):
            yield from self._answer(statement, "uploads", None, now)

    def close(self) -> None:
        """Close the connections to BigQuery."""
        if self._opened is not None:
            self._opened.close()  # type: ignore[no-untyped-call]
            self._opened = None

    def _read_day(
        self, day: date, projects: frozenset[str] | None, now: datetime
    ) -> Iterator[Batch]:
        statements = downloads_of_day(day, projects, table=self._downloads)
        if not statements:
            return
        with told(self._project):
            self._settle_old(now)
            scanned = self._whole_day(statements[0], day)
            # Better not to begin than to stop in the middle, when half is billed already.
            most = max(billable(scanned), _likely(scanned, projects))
            self._budget.require(most, what=f"`{day}`", now=now)
            for statement in statements:
                for batch in self._answer(statement, "downloads", day, now):
                    yield {**batch, "day": [day] * len(batch["n"])}

    def _whole_day(self, statement: Statement, day: date) -> int:
        """Return the bytes of *day*'s columns. Raises SourceFailed when the day lacks rows."""
        names = statement.projects
        before = downloads_of_day(day - timedelta(days=7), names, table=self._downloads)[0]
        scanned, usual = self._dry_run(statement).scanned, self._dry_run(before).scanned
        if scanned == 0:
            raise SourceFailed(SOURCE, "partial", f"has no rows of {day}")
        if scanned < LEAST_OF_A_DAY * usual:
            share = f"{100 * scanned / usual:.0f} %"
            reason = f"has only {share} as many rows of {day} as of the day a week before"
            raise SourceFailed(SOURCE, "partial", reason)
        return scanned

    def _dry_run(self, statement: Statement) -> _DryRun:
        from google.cloud.bigquery import QueryJobConfig

        config = QueryJobConfig(
            dry_run=True, use_query_cache=False, query_parameters=_parameters(statement)
        )
        job = self._client().query(
            statement.sql,
            job_config=config,
            retry=self._retry(),
            timeout=self._patience.answer,
            job_retry=None,
        )
        fields = tuple(job.schema or ())
        if tuple((field.name, field.field_type) for field in fields) != statement.schema:
            reason = "would answer in other columns than those that are asked for"
            raise SourceFailed(SOURCE, "schema", reason)
        return _DryRun(scanned=int(job.total_bytes_processed or 0), fields=fields)

    def _answer(
        self, statement: Statement, purpose: str, day: date | None, now: datetime
    ) -> Iterator[Batch]:
        dry = self._dry_run(statement)
        most, job_id = billable(dry.scanned), self._new_job()
        self._budget.reserve(job_id, most, purpose=purpose, day=day, now=now)
        try:
            job = self._finished(self._started(statement, job_id, most, purpose))
        except Exception as error:
            # What was plainly declined never became a job; of all else BigQuery has to be asked.
            self._settle(job_id, never_ran=400 <= getattr(error, "code", 500) < 500)
            raise
        self._budget.settle(job_id, int(job.total_bytes_billed or 0))
        yield from self._pages(job, dry.fields)

    def _started(self, statement: Statement, job_id: str, most: int, purpose: str) -> "QueryJob":
        from google.api_core.exceptions import Conflict
        from google.cloud.bigquery import QueryJobConfig

        config = QueryJobConfig(
            maximum_bytes_billed=most,
            labels=_labels(purpose),
            query_parameters=_parameters(statement),
            job_timeout_ms=int(1000 * self._patience.query),
        )
        try:
            # A failed job is not run again (`job_retry`): that would be one outside the ledger.
            return self._client().query(
                statement.sql,
                job_config=config,
                job_id=job_id,
                retry=self._retry(),
                timeout=self._patience.answer,
                job_retry=None,
            )
        except Conflict:  # an earlier try got through though its answer did not
            return self._job(job_id)

    def _finished(self, job: "QueryJob") -> "QueryJob":
        end = self._timer() + self._patience.query
        while not job.done(retry=self._retry(), timeout=self._patience.answer):
            if self._timer() > end:
                job.cancel(retry=None, timeout=self._patience.answer)
                reason = f"did not finish the query within {self._patience.query:g} s"
                raise SourceFailed(SOURCE, "timeout", reason)
            self._wait(self._patience.look)
        if failed := job.error_result:
            reason, message = str(failed.get("reason", "")), str(failed.get("message", ""))
            raise of_reason(reason, None, message, self._project)
        return job

    def _pages(self, job: "QueryJob", fields: "tuple[SchemaField, ...]") -> Iterator[Batch]:
        rows = self._client().list_rows(
            job.destination,
            selected_fields=fields,
            page_size=self._page,
            retry=self._retry(),
            timeout=self._patience.answer,
        )
        came = 0
        for page in rows.pages:
            batch = columns(page.raw_page.get("rows", ()), fields)
            if batch:
                came += page.num_items
                yield batch
        if came != rows.total_rows:
            stated = "an unknown number" if rows.total_rows is None else f"{rows.total_rows:,}"
            raise SourceFailed(SOURCE, "cut-off", f"gave {came:,} rows of {stated}")

    def _settle_old(self, now: datetime) -> None:
        """Settle the jobs of a run that was killed."""
        for spending in self._budget.unsettled():
            self._settle(spending.job, never_ran=now - spending.at > _STARTED)

    def _settle(self, job_id: str, *, never_ran: bool = False) -> None:
        """Note what a job did cost, as far as it can be found out; a failed one costs nothing."""
        from google.api_core.exceptions import GoogleAPIError, NotFound
        from google.auth.exceptions import GoogleAuthError
        from requests.exceptions import RequestException

        try:
            job = self._job(job_id)
        except NotFound:
            if never_ran:
                self._budget.settle(job_id, 0)
            return
        except (GoogleAPIError, GoogleAuthError, RequestException, ValueError):
            return  # it stays set aside, and is looked up again next time
        if job.state == "DONE":
            self._budget.settle(job_id, int(job.total_bytes_billed or 0))

    def _job(self, job_id: str) -> "QueryJob":
        job = self._client().get_job(
            job_id, location=_LOCATION, retry=self._retry(), timeout=self._patience.answer
        )
        return cast("QueryJob", job)

    def _retry(self) -> "Retry":
        from google.cloud.bigquery import DEFAULT_RETRY

        retry = DEFAULT_RETRY.with_timeout(self._patience.again)
        return retry.with_delay(initial=self._patience.pause)

    def _client(self) -> "Client":
        if self._opened is None:
            self._opened = _open(self._project, self._credentials, self._endpoint)
            self._project = self._opened.project
        return self._opened


def _open(project: str | None, credentials: "Credentials | None", endpoint: str | None) -> "Client":
    import google.auth
    from google.cloud.bigquery import Client

    named: str | None = None
    if credentials is None:
        scopes = ["https://www.googleapis.com/auth/bigquery"]
        credentials, named = google.auth.default(scopes=scopes)
    if not (project or named):
        raise GateError(
            "bigquery-project",
            "BigQuery needs a Google project that pays for the queries",
            "set `bigquery-project`; the first TiB a month is free",
        )
    return Client(
        project=project or named,
        credentials=credentials,
        location=_LOCATION,
        client_options=None if endpoint is None else {"api_endpoint": endpoint},
    )


def _likely(scanned: int, projects: frozenset[str] | None) -> int:
    """Return what reading a day's *projects* is likely to be billed, see `BREAK_EVEN`."""
    share = 1.0 if projects is None else min(1.0, len(projects) / BREAK_EVEN)
    return billable(int(scanned * share))


def _labels(purpose: str) -> dict[str, str]:
    return {"app": "indexgate", "purpose": purpose}


def _parameters(statement: Statement) -> list[Any]:
    from google.cloud.bigquery import ArrayQueryParameter

    if statement.projects is None:
        return []
    return [ArrayQueryParameter("projects", "STRING", list(statement.projects))]
