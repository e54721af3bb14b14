"""Which advisories name which versions of one project, answered fast for all of its versions.

`Advisory.affects` compares one version with one advisory. A page asks that thousands of times (400
versions of a project with 250 advisories that list 300 versions each), so the listed versions go
into a table and the ranges are swept once over the line of their ends: then a version is one
look-up and one bisection. The answers are those of `Advisory.affects`; a test holds that.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TypeAlias

from packaging.utils import canonicalize_version
from packaging.version import InvalidVersion, Version

from indexgate_policy.advisories import Advisory, Range
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import File, Release

Answer: TypeAlias = tuple[Advisory, bool | Unknown]


@lru_cache(maxsize=16_384)
def canonical(text: str) -> str:
    """Return the one spelling that equal PEP 440 versions share; other texts as they are."""
    return canonicalize_version(text)


@lru_cache(maxsize=16_384)
def version(text: str) -> Version:
    """Return the parsed version. Raises InvalidVersion."""
    return Version(text)


class Affected:
    """The advisories of a project by version."""

    __slots__ = ("_answers", "_fixes", "_line", "_listed", "records")

    def __init__(self, records: tuple[Advisory, ...]) -> None:
        self.records = records
        self._answers: dict[str, tuple[Answer, ...]] = {}
        self._fixes: dict[str, Advisory] | None = None
        self._listed: dict[str, list[Advisory]] = {}
        self._line: Line | None = None  # built when the first version is asked for

    def by(self, one: File | Release) -> tuple[Answer, ...]:
        """Return the advisories that affect the version of *one*, or of which nobody can tell."""
        if not self.records:
            return ()
        answers = self._answers.get(one.version)
        if answers is None:
            answers = self._answers[one.version] = self._ask(one)
        return answers

    def fixed_by(self, one: File | Release) -> Advisory | None:
        """Return the first advisory which the version of *one* is the fix of."""
        if not self.records:
            return None
        if self._fixes is None:
            self._fixes = {}
            for record in self.records:
                for span in record.ranges:
                    if span.fixed is not None:
                        self._fixes.setdefault(canonical(span.fixed), record)
        return self._fixes.get(canonical(one.version))

    def _ask(self, one: File | Release) -> tuple[Answer, ...]:
        if isinstance(one.parsed, Unknown):
            return tuple(_slowly(self.records, one.version))
        if self._line is None:
            for record in self.records:
                for listed in record.versions:
                    self._listed.setdefault(canonical(listed), []).append(record)
            self._line = Line(self.records)
        found = [*self._listed.get(canonical(one.version), ()), *self._line.over(one.parsed)]
        certain: dict[str, Answer] = {record.id: (record, True) for record in found}
        odd = (record for record in self._line.odd if record.id not in certain)
        return (*certain.values(), *_slowly(odd, one.version))


class Line:
    """The ranges of all advisories laid over the line of versions, cut at their ends.

    Between two ends and on each end the same ranges hold, so one bit mask of ranges a piece is
    enough: piece 2i is the gap before end i, piece 2i + 1 is end i itself. `odd` are the records
    with an end that is not PEP 440, which the line cannot hold.
    """

    __slots__ = ("_ends", "_masks", "_owners", "odd")

    def __init__(self, records: tuple[Advisory, ...]) -> None:
        self.odd = tuple(r for r in records if not all(map(_is_regular, r.ranges)))
        regular = [(r, span) for r in records if r not in self.odd for span in r.ranges]
        self._owners = [record for record, _ in regular]
        self._ends = sorted({end for _, span in regular for end in _ends(span)})
        toggles = [0] * (2 * len(self._ends) + 2)
        for number, (_, span) in enumerate(regular):
            first, stop = self._pieces(span)
            if first < stop:
                toggles[first] ^= 1 << number
                toggles[stop] ^= 1 << number
        self._masks = toggles
        for piece in range(1, len(toggles)):
            self._masks[piece] ^= self._masks[piece - 1]

    def over(self, parsed: Version) -> Iterator[Advisory]:
        """Yield the advisories with a range that *parsed* lies in."""
        mask = self._masks[self._piece(parsed)]
        while mask:
            lowest = mask & -mask
            yield self._owners[lowest.bit_length() - 1]
            mask ^= lowest

    def _piece(self, parsed: Version) -> int:
        place = bisect_left(self._ends, parsed)
        return 2 * place + (place < len(self._ends) and self._ends[place] == parsed)

    def _pieces(self, span: Range) -> tuple[int, int]:
        """Return the first piece of a range and the first one after it."""
        first = 0 if span.introduced == "0" else self._piece(version(span.introduced))
        if span.fixed is not None:
            return first, self._piece(version(span.fixed))
        if span.last_affected is not None:
            return first, self._piece(version(span.last_affected)) + 1
        return first, 2 * len(self._ends) + 1


def _ends(span: Range) -> Iterator[Version]:
    if span.introduced != "0":
        yield version(span.introduced)
    # `fixed` wins over `last_affected`, as in `Advisory.affects`
    end = span.fixed if span.fixed is not None else span.last_affected
    if end is not None:
        yield version(end)


def _is_regular(span: Range) -> bool:
    try:
        list(_ends(span))
    except InvalidVersion:
        return False
    return True


def _slowly(records: Iterable[Advisory], text: str) -> Iterator[Answer]:
    for record in records:
        answer = record.affects(text)
        if answer is not False:
            yield record, answer
