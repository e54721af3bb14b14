"""Rows of the log as small numbers: 29 bytes a row instead of a dozen texts.

What a row comes to depends on few things: the rule that decides, the file, the place. The texts are
numbered in the order in which they are first met, and let go as soon as they need not come back.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import islice
from typing import Any, Final, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from indexgate_policy.downloads.installers import installer
from indexgate_policy.downloads.kinds import REGIONS
from indexgate_policy.downloads.log_row import COLUMNS, Client, LogRow
from indexgate_policy.downloads.rule_table import RULES, Modifier, cannot_say_ci, deciding

Batch: TypeAlias = Mapping[str, Any]
"""Columns of rows by the names of `log_row.COLUMNS`: lists, numpy or Arrow arrays."""

Numbers: TypeAlias = NDArray[Any]

MODIFIERS: Final[tuple[Modifier, ...]] = ("cannot-say-ci", "sdist", "crawler")
"""The bits of an outcome, lowest first; above them is the rule's number."""

OUTCOMES: Final = 1 << len(MODIFIERS)
"""Outcomes of one rule."""

SDIST_BIT, CRAWLER_BIT = 2, 4
WHEEL, SDIST = 1, 2
DAY_BITS = 16  # of a unit; the rest is the project
ONE_DAY = (1 << DAY_BITS) - 1

_RULE_NUMBERS = {rule.id: number for number, rule in enumerate(RULES)}
_REGION = {code: number for number, code in enumerate(REGIONS)}
_FILES = defaultdict[str | None, int](int, bdist_wheel=WHEEL, sdist=SDIST)
_CLIENTS_AT_ONCE = 100_000  # different ones; more are forgotten between batches


def batch_of(rows: Sequence[LogRow]) -> Batch:
    """Return *rows* as one batch."""
    columns: dict[str, list[Any]] = {
        name: [getattr(row.client, name) for row in rows] for name in Client._fields
    }
    others = (field.name for field in fields(LogRow) if field.name != "client")
    return columns | {name: [getattr(row, name) for row in rows] for name in others}


class _Codes(dict[Any, int]):
    """Numbers things in the order in which they are first asked for."""

    def __missing__(self, key: Any) -> int:
        code = self[key] = len(self)
        return code

    def of(self, things: Iterable[Any], length: int) -> NDArray[np.int32]:
        return np.fromiter(map(self.__getitem__, things), np.int32, length)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Rows as numbers; `unit` is a project and day, `spot` an installer and country."""

    unit: Numbers
    outcome: Numbers
    file: Numbers
    version: Numbers
    spot: Numbers
    region: Numbers
    bucket: Numbers
    n: Numbers

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Return the rows of all *parts*, of which there must be one."""
        if len(parts) == 1:
            return parts[0]
        return cls(**{f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in _FIELDS})

    def where(self, chosen: Any) -> Self:
        """Return the rows that *chosen* picks: a mask, a slice or positions."""
        return type(self)(**{f.name: getattr(self, f.name)[chosen] for f in _FIELDS})

    def parted(self) -> tuple[Self, Self]:
        """Return the rows without those of the last project, and those of the last project."""
        last = self.unit >> DAY_BITS == self.unit[-1] >> DAY_BITS
        return self.where(~last), self.where(last)


_FIELDS = fields(Rows)


class Numbering:
    """Turns the texts of batches into numbers, and projects, days and versions back."""

    def __init__(self) -> None:
        self.projects, self.days, self.versions = _Codes(), _Codes(), _Codes()
        self._installers, self._countries = _Codes(), _Codes()
        self._clients, self._outcomes = _Codes(), np.empty(0, np.int16)
        self._last = ""

    def encoded(self, batch: Batch) -> Rows:
        """Return the rows of *batch*. Raises KeyError for a missing column."""
        columns = {name: _list(batch[name]) for name in COLUMNS if name != "n"}
        length = len(batch["n"])
        told = _list(batch["ci_told"]) if "ci_told" in batch else [True] * length
        kinds = zip(*(columns[name] for name in Client._fields[:-1]), told, strict=True)
        client = self._clients.of(kinds, length)
        place = self._installers.of(columns["installer"], length)
        buckets = np.array([_bucket(name) for name in self._installers], np.int8)
        project = self.projects.of(columns["project"], length).astype(np.int64)
        country = self._countries.of(columns["country"], length)
        regions = np.array([_region(code) for code in self._countries], np.int8)
        return Rows(
            unit=(project << DAY_BITS) + self.days.of(columns["day"], length),
            outcome=self._decided()[client],
            file=np.fromiter(map(_FILES.__getitem__, columns["file_type"]), np.int8, length),
            version=self.versions.of(columns["version"], length),
            spot=place * 1024 + country,
            region=regions[country],
            bucket=buckets[place],
            n=np.asarray(batch["n"], np.int64),
        )

    def _decided(self) -> NDArray[np.int16]:
        """Return the outcome of every client that has a number; forget them when too many."""
        new = islice(self._clients, len(self._outcomes), None)
        found = [_outcome(Client(*kind)) for kind in new]
        outcomes = np.concatenate([self._outcomes, np.array(found, np.int16)])
        self._outcomes = outcomes
        if len(self._clients) > _CLIENTS_AT_ONCE:
            self._clients, self._outcomes = _Codes(), outcomes[:0]
        return outcomes

    def forget_before(self, rest: Rows) -> None:
        """Start numbering afresh, with the one project that *rest* is of."""
        names = list(self.projects)
        last = names.pop(rest.unit[0] >> DAY_BITS)
        self._last = max([self._last, *names])
        versions = list(self.versions)
        self.projects, self.versions = _Codes({last: 0}), _Codes()
        rest.unit[:] &= ONE_DAY
        rest.version[:] = self.versions.of((versions[code] for code in rest.version), len(rest.n))

    def refuse_returned(self) -> None:
        """Raise ValueError when a project has come that stands before one already forgotten."""
        returned = next((name for name in self.projects if name <= self._last), None)
        if returned is not None:
            raise ValueError(f"the rows of `{returned}` are not where its name belongs")


def _outcome(client: Client) -> int:
    return OUTCOMES * _RULE_NUMBERS[deciding(client).id] + cannot_say_ci(client)


def _bucket(name: str | None) -> int:
    bucket = installer(name).bucket
    return -1 if bucket is None else bucket


def _region(country: str | None) -> int:
    return _REGION.get(country or "", _REGION["other"])


def _list(column: Any) -> list[Any]:
    for method in ("to_pylist", "tolist"):
        if hasattr(column, method):
            values: list[Any] = getattr(column, method)()
            return values
    return column if isinstance(column, list) else list(column)
