import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials, Credentials
from google.oauth2.credentials import Credentials as Token

from indexgate.errors import GateError
from indexgate.sources.bigquery import BigQueryLog, Patience
from indexgate.sources.bigquery_price import billable
from indexgate.sources.day_log import Batch
from indexgate.sources.protocol import SourceFailed
from indexgate.sources.spending import Budget, Spending
from indexgate_policy.downloads.log_row import COLUMNS
from tests.proxy.sources.ledger import MemoryLedger
from tests.standins.bigquery import Ask, BigQueryService, Fault, Wrong, dry, reads, refused, runs
from tests.standins.bigquery_sql import Declined
from tests.standins.download_rows import an_ordinary_day, downloaded

DAY = date(2026, 11, 18)
BEFORE = DAY - timedelta(days=7)
NOW = datetime(2026, 11, 22, 5, tzinfo=UTC)
MONTH = "2026-11"
TB = 10**12

QUICK = Patience(answer=5, again=5, pause=0.01, query=20, look=0)
HASTY = Patience(answer=5, again=0.05, pause=0.01, query=20, look=0)


@pytest.fixture(scope="module")
def days() -> list[dict[str, Any]]:
    return [*an_ordinary_day(BEFORE), *an_ordinary_day(DAY)]


@pytest.fixture
def service(days: list[dict[str, Any]]) -> Iterator[BigQueryService]:
    with BigQueryService() as running:
        running.downloads.insert(days)
        yield running


@pytest.fixture
def ledger() -> MemoryLedger:
    return MemoryLedger()


@pytest.fixture
def open_log(
    service: BigQueryService, ledger: MemoryLedger
) -> Iterator[Callable[..., BigQueryLog]]:
    opened: list[BigQueryLog] = []
    numbers = count(1)

    def open_one(*, monthly: int = TB, **more: Any) -> BigQueryLog:
        settings: dict[str, Any] = {
            "project": "lab",
            "endpoint": service.url,
            "credentials": anonymous(),
            "page": 30,
            "patience": QUICK,
            "new_job": lambda: f"job-{next(numbers)}",
        }
        budget = Budget(ledger, source="bigquery", monthly=monthly)
        log = BigQueryLog(budget=budget, **(settings | more))
        opened.append(log)
        return log

    yield open_one
    for log in opened:
        log.close()


@pytest.fixture
def log(open_log: Callable[..., BigQueryLog]) -> BigQueryLog:
    return open_log()


def anonymous() -> Credentials:
    return AnonymousCredentials()  # type: ignore[no-untyped-call]


def counted(batches: Iterator[Batch]) -> Counter[tuple[Any, ...]]:
    """Return `n` by everything else."""
    found: Counter[tuple[Any, ...]] = Counter()
    for batch in batches:
        assert set(batch) == set(COLUMNS)
        for row in zip(*(batch[name] for name in COLUMNS), strict=True):
            found[row[:-1]] += row[-1]
    return found


def recounted(rows: list[dict[str, Any]], day: date) -> Counter[tuple[Any, ...]]:
    """Count rows as the roll-up query should, in plain Python."""
    found: Counter[tuple[Any, ...]] = Counter()
    for row in rows:
        if row["timestamp"].startswith(day.isoformat()):
            told = row["details"]
            found[
                row["project"],
                day,
                told["installer"]["name"],
                ".".join(told["installer"]["version"].split(".")[:2]),
                told["ci"],
                told["system"]["name"],
                told["distro"]["name"],
                None,
                ".".join(told["python"].split(".")[:2]),
                row["country_code"],
                row["file"]["version"],
                row["file"]["type"],
            ] += 1
    return found


def test_a_day_of_the_whole_index_is_what_a_plain_recount_says(
    log: BigQueryLog, days: list[dict[str, Any]]
) -> None:
    assert counted(log.rows(DAY, None, NOW)) == recounted(days, DAY)


def test_rows_come_page_by_page_in_the_order_of_their_projects(log: BigQueryLog) -> None:
    batches = list(log.rows(DAY, None, NOW))
    names = [name for batch in batches for name in batch["project"]]
    assert names == sorted(names)
    assert max(len(batch["n"]) for batch in batches) == 30


