"""`indexgate sources`: who is asked for facts, why or why not, and what is left to ask."""

import asyncio
import importlib
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from indexgate.cli import settings_options
from indexgate.cli.refresh import SETTINGS
from indexgate.cli.settings_options import settings_options as with_settings
from indexgate.config import Given
from indexgate.redact import redact

if TYPE_CHECKING:
    from indexgate.web.standings import SourceRow

_STANDINGS = "indexgate.web.standings"


@click.command(
    name="sources",
    epilog="Nobody is asked for it. Give the same settings as to indexgate serve, --host too: what"
    " is on by itself depends on where the gate listens.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_settings(SETTINGS)
def command(as_json: bool, **given: Given) -> int:
    """Show each source of facts: on or off, why, last success, limits, cost."""
    from indexgate import logs  # `--help` does without

    settings = settings_options.settings(given)
    upstream = settings_options.upstream(settings)
    logs.configure(form=settings.log_format, level=settings.log_level, environ=os.environ)
    for notice in (*settings.notices, *upstream.notices):
        click.echo(f"note: {redact(notice)}", err=True)
    rows = asyncio.run(importlib.import_module(_STANDINGS).standings(settings, upstream))
    if as_json:
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(rows), indent=2).decode())
    else:
        _print(rows)
    return 0


def _print(rows: "tuple[SourceRow, ...]") -> None:
    from rich.console import Console
    from rich.padding import Padding

    from indexgate.cli.terminal_text import safe

    console = Console(highlight=False)
    for heading, lines in _sections(rows):
        console.print(safe(heading, "bold"))
        for line, depth in lines:
            console.print(Padding(safe(line), (0, 0, 0, 2 * depth)))


def _sections(rows: "tuple[SourceRow, ...]") -> Iterator[tuple[str, list[tuple[str, int]]]]:
    """Yield headings with their lines, each with its depth; what is off for one reason together."""
    on = [line for row in rows if row.on for line in _lines(row)]
    yield ("On" if on else "Nobody is asked"), on
    off: dict[tuple[str, str], list[SourceRow]] = {}
    for row in rows:
        if not row.on:
            off.setdefault((row.why, row.hint), []).append(row)
    for (why, hint), together in off.items():
        what = [(f"{row.name}: {row.gives}", 1) for row in together]
        yield f"Off: {why}", [*what, (hint, 1)] if hint else what


def _lines(row: "SourceRow") -> Iterator[tuple[str, int]]:
    yield f"{row.name}: {row.gives}", 1
    yield f"on since {row.why}; learns {row.learns}; costs {row.costs}", 2
    told = f"last success: {_moment(row.succeeded_at)}"
    if row.failure:
        told += f"; since then: {row.failure} ({_moment(row.failed_at)})"
    if row.left:
        told += f"; left: {row.left}"
    yield told, 2


def _moment(at: datetime | None) -> str:
    return "never" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
