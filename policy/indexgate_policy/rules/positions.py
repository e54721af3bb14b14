"""Where in a TOML document a key stands: its line and column, which `tomllib` does not tell.

Only documents that `tomllib` accepted are looked through, so nothing is checked here: what is not
understood is left out, and whoever asks gets the place of what is around it.
"""

import re
import tomllib
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TypeAlias

from msgspec import Struct

Path: TypeAlias = tuple[str | int, ...]
"""The way to a value: keys of tables and numbers of list items, `("rule", 0, "when")`."""

_BLANK = re.compile(r"[ \t]*")
_BETWEEN = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\])*"'
    r"|'[^']*'",
    re.DOTALL,
)
_PLAIN_VALUE = re.compile(r"[^,\]}#\r\n]*")


class Position(Struct, frozen=True, order=True):
    """A place in a text; `line` and `column` count from 1, columns in characters."""

    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.line}:{self.column}"


@lru_cache(4)
def positions(text: str) -> Mapping[Path, Position]:
    """Return where each key and each list item of the TOML document *text* stands.

    A table stands where its header begins, a list of tables where the first does.
    """
    starts = [0, *(match.end() for match in re.finditer("\n", text))]
    found: dict[Path, Position] = {}
    for path, offset in _Reader(text).document():
        line = bisect_right(starts, offset)
        found.setdefault(path, Position(line, offset - starts[line - 1] + 1))
    return found


def nearest(text: str, path: Path) -> Position | None:
    """Return where *path* stands in *text*, or the innermost thing around it; None for the root."""
    known = positions(text)
    return next(
        (known[path[:length]] for length in range(len(path), 0, -1) if path[:length] in known), None
    )


_Found: TypeAlias = Iterator[tuple[Path, int]]


class _Reader:
    """Walks through a document once and yields each path with the offset at which it stands."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._lists: dict[Path, int] = {}

    def document(self) -> _Found:
        table: Path = ()
        while self._skip(_BETWEEN) < len(self._text):
            before = self._at
            if self._text[self._at] == "[":
                table = self._header()
                yield from ((table[:length], before) for length in range(1, len(table) + 1))
            else:
                yield from self._pair(table)
            if self._at == before:  # not understood
                return

    def _header(self) -> Path:
        """Read `[a.b]` or `[[a.b]]`; return the table that it opens."""
        brackets = 2 if self._text.startswith("[[", self._at) else 1
        self._at += brackets
        *around, last = [key for key, _ in self._keys()] or [""]
        self._at += brackets
        path: Path = ()
        for key in around:
            path = (*path, key)
            if path in self._lists:
                path = (*path, self._lists[path])
        path = (*path, last)
        if brackets == 1:
            return path
        self._lists[path] = self._lists.get(path, -1) + 1
        return (*path, self._lists[path])

    def _pair(self, table: Path) -> _Found:
        """Read `a.b = value` within *table*."""
        path = table
        for key, offset in self._keys():
            path = (*path, key)
            yield path, offset
        if self._text.startswith("=", self._at):
            self._at += 1
            self._skip(_BLANK)
            yield from self._value(path)

    def _keys(self) -> list[tuple[str, int]]:
        """Read keys joined by dots, each with its offset."""
        keys: list[tuple[str, int]] = []
        while True:
            offset = self._skip(_BLANK)
            if match := _BARE_KEY.match(self._text, offset):
                key = match[0]
            elif match := _STRING.match(self._text, offset):
                key = str(tomllib.loads(f"key = {match[0]}")["key"])
            else:
                return keys
            keys.append((key, offset))
            self._at = match.end()
            if not self._text.startswith(".", self._skip(_BLANK)):
                return keys
            self._at += 1

    def _value(self, path: Path) -> _Found:
        if self._text.startswith("[", self._at):
            yield from self._items(path)
        elif self._text.startswith("{", self._at):
            self._at += 1
            while not self._ends("}"):
                before = self._at
                yield from self._pair(path)
                if self._at == before:
                    return
        else:
            match = _STRING.match(self._text, self._at) or _PLAIN_VALUE.match(self._text, self._at)
            self._at = match.end() if match else self._at

    def _items(self, path: Path) -> _Found:
        self._at += 1
        number = 0
        while not self._ends("]"):
            before = self._at
            yield (*path, number), before
            yield from self._value((*path, number))
            if self._at == before:
                return
            number += 1

    def _ends(self, bracket: str) -> bool:
        """Pass over blanks and a comma; tell whether *bracket* or the text's end comes then."""
        if self._text.startswith(",", self._skip(_BETWEEN)):
            self._at += 1
            self._skip(_BETWEEN)
        if self._text.startswith(bracket, self._at):
            self._at += 1
            return True
        return self._at >= len(self._text)

    def _skip(self, pattern: re.Pattern[str]) -> int:
        match = pattern.match(self._text, self._at)
        self._at = match.end() if match else self._at
        return self._at