def test_an_unreadable_client_and_one_that_tells_only_its_python_are_told_apart(
    log: BigQueryLog, service: BigQueryService
) -> None:
    bare = {"installer": None, "installer_version": None, "system": None}
    service.downloads.insert(
        [
            downloaded(DAY, "unreadable", known=False),
            downloaded(DAY, "bare", python="2.7", **bare),  # type: ignore[arg-type]
            downloaded(DAY, "odd", python="unparsable", **bare),  # type: ignore[arg-type]
        ]
    )
    found = counted(log.rows(DAY, frozenset({"unreadable", "bare", "odd"}), NOW))
    told = {row[0]: (row[2], row[8]) for row in found}
    assert told == {
        "unreadable": (None, None),
        "bare": (None, "2.7"),
        "odd": (None, "unparsable"),
    }


@pytest.mark.parametrize(
    ("release", "kernel"),
    [
        ("5.15.167.4-microsoft-standard-WSL2", "wsl"),
        ("6.10.14-linuxkit", "desktop-vm"),
        ("6.8.0-1030-azure", "cloud"),
        ("10.0.20348 Server", "server"),
        ("6.8.0-45-generic", None),
        (None, None),
    ],
)
def test_a_kernel_gives_away_where_it_runs(
    log: BigQueryLog, service: BigQueryService, release: str | None, kernel: str | None
) -> None:
    service.downloads.insert([downloaded(DAY, "here", release=release)])
    (row,) = counted(log.rows(DAY, frozenset({"here"}), NOW))
    assert row[7] == kernel


def test_a_plan_is_free_and_says_the_most_it_can_cost(
    log: BigQueryLog, service: BigQueryService
) -> None:
    service.downloads.weight = 100_000
    whole = log.plan(DAY, None, NOW)
    some = log.plan(DAY, frozenset(f"project-{n:02}" for n in range(25)), NOW)
    assert (service.billed, service.jobs) == (0, {})
    assert whole.most_bytes == whole.likely_bytes > 200_000_000
    assert (whole.jobs, whole.settled, whole.left_bytes) == (1, True, TB)
    assert whole.labels == {"app": "indexgate", "purpose": "downloads"}
    assert whole.likely_dollars == pytest.approx(whole.likely_bytes / 2**40 * 6.25)
    assert (some.jobs, some.most_bytes) == (2, 2 * whole.most_bytes)
    assert some.likely_bytes == pytest.approx(whole.likely_bytes / 20, rel=0.1)


def test_a_few_projects_are_asked_for_in_groups_that_cost_less_than_all(
    log: BigQueryLog, service: BigQueryService, days: list[dict[str, Any]]
) -> None:
    service.downloads.weight, service.downloads.block_rows = 100_000, 10
    names = frozenset(f"project-{number:02}" for number in range(0, 40, 13))
    wanted = {row: n for row, n in recounted(days, DAY).items() if row[0] in names}
    assert counted(log.rows(DAY, names, NOW)) == wanted
    assert 0 < service.billed < log.plan(DAY, None, NOW).most_bytes


def test_nothing_is_asked_about_no_project(log: BigQueryLog, service: BigQueryService) -> None:
    plan = log.plan(DAY, frozenset(), NOW)
    assert (plan.jobs, plan.most_bytes, plan.likely_bytes, plan.likely_dollars) == (0, 0, 0, 0.0)
    assert list(log.rows(DAY, frozenset(), NOW)) == []
    assert service.asked == []


@pytest.mark.parametrize(("names", "jobs"), [(1, 1), (20, 1), (21, 2), (500, 25), (501, 1)])
def test_from_the_break_even_on_one_question_asks_for_all_of_them(
    log: BigQueryLog, names: int, jobs: int
) -> None:
    assert log.plan(DAY, frozenset(f"name-{n:03}" for n in range(names)), NOW).jobs == jobs


