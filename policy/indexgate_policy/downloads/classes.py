"""The classes of one project's rows: how many, between what and what, and which rules said so."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from indexgate_policy.downloads.kinds import CLASSES
from indexgate_policy.downloads.log_row import LogRow
from indexgate_policy.downloads.rule_table import (
    Modifier,
    Rule,
    cannot_say_ci,
    deciding,
    moved,
)

CERTAIN = 0.9
"""A row is certain when one class has at least this share of it."""

EVEN = 0.9
EVEN_VERSIONS = 8
"""A client that fetches so many versions so evenly (normalised entropy) is a crawler."""


class Interval(Struct, frozen=True, kw_only=True):
    """An estimate between its ends; in what unit, the owner says."""

    low: float
    middle: float
    high: float


class Attribution(Struct, frozen=True, kw_only=True):
    """*n* downloads shared out over the classes.

    `classes` holds an interval a class, in downloads; the middles add up to `n`. `likeliest`
    gives every row whole to its likeliest class. `certain_share` is the part (0..1) of the
    downloads in rows that are all but certain; `decided_by` counts downloads by rule id. The rows
    say nothing of how right the rules are: an interval is a row's own doubt, added up.
    """

    n: int
    classes: Mapping[str, Interval]
    likeliest: Mapping[str, int]
    certain_share: float
    decided_by: Mapping[str, int]


def attribute(rows: Iterable[LogRow], wheels: frozenset[str | None] = frozenset()) -> Attribution:
    """Share out the *rows* of one project.

    *wheels* names versions known to have a wheel; those whose wheel is in the rows count anyway.
    """
    rows = tuple(rows)
    decided = [(row, deciding(row.client)) for row in rows]
    wheels = wheels | {row.version for row in rows if row.file_type == "bdist_wheel"}
    crawling = _crawling(decided)
    likeliest, decided_by = dict.fromkeys(CLASSES, 0), defaultdict[str, int](int)
    ends = [[0.0, 0.0, 0.0] for _ in CLASSES]
    certain = 0
    for row, rule in decided:
        given = moved(rule, _applying(row, wheels, crawling))
        best = max(given)
        certain += row.n * (best >= CERTAIN)
        likeliest[CLASSES[given.index(best)]] += row.n
        decided_by[rule.id] += row.n
        for end, share in zip(ends, given, strict=True):
            low, high = doubt(share)
            end[0] += row.n * low
            end[1] += row.n * share
            end[2] += row.n * high
    n = sum(row.n for row in rows)
    return Attribution(
        n=n,
        classes={
            name: Interval(low=low, middle=middle, high=high)
            for name, (low, middle, high) in zip(CLASSES, ends, strict=True)
        },
        likeliest=likeliest,
        certain_share=certain / n if n else 0.0,
        decided_by=dict(decided_by),
    )


def doubt(share: float) -> tuple[float, float]:
    """Return the ends between which a row's *share* (0..1) lies: half a standard deviation off."""
    half = 0.5 * math.sqrt(share * (1 - share))
    return max(0.0, share - half), min(1.0, share + half)


def evenness(counts: Sequence[int], versions: int) -> float:
    """Return how evenly *counts* spread over *versions*: 0 one of them has all, 1 all alike.

    Entropy over its maximum; 0 when fewer than `EVEN_VERSIONS` were fetched.
    """
    fetched = [count for count in counts if count > 0]
    if len(fetched) < EVEN_VERSIONS:
        return 0.0
    n = sum(fetched)
    return -sum(count / n * math.log(count / n) for count in fetched) / math.log(versions)


def _crawling(decided: Sequence[tuple[LogRow, Rule]]) -> frozenset[tuple[str | None, str | None]]:
    """Return the (installer, country) that fetch all versions alike."""
    versions = len({row.version for row, _ in decided})
    fetched: dict[tuple[str | None, str | None], dict[str | None, int]] = {}
    for row, rule in decided:
        if "crawler" in rule.open_to:
            counts = fetched.setdefault((row.client.installer, row.country), defaultdict(int))
            counts[row.version] += row.n
    return frozenset(
        spot
        for spot, counts in fetched.items()
        if evenness(tuple(counts.values()), versions) > EVEN
    )


def _applying(
    row: LogRow, wheels: frozenset[str | None], crawling: frozenset[tuple[str | None, str | None]]
) -> frozenset[Modifier]:
    applying: set[Modifier] = set()
    if cannot_say_ci(row.client):
        applying.add("cannot-say-ci")
    if row.file_type == "sdist" and row.version in wheels:
        applying.add("sdist")
    if (row.client.installer, row.country) in crawling:
        applying.add("crawler")
    return frozenset(applying)
