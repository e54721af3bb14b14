import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from indexgate.errors import GateError
from indexgate.sources.clickhouse import ClickHouseLog
from indexgate.sources.protocol import SourceFailed
from indexgate_policy.downloads.log_row import COLUMNS
from tests.standins.clickhouse import ClickHouseService, fetched
from tests.standins.faults import (
    CutOff,
    Edited,
    Hold,
    Huge,
    Status,
    captive_portal,
    garbage,
    redirect,
)

DAY = date(2026, 11, 18)
BEFORE = DAY - timedelta(days=7)
NOW = datetime(2026, 11, 22, 5, tzinfo=UTC)
BOTH = frozenset({"alpha", "beta"})
TOTALS, ROWS, WHOLE_DAY = "GROUP BY project", "FROM pypi.pypi ", "max(date)"


@pytest.fixture
async def service() -> AsyncIterator[ClickHouseService]:
    rows = [
        fetched(day, name, **more)
        for day in (BEFORE, DAY)
        for name in ("alpha", "beta", "gamma")
        for more in ({}, {}, {"installer": "", "system": "", "python_minor": ""}, {"type": "sdist"})
    ]
    async with ClickHouseService(rows) as running:
        yield running


async def read(
    service: ClickHouseService,
    projects: frozenset[str] = BOTH,
    *,
    within: float = 10,
    day: date = DAY,
) -> list[Any]:
    log = ClickHouseLog(address=service.url, within=within)
    return await asyncio.to_thread(lambda: list(log.rows(day, projects, NOW)))


async def test_rows_are_grouped_and_what_the_copy_does_not_have_is_unknown(
    service: ClickHouseService,
) -> None:
    (batch,) = await read(service)
    assert set(batch) == {*COLUMNS, "ci_told"}
    found = Counter(
        {row[:-1]: row[-1] for row in zip(*(batch[name] for name in COLUMNS), strict=True)}
    )
    known = (DAY, "pip", None, None, "Linux", None, None, "3.12", "DE", "1.0")
    silent = (DAY, None, None, None, None, None, None, None, "DE", "1.0", "bdist_wheel")
    assert found == {
        row: n
        for name in ("alpha", "beta")
        for row, n in (
            ((name, *known, "bdist_wheel"), 2),
            ((name, *known, "sdist"), 1),
            ((name, *silent), 1),
        )
    }
    assert set(batch["ci_told"]) == {False}
    assert batch["project"] == sorted(batch["project"])


async def test_projects_are_asked_for_in_groups(service: ClickHouseService) -> None:
    names = frozenset(f"name-{number:02}" for number in range(21))
    plan = ClickHouseLog(address=service.url).plan(DAY, names, NOW)
    assert (plan.jobs, plan.most_bytes, plan.likely_dollars, plan.settled) == (7, 0, 0.0, True)
    assert await read(service, names) == []
    assert len(service.log) == plan.jobs
    assert {query["user"] for _, query in service.log} == {"demo"}


async def test_nothing_is_asked_about_no_project(service: ClickHouseService) -> None:
    assert await read(service, frozenset()) == []
    assert ClickHouseLog(address=service.url).plan(DAY, frozenset(), NOW).jobs == 0
    assert service.log == []


@pytest.mark.parametrize("projects", [None, frozenset(f"n{number}" for number in range(901))])
def test_the_whole_index_is_not_asked_for(projects: frozenset[str] | None) -> None:
    log = ClickHouseLog()
    for ask in (log.plan, log.rows):
        with pytest.raises(GateError, match="cannot be asked about"):
            ask(DAY, projects, NOW)


def test_a_day_that_is_not_over_is_not_read() -> None:
    with pytest.raises(GateError, match="cannot be read from clickhouse before that day is over"):
        ClickHouseLog().rows(NOW.date(), BOTH, NOW)


async def test_counts_that_differ_by_a_hair_are_taken(service: ClickHouseService) -> None:
    service.rows += [fetched(DAY, "large")] * 300
    service.totals["2026-11-18", "large"] = 302
    (batch,) = await read(service, frozenset({"large"}))
    assert batch["n"] == [300]


def totals_say(count: int) -> Callable[[ClickHouseService], None]:
    def set_up(service: ClickHouseService) -> None:
        service.totals["2026-11-18", "alpha"] = count

    return set_up


def wrong(part: str, fault: Any) -> Callable[[ClickHouseService], None]:
    return lambda service: service.fault(part, fault)


def edited(change: Callable[[Any], None]) -> Edited:
    def edit(body: bytes) -> bytes:
        answer = json.loads(body)
        change(answer)
        return json.dumps(answer).encode()

    return Edited(edit=edit)


def exception(status: int, code: int, words: str = "an example") -> Status:
    body = f"Code: {code}. DB::Exception: {words}".encode()
    return Status(status=status, headers={"X-ClickHouse-Exception-Code": str(code)}, body=body)


def give_up_after(rows: int) -> Callable[[ClickHouseService], None]:
    def set_up(service: ClickHouseService) -> None:
        service.limit = rows

    return set_up


def stand_still(service: ClickHouseService) -> None:
    service.rows = [row for row in service.rows if row["date"] < "2026-11-18"]


def lose_rows(service: ClickHouseService) -> None:
    today = [row for row in service.rows if row["date"] == "2026-11-18"]
    service.rows = [row for row in service.rows if row not in today] + today[:3]


def forget_all(service: ClickHouseService) -> None:
    service.rows = []


