"""What a policy would have done, in figures: counted ask by ask, for two policies side by side."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from statistics import median
from typing import TypeAlias

from msgspec import Struct, field
from packaging.utils import NormalizedName

from indexgate_policy.checks.shares import wilson
from indexgate_policy.rules.became import Became
from indexgate_policy.rules.replay import Ask, Tried
from indexgate_policy.rules.verdict import Action
from indexgate_policy.signals import Unknown

MOST_PROJECTS = 20
"""Projects in the list of differences."""

_DAY = timedelta(days=1)
_File: TypeAlias = tuple[str, str]  # index_id, filename


class Share(Struct, frozen=True, kw_only=True):
    """How many of how many, and the 95 % interval of the share (Wilson)."""

    found: int
    of: int
    low: float
    high: float


class Gained(Struct, frozen=True, kw_only=True):
    """Days between the first refusal of bad files and the moment at which they became known.

    `files` were refused before, `later` only after; of `undated` ones nobody saw when they became
    known. `least`, `middle` and `most` are days, of `files`.
    """

    files: int = 0
    later: int = 0
    undated: int = 0
    least: float = 0.0
    middle: float = 0.0
    most: float = 0.0


class RuleFigures(Struct, frozen=True, kw_only=True):
    """What a rule would have done. Asks are installs as far as the gate sees them.

    `bad` files are those known to be bad today; `lost` asks and files are fine today; what is left
    of `refused` is vulnerable or yanked today, or nobody can tell. `not_judged` asks are those for
    which the rule needs facts that are not kept.
    """

    rule: str
    refused: int
    files: int
    bad: int
    gained: Gained
    lost: int
    lost_files: int
    warned: int
    not_judged: int


class PolicyFigures(Struct, frozen=True, kw_only=True):
    """What a policy would have done with all asks.

    Of `not_judged` asks nobody can tell, for want of kept facts. `lost_files` is the share of files
    that are fine today that would have been refused at some ask, `caught_files` that of files that
    are bad today that would have been refused at every ask; both at least, if any is not judged.
    """

    refused: int
    warned: int
    passed: int
    not_judged: int
    caught_files: Share
    lost_files: Share
    gained: Gained
    rules: tuple[RuleFigures, ...]


class Difference(Struct, frozen=True, kw_only=True):
    """Asks for a project that one policy would have refused and the other not."""

    project: NormalizedName
    draft_only: int
    in_force_only: int
    rules: tuple[str, ...]
    bad: bool


class _Rule(Struct):
    refused: int = 0
    files: set[_File] = field(default_factory=set)
    bad: dict[_File, tuple[datetime, Became]] = field(default_factory=dict)
    lost: int = 0
    lost_files: set[_File] = field(default_factory=set)
    warned: int = 0
    not_judged: int = 0


class Figures:
    """The figures of one policy, being counted."""

    def __init__(self, rules: Sequence[str]) -> None:
        self._rules = {rule: _Rule() for rule in rules}
        self._asks: Counter[Action | None] = Counter()
        self._bad: dict[_File, bool] = {}
        self._caught: dict[_File, tuple[datetime, Became]] = {}
        self._fine: dict[_File, bool] = {}

    def add(self, ask: Ask, tried: Tried, became: Became) -> None:
        """Count *ask*, of which the policy says *tried* and that *became* what it is today."""
        file = (ask.index_id, ask.filename)
        self._asks[tried.action] += ask.count
        for rule in tried.blind:
            self._of(rule).not_judged += ask.count
        for rule in () if tried.refused else tried.warnings:
            self._of(rule).warned += ask.count
        if became.bad:
            self._bad[file] = self._bad.get(file, True) and tried.refused
        elif became.fate == "fine":
            self._fine[file] = self._fine.get(file, False) or tried.refused
        if tried.refused:
            self._refuse(self._of(tried.rule), ask, file, became)

    def _refuse(self, rule: _Rule, ask: Ask, file: _File, became: Became) -> None:
        rule.refused += ask.count
        rule.files.add(file)
        if became.bad:
            for caught in (rule.bad, self._caught):
                caught[file] = min(caught.get(file, (ask.at, became)), (ask.at, became), key=_first)
        elif became.fate == "fine":
            rule.lost += ask.count
            rule.lost_files.add(file)

    def result(self) -> PolicyFigures:
        """Return what was counted; the rules in the policy's order."""
        return PolicyFigures(
            refused=self._asks[Action.REFUSE],
            warned=self._asks[Action.WARN],
            passed=self._asks[Action.ALLOW],
            not_judged=self._asks[None],
            caught_files=_share(self._bad),
            lost_files=_share(self._fine),
            gained=_gained(self._caught),
            rules=tuple(
                RuleFigures(
                    rule=name,
                    refused=rule.refused,
                    files=len(rule.files),
                    bad=len(rule.bad),
                    gained=_gained(rule.bad),
                    lost=rule.lost,
                    lost_files=len(rule.lost_files),
                    warned=rule.warned,
                    not_judged=rule.not_judged,
                )
                for name, rule in self._rules.items()
            ),
        )

    def _of(self, rule: str) -> _Rule:
        return self._rules.setdefault(rule, _Rule())  # one that is built in


class Differences:
    """Where two policies part, being counted."""

    def __init__(self) -> None:
        self._draft: Counter[NormalizedName] = Counter()
        self._in_force: Counter[NormalizedName] = Counter()
        self._rules: dict[NormalizedName, dict[str, None]] = {}
        self._bad: set[NormalizedName] = set()

    def add(self, ask: Ask, draft: Tried, in_force: Tried, became: Became) -> None:
        """Count *ask* if one of the two refuses it, and the other is known not to."""
        if draft.refused == in_force.refused or None in (draft.action, in_force.action):
            return
        (self._draft if draft.refused else self._in_force)[ask.project] += ask.count
        rule = (draft if draft.refused else in_force).rule
        self._rules.setdefault(ask.project, {})[rule] = None
        if became.bad:
            self._bad.add(ask.project)

    def result(self) -> tuple[Difference, ...]:
        """Return all projects, those with most asks that change first."""
        every = self._draft + self._in_force
        return tuple(
            Difference(
                project=name,
                draft_only=self._draft[name],
                in_force_only=self._in_force[name],
                rules=tuple(self._rules[name]),
                bad=name in self._bad,
            )
            for name, _ in sorted(every.items(), key=lambda item: (-item[1], item[0]))
        )


def _first(pair: tuple[datetime, Became]) -> datetime:
    return pair[0]


def _share(told: Mapping[_File, bool]) -> Share:
    found = sum(told.values())
    low, high = wilson(found, len(told))
    return Share(found=found, of=len(told), low=low, high=high)


def _gained(caught: Mapping[_File, tuple[datetime, Became]]) -> Gained:
    days, undated = [], 0
    for refused_at, became in caught.values():
        if isinstance(became.known_at, Unknown):
            undated += 1
        else:
            days.append((became.known_at - refused_at) / _DAY)
    before = [one for one in days if one > 0]
    if not before:
        return Gained(later=len(days), undated=undated)
    return Gained(
        files=len(before),
        later=len(days) - len(before),
        undated=undated,
        least=min(before),
        middle=median(before),
        most=max(before),
    )
