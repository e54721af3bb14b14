import logging

import httpx
import pytest

from indexgate.sources.libraries_io import LibrariesIo
from indexgate_policy.signals import Unknown
from tests.proxy.sources.asking import NOW, asked, budget, values
from tests.standins.libraries_io import LibrariesIoService, project


def source(asking: httpx.AsyncClient, service: LibrariesIoService) -> LibrariesIo:
    return LibrariesIo(asking, budget("libraries-io"), key="secret", base=service.origin)


async def test_a_project_has_its_rank_and_dependents(asking: httpx.AsyncClient) -> None:
    async with LibrariesIoService(project()) as service:
        signals = await source(asking, service).signals(asked(), NOW)
    assert values(signals) == {
        "sourcerank": 18,
        "dependents": 310,
        "dependent_repositories": 4120,
        "stars": 1520,
        "forks": 120,
        "contributors": 64,
    }
    assert {signal.licence for signal in signals} == {"CC-BY-SA-4.0"}


async def test_the_key_reaches_the_service_and_no_log(
    asking: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with LibrariesIoService(project()) as service:
        await source(asking, service).signals(asked(), NOW)
    assert service.queries["/pypi/sample-project"] == {"api_key": "secret"}
    told = [record.getMessage() for record in caplog.records if record.name == "httpx"]
    assert len(told) == 1
    assert "secret" not in caplog.text
    assert "api_key=***" in told[0]


async def test_what_is_null_is_unknown_not_zero(asking: httpx.AsyncClient) -> None:
    async with LibrariesIoService(project(rank=None, stars=-3)) as service:
        found = values(await source(asking, service).signals(asked(), NOW))
    assert found["sourcerank"] == Unknown(reason="libraries.io does not tell sourcerank")
    assert isinstance(found["stars"], Unknown)
    assert found["forks"] == 120
