"""Ways round the gate in requirements files: other indexes, addresses, paths.

The files are those of the project's folder that are called as such files are, and what they name.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from indexgate.doctor import by_name
from indexgate.doctor.finding import Advice, Edit, Finding, Place
from indexgate.doctor.machine import Machine
from indexgate.doctor.ways import finding
from indexgate.errors import GateError
from indexgate.redact import redact
from indexgate.requirements.entries import Elsewhere, Nested, Ordered, Wanted, is_address, read_line
from indexgate.requirements.lines import decode, logical_lines
from indexgate.requirements.options import LineOptions

_NAME = re.compile(r"(.*[-_.])?(requirements|constraints)([-_.].*)?\.(txt|in)", re.IGNORECASE)
_FOLDERS = ("", "requirements", "constraints")
_VARIABLES = ("UV_CONSTRAINT", "UV_OVERRIDE", "UV_BUILD_CONSTRAINT")
_MOST_FILES = 200
_HASHES = re.compile(r"\s--hash\b.*")


def files(machine: Machine) -> Iterator[Path]:
    """Yield the requirements files of the project."""
    for name in _FOLDERS:
        for path in machine.files_in(machine.folder / name if name else machine.folder):
            if _NAME.fullmatch(path.name) or (name and path.suffix in {".txt", ".in"}):
                yield path


def named_files(machine: Machine) -> Iterator[Path]:
    """Yield the constraints and overrides that uv's variables name."""
    for variable in _VARIABLES:
        yield from (machine.folder / word for word in machine.environ.get(variable, "").split())


def find(machine: Machine, named: Iterable[Path] = ()) -> Iterator[Finding]:
    """Yield what the requirements files lead past the gate, the *named* ones, and those they name.

    What settings name and is not there is left to the client, which will say so.
    """
    named = [path for path in (*named, *named_files(machine)) if machine.there(path)]
    waiting = [*files(machine), *named]
    read: set[Path] = set()
    while waiting and len(read) < _MOST_FILES:
        path = waiting.pop(0)
        if path in read:
            continue
        read.add(path)
        try:
            text = decode(machine.read_file(path), path.name)
        except (OSError, GateError) as error:
            yield _unread(
                path, 1, str(error.strerror if isinstance(error, OSError) else error.message)
            )
            continue
        lines = text.splitlines()
        for number, line in logical_lines(text, machine.environ):
            last = _last(lines, number)
            try:
                entry = read_line(line, f"{path.name}:{number}")
            except GateError as error:
                yield _unread(path, number, error.message)
                continue
            if isinstance(entry, Nested) and not is_address(entry.path):
                waiting.append(Path(path.parent, entry.path))
                continue
            yield from _of_entry(machine, entry, line, Edit(path=path, first=number, last=last))


def _of_entry(
    machine: Machine, entry: Wanted | Elsewhere | Nested | Ordered, line: str, lines: Edit
) -> Iterator[Finding]:
    """Yield what *entry* leads past the gate; *lines* is the change that takes it out."""
    place = Place(path=lines.path, line=lines.first)
    match entry:
        case Nested():
            what = f"a list of requirements is read from `{redact(entry.path)}`"
            yield finding("requirements-index", what, place, lines)
        case Elsewhere():
            yield of_address(machine, entry, line, lines, place)
        case Ordered():
            yield from _of_options(machine, entry.options, line, lines, place)


def of_address(machine: Machine, entry: Elsewhere, line: str, lines: Edit, place: Place) -> Finding:
    """Return the finding that the requirement on *line* asks no index."""
    bare = _HASHES.sub("", line)
    if not by_name.is_remote(bare.removeprefix("-e ").removeprefix("--editable ").strip()):
        archive = by_name.is_file(entry)
        cure = Advice(text="nothing, if it is your own; the gate does not see it")
        what = f"`{redact(entry.text)}` is a {'file' if archive else 'path'} on this machine"
        return finding("direct-path", what, place, cure, severity="warning" if archive else None)
    named = by_name.by_name(bare)
    hashes = _HASHES.search(line)
    text = None if named is None else named + (hashes[0] if hashes else "")
    changed = Edit(path=lines.path, first=lines.first, last=lines.last, text=text)
    return finding("direct-address", f"`{entry.text}` asks no index", place, changed)


def _of_options(
    machine: Machine, options: LineOptions, line: str, lines: Edit, place: Place
) -> Iterator[Finding]:
    indexes = [] if options.index_url is None else [options.index_url]
    for url in filter(machine.foreign, (*indexes, *options.extra_index_urls)):
        what = f"`{redact(url)}` is named as an index"
        yield finding("requirements-index", what, place, lines)
    for url in options.find_links:
        what = f"`{redact(url)}` is looked through"
        yield finding("requirements-find-links", what, place, lines)
    if options.no_index:
        what = "`--no-index` has installers ask no index, so not the gate either"
        yield finding("requirements-no-index", what, place, lines)
    if "--trusted-host" in line:
        what = f"`{redact(line)}`: it is not checked who answers"
        yield finding("requirements-trusted-host", what, place, lines)


def _unread(path: Path, line: int, why: str) -> Finding:
    cure = Advice(text="mend the line, or leave the file out")
    return finding("requirements-unread", why, Place(path=path, line=line), cure)


def _last(lines: list[str], first: int) -> int:
    """Return the last of the physical lines that are joined to the line *first*, from 1."""
    last = first
    while last < len(lines) and lines[last - 1].endswith("\\"):
        last += 1
    return last
