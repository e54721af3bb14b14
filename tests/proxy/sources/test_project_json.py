import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from packaging.utils import canonicalize_name

from indexgate.index.documents import document_address
from indexgate.index.upstream import Upstream
from indexgate.index.upstream_settings import UpstreamSettings
from indexgate.sources.project_document import ABOUT
from indexgate.sources.project_json import MOST, ProjectJson
from indexgate.sources.protocol import Asked, SourceFailed, observe
from indexgate_policy.signals import Signals, Unknown
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
from tests.standins.project_json import ProjectJsonService, document

NOW = datetime(2026, 9, 2, tzinfo=UTC)
SAMPLE = canonicalize_name("sample-project")
PATH = "/pypi/sample-project/json"
BOMB = Huge(size=40_000_000, compressed=True)


@pytest.fixture
async def service() -> AsyncIterator[ProjectJsonService]:
    async with ProjectJsonService(document()) as running:
        yield running


def upstream(url: str) -> Upstream:
    settings = UpstreamSettings(index_id="0" * 64, root=url, public=False)
    return Upstream(settings, clock=lambda: NOW, gate_id="1")


@pytest.fixture
async def index(service: ProjectJsonService) -> AsyncIterator[Upstream]:
    async with upstream(service.url) as opened:
        yield opened


async def test_a_project_has_all_signals_with_source_and_time(
    service: ProjectJsonService, index: Upstream
) -> None:
    source = ProjectJson(index, index_url=service.url)
    signals = Signals(await source.signals(Asked(project=SAMPLE), NOW))
    assert {name: signal.value for name, signal in signals.items()} == {
        "owners": ("adam", "zoe"),
        "organization": "example-org",
        "repository": "https://github.com/example/sample",
        "links": (
            "https://github.com/Example/Sample/issues",
            "https://sample.example.test/",
            "https://github.com/Example/Sample.git",
        ),
        "summary": "A sample project",
        "latest_version": "2.0",
        "vulnerabilities_latest": ("PYSEC-2026-9",),
        "release_count": 2,
        "first_release_at": "2020-06-14T14:37:56.383366Z",
        "requires": ("other", "typing-extensions"),
        "pythons": ("3", "3.13"),
    }
    assert {(s.source, s.observed_at) for s in signals.values()} == {("project-json", NOW)}
    assert service.log == [PATH]


@pytest.mark.parametrize(
    ("index_url", "expected"),
    [
        ("https://index.example.test/simple/", "https://index.example.test/pypi/a-b/json"),
        ("https://index.example.test/simple", "https://index.example.test/pypi/a-b/json"),
        ("http://u:p@h.test:8/x/y/simple/", "http://u:p@h.test:8/x/y/pypi/a-b/json"),
        ("https://index.example.test/", None),
        ("https://index.example.test/simple/extra/", None),
        ("https://index.example.test/notsimple/", None),
    ],
)
def test_the_document_stands_beside_the_simple_index(index_url: str, expected: str | None) -> None:
    assert document_address(index_url, canonicalize_name("a-b")) == expected


async def test_an_index_without_a_known_place_for_it_is_not_asked() -> None:
    source = ProjectJson(None, index_url="http://example.test/packages/")
    signals = await observe(source, Asked(project=SAMPLE), NOW)
    reason = "project-json is not known for an index whose address does not end in `/simple/`"
    assert {signal.value for signal in signals} == {Unknown(reason=reason)}
    assert tuple(signal.name for signal in signals) == ABOUT.gives


FAULTS: list[tuple[str, Fault, str, str]] = [
    ("404", Status(status=404), "status", "answered with status 404"),
    ("429", too_many_requests(7), "status", "answered with status 429"),
    ("500", Status(status=500), "status", "answered with status 500"),
    ("401", Status(status=401), "status", "answered with status 401"),
    ("cut off", CutOff(after=40), "cut-off", "broke off in the middle of the page"),
    ("empty", Status(status=200), "garbage", "answered what is not a project's JSON"),
    ("page", captive_portal(), "garbage", "answered what is not a project's JSON"),
    ("half", Edited(edit=lambda b: b[:-5]), "garbage", "answered what is not a project's JSON"),
    ("list", garbage(b"[]"), "garbage", "answered what is not a project's JSON"),
    ("deep", garbage(b"[" * 100_000), "garbage", "answered what is not a project's JSON"),
    (
        "other project",
        garbage(json.dumps(document("other")).encode()),
        "garbage",
        "answered the JSON of another project",
    ),
    (
        "no project",
        garbage(json.dumps(document("../other")).encode()),
        "garbage",
        "answered the JSON of another project",
    ),
    (
        "too large",
        Huge(size=MOST + 1_000_000),
        "too-large",
        "sent a page of more than 20,000,000 bytes",
    ),
    (
        "bomb",
        BOMB,
        "too-large",
        "sent a page of more than 20,000,000 bytes",
    ),
    (
        "elsewhere",
        redirect("http://example.test/"),
        "redirect",
        "leads to `example.test`, which is not allowed",
    ),
    ("circle", redirect(PATH), "redirect", "redirected more than 5 times"),
]


