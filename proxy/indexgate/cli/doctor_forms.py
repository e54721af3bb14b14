"""Findings of the doctor as lines for people and as JSON for programs."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from indexgate.cli.terminal_text import safe
from indexgate.doctor.finding import SEVERITIES, Advice, Command, Cure, Edit, Finding, Variables
from indexgate.redact import redact

_STYLES = {"error": "bold red", "warning": "yellow", "note": "dim"}


def as_json(found: Sequence[Finding], gate: str) -> str:
    """Return *found* as one JSON object; `gate` is the simple index that clients shall ask."""
    document = {
        "gate": gate,
        "counts": counts(found),
        "findings": [_as_object(finding) for finding in found],
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()


def counts(found: Sequence[Finding]) -> Mapping[str, int]:
    """Return how many findings there are of each severity, none left out."""
    seen = Counter(finding.severity for finding in found)
    return {severity: seen[severity] for severity in SEVERITIES}


def print_findings(
    found: Sequence[Finding], gate: str, folder: Path, console: Console | None = None
) -> None:
    """Print *found* as a table, each with what closes it; paths are told from *folder*."""
    console = console or Console(highlight=False)
    if found:
        table = Table(show_lines=True)
        for heading in ("severity", "id", "where", "what, and what closes it"):
            table.add_column(heading, overflow="fold")
        for finding in found:
            what = f"{finding.what}\n-> {redact(str(finding.cure))}"
            table.add_row(
                safe(finding.severity, _STYLES[finding.severity]),
                safe(finding.id),
                safe(_short(str(finding.place), folder)),
                safe(_short(what, folder)),
            )
        console.print(table)
    told = ", ".join(_many(number, severity) for severity, number in counts(found).items())
    way = "no way round" if not found else told
    console.print(safe(f"{way}; the gate is {gate}"), soft_wrap=True)


def _many(number: int, severity: str) -> str:
    return f"{number} {severity}{'' if number == 1 else 's'}"


def _as_object(finding: Finding) -> dict[str, Any]:
    return {
        "id": finding.id,
        "severity": finding.severity,
        "client": finding.client,
        "what": finding.what,
        "path": None if finding.place.path is None else str(finding.place.path),
        "line": finding.place.line,
        "variable": finding.place.variable,
        "advice": redact(str(finding.cure)),
        "cure": _cure(finding.cure),
    }


def _cure(cure: Cure) -> dict[str, Any]:
    """Return *cure* as a program can carry it out; `kind` tells which keys there are."""
    match cure:
        case Edit():
            text = None if cure.text is None else redact(cure.text)
            lines = {"first": cure.first, "last": cure.last, "text": text}
            return {"kind": "edit", "path": str(cure.path), **lines}
        case Variables():
            return {"kind": "variables", "values": dict(cure.values)}
        case Command():
            folder = None if cure.folder is None else str(cure.folder)
            return {"kind": "command", "words": cure.words, "folder": folder}
        case Advice():
            return {"kind": "advice"}


def _short(text: str, folder: Path) -> str:
    return text.replace(f"{folder}/", "")
