"""What the stand-in must do as BigQuery does, or tests that lean on it mean nothing."""

from collections.abc import Iterator
from datetime import date

import pytest
from google.api_core.client_options import ClientOptions
from google.api_core.exceptions import BadRequest, Forbidden, NotFound
from google.auth.credentials import AnonymousCredentials
from google.cloud.bigquery import Client, QueryJobConfig

from tests.standins.bigquery import BILLED_AT_LEAST, DOWNLOADS, MIB, BigQueryService
from tests.standins.download_rows import an_ordinary_day

DAY = date(2026, 11, 18)
WHEN = "timestamp >= TIMESTAMP '2026-11-18 00:00:00+00' AND timestamp < TIMESTAMP '2026-11-19'"
NARROW = f"SELECT project, COUNT(*) AS n FROM `{DOWNLOADS}` WHERE {WHEN} GROUP BY project"
ONE = NARROW.replace(" GROUP", " AND project IN UNNEST(['project-07']) GROUP")
WIDER = NARROW.replace("project, COUNT(*)", "project, ANY_VALUE(url) AS url, COUNT(*)")


@pytest.fixture(scope="module")
def service() -> Iterator[BigQueryService]:
    with BigQueryService() as running:
        running.downloads.insert(an_ordinary_day(DAY))
        running.downloads.weight = 100_000
        running.downloads.block_rows = 10
        yield running


@pytest.fixture(scope="module")
def client(service: BigQueryService) -> Iterator[Client]:
    opened = Client(
        project="lab",
        credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
        client_options=ClientOptions(api_endpoint=service.url),
    )
    yield opened
    opened.close()  # type: ignore[no-untyped-call]


def bound(client: Client, sql: str) -> int:
    config = QueryJobConfig(dry_run=True, use_query_cache=False)
    return int(client.query(sql, job_config=config).total_bytes_processed or 0)


def test_a_dry_run_is_free_and_counts_the_columns_of_the_days(
    client: Client, service: BigQueryService
) -> None:
    before = service.billed
    one_row = 8 + 2 + len("project-07")
    assert bound(client, NARROW) == 200 * one_row * service.downloads.weight
    assert bound(client, WIDER) > bound(client, NARROW)
    assert service.billed == before


def test_a_bound_is_that_of_the_day_and_a_bill_that_of_the_blocks(
    client: Client, service: BigQueryService
) -> None:
    assert bound(client, ONE) == bound(client, NARROW)
    job = client.query(ONE, job_id="one", job_retry=None)
    assert job.done()
    assert int(job.total_bytes_billed or 0) == service.jobs["one"].billed == BILLED_AT_LEAST
    whole = client.query(NARROW, job_id="whole", job_retry=None)
    assert BILLED_AT_LEAST < int(whole.total_bytes_billed or 0) <= bound(client, NARROW) + MIB


def test_a_limit_is_held_against_the_bound(client: Client) -> None:
    config = QueryJobConfig(maximum_bytes_billed=bound(client, ONE) // 2)
    job = client.query(ONE, job_config=config, job_id="capped", job_retry=None)
    assert (job.error_result or {})["reason"] == "bytesBilledLimitExceeded"


def test_free_bytes_run_out(client: Client, service: BigQueryService) -> None:
    service.free = service.billed
    try:
        job = client.query(NARROW, job_id="too-much", job_retry=None)
        assert isinstance(job.exception(), Forbidden)  # type: ignore[no-untyped-call]
    finally:
        service.free = None


@pytest.mark.parametrize(
    ("sql", "error", "words"),
    [
        (f"SELECT COUNT(*) AS n FROM `{DOWNLOADS}`", BadRequest, "partition elimination"),
        (NARROW.replace("project,", "nope,"), BadRequest, "Unrecognized name: nope"),
        (NARROW.replace("file_downloads", "nope"), NotFound, "was not found"),
        ("SELEC 1", BadRequest, "Syntax error|one SELECT"),
        (NARROW.replace("project,", "*,"), BadRequest, "stand-in: no Star"),
    ],
)
def test_what_it_cannot_do_is_refused_by_name(
    client: Client, sql: str, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        bound(client, sql)
