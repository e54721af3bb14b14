import httpx
import pytest

from indexgate.sources.scorecard import ABOUT, Scorecard
from indexgate_policy.signals import Unknown
from tests.proxy.sources.asking import NOW, asked, budget, values
from tests.standins.scorecard import ScorecardService, result


def source(asking: httpx.AsyncClient, service: ScorecardService) -> Scorecard:
    return Scorecard(asking, budget("scorecard"), base=service.origin)


async def test_what_could_not_be_told_stands_apart_from_what_is_low(
    asking: httpx.AsyncClient,
) -> None:
    async with ScorecardService() as service:
        signals = await source(asking, service).signals(asked(), NOW)
    assert values(signals) == {
        "scorecard": 5.1,
        "scorecard_checks": ("Binary-Artifacts=10", "Maintained=7"),
        "scorecard_untold": ("Signed-Releases",),
        "scorecard_on": "2026-08-24",
    }
    assert {signal.licence for signal in signals} == {"CDLA-Permissive-2.0"}


@pytest.mark.parametrize(
    ("repository", "reason"),
    [
        (None, "repository has not been observed yet"),
        ("", "the project claims no repository"),
        ("https://codeberg.org/a/b", "the repository is on a host that is not scanned"),
        ("https://github.com/a/b", "OpenSSF Scorecard has not scanned the repository"),
    ],
)
async def test_a_repository_that_was_not_scanned_is_unknown_never_low(
    asking: httpx.AsyncClient, repository: str | None, reason: str
) -> None:
    async with ScorecardService() as service:
        found = values(await source(asking, service).signals(asked(repository=repository), NOW))
    assert found == dict.fromkeys(ABOUT.gives, Unknown(reason=reason))
    assert service.log == ([] if "scanned the" not in reason else ["/projects/github.com/a/b"])


async def test_members_that_vanished_are_unknown(asking: httpx.AsyncClient) -> None:
    async with ScorecardService(result(score=None, checks=None, date=None)) as service:
        found = values(await source(asking, service).signals(asked(), NOW))
    assert all(isinstance(value, Unknown) for value in found.values())


async def test_a_score_beyond_ten_is_none(asking: httpx.AsyncClient) -> None:
    told = result(score=11.0, checks=[{"name": "Maintained", "score": 99}])
    async with ScorecardService(told) as service:
        found = values(await source(asking, service).signals(asked(), NOW))
    assert isinstance(found["scorecard"], Unknown)
    assert (found["scorecard_checks"], found["scorecard_untold"]) == ((), ("Maintained",))
