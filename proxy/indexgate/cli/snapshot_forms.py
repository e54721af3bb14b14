"""What `indexgate snapshot` prints."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import click
from rich.console import Console

from indexgate.cli.terminal_text import safe
from indexgate.snapshot import signing
from indexgate.snapshot.difference import Difference
from indexgate.snapshot.manifest import Manifest
from indexgate.snapshot.read import SignedSnapshot
from indexgate.snapshot.take_in import TakenIn, last
from indexgate.store.database import Store

_SHOWN = 50


def print_made(folder: Path, made: Manifest) -> None:
    """Say what was written, and what was left out of it."""
    _print(f"{folder}: {_title(made)}", [*_files(made), *_left_out(made)])


def print_verified(snapshot: SignedSnapshot) -> None:
    """Say whose snapshot it is and what is in it."""
    manifest = snapshot.manifest
    sources = (
        f"{one.source}: {one.signals:,} signals of {one.oldest:%Y-%m-%d} to"
        f" {one.newest:%Y-%m-%d} ({one.licence})"
        for one in manifest.sources
    )
    _print(
        f"{snapshot.folder}: {_title(manifest)}",
        [
            f"signed with the key {signing.key_id(snapshot.key)}, by {manifest.made_by}",
            f"formulas {', '.join(manifest.formulas)}; licence {manifest.licence}",
            *_files(manifest),
            *_left_out(manifest),
            *sources,
            *manifest.attribution,
        ],
    )


def print_taken(snapshot: SignedSnapshot, taken: TakenIn, days: int) -> None:
    """Say what came of taking it in."""
    lines = [
        f"{taken.new:,} projects taken as they are",
        f"{taken.joined:,} joined with what was known here, and due to be assessed again",
        f"{taken.same:,} as they were",
    ]
    if days:
        lines.append(f"{days:,} days of downloads")
    _print(f"{snapshot.folder}: {_title(snapshot.manifest)}", lines)


def print_keys(trusted: Iterable[str], store: Store, index_id: str) -> None:
    """Say whose snapshots are taken in, and which of each were so last."""
    lines = []
    for key in trusted:
        before = last(store, key, index_id)
        told = "nothing of it was taken in yet" if before is None else f"serial {before.serial}"
        lines.append(f"{signing.key_id(key)}: {told} ({key})")
    _print("Keys whose snapshots are taken in" if lines else "No snapshot is taken in", lines)
    if not lines:
        click.echo("note: `--snapshot-key` names a key", err=True)


def print_difference(found: Difference, least: float) -> None:
    """Show the difference, the first of each kind."""
    _print_some("added", found.added)
    _print_some("removed", found.removed)
    moved = [f"{m.project}: {_score(m.before)} -> {_score(m.after)}" for m in found.moved]
    _print_some(f"scores moved by {least:g} points or more", moved)
    flagged = [
        f"{one.project}: " + ", ".join([*(f"+{c}" for c in one.came), *(f"-{w}" for w in one.went)])
        for one in found.flagged
    ]
    _print_some("flags came or went", flagged)


def _print_some(what: str, lines: Iterable[str]) -> None:
    every = list(lines)
    more = [f"and {len(every) - _SHOWN:,} more; `--json` has all"] if len(every) > _SHOWN else []
    _print(f"{what}: {len(every):,}", [*every[:_SHOWN], *more])


def _title(manifest: Manifest) -> str:
    return (
        f"serial {manifest.serial} of {manifest.index.url}, made {manifest.created:%Y-%m-%d %H:%M}"
        f" UTC, holds until {manifest.expires:%Y-%m-%d %H:%M} UTC"
    )


def _files(manifest: Manifest) -> Iterator[str]:
    for file in manifest.files:
        yield f"{file.name}: {file.rows:,} rows, {file.size / 1e6:,.1f} MB"


def _left_out(manifest: Manifest) -> Iterator[str]:
    left = manifest.left_out
    if left.private:
        yield f"left out: {left.private:,} projects, whose names are private"
    if left.signals:
        yield (
            f"left out: {left.signals:,} signals that may not be passed on; {left.again:,} projects"
            f" assessed again without them, {left.without_page:,} of them without their page"
        )


def _score(value: float | None) -> str:
    return "none" if value is None else f"{value:.0f}"


def _print(heading: str, lines: Iterable[str]) -> None:
    console = Console(highlight=False, soft_wrap=True)  # keys and paths are copied whole
    console.print(safe(heading, "bold"))
    for line in lines:
        console.print(safe(f"  {line}"))
