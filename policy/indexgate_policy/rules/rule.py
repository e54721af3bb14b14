"""A rule of a policy: what it does when its conditions hold, and how it is read from its table."""

import re

from msgspec import Struct

from indexgate_policy.rules import expression
from indexgate_policy.rules.conditions import Definition, Scope
from indexgate_policy.rules.exemptions import BUILT_IN
from indexgate_policy.rules.strict import Field, Fields, shown, tables
from indexgate_policy.rules.verdict import Action
from indexgate_policy.rules.wording import plain

_KEYS = ("id", "action", "when", "unless", "unknown", "reason", "hint")
_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")


class Rule(Struct, frozen=True, kw_only=True):
    """A rule: what it does when `when` holds and `unless` does not, and when nobody can tell.

    `scope` is the widest thing for which it says the same; `singles_out` tells that it chooses
    single files of a version on purpose; `uses` has the conditions in it.
    """

    id: str
    action: Action
    when: expression.Term
    unless: expression.Term | None
    unknown: Action
    reason: str
    hint: str
    scope: Scope
    uses: tuple[Definition, ...]
    singles_out: bool

    @property
    def names(self) -> frozenset[str]:
        """The names of the conditions in it."""
        return frozenset(definition.name for definition in self.uses)

    @property
    def flags(self) -> frozenset[str]:
        """The ids of the flags that it waits for."""
        ids: set[str] = set()
        for condition in self.when.conditions():
            if condition.definition.name == "flag" and isinstance(condition.value, dict):
                wanted = condition.value["id"]
                ids.update([wanted] if isinstance(wanted, str) else wanted)
        return frozenset(ids)

    @property
    def teams(self) -> frozenset[str]:
        """The names of the teams that it asks clients for."""
        terms = (self.when, self.unless) if self.unless else (self.when,)
        named: set[str] = set()
        for condition in (each for term in terms for each in term.conditions()):
            if condition.definition.name == "client" and isinstance(condition.value, dict):
                wanted = condition.value.get("team", [])
                named.update([wanted] if isinstance(wanted, str) else wanted)
        return frozenset(named)


def read(field: Field) -> tuple[Rule, ...]:
    """Return the rules that the tables of *field* say. Raises PolicyError."""
    rules: dict[str, Rule] = {}
    for table in tables(field, "id"):
        rule = _rule(table)
        if rule.id in rules:
            what = f"the id `{rule.id}` is taken by a rule above"
            raise table.error("duplicate-rule", what, "give each rule an id of its own", key="id")
        rules[rule.id] = rule
    return tuple(rules.values())


def _rule(table: Field) -> Rule:
    fields = table.fields(_KEYS, "a rule")
    name = fields.needed("id")
    if not _ID.fullmatch(name.text()):
        what = f"`{shown(name.value)}` is not an id of a rule"
        raise name.error("bad-id", what, "use lower-case letters, digits and `-`, at most 64")
    if name.text() in BUILT_IN:
        what = f"`{name.text()}` is the id of a rule that is built in"
        raise name.error("duplicate-rule", what, "choose another id")
    action = Action(fields.needed("action").one_of([Action.WARN.value, Action.REFUSE.value]))
    when = expression.read(fields.needed("when"))
    unless = expression.read(fields["unless"]) if "unless" in fields else None
    terms = (when, unless) if unless else (when,)
    used = [condition.definition for term in terms for condition in term.conditions()]
    return Rule(
        id=name.text(),
        action=action,
        when=when,
        unless=unless,
        unknown=_unknown(table, fields, action, when),
        reason=plain(fields["reason"].text()) if "reason" in fields else "",
        hint=plain(fields["hint"].text(), 400) if "hint" in fields else "",
        scope=expression.scope(*terms),
        uses=tuple(used),
        singles_out=any(c.definition.singles_out for c in when.conditions()),
    )


def _unknown(table: Field, fields: Fields, action: Action, when: expression.Term) -> Action:
    """Return what the rule does when nobody can tell.

    A rule without a condition that can be unknown need not say it; should one be unknown all the
    same (a fault inside it), the rule acts as if it held.
    """
    if "unknown" in fields:
        return Action(fields["unknown"].one_of([choice.value for choice in Action]))
    for condition in when.conditions():
        if condition.definition.unknown:
            what = f"`unknown` is missing, although `{condition.definition.name}` can be unknown"
            hint = 'add `unknown = "allow"`, `"warn"` or `"refuse"`'
            raise table.error("missing-key", what, hint)
    return action
