from datetime import date, timedelta

import httpx
import pytest

from indexgate.sources.protocol import History, SourceFailed
from indexgate.sources.pypistats import ABOUT, Pypistats
from indexgate_policy.signals import Unknown
from tests.proxy.sources.asking import NOW, SAMPLE, asked, budget, values
from tests.standins.pypistats import NEWEST, PypistatsService


def source(asking: httpx.AsyncClient, service: PypistatsService) -> Pypistats:
    return Pypistats(asking, budget("pypistats"), base=service.origin)


async def test_half_a_year_is_had_with_two_requests(asking: httpx.AsyncClient) -> None:
    async with PypistatsService() as service:
        asked_of = source(asking, service)
        assert isinstance(asked_of, History)
        signals, counts = await asked_of.with_history(asked(), NOW)
    assert service.log == [
        "/packages/sample-project/overall",
        "/packages/sample-project/system",
    ]
    assert len(counts.days) == 180
    newest = counts.days[-1]
    assert (newest.day, newest.everything, newest.without_mirrors) == (NEWEST, 1000, 900)
    assert newest.systems == {"Linux": 600, "Darwin": 150, "Windows": 100, "null": 40, "other": 10}
    assert tuple(s.name for s in signals) == ABOUT.gives


async def test_installs_by_people_lie_between_the_desktops_and_all_but_mirrors(
    asking: httpx.AsyncClient,
) -> None:
    async with PypistatsService() as service:
        found = values(await source(asking, service).signals(asked(), NOW))
    assert found["downloads"] == 30_000
    assert found["downloads_until"] == "2026-09-01"
    assert found["human_installs_low"] == pytest.approx(0.87 * 250 * 30)
    assert found["human_installs_high"] == pytest.approx(0.87 * 900 * 30)
    low, middle, high = (found[f"human_installs{end}"] for end in ("_low", "", "_high"))
    assert isinstance(low, float)
    assert isinstance(middle, float)
    assert isinstance(high, float)
    assert low <= middle <= high


async def test_a_day_that_only_mirrors_fetched_is_counted_and_nobody_else_is(
    asking: httpx.AsyncClient,
) -> None:
    async with PypistatsService(systems={}) as service:
        service.tell(
            SAMPLE,
            "overall",
            {NEWEST - timedelta(days=back): {"with_mirrors": 30} for back in range(40)},
        )
        signals, counts = await source(asking, service).with_history(asked(), NOW)
    assert {day.without_mirrors for day in counts.days} == {0}
    assert values(signals)["human_installs_high"] == 0


async def test_a_project_without_counts_is_unknown_and_has_no_days(
    asking: httpx.AsyncClient,
) -> None:
    async with PypistatsService("another") as service:
        signals, counts = await source(asking, service).with_history(asked(), NOW)
    assert counts.days == ()
    assert set(values(signals).values()) == {Unknown(reason="pypistats.org has no counts of it")}
    assert len(service.log) == 1


async def test_counts_that_ended_long_ago_say_nothing_of_now(asking: httpx.AsyncClient) -> None:
    async with PypistatsService(newest=date(2026, 8, 1)) as service:
        found = values(await source(asking, service).signals(asked(), NOW))
    reason = "pypistats.org has no counts of it after 2026-08-01"
    assert set(found.values()) == {Unknown(reason=reason)}


async def test_systems_of_any_spelling_are_one(asking: httpx.AsyncClient) -> None:
    async with PypistatsService() as service:
        service.tell(SAMPLE, "system", {NEWEST: {"windows": 3, "Windows": 4, "BeOS": 5}})
        counts = await source(asking, service).history(asked(), NOW)
    assert counts.days[-1].systems == {"Windows": 7, "other": 5}
    assert counts.days[-2].systems == {}


@pytest.mark.parametrize(
    ("counts", "reason"),
    [
        ({NEWEST: {"with_mirrors": -1}}, "answered counts that cannot be"),
        ({NEWEST: {"with_mirrors": 10**13}}, "answered counts that cannot be"),
        ({date(2027, 1, 1): {"with_mirrors": 1}}, "answered counts that cannot be"),
    ],
)
async def test_counts_that_cannot_be_are_refused(
    asking: httpx.AsyncClient, counts: dict[date, dict[str, int]], reason: str
) -> None:
    async with PypistatsService() as service:
        service.tell(SAMPLE, "overall", counts)
        with pytest.raises(SourceFailed, match=reason):
            await source(asking, service).signals(asked(), NOW)
