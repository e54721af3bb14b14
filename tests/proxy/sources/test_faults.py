"""Every source against everything that can go wrong with any service: what its signals then say."""

import json
from collections.abc import Callable
from dataclasses import dataclass

import httpx
import pytest

from indexgate.sources.budgets import Budget, Budgets, MemoryBook
from indexgate.sources.deps_dev import DepsDev
from indexgate.sources.ecosystems import Ecosystems
from indexgate.sources.github import GitHub
from indexgate.sources.libraries_io import LibrariesIo
from indexgate.sources.limits import LIMITS
from indexgate.sources.pepy import Pepy
from indexgate.sources.protocol import Source, SourceFailed, observe
from indexgate.sources.pypistats import Pypistats
from indexgate.sources.reference import FAILURES, SOURCES, Failure
from indexgate.sources.scorecard import Scorecard
from indexgate_policy.signal_table import BY_NAME
from indexgate_policy.signals import Unknown
from tests.proxy.sources.asking import NOW, asked
from tests.standins import deps_dev, ecosystems, github, libraries_io, scorecard
from tests.standins.documents import Documents
from tests.standins.faults import (
    CutOff,
    Edited,
    Fault,
    Hold,
    Huge,
    Status,
    captive_portal,
    garbage,
    redirect,
    too_many_requests,
)
from tests.standins.pepy import PepyService
from tests.standins.pypistats import PypistatsService

Make = Callable[[httpx.AsyncClient, Budget, str, float], Source]


@dataclass(frozen=True, kw_only=True)
class Tried:
    """A source to try: its stand-in, how it is made of (client, budget, address, seconds).

    `absent` is what its signals say of a project that it does not know (404), None where it says so
    otherwise; `lie` what they say when the answer is about another project, empty where another
    name means that the repository moved.
    """

    budget: str
    standin: Callable[[], Documents]
    make: Make
    keyed: bool = False
    most: str = "4,000,000"
    absent: str | None
    lie: str


def deps_dev_service() -> Documents:
    service = deps_dev.DepsDevService()
    service.put("sample-project", deps_dev.version("sample-project", "1.0"))
    return service


TRIED = {
    "deps-dev": Tried(
        budget="deps-dev",
        standin=deps_dev_service,
        make=lambda client, spending, base, within: DepsDev(
            client, spending, base=base, within=within
        ),
        most="32,000,000",
        absent="deps.dev does not know the project",
        lie="deps-dev answered another project",
    ),
    "scorecard": Tried(
        budget="scorecard",
        standin=scorecard.ScorecardService,
        make=lambda client, spending, base, within: Scorecard(
            client, spending, base=base, within=within
        ),
        absent="OpenSSF Scorecard has not scanned the repository",
        lie="scorecard answered the scores of another repository",
    ),
    "pypistats": Tried(
        budget="pypistats",
        standin=PypistatsService,
        make=lambda client, spending, base, within: Pypistats(
            client, spending, base=base, within=within
        ),
        absent="pypistats.org has no counts of it",
        lie="pypistats answered the counts of another project",
    ),
    "github": Tried(
        budget="github",
        standin=lambda: github.GitHubService(github.repository()),
        make=lambda client, spending, base, within: GitHub(
            client, spending, token="t", base=base, within=within
        ),
        keyed=True,
        most="24,000,000",
        absent=None,
        lie="",
    ),
    "github without a token": Tried(
        budget="github-without-token",
        standin=lambda: github.GitHubService(github.repository()),
        make=lambda client, spending, base, within: GitHub(
            client, spending, base=base, within=within
        ),
        most="24,000,000",
        absent="GitHub has no repository `example/sample`",
        lie="",
    ),
    "ecosystems": Tried(
        budget="ecosystems",
        standin=lambda: ecosystems.EcosystemsService(ecosystems.package()),
        make=lambda client, spending, base, within: Ecosystems(
            client, spending, base=base, within=within
        ),
        absent="ecosyste.ms does not know the project",
        lie="ecosystems answered another project",
    ),
    "libraries-io": Tried(
        budget="libraries-io",
        standin=lambda: libraries_io.LibrariesIoService(libraries_io.project()),
        make=lambda client, spending, base, within: LibrariesIo(
            client, spending, key="k", base=base, within=within
        ),
        keyed=True,
        absent="libraries.io does not know the project",
        lie="libraries-io answered another project",
    ),
    "pepy": Tried(
        budget="pepy",
        standin=PepyService,
        make=lambda client, spending, base, within: Pepy(
            client, spending, key="k", base=base, within=within
        ),
        keyed=True,
        absent="pepy.tech has no counts of it",
        lie="pepy answered the counts of another project",
    ),
}
FAULTS: dict[str, Fault] = {
    "cut-off": CutOff(after=10),
    "no-key": Status(status=401),
    "forbidden": Status(status=403),
    "too-many": too_many_requests(7),
    "broken": Status(status=500),
    "empty": Status(status=200),
    "page": captive_portal(),
    "changed": garbage(b'{"something": "else"}'),
    "too-large": Huge(size=40_000_000, compressed=True),
}
"""By the id of the failure; what is not here needs more than a fault of the stand-in."""

sources = pytest.mark.parametrize("tried", TRIED.values(), ids=TRIED.keys())


def spending(tried: Tried) -> Budget:
    return Budgets(MemoryBook(), clock=lambda: NOW, chance=lambda: 0.5).of(tried.budget)


def expected(tried: Tried, failure: Failure, within: float) -> str:
    """Return what is said by *tried*, which may have no key or other limits than usual."""
    said = failure.said.replace("20 s", f"{within:g} s").replace("4,000,000", tried.most)
    if tried.keyed:
        return said
    return said.replace("did not accept the key", "does not answer without a key")


