"""Where in a TOML file a value stands, and the change of a line that takes it out or replaces it.

tomllib tells no lines. A statement is found by reading on until what was read is TOML by itself; a
change is offered only if the file that it makes reads as it should.
"""

import functools
import re
import tomllib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from msgspec import Struct

from indexgate.doctor.finding import Edit, Place

Keys: TypeAlias = tuple[str | int, ...]
"""The way to a value: names of tables and keys, and numbers of elements."""

_HEADER = re.compile(r"^\s*(\[\[?)(.+?)(\]\]?)\s*(#.*)?$")
_GOES_ON = re.compile(r"[,\[{]\s*(#.*)?$")
_ABSENT = object()


class Statement(Struct, frozen=True, kw_only=True):
    """A key with its value, or the head of a table; lines are counted from 1."""

    keys: Keys
    first: int
    last: int


class TomlFile(Struct, frozen=True, kw_only=True):
    """A TOML file: its text and what it says."""

    path: Path
    text: str
    data: dict[str, Any]

    def get(self, *keys: str | int) -> Any:
        """Return the value at *keys*, None where there is none."""
        found = _at(self.data, keys)
        return None if found is _ABSENT else found

    def tables(self, *keys: str | int) -> Iterator[tuple[Keys, dict[str, Any]]]:
        """Yield each table of the array at *keys*, with its own keys."""
        found = self.get(*keys)
        for number, table in enumerate(found if isinstance(found, list) else ()):
            if isinstance(table, dict):
                yield (*keys, number), table

    def texts(self, *keys: str | int) -> Iterator[tuple[Keys, str]]:
        """Yield each text in the list at *keys*, or the one text that stands there."""
        found = self.get(*keys)
        if isinstance(found, str):
            yield keys, found
        for number, text in enumerate(found if isinstance(found, list) else ()):
            if isinstance(text, str):
                yield (*keys, number), text

    def place(self, keys: Keys) -> Place:
        """Return where the value at *keys* stands."""
        statement = self._statement(keys)
        if statement is None:
            return Place(path=self.path)
        value = self.get(*keys)
        lines = self.text.splitlines()[statement.first - 1 : statement.last]
        within = next(
            (n for n, line in enumerate(lines) if isinstance(value, str) and value in line), 0
        )
        return Place(path=self.path, line=statement.first + within)

    def replacing(self, keys: Keys, new: str) -> Edit | None:
        """Return the change that puts *new* in place of the text at *keys*; None if none does."""
        old = self.get(*keys)
        line = self.place(keys).line
        if not isinstance(old, str) or line is None:
            return None
        found = self.text.splitlines()[line - 1]
        for quote in ('"', "'"):
            changed = found.replace(f"{quote}{old}{quote}", f"{quote}{new}{quote}")
            edit = Edit(path=self.path, first=line, last=line, text=changed)
            if changed != found and self._makes(edit, lambda data: _at(data, keys) == new):
                return edit
        return None

    def without(self, keys: Keys) -> Edit | None:
        """Return the change that takes out what stands at *keys*, lines and all; None if none."""
        statement = self._statement(keys)
        line = self.place(keys).line
        if statement is None or line is None:
            return None
        if statement.keys == keys:
            edit = Edit(path=self.path, first=statement.first, last=statement.last)
            return edit if self._makes(edit, lambda data: _at(data, keys) is _ABSENT) else None
        *inside, number = keys
        elements = self.get(*inside)
        if not isinstance(number, int) or not isinstance(elements, list):
            return None
        rest = elements[:number] + elements[number + 1 :]
        edit = Edit(path=self.path, first=line, last=line)
        return edit if self._makes(edit, lambda data: _at(data, inside) == rest) else None

    def without_table(self, keys: Keys) -> Edit | None:
        """Return the change that takes out the table at *keys* with all in it; None if none is."""
        inside = [each for each in statements(self.text) if each.keys[: len(keys)] == keys]
        if not inside or inside[0].keys != keys:
            return None
        # What stands between the first and the last of its lines must be the table's own.
        first, last = inside[0].first, inside[-1].last
        between = [each for each in statements(self.text) if first <= each.first <= last]
        if between != inside:
            return None
        edit = Edit(path=self.path, first=first, last=last)
        return edit if self._makes(edit, lambda _data: True) else None

    def saying(self, keys: Keys, line: str, *, after: bool = False) -> Edit | None:
        """Return the change that writes *line* for (or *after*) the statement at *keys*."""
        statement = self._statement(keys)
        if statement is None:
            return None
        first = statement.last + 1 if after else statement.first
        edit = Edit(path=self.path, first=first, last=statement.last, text=line)
        return edit if self._makes(edit, lambda _data: True) else None

    def _makes(self, edit: Edit, right: Callable[[dict[str, Any]], bool]) -> bool:
        try:
            return right(tomllib.loads(edit.applied(self.text).replace("\r\n", "\n")))
        except (tomllib.TOMLDecodeError, RecursionError):
            return False

    def _statement(self, keys: Keys) -> Statement | None:
        """Return the statement that has the value at *keys* in it."""
        best: Statement | None = None
        for statement in statements(self.text):
            fits = keys[: len(statement.keys)] == statement.keys
            if fits and (best is None or len(statement.keys) > len(best.keys)):
                best = statement
        return best


