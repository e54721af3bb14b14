"""Reading a TOML document strictly: every mistake is named with its key, its place and a way out.

A key that is not known is an error and never ignored: a misspelt rule that silently does nothing is
the worst thing that a policy can contain.
"""

import difflib
import math
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TypeAlias

from msgspec import Struct

from indexgate_policy.errors import PolicyError
from indexgate_policy.rules import durations
from indexgate_policy.rules.positions import Path, Position, nearest
from indexgate_policy.rules.wording import plain

Toml: TypeAlias = Mapping[str, object]

_STEP = re.compile(r"([^.\[\]]+)|\[([0-9]+)\]")

_KINDS = {
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "a text",
    list: "a list",
    dict: "a table",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something stands: in which document, and in which of its tables.

    `within` is the way to that table in the document, whose text is `text`.
    """

    source: str
    table: str = ""
    within: Path = ()
    text: str = field(default="", repr=False, compare=False)

    def position(self, key: str) -> Position | None:
        """Return where the dotted *key* of the table stands, or what is around it."""
        return nearest(self.text, (*self.within, *steps(key))) if self.text else None

    def told(self, position: Position | None) -> str:
        """Return the place in words, with the line of *position*."""
        parts = [self.table, f"line {position.line}" if position else ""]
        table = ", ".join(part for part in parts if part)
        return f"in {table} of `{self.source}`" if table else f"in `{self.source}`"


class Field(Struct, frozen=True, kw_only=True):
    """One value of the document with its dotted key and its place; reads it or says what is wrong.

    Every method raises PolicyError.
    """

    key: str
    value: object
    place: Place

    @property
    def named(self) -> str:
        """The key as messages write it; a table of a list has none."""
        return f"`{self.key}`" if self.key else "the table"

    def error(self, reference: str, what: str, hint: str = "", *, key: str = "") -> PolicyError:
        """Return an error about this field, or about the *key* in its table."""
        position = self.place.position(f"{self.key}.{key}" if key else self.key)
        return PolicyError(
            f"policy-{reference}",
            f"{what} ({self.place.told(position)})",
            hint,
            line=position.line if position else 0,
            column=position.column if position else 0,
        )

    def wrong(self, wanted: str) -> PolicyError:
        """Return the error that this field is not *wanted*."""
        kind = next((name for kind, name in _KINDS.items() if type(self.value) is kind), "a date")
        found = f"{kind} (`{shown(self.value)}`)" if _is_short(self.value) else kind
        return self.error("wrong-type", f"{self.named} must be {wanted}, not {found}")

    def text(self) -> str:
        """Return a text that is not empty."""
        if not isinstance(self.value, str):
            raise self.wrong("a text")
        if not self.value.strip():
            raise self.error("empty", f"{self.named} is empty")
        return self.value

    def texts(self) -> tuple[str, ...]:
        """Return a text or a list of texts, in any case at least one."""
        if isinstance(self.value, str):
            return (self.text(),)
        return tuple(item.text() for item in self.items("a text or a list of texts"))

    def items(self, wanted: str) -> tuple["Field", ...]:
        """Return the items of a list that is not empty."""
        if not isinstance(self.value, list):
            raise self.wrong(wanted)
        if not self.value:
            raise self.error("empty", f"{self.named} is empty", "remove it, or fill it")
        return tuple(
            Field(key=f"{self.key}[{number}]", value=value, place=self.place)
            for number, value in enumerate(self.value)
        )

    def switch(self) -> bool:
        """Return true or false."""
        if not isinstance(self.value, bool):
            raise self.wrong("true or false")
        return self.value

    def number(self) -> float:
        """Return a finite number."""
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            raise self.wrong("a number")
        if isinstance(self.value, float) and not math.isfinite(self.value):
            raise self.wrong("a finite number")
        return self.value

    def duration(self) -> timedelta:
        """Return a duration longer than nothing."""
        if not isinstance(self.value, str):
            raise self.wrong(f"a duration like {durations.EXAMPLES}")
        try:
            span = durations.parse(self.value)
        except ValueError:
            hint = f"write {durations.EXAMPLES}, at most 100 years"
            what = f"`{shown(self.value)}` of `{self.key}` is not a duration"
            raise self.error("bad-duration", what, hint) from None
        if not span:
            raise self.error("bad-duration", f"`{self.key}` is no time at all")
        return span

    def one_of(self, known: Collection[str]) -> str:
        """Return a text that is one of *known*."""
        text = self.text()
        if text not in known:
            raise self.error(
                "unknown-value",
                f"`{shown(text)}` is not a value of `{self.key}`",
                suggest(text, known),
            )
        return text

    def some_of(self, known: Collection[str]) -> frozenset[str]:
        """Return one or several texts that are all among *known*."""
        texts = self.texts()
        items = (Field(key=self.key, value=text, place=self.place) for text in texts)
        return frozenset(item.one_of(known) for item in items)

    def table(self) -> Toml:
        """Return a table that is not empty."""
        if not isinstance(self.value, dict):
            raise self.wrong("a table")
        if not self.value:
            raise self.error("empty", f"{self.named} is empty, so it would say nothing")
        return self.value

    def fields(self, known: Collection[str], of: str) -> "Fields":
        """Return the fields of a table none of whose keys is outside *known*."""
        table = self.table()
        for key in table:
            if key not in known:
                what = f"`{shown(key)}` is not a key of {of}"
                raise self.error("unknown-key", what, suggest(key, known), key=key)
        return Fields(table, of, self)


class Fields(Mapping[str, Field]):
    """The fields of one table by key."""

    __slots__ = ("_of", "_table", "_within")

    def __init__(self, table: Toml, of: str, within: Field) -> None:
        self._table = table
        self._of = of
        self._within = within

    def __getitem__(self, key: str) -> Field:
        path = f"{self._within.key}.{key}" if self._within.key else key
        return Field(key=path, value=self._table[key], place=self._within.place)

    def __iter__(self) -> Iterator[str]:
        return iter(self._table)

    def __len__(self) -> int:
        return len(self._table)

    def needed(self, key: str) -> Field:
        """Return the field *key*. Raises PolicyError when it is missing."""
        if key not in self._table:
            raise self._within.error("missing-key", f"`{key}` is missing from {self._of}")
        return self[key]


def steps(key: str) -> Path:
    """Return the way that the dotted *key* of a field goes: `when.all[0]` is three steps."""
    return tuple(int(number) if number else name for name, number in _STEP.findall(key))


def suggest(text: str, known: Collection[str]) -> str:
    """Return a hint: the nearest of *known*, or all of them when none is near."""
    near = difflib.get_close_matches(text, known, n=1, cutoff=0.6)
    if near:
        return f"Did you mean `{near[0]}`?"
    return "known are " + ", ".join(f"`{name}`" for name in sorted(known)) if known else ""


def shown(value: object) -> str:
    """Return *value* short and printable, for a message."""
    return plain(str(value), 60)


def _is_short(value: object) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def tables(field: Field, name: str) -> Iterator[Field]:
    """Yield the tables of a list, each with its place: its number and the name under *name*."""
    items = field.items(f"tables `[[{field.key}]]`")
    for number, item in enumerate(items):
        table = f"`[[{field.key}]]` number {number + 1}"
        label = item.value.get(name) if isinstance(item.value, dict) else None
        if isinstance(label, str):
            table += f', "{shown(label)}"'
        place = replace(field.place, table=table, within=(field.key, number))
        yield Field(key="", value=item.value, place=place)
