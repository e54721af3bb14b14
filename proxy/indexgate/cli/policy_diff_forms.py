"""What differs between two policies, as tables for people and as JSON for programs."""

from collections.abc import Iterator, Sequence

import click
import msgspec
from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from indexgate.cli.terminal_text import safe
from indexgate.verdict_changes import Side, VerdictChange, VerdictChanges
from indexgate_policy.rules.difference import Change

_NAMED = 5
_SIGNS = {"added": "+", "removed": "-", "changed": "~", "moved": ">"}
_STYLES = {"stricter": "red", "looser": "green", "": ""}
_TURN_STYLES = {"refused anew": "bold red", "warned anew": "yellow", "no longer refused": "green"}


def print_json(
    old: str, new: str, changes: Sequence[Change], verdicts: VerdictChanges | None
) -> None:
    """Print all as one JSON object on stdout; `verdicts` is null when none were asked for."""
    told = {
        "old": old,
        "new": new,
        "changes": msgspec.to_builtins(changes),
        "verdicts": None if verdicts is None else _verdicts(verdicts),
    }
    click.echo(msgspec.json.format(msgspec.json.encode(told), indent=2).decode())


def _verdicts(verdicts: VerdictChanges) -> dict[str, object]:
    counts = dict(verdicts.counts)
    return {
        "judged": verdicts.judged,
        "counts": counts,
        "changes": msgspec.to_builtins(verdicts.changes),
    }


def print_tables(
    old: str, new: str, changes: Sequence[Change], verdicts: VerdictChanges | None
) -> None:
    """Print all for people on stdout."""
    console = Console(highlight=False)
    if not changes:
        console.print(safe(f"{old} and {new} say the same"), soft_wrap=True)
    for change in changes:
        way = f" ({change.direction})" if change.direction else ""
        head = f"{_SIGNS[change.kind]} {change.what} {change.name} {change.kind}{way}"
        console.print(safe(head, _STYLES[change.direction]), soft_wrap=True)
        for line, style in _lines(change):
            console.print(Padding(safe(line, style), (0, 0, 0, 4)))
    if verdicts is not None:
        _print_verdicts(console, verdicts, new)


def _lines(change: Change) -> Iterator[tuple[str, str]]:
    if change.said:
        yield change.said, ""
    for field in change.fields:
        way = f" ({field.direction})" if field.direction else ""
        if len(field.old) + len(field.new) < 60:
            yield f"{field.key}: {field.old} -> {field.new}{way}", ""
        else:
            yield f"{field.key}{way}", ""
            yield f"- {field.old}", "dim"
            yield f"+ {field.new}", ""


def _print_verdicts(console: Console, verdicts: VerdictChanges, new: str) -> None:
    console.print()
    if verdicts.changes:
        table = Table()
        for heading in ("requirement", "by the new policy", "before", "now", "why"):
            table.add_column(heading, overflow="fold")
        for change in verdicts.changes:
            table.add_row(
                safe(change.requirement),
                safe(change.turn, _TURN_STYLES.get(change.turn, "")),
                safe(_said(change.old)),
                safe(_said(change.new)),
                safe(_why(change)),
            )
        console.print(table)
    counts = [f"{count} {turn}" for turn, count in verdicts.counts.items()]
    same = verdicts.judged - len(verdicts.changes)
    told = ", ".join([*counts, f"{same} the same"])
    console.print(safe(f"Of {verdicts.judged} judged by {new}: {told}"), soft_wrap=True)


def _said(side: Side) -> str:
    by = f" ({', '.join(side.rules)})" if side.rules else ""
    version = f"{side.version}: " if side.version else ""
    return f"{version}{side.action}{by}"


def _why(change: VerdictChange) -> str:
    if change.turn == "another version":
        new = change.new.passed_over
        over = ", ".join((new or change.old.passed_over)[:_NAMED])
        return f"{over} {'refused' if new else 'no longer refused'}"
    return change.new.reason or change.old.reason
