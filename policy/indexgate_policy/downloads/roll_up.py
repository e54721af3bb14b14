"""The rows of the log of one day or more, rolled up to one line a project and day.

A batch of columns is turned into small numbers at once (`_Rows`, 29 bytes a row) and the text let
go; what a project's rows come to is worked out with numpy when all of them are there. Rows sorted
by project need memory for a batch and the largest project only; rows in any order are kept
to the end (20 million rows: 600 MB, and twice that while they are sorted).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from itertools import islice
from typing import Any, Final, NamedTuple, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray
from packaging.utils import NormalizedName

from indexgate_policy.downloads.classes import CERTAIN, EVEN, EVEN_VERSIONS
from indexgate_policy.downloads.day_counts import NO_VERSION_AGES, DayCounts
from indexgate_policy.downloads.installers import installer
from indexgate_policy.downloads.kinds import CLASSES, CONSUMERS, INSTALLERS, REGIONS, VERSION_AGES
from indexgate_policy.downloads.log_row import COLUMNS, Client, LogRow
from indexgate_policy.downloads.rule_table import RULES, Modifier, cannot_say_ci, deciding, moved

Batch: TypeAlias = Mapping[str, Any]
"""Columns of rows by the names of `log_row.COLUMNS`: lists, numpy or Arrow arrays."""

Numbers: TypeAlias = NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """When a version was uploaded, and whether it has a wheel; None: not known."""

    on: date | None = None
    wheel: bool | None = None


Uploads: TypeAlias = Callable[[NormalizedName, str], Upload | None]
"""Finds a version's upload by project and version; asked once for each that the rows name."""

_WHEEL, _SDIST = 1, 2
_CHANGES: Final[tuple[Modifier, ...]] = ("cannot-say-ci", "sdist", "crawler")
_RULE_NUMBERS = {rule.id: number for number, rule in enumerate(RULES)}
# The shares of every rule under every set of modifiers: row 8 * rule + a bit for each modifier.
_SHARES = np.array(
    [
        moved(rule, frozenset(c for bit, c in enumerate(_CHANGES) if applying >> bit & 1))
        for rule in RULES
        for applying in range(8)
    ]
)
_CERTAIN = _SHARES.max(axis=1) >= CERTAIN
_CONSUMING = _SHARES[:, [CLASSES.index(name) for name in CONSUMERS]].sum(axis=1)
_PLACED = _SHARES[:, [CLASSES.index(name) for name in ("human", "pipeline")]].sum(axis=1)
_OPEN_TO_CRAWLER = np.array(["crawler" in rule.open_to for rule in RULES]).repeat(8)
_SDIST_BIT, _CRAWLER_BIT = 2, 4
_REGION = {code: number for number, code in enumerate(REGIONS)}
_FILES = defaultdict[str | None, int](int, bdist_wheel=_WHEEL, sdist=_SDIST)
_NO_UPLOAD = Upload()
_DAY_BITS = 16  # of a unit; the rest is the project
_ONE_DAY = (1 << _DAY_BITS) - 1
_AGES = np.array([30, 180, 730])
_CLIENTS_AT_ONCE = 100_000  # different ones; more are forgotten between batches
_ROWS_AT_ONCE = 400_000  # bounds the memory of one step of the counting


def batch_of(rows: Sequence[LogRow]) -> Batch:
    """Return *rows* as one batch."""
    columns: dict[str, list[Any]] = {
        name: [getattr(row.client, name) for row in rows] for name in Client._fields
    }
    others = (field.name for field in fields(LogRow) if field.name != "client")
    return columns | {name: [getattr(row, name) for row in rows] for name in others}


def roll_up(
    batches: Iterable[Batch], uploads: Uploads, *, sorted_by_project: bool = False
) -> Iterator[DayCounts]:
    """Yield what the rows of *batches* come to, one for each project and day.

    *sorted_by_project* promises that the rows come in the order of their projects; then results
    come while batches are read, and a project that comes back later raises ValueError. Without it
    they come at the end. A missing column raises KeyError. Rows that name no version share one, of
    unknown age; rows without a country count as `other`.
    """
    numbers = _Numbering()
    waiting: list[_Rows] = []
    held = 0
    for batch in batches:
        rows = numbers.encoded(batch)
        waiting.append(rows)
        held += len(rows.n)
        if sorted_by_project and held >= _ROWS_AT_ONCE:
            complete, rest = _Rows.joined(waiting).parted()
            yield from _counted(complete, numbers, uploads)
            numbers.forget_before(rest)
            waiting, held = [rest], len(rest.n)
    if held:
        yield from _counted(_Rows.joined(waiting), numbers, uploads)


