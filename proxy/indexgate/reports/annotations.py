"""Findings as the lines that CI systems turn into annotations.

GitHub: workflow commands. Azure Pipelines: logging commands. TeamCity: service messages, as
inspections. GitLab reads no lines but a Code Quality report.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal, TypeAlias

from indexgate.reports.finding import Finding, Level
from indexgate.reports.sarif import fingerprint, relative

Form: TypeAlias = Literal["github", "azure", "teamcity"]

CODE_QUALITY = "gl-code-quality-report.json"
"""Where GitLab's report is written; a job hands it over as `artifacts:reports:codequality`."""

_GITHUB: Mapping[Level, str] = {"error": "error", "warning": "warning", "note": "notice"}
_AZURE: Mapping[Level, str] = {"error": "error", "warning": "warning", "note": "warning"}
_TEAMCITY: Mapping[Level, str] = {"error": "ERROR", "warning": "WARNING", "note": "INFO"}
_GITLAB: Mapping[Level, str] = {"error": "major", "warning": "minor", "note": "info"}


def lines(findings: Iterable[Finding], form: Form, root: Path) -> Iterator[str]:
    """Yield the lines of *form*; places are told as seen from the repository at *root*."""
    yield from _FORMS[form](findings, root)


def code_quality(findings: Iterable[Finding], root: Path) -> str:
    """Return GitLab's Code Quality report; it takes no finding without a place."""
    report = [
        {
            "description": _message(found),
            "check_name": found.rule,
            "fingerprint": fingerprint(found),
            "severity": _GITLAB[found.level],
            "location": {"path": _place(found, root), "lines": {"begin": found.line or 1}},
        }
        for found in findings
        if found.path is not None
    ]
    return json.dumps(report, indent=2) + "\n"


def _github(findings: Iterable[Finding], root: Path) -> Iterator[str]:
    for found in findings:
        said = {"file": _place(found, root), "line": str(found.line or "")}
        said["title"] = f"indexgate: {found.rule}"
        properties = ",".join(
            f"{key}={_escaped(value, _GITHUB_VALUE)}" for key, value in said.items() if value
        )
        message = _escaped(_message(found), _GITHUB_TEXT)
        yield f"::{_GITHUB[found.level]} {properties}::{message}"


def _azure(findings: Iterable[Finding], root: Path) -> Iterator[str]:
    for found in findings:
        said = {"type": _AZURE[found.level], "sourcepath": _place(found, root)}
        said |= {"linenumber": str(found.line or ""), "code": found.rule}
        properties = "".join(
            f"{key}={_escaped(value, _AZURE_VALUE)};" for key, value in said.items() if value
        )
        yield f"##vso[task.logissue {properties}]{_escaped(_message(found), _AZURE_TEXT)}"


def _teamcity(findings: Iterable[Finding], root: Path) -> Iterator[str]:
    findings = tuple(findings)
    for rule in dict.fromkeys(found.rule for found in findings):
        yield _service("inspectionType", id=rule, name=rule, category="indexgate", description=rule)
    for found in findings:
        yield _service(
            "inspection",
            typeId=found.rule,
            message=_message(found),
            file=_place(found, root) or "-",
            line=str(found.line or 1),
            SEVERITY=_TEAMCITY[found.level],
        )


def _service(kind: str, /, **values: str) -> str:
    told = " ".join(f"{key}='{_escaped(value, _TEAMCITY_TEXT)}'" for key, value in values.items())
    return f"##teamcity[{kind} {told}]"


def _message(found: Finding) -> str:
    return f"{found.message}. {found.hint}" if found.hint else found.message


def _place(found: Finding, root: Path) -> str:
    if found.path is None:
        return ""
    inside = relative(found.path, root)
    return found.path if inside is None else inside.as_posix()


def _escaped(text: str, table: Mapping[str, str]) -> str:
    return "".join(table.get(character, character) for character in text)


_GITHUB_TEXT = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_GITHUB_VALUE = {**_GITHUB_TEXT, ":": "%3A", ",": "%2C"}
_AZURE_TEXT = {"%": "%AZP25", "\r": "%0D", "\n": "%0A"}
_AZURE_VALUE = {**_AZURE_TEXT, ";": "%3B", "]": "%5D"}
_TEAMCITY_TEXT = {
    "|": "||", "'": "|'", "\n": "|n", "\r": "|r", "[": "|[", "]": "|]"
}  # fmt: skip
_FORMS: Mapping[Form, Callable[[Iterable[Finding], Path], Iterator[str]]] = {
    "github": _github,
    "azure": _azure,
    "teamcity": _teamcity,
}
