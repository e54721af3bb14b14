"""`indexgate lock rewrite`: the gate's addresses in lock files for upstream's, and back."""

import difflib
from collections.abc import Callable, Sequence
from functools import reduce
from pathlib import Path
from typing import Literal

import click
from msgspec import Struct

from indexgate import own_addresses, public_index
from indexgate.cli import settings_options
from indexgate.cli.settings_options import settings_options as with_settings
from indexgate.config import Given
from indexgate.errors import GateError
from indexgate.locks import rewrite
from indexgate.locks.disk import change_text
from indexgate.locks.entry import Format
from indexgate.locks.read import FORMATS, recognised
from indexgate.locks.swap import Swap
from indexgate.locks.text import LARGEST, shown
from indexgate.redact import redact

_SETTINGS = ("config", "port", "public_url", "upstream", "upstream_public", "state")
HOLDS = 1
End = Literal["gate", "canonical"]


class _Lock(Struct, frozen=True, kw_only=True):
    """A lock file as it is: where it lies, what it is, and its text, line ends untouched."""

    path: Path
    name: str
    format: Format
    text: str


@click.command(
    name="rewrite",
    epilog="Examples: indexgate lock rewrite uv.lock; indexgate lock rewrite --to gate uv.lock;"
    " indexgate lock rewrite --check uv.lock poetry.lock. No byte but the addresses changes, and"
    " the way there and back gives the same file. With --check nothing is changed and the exit"
    " code is 1 when a lock holds a gate's address.",
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--to",
    type=click.Choice(["canonical", "gate"]),
    default="canonical",
    show_default=True,
    help="What to put in: the addresses of upstream, as without the gate, or those of the gate.",
)
@click.option(
    "--gate",
    "gates",
    multiple=True,
    metavar="URL",
    help="The gate's address.  [default: --public-url, else this machine and the port]",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice([each for each in FORMATS if each in rewrite.REWRITTEN]),
    help="What the files are.  [default: told by name and content]",
)
@click.option("--check", is_flag=True, help="Only name the gate's addresses in the files.")
@click.option("--dry-run", is_flag=True, help="Only print what would change.")
@with_settings(_SETTINGS)
def command(
    *,
    files: tuple[str, ...],
    to: End,
    gates: tuple[str, ...],
    format_: Format | None,
    check: bool,
    dry_run: bool,
    **given: Given,
) -> int:
    """Swap the gate's addresses in lock files for upstream's, or back.

    For uv.lock, poetry.lock, pdm.lock, Pipfile.lock, pylock.toml and requirements.
    """
    settings = settings_options.settings(given)
    roots = own_addresses.roots(settings, gates)
    locks = [_read(name, format_) for name in files]
    if check:
        return _check(locks, roots)
    choice = settings_options.upstream(settings)
    if choice.later:
        raise GateError(
            "several-indexes",
            "the gate stands for several indexes, and a lock does not tell which one it asked",
            "Name the one that the lock was made from: `--upstream URL`.",
        )
    upstream = choice.url
    swaps = [Swap(gate=root, upstream=upstream) for root in roots]
    if not swaps:
        raise GateError("gate-address", "nothing says where the gate is", "Say so: `--gate URL`.")
    for lock in locks:
        change = _change(lock, to, swaps)
        new = change(lock.text)
        if dry_run:
            _print_change(lock, new)
        else:
            _write(lock, change)
            told = "nothing to change in" if new == lock.text else "rewrote"
            click.echo(f"{told} `{shown(lock.name)}`", err=True)
        if to == "canonical":
            _note_left(lock, new, roots, upstream)
    return 0


def _read(name: str, format_: Format | None) -> _Lock:
    try:
        with Path(name).open("rb") as file:
            content = file.read(LARGEST + 1)
        text = content.decode("utf-8")
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise GateError("lock-file", f"cannot read `{shown(name)}`: {str(why).lower()}") from error
    _, found = recognised(content, name, format=format_)
    if found not in rewrite.REWRITTEN:
        raise GateError(
            "lock-file",
            f"`{shown(name)}` ({found}) holds no addresses that could be rewritten",
            f"Known are: {', '.join(rewrite.REWRITTEN)}.",
        )
    return _Lock(path=Path(name).resolve(), name=name, format=found, text=text)


def _change(lock: _Lock, to: End, swaps: Sequence[Swap]) -> Callable[[str], str]:
    """Return what changes the lock's text: the first gate is put in, all of them are taken out."""
    if to == "gate":
        return lambda text: rewrite.to_gate(text, lock.format, swaps[0])
    return lambda text: reduce(
        lambda before, swap: rewrite.to_upstream(before, lock.format, swap), swaps, text
    )


def _write(lock: _Lock, change: Callable[[str], str]) -> None:
    try:
        change_text(lock.path, change)
    except OSError as error:
        why = (error.strerror or type(error).__name__).lower()
        raise GateError("lock-file", f"cannot write `{shown(lock.name)}`: {why}") from error


def _check(locks: Sequence[_Lock], roots: tuple[str, ...]) -> int:
    """Print each line that holds an address of a gate; return the exit code."""
    holding = []
    for lock in locks:
        found = list(rewrite.gate_addresses(lock.text, roots))
        if found:
            holding.append(shown(lock.name))
        for held in found:
            click.echo(f"{shown(lock.name)}:{held.line}: {ascii(redact(held.url))[1:-1]}")
    if holding:
        click.echo(f"hint: indexgate lock rewrite {' '.join(holding)}", err=True)
    return HOLDS if holding else 0


def _print_change(lock: _Lock, new: str) -> None:
    name = shown(lock.name)
    before, after = (text.splitlines(keepends=True) for text in (lock.text, new))
    for line in difflib.unified_diff(before, after, name, name, n=0):
        click.echo(line if line.endswith("\n") else f"{line}\n", nl=False)


def _note_left(lock: _Lock, new: str, roots: tuple[str, ...], upstream: str) -> None:
    """Say what the new text still holds that others may stumble over."""
    left = next(rewrite.gate_addresses(new, roots), None)
    # An upstream on this machine looks like a gate.
    if left is not None and not left.url.startswith(upstream.rstrip("/")):
        where = f"`{shown(lock.name)}` (line {left.line})"
        click.echo(
            f"note: {where} still holds `{ascii(redact(left.url))[1:-1]}`; name that gate with"
            " `--gate`",
            err=True,
        )
    if lock.format == "uv" and upstream == public_index.address() and f'"{upstream}"' in new:
        click.echo(
            f"note: `{shown(lock.name)}` writes the public index with a slash at the end, which uv"
            " does not by itself; lock with the gate's address without the slash",
            err=True,
        )
