"""The text of a lock and the tables in it, each with the line at which it stands."""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias
from urllib.parse import unquote, urlsplit

from msgspec import Struct
from packaging.utils import InvalidName, NormalizedName, canonicalize_name

from indexgate.errors import GateError

LARGEST = 64_000_000
"""Bytes of a lock that is read; the largest seen has a tenth of it."""

STRONG = frozenset(["sha256", "sha384", "sha512", "blake2b"])
_SHOWN = 200
_AT_ONCE = 65_536

Table: TypeAlias = Mapping[str, Any]


class LockText(Struct, frozen=True, kw_only=True):
    """The text of the lock at `path`."""

    path: str
    text: str

    def toml(self) -> Table:
        """Return the text as TOML. Raises GateError `lock-text`."""
        try:
            return tomllib.loads(self.text)
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise self.wrong(f"is not TOML: {_clause(error)}") from error

    def json(self) -> Table:
        """Return the text as a JSON object. Raises GateError `lock-text`."""
        try:
            found = json.loads(self.text)
        except (ValueError, RecursionError) as error:
            raise self.wrong(f"is not JSON: {_clause(error)}") from error
        if not isinstance(found, dict):
            raise self.wrong("is no JSON object")
        return found

    def wrong(self, clause: str, line: int | None = None) -> GateError:
        """Return the error that this lock is not as it should be."""
        place = "" if line is None else f" (line {line})"
        return GateError(
            "lock-text",
            f"`{shown(self.path)}`{place} {clause}",
            "Make the lock anew with the tool that wrote it, or say with `--format` what it is.",
        )

    def tables(self, document: Table, key: str) -> Iterator[tuple[Table, "Lines"]]:
        """Yield each table of the array `[[key]]` in *document*, which `toml` gave, with its lines.

        Raises GateError `lock-text`.
        """
        found = document.get(key, [])
        if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
            raise self.wrong(f"has no tables `[[{key}]]`")
        heads = re.compile(rf"^\[\[{re.escape(key)}\]\][ \t]*\r?$", re.MULTILINE)
        starts = [head.start() for head in heads.finditer(self.text)]
        if len(starts) != len(found):  # written in another way: nothing tells where one begins
            yield from ((table, Lines(first=1, text=self.text)) for table in found)
            return
        line = 1
        for number, (table, start) in enumerate(zip(found, starts, strict=True)):
            line += self.text.count("\n", starts[number - 1] if number else 0, start)
            end = starts[number + 1] if number + 1 < len(starts) else len(self.text)
            yield table, Lines(first=line, text=self.text[start:end])


class Lines(Struct, frozen=True, kw_only=True):
    """A part of a lock; `first` is the number of its first line, from 1."""

    first: int
    text: str

    def line_of(self, *words: str) -> int:
        """Return the number of the line that has the first of *words* that is there.

        Without any of them, that is the first line.
        """
        for word in words:
            place = self.text.find(word) if word else -1
            if place >= 0:
                return self.first + self.text.count("\n", 0, place)
        return self.first


class Onward(Struct):
    """A long text that is gone through from word to word, so that its lines are counted once."""

    text: str
    _at: int = 0
    _line: int = 1

    def to(self, word: str) -> Lines:
        """Return what stands from the next *word* on, some pages of it at most.

        One that comes no more is looked for before; without any it is the place of the last one.
        """
        place = self.text.find(word, self._at)
        if place < 0:
            before = max(self.text.find(word, 0, self._at), 0)
            line = 1 + self.text.count("\n", 0, before) if before else self._line
            return Lines(first=line, text=self._from(before or self._at))
        self._line += self.text.count("\n", self._at, place)
        self._at = place + len(word)
        return Lines(first=self._line, text=self._from(place))

    def _from(self, place: int) -> str:
        return self.text[place : place + _AT_ONCE]


def text_in(table: Table, key: str) -> str | None:
    """Return the text at *key*; None where there is none."""
    found = table.get(key)
    return found if isinstance(found, str) and found else None


def tables_in(table: Table, key: str) -> tuple[Table, ...]:
    """Return the tables in the list at *key*."""
    found = table.get(key)
    listed = found if isinstance(found, list) else ()
    return tuple(each for each in listed if isinstance(each, dict))


def table_in(table: Table, key: str) -> Table:
    """Return the table at *key*, an empty one where there is none."""
    found = table.get(key)
    return found if isinstance(found, dict) else {}


def name_in(table: Table, source: LockText, line: int) -> NormalizedName:
    """Return the project's normalised name at `name`. Raises GateError `lock-text`."""
    try:
        return canonicalize_name(text_in(table, "name") or "", validate=True)
    except InvalidName as error:
        raise source.wrong("has an entry without a project's name", line) from error


def strong(*hashes: object) -> frozenset[str]:
    """Return those of *hashes* that cannot be forged, as `algorithm:digest` in lower case."""
    texts = (each.lower() for each in hashes if isinstance(each, str))
    return frozenset(each for each in texts if each.partition(":")[0] in STRONG)


def filename_in(url: str | None) -> str | None:
    """Return the name of the file at the end of *url*."""
    if url is None:
        return None
    try:
        path = urlsplit(url).path
    except ValueError:
        return None
    return unquote(path.replace("\\", "/").rpartition("/")[2]) or None


def shown(path: str) -> str:
    """Return *path* as it may stand in a message."""
    return ascii(path[-_SHOWN:])[1:-1]


def _clause(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it nests too deep"
    said = str(error).partition("\n")[0]
    return ascii(said[:1].lower() + said[1:])[1:-1]
