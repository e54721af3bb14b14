"""Requirements and constraints as a whole: the command line, the files, and the files they name."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from msgspec import Struct, field

from indexgate.errors import GateError
from indexgate.redact import redact
from indexgate.requirements.entries import (
    Elsewhere,
    Nested,
    Ordered,
    Wanted,
    is_address,
    read_line,
)
from indexgate.requirements.lines import decode, logical_lines
from indexgate.requirements.options import LineOptions

STDIN = "-"
COMMAND_LINE = "command line"

MOST_BYTES = 16_000_000
"""Bytes of all files together."""

MOST_FILES = 1_000
"""Files read, each as often as it is named."""

MOST_DEEP = 50
"""Files inside one another."""

ReadFile: TypeAlias = Callable[[str, int], bytes]
"""Returns at most so many bytes of the file at a path, `-` for standard input. Raises OSError."""


class Requirements(Struct, frozen=True, kw_only=True):
    """All that is asked for, in order, and what bounds it.

    `ways_past` are sentences on lines that lead installers past the gate or were left unread,
    `notes` those on lines that make no difference here, though to installers they do;
    `prereleases` is whether `--pre` stands somewhere.
    """

    entries: tuple[Wanted | Elsewhere, ...]
    constraints: tuple[Wanted | Elsewhere, ...] = ()
    ways_past: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    prereleases: bool = False


def read_requirements(
    lines: Iterable[str],
    files: Iterable[str],
    constraints: Iterable[str],
    *,
    read_file: ReadFile,
    environ: Mapping[str, str],
    is_gate: Callable[[str], bool] = lambda _url: False,
) -> Requirements:
    """Read the requirements *lines* of a command line, and the *files* and *constraints* it names.

    *is_gate* tells which simple indexes are the gate's own, and so are no way past it.
    Raises GateError: `requirements-file`, `requirements-text`, `requirements-line`,
    `requirements-loop`, `requirements-size`.
    """
    reading = _Reading(read_file, environ, is_gate)
    for line in lines:
        reading.take(read_line(line.strip(), COMMAND_LINE), _Inside())
    for file in files:
        reading.file(file, _Inside())
    for file in constraints:
        reading.file(file, _Inside(constraint=True))
    return Requirements(
        entries=tuple(reading.entries),
        constraints=tuple(reading.constraints),
        ways_past=tuple(reading.ways_past),
        notes=tuple(reading.notes),
        prereleases=reading.prereleases,
    )


class _Inside(Struct, frozen=True, kw_only=True):
    """Where a line stands: the files around it, outermost first, and whether it constrains."""

    files: tuple[str, ...] = ()
    constraint: bool = False


class _Reading(Struct):
    """What was read so far."""

    read_file: ReadFile
    environ: Mapping[str, str]
    is_gate: Callable[[str], bool]
    entries: list[Wanted | Elsewhere] = field(default_factory=list)
    constraints: list[Wanted | Elsewhere] = field(default_factory=list)
    ways_past: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    prereleases: bool = False
    count: int = 0
    taken: int = 0

    def file(self, path: str, inside: _Inside) -> None:
        """Read the file at *path* and those that it names."""
        around = _Inside(files=(*inside.files, path), constraint=inside.constraint)
        text = decode(self._content(path, around), path)
        shown = "standard input" if path == STDIN else _short(path)
        for number, line in logical_lines(text, self.environ):
            self.take(read_line(line, f"{shown}:{number}"), around)

    def take(self, entry: Wanted | Elsewhere | Nested | Ordered, inside: _Inside) -> None:
        """Sort *entry* into what was read."""
        match entry:
            case Wanted() if inside.constraint:
                if entry.requirement.extras:
                    raise GateError(
                        "requirements-line",
                        f"`{entry.requirement}` ({entry.place}) is a constraint with extras, which"
                        " pip does not take",
                        "Ask for the extras where the project is required.",
                    )
                self.constraints.append(entry)
            case Elsewhere() if inside.constraint:
                self.constraints.append(entry)
            case Wanted() | Elsewhere():
                self.entries.append(entry)
            case Nested():
                self._nested(entry, inside)
            case Ordered():
                self.prereleases |= entry.options.prereleases
                self.ways_past.extend(_ways_past(entry.options, entry.place, self.is_gate))
                self.notes.extend(_picks(entry.options, entry.place))

    def _nested(self, nested: Nested, inside: _Inside) -> None:
        if is_address(nested.path):
            if nested.constraint:
                text = f"the constraints at `{redact(nested.path)}` ({nested.place}) are not read"
                self.ways_past.append(text)
                return
            reason = "a list at an address is not fetched"
            text = f"-r {redact(nested.path)}"
            self.entries.append(Elsewhere(text=text, reason=reason, place=nested.place))
            return
        around = inside.files[-1] if inside.files else STDIN
        folder = "" if around == STDIN else os.path.dirname(around)  # noqa: PTH120 - as pip joins
        # Not resolved: pip takes a path as relative to where a link lies, not to what it points at.
        path = os.path.normpath(os.path.join(folder, nested.path))  # noqa: PTH118
        if _same(path) in map(_same, inside.files):
            raise GateError(
                "requirements-loop",
                f"`{_short(path)}` reads itself ({nested.place})",
                "Take out the line that leads back to it.",
            )
        self.file(path, _Inside(files=inside.files, constraint=nested.constraint))

    def _content(self, path: str, around: _Inside) -> bytes:
        self.count += 1
        if len(around.files) > MOST_DEEP or self.count > MOST_FILES:
            raise GateError(
                "requirements-size",
                f"too many files are named by one another: {MOST_DEEP} deep and {MOST_FILES} in all"
                " are read",
            )
        left = MOST_BYTES - self.taken
        try:
            content = self.read_file(path, left + 1)
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else None
            raise GateError(
                "requirements-file",
                f"cannot read `{_short(path)}`: {(why or str(error)).lower()}",
            ) from error
        if len(content) > left:
            raise GateError(
                "requirements-size",
                f"`{_short(path)}` makes the requirements longer than {MOST_BYTES // 1_000_000} MB",
            )
        self.taken += len(content)
        return content


def _ways_past(options: LineOptions, place: str, is_gate: Callable[[str], bool]) -> Iterator[str]:
    """Tell which of *options* make an installer ask somebody else."""
    indexes = [] if options.index_url is None else [("--index-url", options.index_url)]
    indexes += [("--extra-index-url", url) for url in options.extra_index_urls]
    indexes += [("--find-links", url) for url in options.find_links]
    for name, value in indexes:
        if name != "--find-links" and is_gate(value):
            continue
        yield f"`{name} {redact(value)}` ({place}) leads installers past the gate"
    if options.no_index:
        yield f"`--no-index` ({place}) has installers ask no index, so also not the gate"


def _picks(options: LineOptions, place: str) -> Iterator[str]:
    """Tell which of *options* make an installer pick other files."""
    for pick in options.picks:
        yield f"`{pick}` ({place}) is not looked at: wheels and sdists are judged alike"


def _same(path: str) -> Path:
    """Return *path* in the one form in which paths are compared."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - links stay as they are


def _short(path: str) -> str:
    return ascii(path[-200:])[1:-1]
