"""SARIF 2.1.0 (OASIS), as code scanning services read it."""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import quote

from indexgate.reports.finding import Finding, Rule

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"
_ROOT = "%SRCROOT%"


def sarif(
    findings: Iterable[Finding], rules: Iterable[Rule], *, version: str, root: Path
) -> dict[str, Any]:
    """Return a SARIF log of one run of indexgate *version*; *root* is the repository's folder."""
    findings = tuple(findings)
    known = {rule.id: rule for rule in rules}
    for found in findings:
        unknown = Rule(id=found.rule, level=found.level, text=f"`{found.rule}`", help="")
        known.setdefault(found.rule, unknown)
    used = {found.rule for found in findings}
    listed = [rule for rule in known.values() if rule.id in used]
    numbers = {rule.id: number for number, rule in enumerate(listed)}
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "indexgate",
                        "version": version,
                        "rules": [_rule(rule) for rule in listed],
                    }
                },
                "originalUriBaseIds": {_ROOT: {"uri": f"{root.resolve().as_uri()}/"}},
                "columnKind": "unicodeCodePoints",
                "results": [_result(found, numbers, root) for found in findings],
            }
        ],
    }


def relative(path: str, root: Path) -> PurePath | None:
    """Return *path* as seen from *root*; None where it lies elsewhere."""
    whole = Path(path).absolute()
    for base in (root.absolute(), root.resolve()):
        if whole.is_relative_to(base):
            return PurePath(whole.relative_to(base))
    return None


def fingerprint(found: Finding) -> str:
    """Return what stays the same for the same finding when lines move."""
    about = f"{found.project}=={found.version}" if found.project else found.message
    parts = (found.rule, about, found.path or "")
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def _rule(rule: Rule) -> dict[str, Any]:
    described: dict[str, Any] = {
        "id": rule.id,
        "name": rule.id,
        "shortDescription": {"text": rule.text},
        "fullDescription": {"text": rule.text},
        "defaultConfiguration": {"level": rule.level},
    }
    if rule.help:
        described["help"] = {"text": rule.help, "markdown": rule.help}
    return described


def _result(found: Finding, numbers: Mapping[str, int], root: Path) -> dict[str, Any]:
    text = f"{found.message}. {found.hint}" if found.hint else found.message
    result: dict[str, Any] = {
        "ruleId": found.rule,
        "ruleIndex": numbers[found.rule],
        "level": found.level,
        "message": {"text": text},
        "partialFingerprints": {"indexgate/v1": fingerprint(found)},
    }
    if found.project is not None:
        result["properties"] = {"project": found.project, "version": found.version or ""}
    if found.path is not None:
        result["locations"] = [
            {
                "physicalLocation": {
                    "artifactLocation": _artifact(found.path, root),
                    "region": {"startLine": found.line or 1},
                }
            }
        ]
    return result


def _artifact(path: str, root: Path) -> dict[str, str]:
    inside = relative(path, root)
    if inside is None:
        return {"uri": Path(path).absolute().as_uri()}
    return {"uri": quote(inside.as_posix()), "uriBaseId": _ROOT}
