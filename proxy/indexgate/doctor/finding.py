"""A way round the gate: what it is, where it stands, and what closes it."""

from pathlib import Path
from typing import Literal, TypeAlias

from msgspec import Struct, field

Severity: TypeAlias = Literal["error", "warning", "note"]
"""`error`: something is taken past the gate, or the gate cannot be reached; `warning`: it would be
under a condition that is said; `note`: worth knowing, nothing is taken past the gate by it."""

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
"""The gravest first."""


class Place(Struct, frozen=True, kw_only=True):
    """A file, with a line from 1 if one can be told, or a variable; neither is no place at all."""

    path: Path | None = None
    line: int | None = None
    variable: str | None = None

    def __str__(self) -> str:
        if self.variable is not None:
            return f"${self.variable}"
        if self.path is None:
            return "nowhere"
        return f"{self.path}" if self.line is None else f"{self.path}:{self.line}"


class Edit(Struct, frozen=True, kw_only=True):
    """The lines `first` to `last` of a file become `text`; None takes them out.

    `last` below `first` puts `text` before the line `first`. A file that is not there is empty.
    `text` has no line end at its end. The rest of the file may hold passwords; `text` has none.
    """

    path: Path
    first: int
    last: int
    text: str | None = None

    def applied(self, content: str) -> str:
        """Return *content*, the text of the file, with the change made."""
        lines = content.splitlines(keepends=True)
        before, after = lines[: self.first - 1], lines[self.last :]
        if self.text is None:
            return "".join([*before, *after])
        end = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
        if before and not before[-1].endswith(("\n", "\r")):
            before[-1] += end
        return "".join([*before, self.text.replace("\n", end) + end, *after])

    def __str__(self) -> str:
        one = self.last <= self.first
        where = f"line {self.first}" if one else f"lines {self.first}-{self.last}"
        if self.text is None:
            return f"take out {where} of {self.path}"
        if self.last < self.first:
            return f"put `{self.text}` before line {self.first} of {self.path}"
        return f"write `{self.text.strip()}` in {where} of {self.path}"


class Variables(Struct, frozen=True, kw_only=True):
    """Variables get values; None takes one out."""

    values: tuple[tuple[str, str | None], ...]

    def __str__(self) -> str:
        given = [f"{name}={value}" for name, value in self.values if value is not None]
        taken = [name for name, value in self.values if value is None]
        words = [f"export {' '.join(given)}"] if given else []
        words += [f"unset {' '.join(taken)}"] if taken else []
        return "; ".join(words)


class Command(Struct, frozen=True, kw_only=True):
    """A command to be given in `folder`."""

    words: tuple[str, ...]
    folder: Path | None = None

    def __str__(self) -> str:
        return " ".join(self.words)


class Advice(Struct, frozen=True, kw_only=True):
    """What a person must do, where no one line does it."""

    text: str

    def __str__(self) -> str:
        return self.text


Cure: TypeAlias = Edit | Variables | Command | Advice


class Finding(Struct, frozen=True, kw_only=True):
    """A way round the gate.

    `id` is a key of `kinds.KINDS`, `what` a sentence without a period and without credentials.
    """

    id: str
    severity: Severity
    client: str
    what: str
    place: Place = field(default_factory=Place)
    cure: Cure
