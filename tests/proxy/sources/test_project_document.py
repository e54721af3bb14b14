"""The project JSON is read into signals; whatever it holds, each is told, or it is garbage."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName, canonicalize_name

from indexgate.sources.project_document import ABOUT, read
from indexgate.sources.protocol import SourceFailed
from indexgate_policy.signals import Unknown, Value
from tests.standins.project_json import document

NOW = datetime(2026, 9, 2, tzinfo=UTC)
SAMPLE = canonicalize_name("sample-project")


def values(told: dict[str, Any], name: NormalizedName = SAMPLE) -> dict[str, Value | Unknown]:
    return {s.name: s.value for s in read(json.dumps(told).encode(), name, NOW)}


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
