"""`indexgate evidence`: what an operator knows of a project, entered by hand."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import click
from packaging.utils import InvalidName, NormalizedName, canonicalize_name

from indexgate.cli import settings_options
from indexgate.cli.index_option import chosen, index_option
from indexgate.cli.settings_options import settings_options as with_settings
from indexgate.config import Given
from indexgate.errors import GateError

if TYPE_CHECKING:
    from indexgate.store.evidence import Evidence, EvidenceKind, StoredEvidence

_SETTINGS = ("config", "upstream", "state")
KINDS = ("contact", "talk", "review", "mention", "testimonial")
_LONGEST = 500
_LONGEST_NAME = 100


@click.group(
    name="evidence",
    epilog="It stays in the state folder: no service learns it, and the health score does not"
    " look at it. `indexgate explain` shows it as entered by hand, with date and author.",
)
def command() -> None:
    """Enter by hand what you know of a project, and see it listed."""


@command.command(
    name="add",
    epilog="Example: indexgate evidence add demo --kind contact --text 'met the maintainer'"
    " --on 2026-11-20. A gate that serves takes it up when it assesses the project next;"
    " `indexgate refresh NAME` does it now.",
)
@click.argument("project", metavar="NAME")
@click.option("--kind", type=click.Choice(KINDS), required=True, help="What it is.")
@click.option("--text", required=True, metavar="TEXT", help="What there is to say, in a line.")
@click.option("--on", "day", metavar="DATE", help="When it was (2026-11-20).  [default: today]")
@click.option("--by", "author", metavar="NAME", help="Who says so.  [default: your login name]")
@index_option
@with_settings(_SETTINGS)
def add(
    *,
    project: str,
    kind: "EvidenceKind",
    text: str,
    day: str | None,
    author: str | None,
    of_index: str | None,
    **given: Given,
) -> int:
    """Enter something about the project NAME."""
    name = _name(project)
    said = _line(text, "--text", _LONGEST)
    by = _line(_login() if author is None else author, "--by", _LONGEST_NAME)
    on = _day(day, datetime.now(UTC))
    with _entries(given, of_index, name) as (entries, index_id):
        number = entries.add(index_id, name, kind=kind, text=said, day=on, author=by)
    click.echo(f"Entered as {number}: {kind} about {name}, {on}, by {by}", err=True)
    return 0


@command.command(name="list")
@click.argument("project", metavar="[NAME]", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line.")
@index_option
@with_settings(_SETTINGS)
def list_(*, project: str | None, as_json: bool, of_index: str | None, **given: Given) -> int:
    """Show what was entered, about the project NAME or about all."""
    name = None if project is None else _name(project)
    with _entries(given, of_index, name) as (entries, index_id):
        found = entries.of(index_id, name)
    if as_json:
        import msgspec

        for entry in found:
            click.echo(msgspec.json.encode(entry).decode())
    elif found:
        _print(found)
    if not found:
        click.echo("Nothing was entered" + (f" about {name}" if name else ""), err=True)
    return 0


@command.command(name="remove")
@click.argument(
    "numbers", metavar="NUMBER...", type=click.IntRange(1, 2**53), nargs=-1, required=True
)
@index_option
@with_settings(_SETTINGS)
def remove(*, numbers: tuple[int, ...], of_index: str | None, **given: Given) -> int:
    """Take back what was entered under these numbers: all of them, or none."""
    with _entries(given, of_index) as (entries, index_id):
        lacking = entries.remove(index_id, numbers)
    if lacking:
        named = ", ".join(str(number) for number in lacking)
        raise GateError(
            "evidence-unknown",
            f"nothing was entered under {named}, so nothing was removed",
            "`indexgate evidence list` shows the numbers.",
        )
    click.echo(f"Removed: {', '.join(str(number) for number in numbers)}", err=True)
    return 0


@contextmanager
def _entries(
    given: dict[str, Given], of_index: str | None, project: NormalizedName | None = None
) -> "Iterator[tuple[StoredEvidence, str]]":
    """Open the store; yield the entries in it, and the id of the index they are about."""
    from indexgate import state_folder
    from indexgate.store.database import open_store
    from indexgate.store.engines import STORE_FILE

    settings = settings_options.settings(given)
    index_id = chosen(settings_options.upstream(settings), of_index, project).index_id
    folder = state_folder.open_state(settings.state)
    store = open_store(folder.path / STORE_FILE, lambda: datetime.now(UTC))
    try:
        yield store.evidence, index_id
    finally:
        store.close()


def _name(text: str) -> NormalizedName:
    try:
        return canonicalize_name(text, validate=True)
    except InvalidName as error:
        raise GateError(
            "project-invalid", f"`{ascii(text[:200])[1:-1]}` names no project", "Write `demo`."
        ) from error


def _line(text: str, flag: str, longest: int) -> str:
    """Return *text* if it is one short line that can be printed. Raises GateError."""
    line = text.strip()
    if not line or len(line) > longest or not line.isprintable():
        raise GateError(
            "evidence-invalid",
            f"`{flag}` is not one line of 1 to {longest} printable characters",
        )
    return line


def _day(text: str | None, now: datetime) -> date:
    """Return the day that *text* means, today without one. Raises GateError."""
    if text is None:
        return now.date()
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise GateError(
            "evidence-invalid",
            f"`{ascii(text[:100])[1:-1]}` is not a date",
            "Write `--on 2026-11-20`.",
        ) from error
    if day > now.date() + timedelta(days=1):  # it may be tomorrow already where you are
        raise GateError("evidence-invalid", f"`{day}` is yet to come")
    return day


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError) as error:
        raise GateError(
            "author-unknown", "this account has no login name", "Say who you are with `--by`."
        ) from error


def _print(found: "tuple[Evidence, ...]") -> None:
    from rich.console import Console
    from rich.table import Table

    from indexgate.cli.terminal_text import safe

    table = Table()
    for heading in ("number", "project", "kind", "on", "by", "text"):
        table.add_column(heading, overflow="fold")
    for entry in found:
        row = (entry.id, entry.project, entry.kind, entry.day, entry.author, entry.text)
        table.add_row(*(safe(str(cell)) for cell in row))
    Console(highlight=False).print(table)
