import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from indexgate.sources.osv_records import SUMMARY_LENGTH, Record, Unreadable, parse
from indexgate_policy.advisories import Advisory, Range
from indexgate_policy.flags import Severity
from indexgate_policy.signals import Unknown
from tests.standins.osv import malware, vulnerability


def read(document: dict[str, Any]) -> Record:
    record = parse(json.dumps(document).encode())
    assert record is not None
    return record


def only(document: dict[str, Any]) -> Advisory:
    ((_, advisory),) = read(document).advisories
    return advisory


def test_a_report_about_two_versions_condemns_those_and_no_other() -> None:
    advisory = only(malware(7, "Good.Name", "1.82.7", "1.82.8"))
    assert advisory.kind == "malware"
    assert advisory.summary == "Malicious code in Good.Name (PyPI)"
    assert advisory.affects("1.82.7") is True
    assert advisory.affects("1.82.6") is False


def test_names_are_normalised_and_times_are_utc() -> None:
    document = malware(7, "Good.Name", "1")
    document["modified"] = "2026-09-04T02:47:46.156672516+02:00"
    record = read(document)
    assert [name for name, _ in record.advisories] == ["good-name"]
    assert record.modified == datetime(2026, 9, 4, 0, 47, 46, 156673, tzinfo=UTC)
    assert record.modified.tzinfo is UTC


def test_a_report_without_any_version_condemns_the_whole_name() -> None:
    document = malware(7, "bad")
    del document["affected"][0]["ranges"]
    assert only(document).affects("0.0.1.dev3") is True


def test_a_vulnerability_that_names_no_version_affects_none() -> None:
    document = vulnerability(7, "weak")
    document["affected"][0]["ranges"][0]["type"] = "GIT"
    assert read(document).advisories == ()


@pytest.mark.parametrize(
    "change",
    [
        {"id": "MAL-2026-9"},
        {"aliases": ["CVE-2026-1", "MAL-2026-9"]},
        {"database_specific": {"malicious-packages-origins": []}},
    ],
)
def test_malware_is_known_by_its_id_an_alias_or_its_origin(change: dict[str, Any]) -> None:
    assert only({**vulnerability(1, "weak"), **change}).kind == "malware"
    assert only(vulnerability(1, "weak")).kind == "vulnerability"


def test_a_withdrawn_record_has_no_advisory() -> None:
    record = read({**malware(7, "good", "1"), "withdrawn": "2026-09-05T00:00:00Z"})
    assert record.withdrawn
    assert record.advisories == ()


def test_only_what_is_said_of_pypi_is_read() -> None:
    document = malware(7, "one", "1")
    other = {"package": {"ecosystem": "npm", "name": "elsewhere"}, "versions": ["1"]}
    second = {"package": {"ecosystem": "PyPI", "name": "two"}, "versions": ["2"]}
    impossible = {"package": {"ecosystem": "PyPI", "name": "no/name"}, "versions": ["2"]}
    again = {"package": {"ecosystem": "PyPI", "name": "One"}, "versions": ["1", "3"]}
    document["affected"] += [other, second, impossible, again]
    found = {name: advisory.versions for name, advisory in read(document).advisories}
    assert found == {"one": ("1", "3"), "two": ("2",)}
    document["affected"] = [other]
    assert parse(json.dumps(document).encode()) is None


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([{"introduced": "0"}], (Range(introduced="0"),)),
        ([{"introduced": "1"}, {"fixed": "2"}], (Range(introduced="1", fixed="2"),)),
        (
            [{"fixed": "3.1"}, {"introduced": "3"}, {"fixed": "2"}, {"introduced": "0"}],
            (Range(introduced="0", fixed="2"), Range(introduced="3", fixed="3.1")),
        ),
        (
            [{"introduced": "10"}, {"last_affected": "9"}, {"introduced": "2"}],
            (Range(introduced="2", last_affected="9"), Range(introduced="10")),
        ),
        (
            [{"introduced": "0"}, {"fixed": "2"}, {"introduced": "2"}, {"fixed": "3"}],
            (Range(introduced="0", fixed="2"), Range(introduced="2", fixed="3")),
        ),
        (
            [{"introduced": "0"}, {"fixed": "not a version"}],
            (Range(introduced="0", fixed="not a version"),),
        ),
        ([{"introduced": "0"}, {"limit": "5"}], (Range(introduced="0"),)),
    ],
)
def test_the_events_of_a_range_are_paired_in_version_order(
    events: list[dict[str, str]], expected: tuple[Range, ...]
) -> None:
    document = vulnerability(7, "weak")
    document["affected"][0]["ranges"][0]["events"] = events
    assert only(document).ranges == expected


