"""OSV's questions read, and its answers written."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name

from indexgate.osv_answer import (
    MOST_QUERIES,
    BadQuery,
    Blocked,
    Pinned,
    batch,
    brief,
    pinned_of,
    record,
    single,
)

DEMO = Pinned(project=canonicalize_name("demo"), version="1.0")
AT = datetime(2026, 11, 22, 12, 0, 0, 5, tzinfo=UTC)
BLOCKED = Blocked(
    pinned=DEMO, rule="too-new", reason="demo 1.0 was uploaded 2026-11-22", hint="wait", at=AT
)


def of(name: str, ecosystem: str = "PyPI", **more: object) -> dict[str, object]:
    return {"package": {"name": name, "ecosystem": ecosystem}, **more}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (of("demo", version="1.0"), DEMO),
        (of("De_Mo", version="1.0"), Pinned(project=canonicalize_name("de-mo"), version="1.0")),
        (of("demo", "pypi", version="1.0"), DEMO),
        ({"package": {"purl": "pkg:pypi/demo@1.0"}}, DEMO),
        ({"package": {"purl": "pkg:pypi/demo"}, "version": "1.0"}, DEMO),
        ({"package": {"purl": "pkg:npm/demo@1.0"}}, None),
        (of("demo", "npm", version="1.0"), None),
        (of("demo"), None),
        (of("demo", version=""), None),
        ({"package": {"purl": "pkg:pypi/demo@1.0?a=b#c"}}, DEMO),
        ({"package": {"purl": "pkg:PyPI/Demo@1.0"}, "version": "2.0"}, DEMO),
        ({"package": {"purl": "PKG://pypi/Demo@1%2E0"}}, DEMO),
        (of("../demo", version="1.0"), None),
        ({"commit": "6879efc2c1596d11a6a6ad296f80063b558d5e0f"}, None),
    ],
    ids=str,
)
def test_questions_are_read_as_osv_documents_them(
    query: dict[str, object], expected: Pinned | None
) -> None:
    assert single(json.dumps(query).encode()) == expected
    assert batch(json.dumps({"queries": [query, query]}).encode()) == [expected, expected]


@pytest.mark.parametrize(
    "query",
    [
        of("demo", version="1 0\n"),
        of("demo", version="1.0/../2.0"),
        of("demo", version="1" * 300),
        {"package": {"purl": "pkg:pypi/demo@1.0%20"}},
    ],
    ids=str,
)
def test_of_what_is_no_version_nothing_is_said_that_reads_like_a_pass(
    query: dict[str, object],
) -> None:
    with pytest.raises(BadQuery, match="is not a version of demo"):
        single(json.dumps(query).encode())


def test_a_local_version_is_written_in_a_purl_as_purls_have_it() -> None:
    asked = json.dumps({"package": {"purl": "pkg:pypi/demo@1.0%2Blocal.1"}}).encode()
    assert single(asked) == Pinned(project=canonicalize_name("demo"), version="1.0+local.1")


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"queries": 1}', b'{"queries": [1]}', b"\xff", b"[" * 90_000]
)
def test_what_is_no_batch_is_said_to_be_none(body: bytes) -> None:
    with pytest.raises(BadQuery):
        batch(body)


def test_a_batch_is_bounded_as_at_osv() -> None:
    body = {"queries": [of("demo", version="1.0")] * (MOST_QUERIES + 1)}
    with pytest.raises(BadQuery, match="1000 are the most"):
        batch(json.dumps(body).encode())


def test_an_id_begins_as_uv_wants_it_and_tells_what_and_why() -> None:
    assert BLOCKED.id == "MAL-blocked-by-indexgate:demo:1.0:demo-1.0-was-uploaded-2026-11-22"
    assert brief(BLOCKED) == {"vulns": [{"id": BLOCKED.id, "modified": "2026-11-22T12:00:00Z"}]}
    assert brief(None) == {}


def test_the_record_says_it_all() -> None:
    whole = record(BLOCKED)
    assert whole["id"] == BLOCKED.id
    assert whole["summary"] == "Blocked by indexgate: demo 1.0 was uploaded 2026-11-22"
    assert "Rule: too-new. wait" in whole["details"]
    assert whole["affected"][0]["versions"] == ["1.0"]


@pytest.mark.parametrize("id_", ["", "MAL-2026-1", "MAL-blocked-by-indexgate:demo", "x" * 5000])
def test_a_foreign_id_speaks_of_nothing_here(id_: str) -> None:
    assert pinned_of(id_) is None


@given(
    st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True).map(canonicalize_name),
    st.from_regex(r"[0-9]{1,3}(\.[0-9]{1,3}){0,3}((a|rc)[0-9])?(\+[a-z0-9]{1,8})?", fullmatch=True),
    st.text(max_size=300),
)
def test_an_id_leads_back_to_what_it_speaks_of(name: str, version: str, reason: str) -> None:
    pinned = Pinned(project=canonicalize_name(name), version=version)
    assert pinned_of(Blocked(pinned=pinned, rule="", reason=reason, hint="", at=AT).id) == pinned