def test_a_job_carries_its_labels_its_limit_and_nothing_but_the_day(
    log: BigQueryLog, service: BigQueryService
) -> None:
    service.downloads.weight = 100_000
    list(log.rows(DAY, None, NOW))
    (job,) = service.jobs.values()
    assert job.configuration["labels"] == {"app": "indexgate", "purpose": "downloads"}
    assert int(job.configuration["query"]["maximumBytesBilled"]) == billable(job.bound)
    sql = job.configuration["query"]["query"]
    assert "TIMESTAMP '2026-11-18 00:00:00+00'" in sql
    assert "TIMESTAMP '2026-11-19 00:00:00+00'" in sql


def test_the_ledger_holds_what_was_billed(
    log: BigQueryLog, service: BigQueryService, ledger: MemoryLedger
) -> None:
    service.downloads.weight = 100_000
    list(log.rows(DAY, None, NOW))
    list(log.rows(BEFORE, frozenset(f"project-{n:02}" for n in range(30)), NOW))
    assert len(service.jobs) == 3
    assert ledger.spent("bigquery", MONTH) == service.billed > 0
    assert all(one.settled for one in ledger.by_job.values())
    assert {one.day for one in ledger.by_job.values()} == {DAY, BEFORE}


def test_the_budget_stops_before_it_is_used_up_and_says_so(
    open_log: Callable[..., BigQueryLog], service: BigQueryService, ledger: MemoryLedger
) -> None:
    service.downloads.weight = 100_000
    cost = open_log().plan(DAY, None, NOW).most_bytes
    log = open_log(monthly=int(2.5 * cost))
    for _ in range(2):
        list(log.rows(DAY, None, NOW))
    with pytest.raises(GateError) as stopped:
        list(log.rows(DAY, None, NOW))
    assert stopped.value.reference == "bigquery-budget"
    assert stopped.value.message == (
        "Reading `2026-11-18` from bigquery may bill 1.4 GB, and 714.1 MB of 3.6 GB are left for "
        "2026-11"
    )
    assert "next month" in stopped.value.hint
    assert len(service.jobs) == 2
    assert ledger.spent("bigquery", MONTH) == service.billed <= 2.5 * cost
    december = datetime(2026, 12, 1, tzinfo=UTC)
    assert counted(log.rows(DAY, None, december))


def test_a_job_of_a_killed_run_is_settled_by_the_next_one(
    log: BigQueryLog, service: BigQueryService, ledger: MemoryLedger
) -> None:
    list(log.rows(DAY, None, NOW))
    (ran,) = ledger.by_job
    ledger.by_job[ran] = reserved(ran, NOW)  # killed before the end was noted
    ledger.by_job["never"] = reserved("never", NOW - timedelta(hours=2))
    ledger.by_job["just"] = reserved("just", NOW - timedelta(minutes=1))
    list(log.rows(DAY, None, NOW))
    assert ledger.by_job[ran].bytes_billed == service.jobs[ran].billed
    assert (ledger.by_job["never"].bytes_billed, ledger.by_job["never"].settled) == (0, True)
    assert not ledger.by_job["just"].settled  # another process may be about to start it


def reserved(job: str, at: datetime) -> Spending:
    return Spending(
        job=job,
        source="bigquery",
        month=MONTH,
        purpose="downloads",
        day=DAY,
        bytes_billed=77 * 2**20,
        settled=False,
        at=at,
    )


def test_a_job_whose_answer_got_lost_is_found_again_and_paid_once(
    log: BigQueryLog, service: BigQueryService, ledger: MemoryLedger, days: list[dict[str, Any]]
) -> None:
    service.faults.append(once(failing(runs, refused(503, "backendError", after=True))))
    assert counted(log.rows(DAY, None, NOW)) == recounted(days, DAY)
    assert len(service.jobs) == 1
    assert ledger.spent("bigquery", MONTH) == service.billed


def test_a_day_broken_off_anywhere_is_the_same_when_it_is_read_again(
    open_log: Callable[..., BigQueryLog], days: list[dict[str, Any]]
) -> None:
    for stop in range(4):
        log = open_log()
        rows = log.rows(DAY, None, NOW)
        for _ in range(stop):
            next(rows)
        del rows
        assert counted(open_log().rows(DAY, None, NOW)) == recounted(days, DAY)


