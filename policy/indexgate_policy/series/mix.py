"""Shifts of a weekly mix: a part of it takes a share that it never had."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, Literal, Self

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from indexgate_policy.downloads.panel import Counts, Panel
from indexgate_policy.series.angles import LEAST_PAST, LEAST_USUAL, LEAST_WEEK, PAST, Angles, Weeks
from indexgate_policy.series.episodes import episodes
from indexgate_policy.series.finding import Finding
from indexgate_policy.series.index_level import Common
from indexgate_policy.series.windows import WEEK

SPANS: Final = (1, 2, 3, 4)
"""Weeks over which a shift is added up."""

YOUNG: Final = 180
"""A younger project's mix is taken for unsettled, in days."""

_GAP = 4 * WEEK
_SLACK = 0.001  # of a share, for rounding
_UNCERTAIN = 1.15  # so much more it takes when nobody knows what the whole index did


class Mix(Struct, frozen=True, kw_only=True):
    """A mix of a panel and when a shift of it counts.

    `field` is the mix's name in a panel, `parts` the columns that may rise; `rise` and `share` what
    a part must gain and have (0..1); `limits` the deviations over 1, 2, 3, 4 weeks.
    """

    kind: Literal["installer", "region", "version"]
    field: Literal["installers", "regions", "version_ages"]
    parts: Sequence[int]
    rise: float = 0.10
    share: float = 0.20
    limits: tuple[float, float, float, float]


_MANY_PARTS = (5.0, 4.5, 4.3, 4.3)

INSTALLERS: Final = Mix(kind="installer", field="installers", parts=range(6), limits=_MANY_PARTS)
REGIONS: Final = Mix(kind="region", field="regions", parts=range(12), limits=_MANY_PARTS)
VERSIONS: Final = Mix(kind="version", field="version_ages", parts=(3,), limits=(4.5, 4.0, 3.8, 3.8))


class _Week(Struct, frozen=True, eq=False):
    """(N,): how far over the limit the part is that rose most, which, and its shares."""

    score: Counts
    part: Counts
    usual: Counts
    share: Counts
    span: Counts

    @classmethod
    def empty(cls, rows: int) -> Self:
        """Return a week on which nothing rose."""
        return cls(*(np.zeros(rows, np.float32) for _ in range(5)))

    def of(self, rows: NDArray[np.bool_]) -> "_Week":
        """Return what was found of *rows*."""
        return _Week(*(values[rows] for values in self._all()))

    def put(self, rows: NDArray[np.bool_ | np.intp], found: "_Week") -> None:
        """Write what was *found* of *rows*."""
        for values, new in zip(self._all(), found._all(), strict=True):
            values[rows] = new

    def _all(self) -> tuple[NDArray[np.floating[Any]], ...]:
        return self.score, self.part, self.usual, self.share, self.span


def shifts(panel: Panel, mix: Mix, common: Common, first: int) -> Iterator[Finding]:
    """Yield the shifts of *mix* in the weeks that end on day *first* or later.

    A week is told on its last day; `why` is the number of the part that rose, `before` and `now`
    are its shares.
    """
    weeks = panel.days // WEEK
    begin = max(LEAST_PAST, -(-(first - WEEK + 1) // WEEK))
    seen = {week: _judged(panel, mix, common, week) for week in range(begin, weeks)}
    hot = np.zeros((len(panel.names), panel.days - first), bool)
    for week, judged in seen.items():
        hot[:, WEEK * week + WEEK - 1 - first] = judged.score >= 1

    def told(row: int, column: int) -> Finding:
        day = first + column
        week = day // WEEK
        judged = seen[week]
        return Finding(
            row=row,
            day=day,
            last=day,
            kind=mix.kind,
            why=str(int(judged.part[row])),
            onset=(week + 1 - int(judged.span[row])) * WEEK,
            before=float(judged.usual[row]),
            now=float(judged.share[row]),
            score=float(judged.score[row]),
        )

    return episodes(hot, first, told, _GAP)


def _judged(panel: Panel, mix: Mix, common: Common, week: int) -> _Week:
    """Judge one week of all rows; those with too few downloads are not looked at."""
    span = slice(max(0, week - PAST - max(SPANS) + 1), week + 1)
    counts: Counts = getattr(panel, mix.field)[:, span]
    level: Counts = getattr(common, mix.field)[span]
    totals = counts.sum(axis=2)
    with np.errstate(invalid="ignore"):
        sized = (totals[:, -1] >= LEAST_WEEK / 2) & (
            np.nansum(totals, axis=1) >= LEAST_PAST * LEAST_USUAL
        )
    result = _Week.empty(len(counts))
    if not sized.any():
        return result
    drift = np.exp(level[-1] - level).astype(np.float32)
    weeks = Weeks.moved(counts[sized], totals[sized], drift)
    risen = _risen(weeks, mix)
    if risen.any():
        rows = np.flatnonzero(sized)[risen]
        age = WEEK * week + WEEK - 1 - panel.born[rows]
        unsettled = (panel.born[rows] >= 0) & (age < YOUNG)
        angles = Angles.of(weeks.of(risen), unsettled)
        sure = common.known and not common.recounted[WEEK * week + WEEK - 1]
        result.put(rows, _scan(angles, mix, 1.0 if sure else _UNCERTAIN))
    return result


def _risen(weeks: Weeks, mix: Mix) -> NDArray[np.bool_]:
    """Tell the rows of which a part gained enough to be looked at: few do, and looking costs."""
    parts, length = np.asarray(mix.parts), weeks.totals.shape[1]
    heaped = weeks.counts[:, :, parts].cumsum(axis=1, dtype=np.float64)
    totals = weeks.totals.cumsum(axis=1, dtype=np.float64)[:, :, None]
    result = np.zeros(len(heaped), bool)
    for span in SPANS:
        split = length - span
        if split < LEAST_PAST:
            continue
        past, in_past = heaped[:, split - 1], totals[:, split - 1]
        usual, of_usual = past, in_past
        if split > PAST:
            usual = past - heaped[:, split - 1 - PAST]
            of_usual = in_past - totals[:, split - 1 - PAST]
        share = (heaped[:, -1] - past) / np.maximum(totals[:, -1] - in_past, 1)
        rise = share - usual / np.maximum(of_usual, 1)
        result |= ((rise >= mix.rise - _SLACK) & (share >= mix.share - _SLACK)).any(axis=1)
    return result


def _scan(angles: Angles, mix: Mix, caution: float) -> _Week:
    """Judge the last weeks over every span and keep the one that tells most."""
    rows, weeks = angles.totals.shape
    row, parts = np.arange(rows), np.asarray(mix.parts)
    best = _Week.empty(rows)
    for span, limit in zip(SPANS, mix.limits, strict=True):
        if weeks - span < LEAST_PAST:
            continue
        usual, share, deviation, enough = angles.compared(span)
        counted = (share - usual >= mix.rise) & (share >= mix.share) & enough[:, None]
        score = np.where(counted, deviation / (limit * caution), 0)[:, parts]
        column = parts[score.argmax(axis=1)]
        value = score.max(axis=1)
        better = value > best.score
        found = _Week(value, column, usual[row, column], share[row, column], np.full(rows, span))
        best.put(better, found.of(better))
    return best
