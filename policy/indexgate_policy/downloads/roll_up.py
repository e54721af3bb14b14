"""The rows of the log of one day or more, rolled up to one line a project and day.

A batch of columns is turned into small numbers at once (`numbered_rows`) and the text let go; what
a project's rows come to is worked out with numpy when all of them are there. Rows sorted by project
need memory for a few batches and the largest project only; rows in any order are kept to the end
(20 million rows: 600 MB, and twice that while they are sorted).
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from msgspec import Struct
from packaging.utils import NormalizedName

from indexgate_policy.downloads.classes import CERTAIN, EVEN, EVEN_VERSIONS
from indexgate_policy.downloads.day_counts import NO_VERSION_AGES, DayCounts
from indexgate_policy.downloads.kinds import CLASSES, CONSUMERS, INSTALLERS, REGIONS, VERSION_AGES
from indexgate_policy.downloads.numbered_rows import (
    CRAWLER_BIT,
    DAY_BITS,
    MODIFIERS,
    ONE_DAY,
    OUTCOMES,
    SDIST,
    SDIST_BIT,
    WHEEL,
    Batch,
    Numbering,
    Numbers,
    Rows,
)
from indexgate_policy.downloads.rule_table import RULES, moved


class Upload(Struct, frozen=True, kw_only=True):
    """When a version was uploaded, and whether it has a wheel; None: not known."""

    on: date | None = None
    wheel: bool | None = None


Uploads: TypeAlias = Callable[[NormalizedName, str], Upload | None]
"""Finds a version's upload by project and version; asked once for each that the rows name."""

# The shares of every outcome: each rule under every set of modifiers.
_SHARES = np.array(
    [
        moved(rule, frozenset(m for bit, m in enumerate(MODIFIERS) if applying >> bit & 1))
        for rule in RULES
        for applying in range(OUTCOMES)
    ]
)
_CERTAIN = _SHARES.max(axis=1) >= CERTAIN
_CONSUMING = _SHARES[:, [CLASSES.index(name) for name in CONSUMERS]].sum(axis=1)
_PLACED = _SHARES[:, [CLASSES.index(name) for name in ("human", "pipeline")]].sum(axis=1)
_OPEN_TO_CRAWLER = np.array(["crawler" in rule.open_to for rule in RULES]).repeat(OUTCOMES)
_NO_UPLOAD = Upload()
_AGES = np.array([30, 180, 730])
_ROWS_AT_ONCE = 400_000  # bounds the memory of one step of the counting


def roll_up(
    batches: Iterable[Batch], uploads: Uploads, *, sorted_by_project: bool = False
) -> Iterator[DayCounts]:
    """Yield what the rows of *batches* come to, one for each project and day.

    *sorted_by_project* promises that the rows come in the order of their projects; then results
    come while batches are read, and a project that comes back later raises ValueError. Without it
    they come at the end. A missing column raises KeyError. Rows that name no version share one, of
    unknown age; rows without a country count as `other`.
    """
    numbers = Numbering()
    waiting: list[Rows] = []
    held = 0
    for batch in batches:
        rows = numbers.encoded(batch)
        waiting.append(rows)
        held += len(rows.n)
        if sorted_by_project and held >= _ROWS_AT_ONCE:
            complete, rest = Rows.joined(waiting).parted()
            yield from _counted(complete, numbers, uploads)
            numbers.forget_before(rest)
            waiting, held = [rest], len(rest.n)
    if held:
        yield from _counted(Rows.joined(waiting), numbers, uploads)


def _counted(rows: Rows, numbers: Numbering, uploads: Uploads) -> Iterator[DayCounts]:
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


def _of_slice(rows: Rows, texts: _Texts, uploads: Uploads) -> Iterator[DayCounts]:
    """Yield the counts of *rows*, which hold whole units in order."""
    units, unit = np.unique(rows.unit, return_inverse=True)
    projects = [texts.projects[code] for code in (units >> DAY_BITS).tolist()]
    days = [texts.days[code] for code in (units & ONE_DAY).tolist()]
    many = len(texts.versions)
    pairs, pair = np.unique(unit * many + rows.version, return_inverse=True)
    owners = pairs // many
    wheels, uploaded = _found(
        map(projects.__getitem__, owners.tolist()),
        map(texts.versions.__getitem__, (pairs % many).tolist()),
        uploads,
    )
    wheels[pair[rows.file == WHEEL]] = True
    outcome = rows.outcome + SDIST_BIT * ((rows.file == SDIST) & wheels[pair])
    outcome += CRAWLER_BIT * _crawled(rows, unit, pair, np.bincount(owners))
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


def _tables(rows: Rows, size: int, unit: Numbers, outcome: Numbers, ages: Numbers) -> _Tables:
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


def _crawled(rows: Rows, unit: Numbers, pair: Numbers, versions: Numbers) -> Any:
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