@pytest.mark.parametrize("reason", ["backendError", "rateLimitExceeded", "internalError"])
def test_what_passes_quickly_is_tried_again(
    log: BigQueryLog, service: BigQueryService, days: list[dict[str, Any]], reason: str
) -> None:
    for which in (dry, runs, reads):
        service.faults.append(once(failing(which, refused(503, reason))))
    assert counted(log.rows(DAY, None, NOW)) == recounted(days, DAY)
    assert len(service.jobs) == 1


def once(fault: Fault) -> Fault:
    done: list[Wrong] = []

    def first_only(ask: Ask) -> Wrong | None:
        found = None if done else fault(ask)
        done.extend([found] if found else [])
        return found

    return first_only


def failing(which: Callable[[Ask], bool], wrong: Wrong) -> Fault:
    return lambda ask: wrong if which(ask) else None


def always(which: Callable[[Ask], bool], wrong: Wrong) -> Callable[[BigQueryService], None]:
    return lambda service: service.faults.append(failing(which, wrong))


def ends_as(status: int, reason: str, message: str = "an example") -> Any:
    def set_up(service: BigQueryService) -> None:
        service.fails_as = Declined(status, reason, message)

    return set_up


def without_rows(day: date, share: float) -> Callable[[BigQueryService], None]:
    def set_up(service: BigQueryService) -> None:
        service.database.execute(
            "DELETE FROM file_downloads WHERE CAST(timestamp AS DATE) = ? AND "
            "CAST(project[-2:] AS INTEGER) < ?",
            [day, int(40 * share)],
        )

    return set_up


def no_free_bytes(service: BigQueryService) -> None:
    service.free = 1


def lost_column(service: BigQueryService) -> None:
    fields = [one for one in service.downloads.fields if one["name"] != "country_code"]
    service.downloads.fields = fields


def with_numbered_countries(body: bytes) -> bytes:
    return body.replace(b'"country", "type": "STRING"', b'"country", "type": "INTEGER"')


def without_page_token(body: bytes) -> bytes:
    return body.replace(b'"pageToken"', b'"nothing"')


