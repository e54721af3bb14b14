"""Lines of the record as a table."""

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

from indexgate.cli.terminal_text import safe
from indexgate.store.records import Decision

_STYLES = {"refused": "bold red", "withheld": "red", "warned": "yellow"}
_NAMED = 5


def print_table(found: Iterable[Decision], console: Console | None = None) -> None:
    """Print *found* as a table, on stdout unless *console* says otherwise."""
    console = console or Console(highlight=False)
    table = Table()
    for heading in ("time (UTC)", "what", "project", "asked by", "rule", "reason"):
        table.add_column(heading, overflow="fold")
    for row in found:
        table.add_row(
            f"{row.at:%Y-%m-%d %H:%M:%S}" if row.kind == "refused" else f"{row.at:%Y-%m-%d %H}h",
            safe(row.kind + (f" x{row.count}" if row.count > 1 else ""), _STYLES[row.kind]),
            safe(_subject(row)),
            safe(row.family + (f" {row.run}" if row.run else "")),
            safe(row.rule),
            safe(row.reason),
        )
    console.print(table)


def _subject(row: Decision) -> str:
    if row.filename is not None:
        return f"{row.project} {row.filename}"
    named = ", ".join(row.versions[:_NAMED])
    more = len(row.versions) - _NAMED
    return f"{row.project} {named}" + (f" and {more} more" if more > 0 else "")