class _Codes(dict[Any, int]):
    """Numbers things in the order in which they are first asked for."""

    def __missing__(self, key: Any) -> int:
        code = self[key] = len(self)
        return code

    def of(self, things: Iterable[Any], length: int) -> NDArray[np.int32]:
        return np.fromiter(map(self.__getitem__, things), np.int32, length)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
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
        if len(parts) == 1:
            return parts[0]
        return cls(**{f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in _FIELDS})

    def where(self, chosen: Any) -> Self:
        return type(self)(**{f.name: getattr(self, f.name)[chosen] for f in _FIELDS})

    def parted(self) -> tuple[Self, Self]:
        """Return the rows without those of the last project, and those of the last project."""
        last = self.unit >> _DAY_BITS == self.unit[-1] >> _DAY_BITS
        return self.where(~last), self.where(last)


_FIELDS = fields(_Rows)


class _Numbering:
    """Turns the texts of batches into numbers, and projects, days and versions back."""

    def __init__(self) -> None:
        self.projects, self.days, self.versions = _Codes(), _Codes(), _Codes()
        self._installers, self._countries = _Codes(), _Codes()
        self._clients, self._outcomes = _Codes(), np.empty(0, np.int16)
        self._last = ""

    def encoded(self, batch: Batch) -> _Rows:
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
        return _Rows(
            unit=(project << _DAY_BITS) + self.days.of(columns["day"], length),
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

    def forget_before(self, rest: _Rows) -> None:
        """Start numbering afresh, with the one project that *rest* is of."""
        *gone, last = self.projects
        self._last = max([self._last, *gone])
        versions = list(self.versions)
        self.projects, self.versions = _Codes({last: 0}), _Codes()
        rest.unit[:] &= _ONE_DAY
        rest.version[:] = self.versions.of((versions[code] for code in rest.version), len(rest.n))

    def refuse_returned(self) -> None:
        returned = next((name for name in self.projects if name <= self._last), None)
        if returned is not None:
            raise ValueError(f"the rows of `{returned}` are not where its name belongs")


def _counted(rows: _Rows, numbers: _Numbering, uploads: Uploads) -> Iterator[DayCounts]:
    numbers.refuse_returned()
    texts = _Texts(list(numbers.projects), list(numbers.days), list(numbers.versions))
    if np.any(rows.unit[1:] < rows.unit[:-1]):
        rows = rows.where(np.argsort(rows.unit, kind="stable"))
    borders = np.flatnonzero(np.diff(rows.unit, prepend=-1, append=-1))
    start = 0
    while start < len(rows.n):
        end = int(borders[np.searchsorted(borders, min(start + _ROWS_AT_ONCE, len(rows.n)))])
        yield from _of_slice(rows.where(slice(start, end)), texts, uploads)
        start = end


class _Texts(NamedTuple):
    """What the numbers of projects, days and versions stand for."""

    projects: list[NormalizedName]
    days: list[date]
    versions: list[str | None]


def _of_slice(rows: _Rows, texts: _Texts, uploads: Uploads) -> Iterator[DayCounts]:
    """Yield the counts of *rows*, which hold whole units in order."""
    units, unit = np.unique(rows.unit, return_inverse=True)
    projects = [texts.projects[code] for code in (units >> _DAY_BITS).tolist()]
    days = [texts.days[code] for code in (units & _ONE_DAY).tolist()]
    many = len(texts.versions)
    pairs, pair = np.unique(unit * many + rows.version, return_inverse=True)
    owners = pairs // many
    wheels, uploaded = _found(
        map(projects.__getitem__, owners.tolist()),
        map(texts.versions.__getitem__, (pairs % many).tolist()),
        uploads,
    )
    wheels[pair[rows.file == _WHEEL]] = True
    outcome = rows.outcome + _SDIST_BIT * ((rows.file == _SDIST) & wheels[pair])
    outcome += _CRAWLER_BIT * _crawled(rows, unit, pair, np.bincount(owners))
    since = np.array([day.toordinal() for day in days])[owners] - uploaded
    ages = np.where(uploaded > 0, np.searchsorted(_AGES, since, side="right"), -1)[pair]
    tables = _tables(rows, len(units), unit, outcome, ages)
    for number, (project, day) in enumerate(zip(projects, days, strict=True)):
        untold = tables.undated[number] > 0 and not tables.version_ages[number].any()
        yield DayCounts(
            project=project,
            day=day,
            classes=tables.classes[number],
            installers=tables.installers[number],
            regions=tables.regions[number],
            version_ages=NO_VERSION_AGES if untold else tables.version_ages[number],
            n=int(tables.n[number]),
            undated=float(tables.undated[number]),
            certain=float(tables.certain[number]),
        )


def _found(
    projects: Iterable[NormalizedName], versions: Iterable[str | None], uploads: Uploads
) -> tuple[Numbers, Numbers]:
    """Return which versions are known to have a wheel, and their uploads as ordinals, 0 unknown."""
    found = [
        _NO_UPLOAD if version is None else uploads(project, version) or _NO_UPLOAD
        for project, version in zip(projects, versions, strict=True)
    ]
    wheels = np.array([upload.wheel is True for upload in found], np.bool_)
    return wheels, np.array([upload.on.toordinal() if upload.on else 0 for upload in found])


class _Tables(NamedTuple):
    """The counts of many units, one a row."""

    classes: Numbers
    installers: Numbers
    regions: Numbers
    version_ages: Numbers
    undated: Numbers
    certain: Numbers
    n: Numbers


def _tables(rows: _Rows, size: int, unit: Numbers, outcome: Numbers, ages: Numbers) -> _Tables:
    def table(columns: int, column: Numbers, weights: Numbers, chosen: Any = slice(None)) -> Any:
        cells = (unit * columns + column)[chosen]
        counts = np.bincount(cells, weights[chosen], size * columns)
        return counts.reshape(size, columns).astype(np.float32)

    dated, consumers = ages >= 0, rows.n * _CONSUMING[outcome]
    shared = [np.bincount(unit, rows.n * column[outcome], size) for column in _SHARES.T]
    return _Tables(
        classes=np.stack(shared, axis=1).astype(np.float32),
        installers=table(len(INSTALLERS), rows.bucket, rows.n, rows.bucket >= 0),
        regions=table(len(REGIONS), rows.region, rows.n * _PLACED[outcome]),
        version_ages=table(len(VERSION_AGES), ages, consumers, dated),
        undated=np.bincount(unit, consumers * ~dated, size),
        certain=np.bincount(unit, rows.n * _CERTAIN[outcome], size),
        n=np.bincount(unit, rows.n, size),
    )


def _crawled(rows: _Rows, unit: Numbers, pair: Numbers, versions: Numbers) -> Any:
    """Return which rows are of an installer and country that fetch all versions of a unit alike."""
    crawled = np.zeros(len(rows.n), np.int16)
    chosen = np.flatnonzero(_OPEN_TO_CRAWLER[rows.outcome] & (versions[unit] >= EVEN_VERSIONS))
    if not len(chosen):
        return crawled
    spots = rows.spot[chosen].astype(np.int64)
    groups, group = np.unique(unit[chosen] * (spots.max() + 1) + spots, return_inverse=True)
    cells, cell = np.unique(group * (pair.max() + 1) + pair[chosen], return_inverse=True)
    fetched = np.bincount(cell, rows.n[chosen])
    of_group = cells // (pair.max() + 1)
    share = fetched / np.bincount(of_group, fetched)[of_group]
    logs = np.log(share, out=np.zeros_like(share), where=share > 0)
    entropy = np.bincount(of_group, -share * logs)
    possible = np.zeros(len(groups), np.int64)
    possible[group] = versions[unit[chosen]]
    enough = np.bincount(of_group, fetched > 0) >= EVEN_VERSIONS
    crawled[chosen] = (enough & (entropy > EVEN * np.log(possible)))[group]
    return crawled


def _outcome(client: Client) -> int:
    return 8 * _RULE_NUMBERS[deciding(client).id] + cannot_say_ci(client)


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
