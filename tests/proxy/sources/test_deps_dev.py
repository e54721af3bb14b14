from collections.abc import AsyncIterator

import httpx
import pytest

from indexgate.sources.deps_dev import ABOUT, NEWEST, DepsDev
from indexgate.sources.protocol import Batch, SourceFailed
from indexgate_policy.signals import Unknown
from tests.proxy.sources.asking import NOW, OTHER, SAMPLE, asked, budget, values
from tests.standins.deps_dev import DepsDevService, repository, version
from tests.standins.faults import Status, garbage

HERE = "https://github.com/example/sample"
ELSEWHERE = "https://github.com/example/before"
PUBLISHED = "PYPI_PUBLISH_ATTESTATION"


@pytest.fixture
async def service() -> AsyncIterator[DepsDevService]:
    running = DepsDevService()
    running.put(
        "sample-project",
        version("sample-project", "1.0", attested=ELSEWHERE),
        version("sample-project", "1.1"),
        version("sample-project", "2.0+x", attested=HERE, provenance=PUBLISHED),
    )
    async with running:
        yield running


def source(asking: httpx.AsyncClient, service: DepsDevService) -> DepsDev:
    return DepsDev(asking, budget("deps-dev"), base=service.origin)


async def test_a_project_has_all_signals(
    asking: httpx.AsyncClient, service: DepsDevService
) -> None:
    signals = await source(asking, service).signals(asked(), NOW)
    assert values(signals) == {
        "dependents": 52,
        "dependents_transitive": 120,
        "repository_proven": True,
        "attested_versions": ("2.0+x", "1.0"),
        "attested_repository": HERE,
        "attested_repository_before": ELSEWHERE,
        "stars": 52000,
        "forks": 9300,
        "scorecard": 7.9,
        "scorecard_checks": ("Maintained=10",),
        "scorecard_untold": ("Signed-Releases",),
        "scorecard_on": "2026-08-24",
        "third_party_findings": ("cooldown", "low usage"),
        "third_party_advisories": ("GHSA-9wx4-h78v-vm56",),
        "third_party_status": "active",
        "similar_names": ("samples",),
    }
    assert {signal.licence for signal in signals} == {"CC-BY-4.0"}


async def test_ids_and_versions_are_one_segment_of_the_path(
    asking: httpx.AsyncClient, service: DepsDevService
) -> None:
    await source(asking, service).signals(asked(), NOW)
    assert "/v3/projects/github.com%2Fexample%2Fsample" in service.log
    package = "/v3alpha/systems/pypi/packages/sample-project"
    assert f"{package}/versions/2.0%2Bx:dependents" in service.log


async def test_versions_of_many_projects_are_asked_for_together(
    asking: httpx.AsyncClient, service: DepsDevService
) -> None:
    service.put("other-project", version("other-project", "3.0", attested=HERE))
    many = source(asking, service)
    assert isinstance(many, Batch)
    found = await many.many((asked(), asked(OTHER), asked("missing")), NOW)
    assert values(found[SAMPLE])["attested_versions"] == ("2.0+x", "1.0")
    assert values(found[OTHER])["attested_versions"] == ("3.0",)
    missing = found[asked("missing").project]
    assert set(values(missing).values()) == {Unknown(reason="deps.dev does not know the project")}
    assert service.log.count("/v3alpha/purlbatch") == 2  # the stand-in answers in two pages


async def test_a_repository_that_only_the_uploader_claims_is_not_proven(
    asking: httpx.AsyncClient, service: DepsDevService
) -> None:
    service.put("other-project", version("other-project", "1.0"))
    found = values(await source(asking, service).signals(asked(OTHER), NOW))
    assert found["repository_proven"] is False


async def test_a_proof_of_another_repository_is_no_proof_of_the_claimed_one(
    asking: httpx.AsyncClient, service: DepsDevService
) -> None:
    claims = asked(repository="https://github.com/famous/project")
    found = values(await source(asking, service).signals(claims, NOW))
    assert found["repository_proven"] is False
    assert found["stars"] == Unknown(reason="deps.dev does not know the repository")


async def test_without_a_claim_the_proven_repository_is_asked_about(
    asking: httpx.AsyncClient, service: DepsDevService
) -> None:
    found = values(await source(asking, service).signals(asked(repository=None), NOW))
    assert (found["repository_proven"], found["stars"]) == (True, 52000)


async def test_an_attestation_that_was_not_verified_is_none(
    asking: httpx.AsyncClient, service: DepsDevService
) -> None:
    unverified = [{"type": "x", "verified": False, "sourceRepository": HERE}]
    service.put("other-project", version("other-project", "1.0", attestations=unverified))
    found = values(await source(asking, service).signals(asked(OTHER), NOW))
    assert found["attested_versions"] == ()
    assert isinstance(found["attested_repository"], Unknown)


async def test_only_the_newest_versions_are_looked_at(
    asking: httpx.AsyncClient, service: DepsDevService
) -> None:
    numbers = [f"{number}.0" for number in range(1, NEWEST + 6)]
    service.put("other-project", *(version("other-project", n, attested=HERE) for n in numbers))
    found = values(await source(asking, service).signals(asked(OTHER), NOW))
    assert found["attested_versions"] == tuple(reversed(numbers[-NEWEST:]))


