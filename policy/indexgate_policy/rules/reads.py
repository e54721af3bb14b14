"""What of a project's facts a policy reads: it can judge before anybody knows the rest."""

from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from indexgate_policy.rules.expression import All, Any, Condition, Not, Term
from indexgate_policy.rules.verdict import Action

_SCORE = frozenset(["health", "confidence", "grade"])
_SIGNALS = frozenset(["owners", "human_installs", "signal"])
_ADVISORIES = frozenset(["advisory", "fixes_advisory"])
_PAGE_OR_ASKER = frozenset(
    [
        *("project", "version", "file", "releases", "kind", "status", "yanked", "provenance"),
        *("release_age", "file_age", "project_age", "first_seen", "client"),
    ]
)
_MALWARE = "malware"


class Reads(Struct, frozen=True, kw_only=True):
    """What is read: the flags of *checks* (None: of all), the health score, `signals`.

    No rule says anything by a score of less confidence than `score`; None: by none at all. The
    page, the advisories and who asks are known to every judgement.
    """

    checks: frozenset[str] | None = None
    score: float | None = 0.0
    signals: bool = True

    def asks(self, check: str) -> bool:
        """Tell whether it makes a difference what *check* finds."""
        return self.checks is None or check in self.checks

    @property
    def anything(self) -> bool:
        """Whether anything is read of what is found out about a project."""
        return self.checks != frozenset() or self.score is not None or self.signals

    def covers(self, other: "Reads") -> bool:
        """Tell whether what does for who reads this does for who reads *other* as well."""
        return (
            (self.checks is None or (other.checks is not None and other.checks <= self.checks))
            and (other.score is None or (self.score is not None and self.score <= other.score))
            and (self.signals or not other.signals)
        )


ALL = Reads()
NOTHING = Reads(checks=frozenset(), score=None, signals=False)


class Reading(Protocol):
    """A rule, as far as it tells what is read."""

    @property
    def when(self) -> Term:
        """What it asks for."""

    @property
    def unless(self) -> Term | None:
        """What excuses from it."""

    @property
    def action(self) -> Action:
        """What it does when it holds."""

    @property
    def unknown(self) -> Action:
        """What it does when nobody can tell."""


def reads(rules: Iterable[Reading], *, waives: bool) -> Reads:
    """Return what *rules* read; *waives* tells that there are exemptions from them.

    A condition that is not known here reads all there is.
    """
    asked: list[Condition] = []
    scores: list[float] = []
    for rule in rules:
        terms = (rule.when, *([] if rule.unless is None else [rule.unless]))
        of_it = [condition for term in terms for condition in term.conditions()]
        if any(condition.definition.name in _SCORE for condition in of_it):
            scores.append(_least_confidence(rule))
        asked += of_it
    names = {condition.definition.name for condition in asked}
    if names - _SCORE - _SIGNALS - _ADVISORIES - _PAGE_OR_ASKER - {"flag"}:  # `any_flag` is one
        return ALL
    checks = {check for condition in asked for check in _checks(condition)}
    # Whether a refusal holds at once, and what waives it, depends on reports of malware too.
    if names & _ADVISORIES or waives:
        checks.add(_MALWARE)
    return Reads(
        checks=frozenset(checks),
        score=min(scores, default=None),
        signals=bool(names & _SIGNALS),
    )


def reads_of_pages(rules: Iterable[Reading], *, waives: bool) -> Reads:
    """Return what *rules* read to tell which files a page lists: it need not wait for more.

    Warnings keep no file back; but of what nobody can tell none is to warn before it was looked at.
    Nor does a report of malware that nobody has asked for yet, where the rules let pass what is
    unknown: it holds for files at once, and these wait for it.
    """
    waiting = [
        rule for rule in rules if rule.action is Action.REFUSE or rule.unknown is not Action.ALLOW
    ]
    found = reads(waiting, waives=waives)
    reports = frozenset([_MALWARE])
    if found.checks is None or any(
        minds(rule, reports) or (rule.unless is not None and _any_reads(rule.unless, reports))
        for rule in waiting
    ):
        return found
    return replace(found, checks=found.checks - reports)


def minds(rule: Reading, checks: Set[str]) -> bool:
    """Tell whether *rule* may say otherwise when one of *checks* finds nothing or cannot look.

    It does not where unknown allows, and nothing is turned round: then neither makes it hold.
    """
    terms = (rule.when, *([] if rule.unless is None else [rule.unless]))
    if rule.unknown is Action.ALLOW and not any(map(_turns_round, terms)):
        return False
    return any(_any_reads(term, checks) for term in terms)


def _any_reads(term: Term, checks: Set[str]) -> bool:
    return any(_flags_read(condition, checks) for condition in term.conditions())


def _flags_read(condition: Condition, checks: Set[str]) -> bool:
    if condition.definition.name != "flag":
        return condition.definition.name == "any_flag" and bool(checks)
    return not checks.isdisjoint(_checks(condition))


def _turns_round(term: Term) -> bool:
    if isinstance(term, All | Any):
        return any(map(_turns_round, term.parts))
    return isinstance(term, Not)


def _least_confidence(rule: Reading) -> float:
    """Return the confidence of a score below which *rule* is silent, whatever else there is."""
    if rule.unless is not None and any(
        condition.definition.name in _SCORE for condition in rule.unless.conditions()
    ):
        return 0.0
    return _holds_from(rule.when) if rule.unknown is Action.ALLOW else 0.0


def _holds_from(term: Term) -> float:
    """Return the confidence of a score below which *term* does not hold."""
    if isinstance(term, All):
        return max(map(_holds_from, term.parts), default=0.0)
    if isinstance(term, Any):
        return min(map(_holds_from, term.parts), default=0.0)
    if isinstance(term, Condition) and term.definition.name == "confidence":
        window = term.value
        return float(window.get("at_least", 0)) if isinstance(window, Mapping) else 0.0
    return 0.0


def _checks(condition: Condition) -> Iterator[str]:
    if condition.definition.name == "flag" and isinstance(condition.value, Mapping):
        wanted = condition.value["id"]
        yield from [wanted] if isinstance(wanted, str) else wanted