def drop_last_row(answer: Any) -> None:
    answer["data"].pop()


def drop_last_row_and_say_so(answer: Any) -> None:
    answer["data"].pop()
    answer["rows"] -= 1


def shorten_a_row(answer: Any) -> None:
    answer["data"][0].pop()


def rename_a_column(answer: Any) -> None:
    answer["meta"][0]["name"] = "package"


def rename_a_project(answer: Any) -> None:
    answer["data"][0][0] = "stranger"


def write_words_for_numbers(answer: Any) -> None:
    answer["data"][0][-1] = "many"


@pytest.mark.parametrize(
    ("set_up", "told"),
    [
        pytest.param(
            wrong(ROWS, exception(500, 201, "Quota for user `demo` has been exceeded")),
            "clickhouse has answered as many questions as it allows in an hour",
            id="quota",
        ),
        pytest.param(
            wrong(ROWS, exception(408, 159)),
            "clickhouse took longer over the question than it allows",
            id="too slow for it",
        ),
        pytest.param(
            wrong(ROWS, exception(500, 158)),
            "clickhouse would have to read more for the question than it allows",
            id="too many rows",
        ),
        pytest.param(
            wrong(TOTALS, exception(404, 60)),
            "clickhouse does not have the table that is asked for",
            id="no such table",
        ),
        pytest.param(
            wrong(ROWS, exception(404, 47)),
            "clickhouse has a table without a column that is asked for",
            id="no such column",
        ),
        pytest.param(
            wrong(WHOLE_DAY, exception(403, 516)),
            "clickhouse does not let its public user in",
            id="log-in",
        ),
        pytest.param(wrong(ROWS, Status(status=503)), "clickhouse answered 503", id="503"),
        pytest.param(
            wrong(ROWS, Status(status=429)), "clickhouse answered 429 Too Many Requests", id="429"
        ),
        pytest.param(
            wrong(ROWS, redirect("https://elsewhere.example.test/")),
            "clickhouse answered 302 Found",
            id="redirect",
        ),
        pytest.param(
            wrong(ROWS, CutOff(after=40)),
            "clickhouse broke off in the middle of the answer",
            id="cut off",
        ),
        pytest.param(
            wrong(ROWS, garbage(b'{"meta": [Code: 159. DB::Exception: Timeout exceeded')),
            "clickhouse broke off in the middle of the answer",
            id="an exception inside the answer",
        ),
        pytest.param(
            wrong(ROWS, captive_portal()),
            "clickhouse answered what is not ClickHouse's JSON",
            id="a log-in page",
        ),
        pytest.param(
            wrong(ROWS, edited(shorten_a_row)),
            "clickhouse answered what is not ClickHouse's JSON",
            id="a short row",
        ),
        pytest.param(
            wrong(TOTALS, edited(write_words_for_numbers)),
            "clickhouse answered what is not ClickHouse's JSON",
            id="words for numbers",
        ),
        pytest.param(
            wrong(ROWS, Huge(size=100_000_000)),
            "clickhouse answered more than 64,000,000 bytes",
            id="too large",
        ),
        pytest.param(
            wrong(ROWS, edited(rename_a_column)),
            "clickhouse answered other columns than those that were asked for",
            id="another column",
        ),
        pytest.param(
            wrong(ROWS, edited(rename_a_project)),
            "clickhouse answered 1 other projects",
            id="another project",
        ),
        pytest.param(
            wrong(ROWS, edited(drop_last_row)),
            "clickhouse gave 5 rows of 6",
            id="fewer rows than it says",
        ),
        pytest.param(
            wrong(ROWS, edited(drop_last_row_and_say_so)),
            "clickhouse gave 5 rows of 6",
            id="fewer rows than its summary says",
        ),
        pytest.param(
            give_up_after(5),
            "clickhouse gave 3 of 4 downloads of `beta`",
            id="a cut answer that looks whole",
        ),
        pytest.param(
            totals_say(9),
            "clickhouse counts 4 downloads of `alpha`, and 9 in its daily totals",
            id="fewer rows than its totals",
        ),
        pytest.param(
            stand_still, "clickhouse has nothing newer than 2026-11-11", id="it stands still"
        ),
        pytest.param(
            lose_rows,
            "clickhouse has only 25 % as many downloads of 2026-11-18 as of the day a week before",
            id="a part of a day",
        ),
        pytest.param(forget_all, "clickhouse has no rows", id="nothing at all"),
    ],
)
async def test_a_day_that_may_not_be_whole_is_refused_with_a_reason(
    service: ClickHouseService, set_up: Callable[[ClickHouseService], None], told: str
) -> None:
    set_up(service)
    with pytest.raises(SourceFailed) as failed:
        await read(service)
    assert str(failed.value) == told


async def test_an_answer_that_does_not_come_is_given_up(service: ClickHouseService) -> None:
    service.fault(ROWS, Hold())
    with pytest.raises(SourceFailed, match=r"clickhouse did not finish within 0\.3 s"):
        await read(service, within=0.3)


async def test_after_the_quota_it_asks_to_be_left_alone_for_an_hour(
    service: ClickHouseService,
) -> None:
    service.fault(WHOLE_DAY, exception(500, 201))
    with pytest.raises(SourceFailed) as failed:
        await read(service)
    assert (failed.value.kind, failed.value.retry_after) == ("quota", 3600)


async def test_a_summary_that_says_nothing_is_no_reason_to_refuse(
    service: ClickHouseService,
) -> None:
    service.summary = False
    assert len(await read(service)) == 1