@pytest.mark.parametrize(
    ("set_up", "told"),
    [
        pytest.param(
            no_free_bytes,
            "bigquery has no bytes left for the project that pays, this month or day",
            id="the free bytes of the month are used up",
        ),
        pytest.param(
            ends_as(400, "bytesBilledLimitExceeded"),
            "bigquery would have billed more than it had said, and stopped",
            id="the query meets its own limit",
        ),
        pytest.param(
            always(runs, refused(400, "bytesBilledLimitExceeded")),
            "bigquery would have billed more than it had said, and stopped",
            id="the limit is met at once",
        ),
        pytest.param(
            always(dry, refused(403, "rateLimitExceeded")),
            "bigquery was asked too often",
            id="too many questions, 403",
        ),
        pytest.param(
            always(dry, Wrong(status=429, body=b"slow down")),
            "bigquery was asked too often",
            id="too many questions, 429",
        ),
        pytest.param(
            always(runs, Wrong(status=500, body=b"")),
            "bigquery is too busy to answer",
            id="500 without a body",
        ),
        pytest.param(
            always(reads, refused(503, "backendError")),
            "bigquery is too busy to answer",
            id="503 for every page",
        ),
        pytest.param(
            ends_as(500, "backendError"),
            "bigquery is too busy to answer",
            id="the job fails midway",
        ),
        pytest.param(
            ends_as(400, "resourcesExceeded"),
            "bigquery had too little room for the query",
            id="too large a query",
        ),
        pytest.param(
            always(dry, refused(404, "notFound", "Not found: Table")),
            "bigquery does not have the table that is asked for",
            id="no such table",
        ),
        pytest.param(
            lost_column,
            "bigquery has a table without a column that is asked for",
            id="a column is gone",
        ),
        pytest.param(
            always(dry, Wrong(edit=with_numbered_countries)),
            "bigquery would answer in other columns than those that are asked for",
            id="a column has another type",
        ),
        pytest.param(
            always(dry, Wrong(body=b"<html>Please log in</html>")),
            "bigquery answered what is not BigQuery's",
            id="a log-in page",
        ),
        pytest.param(
            always(reads, Wrong(body=b'["rows"]')),
            "bigquery answered what is not BigQuery's",
            id="other JSON",
        ),
        pytest.param(
            always(reads, Wrong(cut=200)),
            "bigquery broke off in the middle of the answer",
            id="a page is cut off",
        ),
        pytest.param(
            always(reads, Wrong(edit=without_page_token)),
            "bigquery gave 30 rows of 160",
            id="pages stop coming",
        ),
        pytest.param(
            always(dry, refused(403, "billingNotEnabled")),
            "bigquery answered 403 (billingNotEnabled)",
            id="a reason nobody foresaw",
        ),
        pytest.param(
            without_rows(DAY, 1.0), "bigquery has no rows of 2026-11-18", id="an empty day"
        ),
        pytest.param(
            without_rows(DAY, 0.8),
            "bigquery has only 20 % as many rows of 2026-11-18 as of the day a week before",
            id="a part of a day",
        ),
    ],
)
def test_what_may_pass_is_a_failure_with_a_reason_and_costs_only_what_was_billed(
    service: BigQueryService,
    open_log: Callable[..., BigQueryLog],
    ledger: MemoryLedger,
    set_up: Callable[[BigQueryService], None],
    told: str,
) -> None:
    set_up(service)
    log = open_log(patience=HASTY)
    with pytest.raises(SourceFailed) as failed:
        list(log.rows(DAY, None, NOW))
    assert str(failed.value) == told
    settled = sum(one.bytes_billed for one in ledger.by_job.values() if one.settled)
    assert settled == service.billed
    assert ledger.spent("bigquery", MONTH) >= service.billed


def test_what_needs_somebody_says_what_to_do(service: BigQueryService, log: BigQueryLog) -> None:
    service.faults.append(lambda _: refused(403, "accessDenied", "Access Denied: Project lab"))
    with pytest.raises(GateError) as failed:
        log.plan(DAY, None, NOW)
    assert failed.value.reference == "bigquery-rights"
    assert failed.value.message == "The Google credentials may not run queries in the project `lab`"
    assert "BigQuery Job User" in failed.value.hint


def test_a_token_is_sent_and_a_wrong_one_that_cannot_be_renewed_is_explained(
    service: BigQueryService, open_log: Callable[..., BigQueryLog]
) -> None:
    service.token = "right"
    good = Token("right")  # type: ignore[no-untyped-call]
    assert open_log(credentials=good).plan(DAY, None, NOW).jobs == 1
    bad = Token("wrong")  # type: ignore[no-untyped-call]
    with pytest.raises(GateError, match="did not accept the Google credentials"):
        open_log(credentials=bad).plan(DAY, None, NOW)


