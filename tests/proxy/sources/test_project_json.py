import json
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName, canonicalize_name

from indexgate.index.documents import document_address
from indexgate.index.upstream import Upstream
from indexgate.index.upstream_settings import UpstreamSettings
from indexgate.sources.project_json import ABOUT, MOST, ProjectJson, read
from indexgate.sources.protocol import Asked, SourceFailed, observe
from indexgate_policy.signals import Signals, Unknown, Value
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


def values(told: dict[str, Any], name: NormalizedName = SAMPLE) -> dict[str, Value | Unknown]:
    return {s.name: s.value for s in read(json.dumps(told).encode(), name, NOW)}


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


@pytest.mark.parametrize(
    ("requirement", "needed"),
    [
        ("other", "other"),
        ("Other_Thing>=1,<2", "other-thing"),
        ("other (>=1)", "other"),
        ("other[more]>=1; python_version < '3.12'", "other"),
        ("other; extra == 'more'", None),
        ('other>=1; python_version < "3" and extra == "more"', None),
        ("other @ https://files.example.test/other.zip", "other"),
        ("other~=1", None),
        ("other>=1,", "other"),
        ("not a requirement", None),
        ("", None),
    ],
)
def test_a_requirement_is_needed_unless_it_is_for_an_extra(
    requirement: str, needed: str | None
) -> None:
    told = document()
    told["info"]["requires_dist"] = [requirement]
    assert values(told)["requires"] == (() if needed is None else (needed,))


_NEEDS = st.from_regex(
    r"[ab_.-]{1,3}( ?\(?(>=|<|~=|==|!=) ?[0-9]{1,2}(\.[0-9*])?,? ?\)?){0,2}(; ?"
    r"(extra|python_version) ?(==|<) ?'[0-9a]')?",
    fullmatch=True,
)


@given(_NEEDS)
def test_what_is_read_quickly_is_read_as_packaging_reads_it(text: str) -> None:
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        expected: tuple[str, ...] = ()
    else:
        for_extra = requirement.marker is not None and "extra" in str(requirement.marker)
        expected = () if for_extra else (canonicalize_name(requirement.name),)
    told = document()
    told["info"]["requires_dist"] = [text]
    assert values(told)["requires"] == expected


async def test_a_large_document_is_read_as_a_small_one(
    service: ProjectJsonService, index: Upstream
) -> None:
    told = document()
    told["info"]["description"] = "long " * 200_000
    service.files[PATH] = json.dumps(told).encode()
    source = ProjectJson(index, index_url=service.url)
    signals = Signals(await source.signals(Asked(project=SAMPLE), NOW))
    assert signals.value("release_count") == 2


@pytest.mark.parametrize(
    ("member", "name"), [("requires_dist", "requires"), ("classifiers", "pythons")]
)
def test_what_info_does_not_tell_is_unknown_and_an_empty_need_is_none(
    member: str, name: str
) -> None:
    told = document()
    told["info"][member] = None
    assert isinstance(values(told)[name], Unknown)
    told["info"]["requires_dist"] = []
    assert values(told)["requires"] == ()


@pytest.mark.parametrize(
    ("missing", "unknown"),
    [
        ("ownership", {"owners", "organization"}),
        ("releases", {"release_count", "first_release_at"}),
        ("vulnerabilities", {"vulnerabilities_latest"}),
    ],
)
def test_what_the_index_does_not_tell_is_unknown(missing: str, unknown: set[str]) -> None:
    told = document()
    del told[missing]
    found = values(told)
    assert {name for name, value in found.items() if isinstance(value, Unknown)} == unknown
    assert values({**document(), missing: None}) == found


def test_no_organization_and_no_links_are_known_to_be_none() -> None:
    told = document(ownership={"roles": [], "organization": None})
    told["info"] = {"name": "Sample.Project", "home_page": "UNKNOWN", "project_urls": None}
    found = values(told)
    assert (found["owners"], found["organization"]) == ((), "")
    assert (found["links"], found["repository"], found["summary"]) == ((), "", "")
    assert isinstance(found["latest_version"], Unknown)


def test_links_that_lead_to_no_known_code_host_leave_the_repository_unknown() -> None:
    told = document()
    told["info"]["project_urls"] = {"Source": "https://git.example.test/a/b"}
    assert values(told)["repository"] == Unknown(reason="no link leads to a known code host")


def test_only_plain_web_addresses_are_links() -> None:
    told = document()
    told["info"]["home_page"] = "HTTPS://example.test/home"
    told["info"]["project_urls"] = {
        "a": "javascript:alert(1)",
        "b": "https://example.test/a b",
        "c": "https://example.test/\x1b[31m",
        "d": "https://example.test/" + "x" * 600,
        "e": None,
        "f": " https://example.test/f ",
    }
    assert values(told)["links"] == ("HTTPS://example.test/home", "https://example.test/f")