@pytest.mark.parametrize(
    ("fault", "kind", "reason"), [pytest.param(*case[1:], id=case[0]) for case in FAULTS]
)
async def test_every_failure_is_told_and_makes_every_signal_unknown(
    service: ProjectJsonService, index: Upstream, fault: Fault, kind: str, reason: str
) -> None:
    service.fault(PATH, fault)
    source = ProjectJson(index, index_url=service.url)
    with pytest.raises(SourceFailed) as caught:
        await source.signals(Asked(project=SAMPLE), NOW)
    assert (caught.value.kind, caught.value.reason) == (kind, reason)
    assert caught.value.retry_after == (7 if caught.value.status == 429 else None)

    signals = await observe(source, Asked(project=SAMPLE), NOW)
    assert tuple(signal.name for signal in signals) == ABOUT.gives
    assert {signal.value for signal in signals} == {Unknown(reason=f"project-json {reason}")}


async def test_an_index_that_hangs_is_given_up(
    service: ProjectJsonService, index: Upstream
) -> None:
    service.fault(PATH, Hold())
    source = ProjectJson(index, index_url=service.url, within=0.2)
    with pytest.raises(SourceFailed, match=r"did not answer within 0\.2 s"):
        await source.signals(Asked(project=SAMPLE), NOW)


async def test_an_index_that_is_down_refused_the_connection() -> None:
    async with ProjectJsonService() as service:
        url = service.url
    async with upstream(url) as index:
        source = ProjectJson(index, index_url=url)
        with pytest.raises(SourceFailed, match="refused the connection"):
            await source.signals(Asked(project=SAMPLE), NOW)


async def test_what_was_begun_early_is_asked_for_once(
    service: ProjectJsonService, index: Upstream
) -> None:
    source = ProjectJson(index, index_url=service.url)
    source.foresee(SAMPLE)
    source.foresee(SAMPLE)
    assert Signals(await source.signals(Asked(project=SAMPLE), NOW)).value("release_count") == 2
    assert service.log == [PATH]
    await source.signals(Asked(project=SAMPLE), NOW)
    assert service.log == [PATH, PATH]


async def test_what_was_glanced_at_is_read_later_without_asking_again(
    service: ProjectJsonService, index: Upstream
) -> None:
    source = ProjectJson(index, index_url=service.url)
    glanced = await source.glance(SAMPLE, NOW)
    assert glanced is not None
    whole = Signals(await source.signals(Asked(project=SAMPLE), NOW))
    assert service.log == [PATH]
    assert len(glanced) < len(whole)
    assert all(whole[signal.name] == signal for signal in glanced)
    assert "vulnerabilities_latest" in Signals(glanced)


async def test_a_glance_at_what_is_another_projects_or_none_fails(
    service: ProjectJsonService, index: Upstream
) -> None:
    source = ProjectJson(index, index_url=service.url)
    for fault in (garbage(json.dumps(document("other")).encode()), garbage(b"[]")):
        service.fault(PATH, fault)
        with pytest.raises(SourceFailed):
            await source.glance(SAMPLE, NOW)
        source.forgo(SAMPLE)


async def test_what_nobody_wants_after_all_is_given_up(
    service: ProjectJsonService, index: Upstream
) -> None:
    service.fault(PATH, Hold())
    source = ProjectJson(index, index_url=service.url)
    source.foresee(SAMPLE)
    source.forgo(SAMPLE)
    source.forgo(SAMPLE)
    service.heal()
    assert Signals(await source.signals(Asked(project=SAMPLE), NOW)).value("release_count") == 2


async def test_what_failed_early_fails_for_who_wants_it(
    service: ProjectJsonService, index: Upstream
) -> None:
    service.fault(PATH, Status(status=500))
    source = ProjectJson(index, index_url=service.url)
    source.foresee(SAMPLE)
    with pytest.raises(SourceFailed, match="status 500"):
        await source.signals(Asked(project=SAMPLE), NOW)


async def test_an_index_whose_json_fails_is_not_left_alone_for_it(
    service: ProjectJsonService, index: Upstream
) -> None:
    service.fault(PATH, Status(status=500))
    source = ProjectJson(index, index_url=service.url)
    for _ in range(10):
        with pytest.raises(SourceFailed):
            await source.signals(Asked(project=SAMPLE), NOW)
    assert index.breaker.closed


async def test_a_large_document_is_read_as_a_small_one(
    service: ProjectJsonService, index: Upstream
) -> None:
    told = document()
    told["info"]["description"] = "long " * 200_000
    service.files[PATH] = json.dumps(told).encode()
    source = ProjectJson(index, index_url=service.url)
    signals = Signals(await source.signals(Asked(project=SAMPLE), NOW))
    assert signals.value("release_count") == 2
