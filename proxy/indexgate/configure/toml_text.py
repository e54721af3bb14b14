"""Changing one address in a TOML text, line by line, so that comments and layout stay.

Whatever is written is read again: a change that does not give exactly the document that it should
is not made.
"""

import copy
import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from msgspec import Struct

from indexgate.configure.hunks import NotByLines, Values, lines

Path: TypeAlias = tuple[str, ...]
# What the last line of a statement of several ends with.
_CLOSING = re.compile(r"(?:[\]}]|\"\"\"|''')\s*(?:#.*)?$")
_STRING = r"(?:\"(?:[^\"\\]|\\.)*\"|'[^']*')"


class _Statement(Struct, frozen=True, kw_only=True):
    """Lines *first* to *end* (not included) of a text; `table` is where what follows belongs.

    `number` counts the tables of an array from 0; None for what is in no array. `content` is the
    statement alone, read.
    """

    first: int
    end: int
    heading: bool
    table: Path
    number: int | None
    content: Mapping[str, Any]


def document(text: str) -> dict[str, Any]:
    """Return the document in *text*. Raises ValueError."""
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise ValueError("it nests too deep") from error


def values(text: str) -> Values:
    """Return the values of the document in *text*. Raises ValueError."""
    return Counter(_flat(document(text), ()))


def at(found: Any, path: Path) -> Any:
    """Return what stands at *path* in the document *found*, None where there is nothing."""
    for key in path:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found


def with_key(text: str, table: Path, key: str, value: str) -> str:
    """Return *text* with `key = value` in *table*. Raises ValueError."""
    wanted = copy.deepcopy(document(text))
    inner = wanted
    for part in table:
        inner = inner.setdefault(part, {})
        if not isinstance(inner, dict):
            raise NotByLines
    there = key in inner
    inner[key] = value
    if there:
        return _checked(_replaced(text, table, None, key, value), wanted)
    found = lines(text)
    heading = next((s for s in _statements(found) if s.heading and s.table == table), None)
    line = f"{key} = {_quoted(value)}{_end(found)}"
    if not table:
        return _checked("".join([line, *found]), wanted)
    if heading is None:
        return _checked(_appended(found, [f"[{'.'.join(table)}]", line.rstrip()]), wanted)
    head = found[: heading.end]
    if not head[-1].endswith("\n"):
        head[-1] += _end(found)
    return _checked("".join([*head, line, *found[heading.end :]]), wanted)


def with_element_key(text: str, array: Path, number: int, key: str, value: str) -> str:
    """Return *text* with `key = value` in table *number* of *array*, where it has one already.

    Raises ValueError.
    """
    wanted = copy.deepcopy(document(text))
    at(wanted, array)[number][key] = value
    return _checked(_replaced(text, array, number, key, value), wanted)


def with_element(text: str, array: Path, element: Mapping[str, str | bool]) -> str:
    """Return *text* with a table *element* at the end of *array*. Raises ValueError."""
    wanted = copy.deepcopy(document(text))
    inner: Any = wanted
    for part in array[:-1]:
        inner = inner.setdefault(part, {})
        if not isinstance(inner, dict):
            raise NotByLines
    existing = inner.setdefault(array[-1], [])
    if not isinstance(existing, list):
        raise NotByLines
    existing.append(dict(element))
    block = [f"[[{'.'.join(array)}]]"]
    block += [f"{key} = {_shown(value)}" for key, value in element.items()]
    return _checked(_appended(lines(text), block), wanted)


def _replaced(text: str, table: Path, number: int | None, key: str, value: str) -> str:
    """Return *text* with the statement of *key* in *table* given another value."""
    found = lines(text)
    for statement in _statements(found):
        if statement.heading or (statement.table, statement.number) != (table, number):
            continue
        if statement.content.keys() == {key}:
            line = "".join(found[statement.first : statement.end])
            written = re.compile(rf"(\s*[\"']?{re.escape(key)}[\"']?\s*=\s*){_STRING}", re.DOTALL)
            new, changed = written.subn(lambda m: m[1] + _quoted(value), line, count=1)
            if not changed:
                raise NotByLines
            return "".join([*found[: statement.first], new, *found[statement.end :]])
    raise NotByLines


def _statements(found: Sequence[str]) -> Iterator[_Statement]:
    """Yield headings and settings in order. A statement ends where what was read is whole."""
    table: Path = ()
    number: int | None = None
    seen: Counter[Path] = Counter()
    first = 0
    while first < len(found):
        end, content = _whole(found, first)
        heading = found[first].lstrip().startswith("[")
        if heading:
            table, number = _named(content), None
            if found[first].lstrip().startswith("[["):
                number = seen[table]
                seen[table] += 1
        if content:
            yield _Statement(
                first=first, end=end, heading=heading, table=table, number=number, content=content
            )
        first = end


def _whole(found: Sequence[str], first: int) -> tuple[int, dict[str, Any]]:
    """Return where the statement that begins at *first* ends, and the statement, read."""
    for end in range(first + 1, len(found) + 1):
        if end > first + 1 and _CLOSING.search(found[end - 1]) is None:
            continue
        try:
            return end, document("".join(found[first:end]))
        except ValueError:
            continue
    raise NotByLines


def _named(content: Mapping[str, Any]) -> Path:
    """Return the path of a heading's table from the heading alone, read."""
    path: list[str] = []
    inner: Any = content
    while isinstance(inner, Mapping) and inner:
        key = next(iter(inner))
        path.append(key)
        inner = inner[key]
    return tuple(path)


def _appended(found: Sequence[str], block: Sequence[str]) -> str:
    """Return the text with *block* at its end, after an empty line."""
    end = _end(found)
    text = "".join(found)
    if text and not text.endswith("\n"):
        text += end
    if text.strip():
        text += end
    return text + "".join(f"{line}{end}" for line in block)


def _end(found: Sequence[str]) -> str:
    """Return the line end that the text uses."""
    return "\r\n" if found and found[0].endswith("\r\n") else "\n"


def _checked(text: str, wanted: Mapping[str, Any]) -> str:
    """Return *text* if it is the document *wanted*. Raises NotByLines."""
    try:
        found = document(text)
    except ValueError as error:
        raise NotByLines from error
    if found != wanted:
        raise NotByLines
    return text


def _flat(found: object, path: Path) -> Iterator[tuple[str, str]]:
    if isinstance(found, Mapping):
        for key, inner in found.items():
            yield from _flat(inner, (*path, key))
    elif isinstance(found, list):
        for inner in found:
            yield from _flat(inner, (*path, "[]"))
    else:
        yield "\n".join(path), _shown(found)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return _quoted(value) if isinstance(value, str) else str(value)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