def test_texts_are_one_line_without_control_characters() -> None:
    told = document(ownership={"roles": [{"role": "Owner", "user": "eve\x1b[2J"}]})
    told["info"]["summary"] = "first\x00line\nsecond"
    found = values(told)
    assert found["summary"] == "first line"
    assert found["owners"] == ("eve [2J",)


def test_only_owners_and_maintainers_own() -> None:
    roles = [{"role": role, "user": role} for role in ("Owner", "Maintainer", "Manager")]
    assert values(document(ownership={"roles": roles}))["owners"] == ("Maintainer", "Owner")


def test_a_project_without_any_upload_time_has_no_first_release() -> None:
    told = document(releases={"1": [{"upload_time_iso_8601": "2020-01-01"}], "2": [{}]})
    found = values(told)
    assert found["release_count"] == 2
    assert found["first_release_at"] == Unknown(reason="no file of the project has an upload time")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@given(st.sampled_from(["releases", "vulnerabilities", "ownership", "info", "urls"]), _JSON)
def test_any_member_may_hold_anything_and_the_answer_is_whole_or_a_failure(
    member: str, value: object
) -> None:
    try:
        found = values({**document(), member: value})
    except SourceFailed as failed:
        found = {}
        kind = failed.kind
    else:
        kind = "none"
    assert (tuple(found), kind) in {(ABOUT.gives, "none"), ((), "garbage")}


@pytest.mark.parametrize(
    "time",
    [
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "0000-01-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-01-01T00:00:00+99:99",
        "٢٠٢٦-01-01T00:00:00Z",
    ],
)
def test_an_upload_time_that_no_calendar_has_is_as_good_as_none(time: str) -> None:
    told = {**document(), "releases": {"1.0": [{"upload_time_iso_8601": time}]}}
    assert isinstance(values(told)["first_release_at"], Unknown)
    told["releases"]["1.1"] = [{"upload_time_iso_8601": "2020-01-01T00:00:00Z"}]
    assert values(told)["first_release_at"] == "2020-01-01T00:00:00Z"


_TEXTS = st.one_of(
    st.text(max_size=30),
    st.datetimes(timezones=st.timezones()).map(datetime.isoformat),
    st.sampled_from(
        ["0001-01-01T00:00+14:00", "https://github.com/a/b", "https://[", "//x:99999/"]
    ),
)
_FILE = st.fixed_dictionaries({"upload_time_iso_8601": st.none() | _TEXTS, "yanked": _JSON})
_SHAPED = st.fixed_dictionaries(
    {
        "info": st.fixed_dictionaries(
            {"name": st.just("sample-project") | _TEXTS},
            optional={
                "version": st.none() | _TEXTS,
                "summary": st.none() | _TEXTS,
                "home_page": st.none() | _TEXTS,
                "project_urls": st.none() | st.dictionaries(_TEXTS, _TEXTS, max_size=3),
            },
        )
    },
    optional={
        "releases": st.dictionaries(_TEXTS, st.lists(_FILE, max_size=3), max_size=3),
        "vulnerabilities": st.lists(
            st.fixed_dictionaries({"id": _TEXTS, "withdrawn": st.none() | _TEXTS}), max_size=3
        ),
        "ownership": st.fixed_dictionaries(
            {
                "roles": st.lists(
                    st.fixed_dictionaries({"role": _TEXTS, "user": _TEXTS}), max_size=3
                ),
                "organization": st.none() | _TEXTS,
            }
        ),
    },
)


@settings(deadline=None)
@given(_SHAPED)
def test_whatever_stands_in_a_document_of_the_right_shape_every_signal_is_told(
    told: dict[str, Any],
) -> None:
    if told["info"]["name"] == "sample-project":
        assert tuple(values(told)) == ABOUT.gives
    else:
        with suppress(SourceFailed):
            values(told)


@settings(deadline=None)
@given(st.binary(max_size=60), st.integers(0, 2000), st.integers(0, 60))
def test_other_bytes_in_a_document_are_read_or_garbage(
    others: bytes, place: int, dropped: int
) -> None:
    body = json.dumps(document()).encode()
    with suppress(SourceFailed):
        read(body[:place] + others + body[place + dropped :], SAMPLE, NOW)
    with suppress(SourceFailed):
        read(others, SAMPLE, NOW)
    with suppress(SourceFailed):
        read(b"[" * 100_000 + others, SAMPLE, NOW)