def read(path: Path, read_file: Callable[[Path], bytes]) -> TomlFile | None:
    """Return the file at *path*; None where there is none.

    Raises ValueError with a clause if it is there and cannot be read.
    """
    try:
        text = read_file(path).decode("utf-8-sig")
        return TomlFile(path=path, text=text, data=tomllib.loads(text.replace("\r\n", "\n")))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ValueError((error.strerror or type(error).__name__).lower()) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise ValueError("it is not TOML") from error


@functools.lru_cache(maxsize=8)
def statements(text: str) -> tuple[Statement, ...]:
    """Return the statements of the TOML *text*, heads of tables too; no value is looked at."""
    return tuple(_statements(text))


def _statements(text: str) -> Iterator[Statement]:
    lines = text.splitlines()
    table: Keys = ()
    seen: dict[Keys, int] = {}
    number = 0
    while number < len(lines):
        first = number
        line = lines[number]
        number += 1
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        head = _HEADER.match(line)
        if head is not None and (keys := _keys(head[2])) is not None:
            table = _numbered(keys, seen, array=head[1] == "[[")
            yield Statement(keys=table, first=first + 1, last=number)
            continue
        while number < len(lines) and not _whole(lines[first:number]):
            number += 1
        own = _own_keys(line)
        if own is not None:
            yield Statement(keys=(*table, *own), first=first + 1, last=number)


def _whole(lines: Sequence[str]) -> bool:
    """Tell whether *lines* are a statement; most lines of a long list need no look."""
    if _GOES_ON.search(lines[-1]):
        return False
    try:
        tomllib.loads("\n".join(lines))
    except (tomllib.TOMLDecodeError, RecursionError):
        return False
    return True


def _numbered(keys: tuple[str, ...], seen: dict[Keys, int], *, array: bool) -> Keys:
    """Return *keys* with the numbers of the elements that they are in."""
    found: Keys = ()
    for place, key in enumerate(keys):
        found = (*found, key)
        last = place == len(keys) - 1
        if last and array:
            seen[found] = seen.get(found, -1) + 1
        if found in seen:
            found = (*found, seen[found])
    return found


def _own_keys(line: str) -> tuple[str, ...] | None:
    """Return the keys before the `=` in *line*; a quoted key may hold one itself."""
    for found in re.finditer("=", line):
        keys = _keys(line[: found.start()])
        if keys is not None:
            return keys
    return None


def _keys(text: str) -> tuple[str, ...] | None:
    try:
        found: Any = tomllib.loads(f"{text.strip()} = 0")
    except tomllib.TOMLDecodeError:
        return None
    keys: list[str] = []
    while isinstance(found, dict):
        ((key, found),) = found.items()
        keys.append(key)
    return tuple(keys)


def _at(data: Any, keys: Sequence[str | int]) -> Any:
    for key in keys:
        if isinstance(key, int):
            inside = isinstance(data, list) and key < len(data)
        else:
            inside = isinstance(data, dict) and key in data
        if not inside:
            return _ABSENT
        data = data[key]
    return data
