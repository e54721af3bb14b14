"""Facts to judge in tests: an old, ordinary release, and what differs from it."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from indexgate_policy.advisories import Advisories, Advisory
from indexgate_policy.assessment import Assessment
from indexgate_policy.flags import Flag, Severity
from indexgate_policy.health.result import HealthScore, Line, grade
from indexgate_policy.rules import document
from indexgate_policy.rules.document import Policy
from indexgate_policy.signals import Signal, Unknown, Value
from indexgate_policy.subject import File, Project, Release

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ENDINGS = {"wheel": "-py3-none-any.whl", "sdist": ".tar.gz", "other": ".egg"}


def policy(text: str) -> Policy:
    return document.parse(f"version = 1\n{text}", source="test.toml", now=NOW)


def rule(when: str, action: str = "refuse", unknown: str = "allow", more: str = "") -> str:
    return (
        f'[[rule]]\nid = "r"\naction = "{action}"\nwhen = {{ {when} }}\n'
        f'unknown = "{unknown}"\n{more}\n'
    )


def project(**facts: Any) -> Project:
    usual: dict[str, Any] = {
        "name": canonicalize_name("demo"),
        "index_id": "i",
        "public": True,
        "first_upload": NOW - 1000 * DAY,
        "first_seen": NOW - 1000 * DAY,
        "releases": 20,
    }
    return Project(**(usual | facts))


def parsed(text: str) -> Version | Unknown:
    try:
        return Version(text)
    except InvalidVersion:
        return Unknown(reason="not PEP 440")


def file(**facts: Any) -> File:
    version = facts.get("version", "1.0")
    kind = facts.get("kind", "wheel")
    released = facts.get("released", NOW - 400 * DAY)
    usual: dict[str, Any] = {
        "project": project(),
        "filename": f"demo-{version}{ENDINGS[kind]}",
        "kind": kind,
        "version": version,
        "parsed": parsed(version),
        "uploaded": released,
        "released": released,
    }
    return File(**(usual | facts))


def release(version: str, *kinds: str, **facts: Any) -> Release:
    files = tuple(file(version=version, kind=kind, **facts) for kind in kinds or ("wheel", "sdist"))
    return holding(version, files)


def holding(version: str, files: tuple[File, ...]) -> Release:
    released = files[0].released if files else Unknown(reason="no files")
    return Release(version=version, parsed=parsed(version), released=released, files=files)


def assessment(
    *,
    flags: Iterable[Flag] = (),
    advisories: Iterable[Advisory] = (),
    feed: datetime | Unknown = NOW - timedelta(hours=1),
    applicable: bool = True,
    signals: dict[str, Value | Unknown] | None = None,
    score: HealthScore | None = None,
) -> Assessment:
    return Assessment(
        index_id="i",
        project=canonicalize_name("demo"),
        formula="test",
        inputs=tuple(
            Signal(name=name, value=value, source="test", observed_at=NOW)
            for name, value in (signals or {}).items()
        ),
        flags=tuple(flags),
        score=score or Unknown(reason="the project has not been scored yet"),
        assessed_at=NOW,
        valid_until=NOW + DAY,
        advisories=Advisories(records=tuple(advisories), feed=feed, applicable=applicable),
    )


def score(value: float, confidence: float = 0.8, **facts: Any) -> HealthScore:
    return HealthScore(
        formula="test",
        value=value,
        uncapped=value,
        confidence=confidence,
        grade=grade(value),
        **({"lines": ()} | facts),
    )


def line(evidence: str, points: float, most: float, *, known: bool = True) -> Line:
    return Line(
        dimension="d", input=evidence, points=points, most=most, known=known, evidence=evidence
    )


def flag(check: str = "typosquat", severity: Severity = Severity.HIGH, **facts: Any) -> Flag:
    return Flag(check=check, severity=severity, evidence=f"{check} found", **facts)


def malware(**facts: Any) -> Advisory:
    usual: dict[str, Any] = {
        "id": "MAL-1",
        "kind": "malware",
        "severity": Severity.CRITICAL,
        "summary": "steals",
    }
    return Advisory(**(usual | facts))


def vulnerability(**facts: Any) -> Advisory:
    usual: dict[str, Any] = {
        "id": "V-1",
        "kind": "vulnerability",
        "severity": Severity.HIGH,
        "summary": "leaks",
    }
    return Advisory(**(usual | facts))
