"""What the rules of a policy say of a project, settled as far as that goes without its releases."""

from datetime import datetime

from msgspec import Struct

from indexgate_policy.rules.document import Policy
from indexgate_policy.rules.kleene import Outcome, earlier
from indexgate_policy.rules.known import Known
from indexgate_policy.rules.rule import Rule
from indexgate_policy.rules.unjudged import Unjudged
from indexgate_policy.rules.usual import Apart
from indexgate_policy.rules.verdict import Action
from indexgate_policy.subject import File


class Ruling(Struct, frozen=True, kw_only=True):
    """A rule that warns or refuses, why, and until when it does so for this reason."""

    rule: Rule
    action: Action
    why: str
    until: datetime | None


class Plan(Struct, frozen=True, kw_only=True):
    """What is left to ask of a project's files.

    `steps` are the rules in order, without those that never say anything of the project. Each has
    what it says where that is the same for all files, as in `rule_on`: else None, it is to be
    asked. `apart` picks out the releases of which one to be asked may say something; None: any.
    """

    steps: tuple[tuple[Rule, Ruling | datetime | None], ...]
    apart: tuple[Apart, ...] | None


def rule_on(rule: Rule, file: File, known: Known, subject: str) -> Ruling | datetime | None:
    """Return what *rule* says of *file*, which texts call *subject*.

    A rule that says nothing now gives the first moment at which it may; None is never.
    """
    when = rule.when.judge(file, known)
    if _is_silent(rule, when):
        return when.until
    return _said(rule, when, rule.unless.judge(file, known) if rule.unless else None, subject)


def plan(policy: Policy, file: File, known: Known) -> Plan:
    """Return what the rules say of the project of *file*, whichever file of it that is."""
    steps: list[tuple[Rule, Ruling | datetime | None]] = []
    apart: tuple[Apart, ...] | None = ()
    for rule in policy.rules:
        found = _usual(rule, file, known)
        if found is None:
            steps.append((rule, None))
            apart = None
        elif found[1]:
            steps.append((rule, None))
            apart = None if apart is None else (*apart, *found[1])
        elif found[0] is not None:
            steps.append((rule, found[0]))
    return Plan(steps=tuple(steps), apart=apart)


def _usual(
    rule: Rule, file: File, known: Known
) -> tuple[Ruling | datetime | None, tuple[Apart, ...]] | None:
    """Return what *rule* says of the usual releases, and what tells the others apart.

    None when it has to be asked of each; so it has where it rules the usual ones but not all, since
    its words then name the version.
    """
    when = rule.when.usual(file, known)
    if when is None:
        return None
    if _is_silent(rule, when.outcome):
        return when.outcome.until, when.apart
    unless = rule.unless.usual(file, known) if rule.unless else None
    if rule.unless and unless is None:
        return None
    apart = (*when.apart, *(unless.apart if unless else ()))
    said = _said(rule, when.outcome, unless.outcome if unless else None, file.project.name)
    return None if apart and isinstance(said, Ruling) else (said, apart)


def _is_silent(rule: Rule, when: Outcome) -> bool:
    return when.truth is False or _action(rule, when) is Action.ALLOW


def _action(rule: Rule, when: Outcome) -> Action:
    return rule.action if when.truth else rule.unknown


def _said(
    rule: Rule, when: Outcome, unless: Outcome | None, subject: str
) -> Ruling | datetime | None:
    until = when.until
    if unless is not None:
        if unless.truth:
            # Excused for as long as the excuse lasts, whatever becomes of `when`.
            return unless.until
        until = earlier(until, unless.until)
    why = when.why
    if when.truth is None:
        why = Unjudged(rule=rule.id, why=why).of(subject)
    return Ruling(rule=rule, action=_action(rule, when), why=why, until=until)