def test_without_credentials_nothing_is_asked(
    service: BigQueryService,
    open_log: Callable[..., BigQueryLog],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    with pytest.raises(GateError, match="No Google credentials were found for BigQuery"):
        open_log(credentials=None).plan(DAY, None, NOW)
    assert service.asked == []


def test_without_the_extra_the_error_names_it(
    open_log: Callable[..., BigQueryLog], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "google.cloud.bigquery", None)
    with pytest.raises(GateError) as failed:
        open_log().plan(DAY, None, NOW)
    assert "indexgate[bigquery]" in failed.value.hint


def test_a_day_that_is_not_over_is_not_read(log: BigQueryLog, service: BigQueryService) -> None:
    with pytest.raises(GateError, match="`2026-11-22` cannot be read from bigquery before"):
        log.rows(NOW.date(), None, NOW)
    assert service.asked == []


def test_a_query_that_does_not_end_is_stopped(
    service: BigQueryService, open_log: Callable[..., BigQueryLog], ledger: MemoryLedger
) -> None:
    service.looks = 10**9
    seconds = count()
    log = open_log(timer=lambda: float(next(seconds)))
    with pytest.raises(SourceFailed, match="did not finish the query within 20 s"):
        list(log.rows(DAY, None, NOW))
    assert any(ask.path.endswith("/cancel") for ask in service.asked)
    assert len(ledger.by_job) == 1


def test_a_query_that_takes_a_while_is_waited_for(
    service: BigQueryService, open_log: Callable[..., BigQueryLog], days: list[dict[str, Any]]
) -> None:
    service.looks = 3
    waits: list[float] = []
    log = open_log(wait=waits.append)
    assert counted(log.rows(DAY, None, NOW)) == recounted(days, DAY)
    assert waits == [QUICK.look] * len(waits)
    assert waits


def test_a_service_that_hangs_is_given_up(
    service: BigQueryService, open_log: Callable[..., BigQueryLog]
) -> None:
    released = threading.Event()

    def hang(_: Ask) -> None:
        released.wait(30)

    service.faults.append(hang)
    log = open_log(patience=Patience(answer=0.2, again=0.1, pause=0.01, query=1, look=0))
    try:
        with pytest.raises(SourceFailed, match="bigquery did not answer in time"):
            log.plan(DAY, None, NOW)
    finally:
        released.set()


def test_a_service_that_is_not_there_is_told_as_such(
    open_log: Callable[..., BigQueryLog],
) -> None:
    with pytest.raises(SourceFailed, match="bigquery could not be reached"):
        open_log(endpoint="http://127.0.0.1:9", patience=HASTY).plan(DAY, None, NOW)


def uploaded(name: str, version: str, at: str | None, kind: str = "bdist_wheel") -> dict[str, Any]:
    return {
        "name": name,
        "version": version,
        "summary": "A sample",
        "upload_time": at,
        "filename": f"{name}-{version}",
        "packagetype": kind,
    }


@pytest.fixture
def with_uploads(service: BigQueryService) -> BigQueryService:
    service.uploads.insert(
        [
            uploaded("Foo_Bar", "1.0", "2025-01-02 03:04:05+00", "sdist"),
            uploaded("foo-bar", "1.0", "2025-01-01 00:00:00+00", "sdist"),
            uploaded("Foo.Bar", "2.0", "2026-11-01 00:00:00+00"),
            uploaded("foo.bar", "2.0", "2026-11-02 00:00:00+00", "sdist"),
            uploaded("other", "0.1", "2026-11-03 00:00:00+00"),
            uploaded("dateless", "0.1", None),
        ]
    )
    return service


FIRST = ("foo-bar", "1.0", datetime(2025, 1, 1, tzinfo=UTC), False)
SECOND = ("foo-bar", "2.0", datetime(2026, 11, 1, tzinfo=UTC), True)
OTHER = ("other", "0.1", datetime(2026, 11, 3, tzinfo=UTC), True)


@pytest.mark.parametrize(
    ("projects", "since", "expected"),
    [
        (None, None, {FIRST, SECOND, OTHER}),
        (frozenset({"foo-bar"}), None, {FIRST, SECOND}),
        (None, date(2026, 11, 1), {SECOND, OTHER}),
        (frozenset({"foo-bar"}), date(2026, 11, 1), {SECOND}),
        (frozenset({"unheard-of"}), None, set()),
    ],
)
def test_uploads_tell_when_versions_came_whatever_the_name_was_written_like(  # noqa: PLR0917
    with_uploads: BigQueryService,
    log: BigQueryLog,
    ledger: MemoryLedger,
    projects: frozenset[str] | None,
    since: date | None,
    expected: set[tuple[Any, ...]],
) -> None:
    found = {
        row
        for batch in log.uploads(projects, since, NOW)
        for row in zip(
            *(batch[name] for name in ("project", "version", "uploaded", "wheel")), strict=True
        )
    }
    assert found == expected
    (spent,) = ledger.by_job.values()
    assert (spent.purpose, spent.day, spent.bytes_billed) == ("uploads", None, with_uploads.billed)