@pytest.mark.parametrize("status", [404, 400, 500, 503])
async def test_the_stable_answers_stand_when_the_alpha_ones_are_gone(
    asking: httpx.AsyncClient, service: DepsDevService, status: int
) -> None:
    service.fault("/v3alpha/*", Status(status=status))
    found = values(await source(asking, service).signals(asked(), NOW))
    assert {name for name, value in found.items() if isinstance(value, Unknown)} == {
        "attested_repository_before",
        "dependents",
        "dependents_transitive",
        "third_party_findings",
        "similar_names",
    }
    assert (found["repository_proven"], found["stars"]) == (True, 52000)
    assert found["attested_versions"] == ("2.0+x",)


@pytest.mark.parametrize("left", range(1, 7))
async def test_what_was_not_asked_as_the_limits_are_used_up_is_no_answer(
    asking: httpx.AsyncClient, service: DepsDevService, left: int
) -> None:
    spending = budget("deps-dev")
    for _ in range(600 - left):
        async with spending.turn("deps-dev"):
            pass
    with pytest.raises(SourceFailed) as failed:
        await DepsDev(asking, spending, base=service.origin).signals(asked(), NOW)
    assert failed.value.kind == "budget"


async def test_alpha_answers_that_fail_do_not_keep_the_stable_ones_waiting(
    asking: httpx.AsyncClient, service: DepsDevService
) -> None:
    service.fault("/v3alpha/*", Status(status=503))
    await source(asking, service).signals(asked(), NOW)
    assert sum(path.startswith("/v3alpha/") for path in service.log) == 1


@pytest.mark.parametrize(
    ("pattern", "unknown"),
    [
        ("*:dependents", {"dependents", "dependents_transitive"}),
        ("*:findings", {"third_party_findings"}),
        ("*:similarlyNamedPackages", {"similar_names"}),
        (
            "/v3/projects/*",
            {"stars", "forks", *(n for n in ABOUT.gives if n.startswith("scorecard"))},
        ),
    ],
)
@pytest.mark.parametrize("body", [b"{}", b"[]", b"null", b"<html>"])
async def test_one_broken_answer_costs_its_own_signals_only(
    asking: httpx.AsyncClient,
    service: DepsDevService,
    pattern: str,
    unknown: set[str],
    body: bytes,
) -> None:
    service.fault(pattern, garbage(body))
    found = values(await source(asking, service).signals(asked(), NOW))
    assert {name for name, value in found.items() if isinstance(value, Unknown)} == unknown


@pytest.mark.parametrize("member", ["advisoryKeys", "projectStatus", "relatedProjects"])
async def test_members_that_vanished_are_unknown(
    asking: httpx.AsyncClient, service: DepsDevService, member: str
) -> None:
    told = version("other-project", "1.0")
    del told[member]
    service.put("other-project", told)
    found = values(await source(asking, service).signals(asked(OTHER), NOW))
    signal = {
        "advisoryKeys": "third_party_advisories",
        "projectStatus": "third_party_status",
        "relatedProjects": "repository_proven",
    }[member]
    assert isinstance(found[signal], Unknown)


async def test_a_version_of_another_project_in_the_batch_is_not_taken(
    asking: httpx.AsyncClient, service: DepsDevService
) -> None:
    service.posted["/v3alpha/purlbatch"] = lambda _: (
        b'{"responses":[{"result":{"version":{"versionKey":'
        b'{"system":"PYPI","name":"famous","version":"2.0+x"}}}}]}'
    )
    found = values(await source(asking, service).signals(asked(), NOW))
    assert found["attested_versions"] == ("2.0+x",)  # of the project's own version, asked apart


async def test_another_repository_is_not_taken_for_the_one_asked_for(
    asking: httpx.AsyncClient, service: DepsDevService
) -> None:
    path = "/v3/projects/github.com%2Fexample%2Fsample"
    service.put_repository(repository("github.com/famous/project"))
    service.files[path] = service.files["/v3/projects/github.com%2Ffamous%2Fproject"]
    found = values(await source(asking, service).signals(asked(), NOW))
    assert found["stars"] == Unknown(reason="deps-dev answered another repository")


async def test_all_projects_failing_is_a_failure_and_one_failing_is_its_own(
    asking: httpx.AsyncClient, service: DepsDevService
) -> None:
    service.fault("*/packages/other-project", garbage(b"[]"))
    found = await source(asking, service).many((asked(), asked(OTHER)), NOW)
    assert values(found[SAMPLE])["stars"] == 52000
    reason = "deps-dev answered what is not in its documented form"
    assert set(values(found[OTHER]).values()) == {Unknown(reason=reason)}
    service.fault("*/packages/*", garbage(b"[]"))
    with pytest.raises(SourceFailed, match="documented form"):
        await source(asking, service).many((asked(), asked(OTHER)), NOW)