@given(
    st.lists(st.integers(1, 60), min_size=2, max_size=10, unique=True),
    st.randoms(),
    st.integers(0, 61),
)
def test_a_version_is_inside_when_more_ranges_were_opened_than_closed_before_it(
    ends: list[int], order: Any, version: int
) -> None:
    ends.sort()
    events = [{("fixed" if i % 2 else "introduced"): str(v)} for i, v in enumerate(ends)]
    order.shuffle(events)
    document = vulnerability(7, "weak")
    document["affected"][0]["ranges"][0]["events"] = events
    inside = sum(end <= version for end in ends) % 2 == 1
    assert only(document).affects(str(Version(str(version)))) is inside


HIGH = {"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"}
V4 = {"type": "CVSS_V4", "score": "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H"}


@pytest.mark.parametrize(
    ("more", "severity"),
    [
        ({"database_specific": {"severity": "MODERATE"}, "severity": [HIGH]}, Severity.MEDIUM),
        ({"database_specific": {"severity": "CRITICAL"}}, Severity.CRITICAL),
        ({"database_specific": {"severity": ["odd"]}, "severity": [HIGH]}, Severity.HIGH),
        ({"severity": [V4, HIGH]}, Severity.HIGH),
        (
            {"severity": [V4]},
            Unknown(reason="the advisory rates itself only by CVSS_V4, which is not understood"),
        ),
        ({}, Unknown(reason="the advisory states no severity")),
    ],
)
def test_severity_is_the_databases_word_or_the_cvss_v3_rating_or_unknown(
    more: dict[str, Any], severity: Severity | Unknown
) -> None:
    assert only(vulnerability(7, "weak", **more)).severity == severity


def test_severity_may_stand_beside_the_project_that_it_is_about() -> None:
    document = vulnerability(7, "weak")
    document["affected"][0]["severity"] = [HIGH]
    assert only(document).severity is Severity.HIGH


def test_a_summary_is_one_bounded_line_without_control_characters() -> None:
    document = vulnerability(7, "weak")
    document["summary"] = "\x1b[31mred\x00 line " + "x" * 1000 + "\nsecond"
    summary = only(document).summary
    assert summary.startswith("[31mred line xxx")
    assert len(summary) == SUMMARY_LENGTH
    document["summary"] = None
    document["details"] = "\nFrom the details\nmore"
    assert only(document).summary == "From the details"


@pytest.mark.parametrize("published", [None, "yesterday", 5, "2026-01-01T00:00:00"])
def test_an_odd_time_of_publication_is_dropped_not_the_advisory(published: object) -> None:
    assert only({**malware(7, "bad", "1"), "published": published}).published is None


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b"", "is not an OSV record"),
        (b"<html></html>", "is not an OSV record"),
        (b"\xff\xfe", "is not an OSV record"),
        (b"[" * 100_000, "is not an OSV record"),
        (b'{"x":' + b"[" * 100_000, "is not an OSV record"),
        (b'{"id": "MAL-1"}', "is not an OSV record"),
        (b'{"id": "../x", "modified": "2026-01-01T00:00:00Z"}', "has an id that no record"),
        (b'{"id": "MAL-1", "modified": "2026-01-01T00:00:00"}', "without a zone"),
    ],
)
def test_what_is_no_record_is_unreadable_with_the_reason(document: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        parse(document)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@given(
    st.sampled_from(
        ["affected", "aliases", "severity", "withdrawn", "summary", "database_specific", "id"]
    ),
    _JSON,
)
def test_any_member_may_hold_anything_and_the_answer_is_a_record_or_unreadable(
    member: str, value: object
) -> None:
    document = {**malware(7, "bad", "1"), member: value}
    try:
        record = parse(json.dumps(document).encode())
    except Unreadable:
        return
    assert record is None or record.withdrawn or record.advisories or member == "affected"


@given(st.binary(max_size=200))
def test_any_bytes_that_are_no_record_are_unreadable(document: bytes) -> None:
    with pytest.raises(Unreadable):
        parse(document)