async def said_by(source: Source) -> tuple[str, ...]:
    signals = await observe(source, asked(), NOW)
    assert tuple(signal.name for signal in signals) == source.about.gives
    return tuple(
        signal.value.reason if isinstance(signal.value, Unknown) else "" for signal in signals
    )


@sources
@pytest.mark.parametrize("failure", [f for f in FAILURES if f.id in FAULTS], ids=lambda f: f.id)
async def test_a_failure_is_said_by_every_signal(
    asking: httpx.AsyncClient, tried: Tried, failure: Failure
) -> None:
    async with tried.standin() as service:
        service.fault("*", FAULTS[failure.id])
        budget = spending(tried)
        source = tried.make(asking, budget, service.origin, 10)
        said = await said_by(source)
    reason = f"{source.about.name} {expected(tried, failure, 10)}"
    assert set(said) == {reason}
    assert (budget.ready_at > NOW) == failure.rests


@sources
async def test_a_service_that_hangs_is_given_up(asking: httpx.AsyncClient, tried: Tried) -> None:
    slow = next(failure for failure in FAILURES if failure.id == "slow")
    async with tried.standin() as service:
        service.fault("*", Hold())
        source = tried.make(asking, spending(tried), service.origin, 0.2)
        said = await said_by(source)
    assert set(said) == {f"{source.about.name} {expected(tried, slow, 0.2)}"}


@sources
async def test_a_service_that_is_down_refused_the_connection(
    asking: httpx.AsyncClient, tried: Tried
) -> None:
    down = next(failure for failure in FAILURES if failure.id == "down")
    async with tried.standin() as service:
        origin = service.origin
    source = tried.make(asking, spending(tried), origin, 10)
    assert set(await said_by(source)) == {f"{source.about.name} {down.said}"}


@sources
async def test_a_used_up_budget_asks_nothing(asking: httpx.AsyncClient, tried: Tried) -> None:
    used_up = next(failure for failure in FAILURES if failure.id == "used-up")
    async with tried.standin() as service:
        budget = spending(tried)
        for _ in range(LIMITS[tried.budget].windows[0].requests):
            async with budget.turn("x"):
                pass
        source = tried.make(asking, budget, service.origin, 10)
        assert set(await said_by(source)) == {f"{source.about.name} {used_up.said}"}
    assert service.log == []


@sources
async def test_the_wish_to_be_left_alone_is_passed_on(
    asking: httpx.AsyncClient, tried: Tried
) -> None:
    async with tried.standin() as service:
        service.fault("*", too_many_requests(7))
        budget = spending(tried)
        with pytest.raises(SourceFailed) as caught:
            await tried.make(asking, budget, service.origin, 10).signals(asked(), NOW)
        assert caught.value.retry_after == 7
        assert (budget.ready_at - NOW).total_seconds() == 7
        before = len(service.log)
        with pytest.raises(SourceFailed, match="is left alone for a while"):
            await tried.make(asking, budget, service.origin, 10).signals(asked(), NOW)
        assert len(service.log) == before


@pytest.mark.parametrize("tried", [t for t in TRIED.values() if t.absent], ids=lambda t: t.budget)
async def test_a_project_that_is_not_known_is_no_failure(
    asking: httpx.AsyncClient, tried: Tried
) -> None:
    async with tried.standin() as service:
        service.fault("*", Status(status=404))
        budget = spending(tried)
        said = await said_by(tried.make(asking, budget, service.origin, 10))
    assert set(said) == {tried.absent}
    assert budget.ready_at == NOW


@pytest.mark.parametrize("tried", [t for t in TRIED.values() if t.lie], ids=lambda t: t.budget)
async def test_another_projects_answer_is_not_taken(
    asking: httpx.AsyncClient, tried: Tried
) -> None:
    async with tried.standin() as service:
        service.fault("*", Edited(edit=_about_another))
        said = await said_by(tried.make(asking, spending(tried), service.origin, 10))
    assert set(said) == {tried.lie}


@sources
async def test_no_other_host_is_asked(asking: httpx.AsyncClient, tried: Tried) -> None:
    async with tried.standin() as service:
        service.fault("*", redirect("http://example.test/"))
        source = tried.make(asking, spending(tried), service.origin, 10)
        (said,) = set(await said_by(source))
    posted = tried.budget == "github"
    reason = "answered 302 Found" if posted else "leads to `example.test`, which is not allowed"
    assert said == f"{source.about.name} {reason}"


@sources
async def test_half_an_answer_is_not_taken(asking: httpx.AsyncClient, tried: Tried) -> None:
    async with tried.standin() as service:
        service.fault("*", Edited(edit=lambda body: body[: len(body) // 2]))
        source = tried.make(asking, spending(tried), service.origin, 10)
        said = await said_by(source)
    assert set(said) == {f"{source.about.name} answered what is not in its documented form"}


def test_every_failure_of_the_reference_is_tried() -> None:
    assert {failure.id for failure in FAILURES} == FAULTS.keys() | {"slow", "down", "used-up"}


@pytest.mark.parametrize("about", SOURCES, ids=lambda about: about.name)
def test_a_source_gives_only_signals_that_have_a_meaning(about: object) -> None:
    gives = getattr(about, "gives", ())
    assert set(gives) <= BY_NAME.keys()
    assert len(gives) == len(set(gives))


def _about_another(body: bytes) -> bytes:
    told = json.loads(
        body.replace(b"sample-project", b"famous-project").replace(b"example/sample", b"famous/x")
    )
    return json.dumps(told).encode()
