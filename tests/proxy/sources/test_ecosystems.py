import httpx
import pytest

from indexgate.sources.ecosystems import ABOUT, Ecosystems
from indexgate.sources.protocol import SourceFailed
from indexgate_policy.signals import Unknown
from tests.proxy.sources.asking import NOW, asked, budget, values
from tests.standins.ecosystems import EcosystemsService, package

PATH = "/packages/lookup"


def source(asking: httpx.AsyncClient, service: EcosystemsService, contact: str = "") -> Ecosystems:
    return Ecosystems(asking, budget("ecosystems"), base=service.origin, contact=contact)


async def test_a_package_is_looked_up_by_its_package_url(asking: httpx.AsyncClient) -> None:
    async with EcosystemsService(package()) as service:
        signals = await source(asking, service).signals(asked(), NOW)
    assert service.queries[PATH] == {"purl": "pkg:pypi/sample-project"}
    assert values(signals) == {
        "dependents": 310,
        "dependent_repositories": 4120,
        "downloads_rank_share": 0.9,
        "owner_projects": 6,
        "stars": 1520,
        "forks": 120,
        "contributors": 64,
        "people_in_issues": 39,
        "commits_a_week": 2.5,
        "repository_archived": False,
        "security_policy": False,
    }


async def test_every_signal_carries_the_licence_of_the_data(asking: httpx.AsyncClient) -> None:
    async with EcosystemsService(package()) as service:
        signals = await source(asking, service).signals(asked(), NOW)
    assert {signal.licence for signal in signals} == {"CC-BY-SA-4.0"}


async def test_its_downloads_are_those_of_another_service_and_are_not_read() -> None:
    assert "downloads" not in ABOUT.gives


async def test_a_contact_is_told_where_one_is_set(asking: httpx.AsyncClient) -> None:
    async with EcosystemsService(package()) as service:
        await source(asking, service, "ann@example.test").signals(asked(), NOW)
        headers = service.headers[PATH]
        assert headers["From"] == "ann@example.test"
        assert headers["User-Agent"].endswith(" (mailto:ann@example.test)")
        await source(asking, service).signals(asked(), NOW)
    assert "From" not in service.headers[PATH]
    assert service.headers[PATH]["User-Agent"].startswith("indexgate/")


async def test_a_package_that_is_not_there_is_unknown(asking: httpx.AsyncClient) -> None:
    async with EcosystemsService() as service:
        found = values(await source(asking, service).signals(asked(), NOW))
    assert set(found.values()) == {Unknown(reason="ecosyste.ms does not know the project")}


@pytest.mark.parametrize(
    "other", [package("other"), package(ecosystem="npm"), package("../sample-project")]
)
async def test_another_package_is_not_taken_for_the_one_asked_for(
    asking: httpx.AsyncClient, other: dict[str, object]
) -> None:
    async with EcosystemsService(other) as service:
        with pytest.raises(SourceFailed, match="answered another project"):
            await source(asking, service).signals(asked(), NOW)


async def test_members_that_vanished_are_unknown_one_by_one(asking: httpx.AsyncClient) -> None:
    told = package(repo_metadata=None, issue_metadata=None, rankings=None, maintainers=None)
    async with EcosystemsService(told) as service:
        found = values(await source(asking, service).signals(asked(), NOW))
    known = {name for name, value in found.items() if not isinstance(value, Unknown)}
    assert known == {"dependents", "dependent_repositories"}
    assert found["stars"] == Unknown(reason="ecosyste.ms does not tell stars")
