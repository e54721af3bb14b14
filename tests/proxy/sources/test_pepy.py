from datetime import date

import httpx

from indexgate.sources.pepy import Pepy
from indexgate_policy.signals import Unknown
from tests.proxy.sources.asking import NOW, asked, budget, values
from tests.standins.pepy import PepyService


def source(asking: httpx.AsyncClient, service: PepyService) -> Pepy:
    return Pepy(asking, budget("pepy"), key="secret", base=service.origin)


async def test_thirty_days_of_all_versions_are_added_up(asking: httpx.AsyncClient) -> None:
    async with PepyService() as service:
        found = values(await source(asking, service).signals(asked(), NOW))
    assert found == {"downloads": 330, "downloads_until": "2026-09-01"}


async def test_the_key_goes_into_a_header(asking: httpx.AsyncClient) -> None:
    async with PepyService() as service:
        await source(asking, service).signals(asked(), NOW)
    assert service.headers["/projects/sample-project"]["X-API-Key"] == "secret"


async def test_old_counts_say_until_when_and_nothing_of_now(asking: httpx.AsyncClient) -> None:
    async with PepyService(newest=date(2026, 7, 1)) as service:
        found = values(await source(asking, service).signals(asked(), NOW))
    assert found["downloads"] == Unknown(reason="pepy.tech has no counts after 2026-07-01")
