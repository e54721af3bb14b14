"""A policy tried on the past: what it would have said of each ask, by what was known then.

An ask that a rule may have refused by facts of its time that are not kept is not judged, unless
another rule refuses it for what is known.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace
from packaging.utils import NormalizedName

from indexgate_policy.rules.as_of import NOT_KEPT, Then
from indexgate_policy.rules.document import Policy
from indexgate_policy.rules.judge import Bench, fault
from indexgate_policy.rules.known import Known, gather
from indexgate_policy.rules.page import Presentation, judge_on
from indexgate_policy.rules.rule import Rule
from indexgate_policy.rules.verdict import Action, Verdict
from indexgate_policy.signals import Signals, Unknown, Value
from indexgate_policy.subject import Client, File


class Ask(Struct, frozen=True, kw_only=True):
    """That a file was asked for, `count` times from `at` on.

    `refused_by` is the digest of the policy that refused it then, None where it was served or
    nobody decided.
    """

    at: datetime
    index_id: str
    project: NormalizedName
    version: str
    filename: str
    client: Client = Client()
    count: int = 1
    refused_by: str | None = None


class Tried(Struct, frozen=True, kw_only=True):
    """What a policy says of an ask.

    `action` is None where nobody can tell: nothing refuses it for what is known, and `rule` may
    have, as it asks for facts that are not kept. `warnings` are the rules that warn, `blind` all
    those that ask for such facts. It holds until `until` if nothing else becomes known.
    """

    action: Action | None
    rule: str = ""
    warnings: tuple[str, ...] = ()
    blind: tuple[str, ...] = ()
    until: datetime | None = None

    @property
    def refused(self) -> bool:
        """Whether the file would not have been installed."""
        return self.action is Action.REFUSE


class Trial:
    """A policy tried on the asks for one project, which come in order of time."""

    def __init__(self, policy: Policy, *, presentation: Presentation) -> None:
        self._policy = policy
        self._presentation = presentation
        self._tried: dict[tuple[str, Client, int], Tried] = {}

    def of(self, ask: Ask, then: Then) -> Tried:
        """Return what the policy says of *ask*, for which *then* was known."""
        key = (ask.filename, ask.client, then.stretch)
        tried = self._tried.get(key)
        if tried is None or (tried.until is not None and tried.until <= ask.at):
            tried = self._tried[key] = try_on(
                self._policy, then, ask, presentation=self._presentation
            )
        return tried


def try_on(policy: Policy, then: Then, ask: Ask, *, presentation: Presentation) -> Tried:
    """Return what *policy* says of *ask*, for which *then* was known. Never raises."""
    try:
        known = gather(then.assessment, ask.client, ask.at, policy.max_feed_age)
        known = _blinded(known, then)
        file = next(one for one in then.release.files if one.filename == ask.filename)
        blind = tuple(_blind(policy.rules, then, file, known)) if _lacks(then, file) else ()
        verdicts = judge_on(Bench(policy, known), then.release, presentation)
        if verdicts[ask.filename].rule in [rule.id for rule in blind]:
            # Another rule may refuse it for what is known.
            sighted = tuple(rule for rule in policy.rules if rule not in blind)
            bench = Bench(replace(policy, rules=sighted), known)
            by_sight = judge_on(bench, then.release, presentation)
            verdicts = by_sight if by_sight[ask.filename].refused else verdicts
    except Exception as error:
        return Tried(action=Action.REFUSE, rule=fault(error).rule)
    return _tried(ask.filename, verdicts, blind)


def _blinded(known: Known, then: Then) -> Known:
    """Return *known* with what is not kept marked as such."""
    if then.facts == "none":
        return replace(known, signals=NOT_KEPT, flags=NOT_KEPT)
    if then.facts == "some" and isinstance(known.signals, Signals):
        unchecked = dict.fromkeys(known.unchecked, NOT_KEPT.reason)
        return replace(known, signals=_PartlyKept(known.signals.values()), unchecked=unchecked)
    return known


class _PartlyKept(Signals):
    """Signals of which those that are missing may have been observed."""

    __slots__ = ()

    def value(self, name: str) -> Value | Unknown:
        return super().value(name) if name in self else NOT_KEPT


def _tried(asked: str, verdicts: Mapping[str, Verdict], blind: tuple[Rule, ...]) -> Tried:
    verdict = verdicts[asked]
    moments = [one.until for one in verdicts.values() if one.until is not None]
    names = [rule.id for rule in blind]
    warnings = tuple(dict.fromkeys(one.rule for one in verdict.warnings if one.rule not in names))
    refusing = [rule.id for rule in blind if Action.REFUSE in (rule.action, rule.unknown)]
    action: Action | None = Action.WARN if warnings else Action.ALLOW
    rule = ""
    if verdict.refused and verdict.rule not in names:
        action, rule = Action.REFUSE, verdict.rule
    elif refusing:
        action, rule = None, refusing[0]
    return Tried(
        action=action,
        rule=rule,
        warnings=warnings,
        blind=tuple(names),
        until=min(moments, default=None),
    )


def _lacks(then: Then, file: File) -> bool:
    """Tell whether anything that a rule may ask for is not kept."""
    project = file.project
    of_file = (file.released, file.provenance, project.first_upload, project.first_seen)
    told = (*of_file, then.assessment.advisories)
    return NOT_KEPT in told or then.facts != "all" or not then.paged


def _blind(rules: Iterable[Rule], then: Then, file: File, known: Known) -> Iterator[Rule]:
    """Yield the rules of which nobody can tell, for want of facts that are not kept."""
    for rule in rules:
        if not then.paged and "releases" in rule.names:
            yield rule
            continue
        when = rule.when.judge(file, known)
        if when.truth is False:
            continue
        outcomes = [when] if when.truth is None else []
        if rule.unless is not None:
            outcomes.append(rule.unless.judge(file, known))
        if any(one.truth is None and NOT_KEPT.reason in one.why for one in outcomes):
            yield rule
