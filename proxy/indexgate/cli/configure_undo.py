"""`indexgate configure --undo`: the gate's lines taken out of settings files again."""

import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import click

from indexgate.configure import change as changes
from indexgate.configure import edits, hunks, records
from indexgate.configure.change import Change
from indexgate.configure.edits import Form
from indexgate.configure.places import Around, Name, Scope
from indexgate.configure.records import Record
from indexgate.errors import GateError
from indexgate.redact import redact

LEFT = 1
"""The exit code when the gate's address is still in a file."""

_LOCKS = {
    "uv.lock": "indexgate lock rewrite uv.lock",
    "pylock.toml": "indexgate lock rewrite pylock.toml",
    "pdm.lock": "indexgate lock rewrite pdm.lock",
    "poetry.lock": "poetry lock",
    "Pipfile.lock": "pipenv lock",
}
"""Locks in a project's folder, and what puts other addresses in them."""


def undo(client: Name, scope: Scope | None, state: Path, around: Around, *, dry_run: bool) -> int:
    """Undo what was configured for *client* and return the exit code. Raises GateError."""
    every = [record for record in records.every(state) if record.client == client]
    ours = [record for record in every if _is_meant(record, scope, around)]
    if not ours:
        tell(f"Nothing to undo: {client} was not pointed at the gate by `indexgate configure` here")
        for record in every:
            tell(f"note: it was in `{record.path}` ({record.scope}); go there, or name the scope")
    code = max([_undo(record, state, dry_run=dry_run) for record in ours], default=0)
    for url in dict.fromkeys(record.url for record in ours):
        _tell_of_locks(url, around.folder)
    return code


def print_diff(change: Change) -> None:
    """Print what *change* changes, without passwords."""
    for line in _diff(change):
        click.echo(redact(line))


def tell(text: str) -> None:
    """Say *text* to the user, apart from the command's output."""
    click.echo(text, err=True)


def _undo(record: Record, state: Path, *, dry_run: bool) -> int:
    try:
        form = cast("Form", record.form)
        change = changes.undo(record, edits.value_reader(form))
    except ValueError as error:
        raise GateError("configure-unreadable", f"`{record.path}` cannot be read") from error
    print_diff(change)
    still = list(_still(change, record))
    if not dry_run and not still:
        changes.carry_out(change, state, record)
    elif not dry_run and change.changes:
        changes.carry_out(change, state, None)
    _say(change, record, dry_run=dry_run)
    for number in still:
        tell(
            f"warning: `{record.path}` still has the gate's address in line {number}, written"
            " otherwise than by `indexgate configure`; take it out by hand"
        )
    return LEFT if still else 0


def _say(change: Change, record: Record, *, dry_run: bool) -> None:
    path = record.path
    if dry_run:
        tell("Nothing was written (--dry-run)")
    elif not change.changes:
        tell(f"Nothing of the gate is left in `{path}`")
    elif change.after is None:
        tell(f"Removed `{path}`, which was not there before")
    elif change.exact:
        tell(f"`{path}` is as it was before, byte for byte")
    else:
        tell(f"Took the gate's lines out of `{path}`; it was changed since, and those changes stay")


def _still(change: Change, record: Record) -> Iterator[int]:
    """Yield the lines that hold the gate's address afterwards, counted from 1."""
    address = record.url.rstrip("/")
    # Where it stood before already, it is not for the undo to take out.
    if change.exact:
        return
    for number, line in enumerate((change.after or b"").decode("utf-8-sig").split("\n"), 1):
        if address in line:
            yield number


def _tell_of_locks(url: str, folder: Path) -> None:
    """Name the locks in *folder* that were made through the gate at *url*."""
    for name, command in _LOCKS.items():
        try:
            text = (folder / name).read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        if url.rstrip("/").removesuffix("simple") in text:
            tell(f"note: `{name}` has the gate's addresses; put the others in: `{command}`")


def _is_meant(record: Record, scope: Scope | None, around: Around) -> bool:
    if scope is not None and record.scope != scope:
        return False
    if record.scope == "user":
        return True
    folder = around.folder.resolve()
    place = Path(record.path).parent
    active = around.environ.get("VIRTUAL_ENV")
    return (
        place in (folder, *folder.parents)
        or place == folder / ".venv"
        or (active is not None and place == Path(active).resolve())
    )


def _diff(change: Change) -> Iterator[str]:
    before, after = (
        [line.rstrip("\r\n") for line in hunks.lines((content or b"").decode("utf-8-sig"))]
        for content in (change.before, change.after)
    )
    old = str(change.path) if change.before is not None else "(no file)"
    new = str(change.path) if change.after is not None else "(no file)"
    yield from difflib.unified_diff(before, after, old, new, n=2, lineterm="")
