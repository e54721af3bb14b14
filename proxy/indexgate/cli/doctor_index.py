"""What an index speaks, as a table for people, as JSON for programs, as Markdown for a decision."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import msgspec
from msgspec.structs import asdict
from rich.console import Console
from rich.table import Table

from indexgate.cli.terminal_text import safe
from indexgate.doctor.index.answer import Examined
from indexgate.doctor.index.check import Checked, Result, lacking

_STYLES: Mapping[Result, str] = {"yes": "green", "partly": "yellow", "no": "red", "unknown": "dim"}


def as_json(examined: Examined, checked: Sequence[Checked]) -> str:
    """Return the report as one JSON object; `requests` is how many were sent."""
    document = {
        "index": examined.url,
        "project": examined.name,
        "requests": len(examined.answers),
        "projects": examined.names,
        "list_bytes": examined.answers["list"].length,
        "counts": dict(Counter(each.result for each in checked)),
        "checks": [
            {**asdict(each.part), "result": each.result, "said": each.said} for each in checked
        ],
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()


def as_markdown(examined: Examined, checked: Sequence[Checked]) -> str:
    """Return the report as a Markdown page, what is lost first."""
    return "\n".join(_markdown(examined, checked)) + "\n"


def print_report(
    examined: Examined, checked: Sequence[Checked], console: Console | None = None
) -> None:
    """Print the report as a table, and below it what clients lose."""
    console = console or Console(highlight=False)
    table = Table()
    for heading in ("part", "source", "spoken", "seen"):
        table.add_column(heading, overflow="fold")
    for each in checked:
        table.add_row(
            safe(each.part.title),
            safe(each.part.source),
            safe(each.result, _STYLES[each.result]),
            safe(each.said),
        )
    console.print(table)
    for each in lacking(checked):
        line = f"{each.part.severity}: {each.part.title} ({each.result}): {each.part.loses}"
        console.print(safe(line), soft_wrap=True)
    console.print(safe(_summary(examined, checked)), soft_wrap=True)


def _markdown(examined: Examined, checked: Sequence[Checked]) -> Iterator[str]:
    yield from (f"# What {_plain(examined.url)} speaks", "")
    yield from (_summary(examined, checked) + ".", "", "## What clients lose", "")
    lost = list(lacking(checked))
    yield from (
        f"- {each.part.severity}: {each.part.title} ({each.result}): {each.part.loses}"
        for each in lost
    )
    if not lost:
        yield "Nothing that was looked for."
    yield from ("", "## All that was looked for", "")
    yield "| id | part | source | spoken | seen |"
    yield "| --- | --- | --- | --- | --- |"
    for each in checked:
        part = each.part
        said = _plain(each.said)
        yield f"| {part.id} | {part.title} | {part.source} | {each.result} | {said} |"


def _summary(examined: Examined, checked: Sequence[Checked]) -> str:
    seen = Counter(each.result for each in checked)
    counts = ", ".join(f"{seen[result]} {result}" for result in _STYLES)
    return (
        f"{counts}; {len(examined.answers)} requests to {examined.url}"
        f" about the project {examined.name}"
    )


def _plain(text: str) -> str:
    """Return *text*, which may be the index's, as one cell of a table."""
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return shown.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
