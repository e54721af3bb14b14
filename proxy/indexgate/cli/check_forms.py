"""A check of requirements as a table for people and as JSON for programs."""

import msgspec
from rich.console import Console
from rich.table import Table

from indexgate.checked import Check, Checked, Outcome
from indexgate.cli.terminal_text import safe

_STYLES: dict[Outcome, str] = {
    "allow": "green",
    "warn": "yellow",
    "refuse": "bold red",
    "skipped": "dim",
    "not judged": "yellow",
    "failed": "red",
}
_WORDS: dict[Outcome, str] = {
    "allow": "pass",
    "warn": "pass with a warning",
    "refuse": "refused",
    "skipped": "skipped",
    "not judged": "not judged",
    "failed": "could not be judged",
}


def as_json(check: Check) -> str:
    """Return *check* as one JSON object; `requirements` has one object for each requirement."""
    document = msgspec.to_builtins(check) | {"counts": dict(check.counts)}
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()


def print_table(check: Check, console: Console | None = None) -> None:
    """Print *check* as a table, the hints below it, on stdout unless *console* says otherwise."""
    console = console or Console(highlight=False)
    table = Table()
    for heading in ("requirement", "version", "verdict", "rule", "reason"):
        table.add_column(heading, overflow="fold")
    for row in check.requirements:
        version = row.version or ""
        if row.chosen == "newest":
            version += f" ({row.how})"
        table.add_row(
            safe(row.requirement),
            safe(version),
            safe(row.action, _STYLES[row.action]),
            safe(row.rule or ", ".join(dict.fromkeys(w.rule for w in row.warnings))),
            safe(_reasons(row)),
        )
    console.print(table)
    for row in check.requirements:
        if row.hint:
            console.print(
                safe(f"hint: {row.requirement} ({row.place}): {row.hint}"), soft_wrap=True
            )
    for sentence in check.ways_past:
        console.print(safe(f"warning: {sentence}"), soft_wrap=True)
    if check.feed_failure:
        told = f"warning: the advisories could not be read: {check.feed_failure}"
        console.print(safe(told), soft_wrap=True)
    console.print(safe(_summary(check)), soft_wrap=True)


def _reasons(row: Checked) -> str:
    parts = [row.reason, *(warned.reason for warned in row.warnings), *row.notes]
    return "; ".join(dict.fromkeys(part for part in parts if part))


def _summary(check: Check) -> str:
    counts = check.counts
    told = [f"{counts[outcome]} {words}" for outcome, words in _WORDS.items() if counts[outcome]]
    noun = "requirement" if len(check.requirements) == 1 else "requirements"
    rest = f": {', '.join(told)}" if told else ""
    return f"{len(check.requirements)} {noun} by policy {check.policy}{rest}"
