"""What differs between two policies in what they say: rules, exemptions, and what holds for all.

Comments and layout are no difference. For a changed rule it is told whether it became stricter or
looser, as far as the documents alone can tell.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from difflib import SequenceMatcher
from typing import Literal, TypeAlias

from msgspec import Struct

from indexgate_policy.rules.covering import covers, same
from indexgate_policy.rules.document import Policy
from indexgate_policy.rules.exemptions import Exemption
from indexgate_policy.rules.expression import All, Any, Condition, Term, in_toml
from indexgate_policy.rules.rule import Rule
from indexgate_policy.rules.verdict import Action

Kind: TypeAlias = Literal["added", "removed", "changed", "moved"]
Direction: TypeAlias = Literal["stricter", "looser", ""]

_STRENGTH = {action: strength for strength, action in enumerate(Action)}
_NOTHING = "nothing"


class FieldChange(Struct, frozen=True, kw_only=True):
    """A key that says something else: its old and new words, and what that does."""

    key: str
    old: str
    new: str
    direction: Direction = ""


class Change(Struct, frozen=True, kw_only=True):
    """One difference: `what` is `rule`, `exemption` or `policy`, `name` which of them.

    `direction` says what the new policy is by it: "" when both ways or nobody can tell. `fields`
    are the keys of what changed; `said` is in words what was added, removed or moved.
    """

    kind: Kind
    what: Literal["rule", "exemption", "policy"]
    name: str
    direction: Direction = ""
    said: str = ""
    fields: tuple[FieldChange, ...] = ()


def difference(old: Policy, new: Policy) -> tuple[Change, ...]:
    """Return what differs in meaning from *old* to *new*: what holds for all, rules, exemptions."""
    return (*_of_policy(old, new), *_of_rules(old, new), *_of_exemptions(old, new))


def told(term: Term | None) -> str:
    """Return a condition as TOML writes it, on one line; `nothing` for none."""
    if term is None:
        return _NOTHING
    if isinstance(term, All):
        return f"all = [{', '.join(_table(part) for part in term.parts)}]"
    if isinstance(term, Any):
        return f"any = [{', '.join(_table(part) for part in term.parts)}]"
    if isinstance(term, Condition):
        return f"{term.definition.name} = {in_toml(term.value)}"  # `written` may be cut
    return f"not = {_table(term.part)}"


def _table(term: Term) -> str:
    return f"{{ {told(term)} }}"


def _of_policy(old: Policy, new: Policy) -> Iterator[Change]:
    """Compare the keys of the documents beside rules and exemptions."""
    fields = []
    if old.max_feed_age != new.max_feed_age:
        before, after = _span(old.max_feed_age), _span(new.max_feed_age)
        fields.append(FieldChange(key="max_feed_age", old=before, new=after))
    if old.max_exemption != new.max_exemption:
        longest = [each.max_exemption or timedelta.max for each in (old, new)]
        direction: Direction = "stricter" if longest[1] < longest[0] else "looser"
        before, after = _span(old.max_exemption), _span(new.max_exemption)
        fields.append(FieldChange(key="max_exemption", old=before, new=after, direction=direction))
    if old.break_glass != new.break_glass:
        words = ["allow" if each.break_glass else "refuse" for each in (old, new)]
        direction = "looser" if new.break_glass else "stricter"
        fields.append(
            FieldChange(key="break_glass", old=words[0], new=words[1], direction=direction)
        )
    if fields:
        joined = _joined(field.direction for field in fields)
        yield Change(
            kind="changed", what="policy", name="policy", direction=joined, fields=tuple(fields)
        )


def _span(value: timedelta | None) -> str:
    """Return a duration as a policy writes it: in days if it is whole days from three on."""
    if value is None:
        return _NOTHING
    if value >= timedelta(days=3) and not value % timedelta(days=1):
        return f"{value.days}d"
    return f"{value / timedelta(hours=1):g}h"


def _of_rules(old: Policy, new: Policy) -> Iterator[Change]:
    before = {rule.id: rule for rule in old.rules}
    after = {rule.id: rule for rule in new.rules}
    moved = _moved([name for name in before if name in after], [n for n in after if n in before])
    for rule in new.rules:
        if rule.id not in before:
            yield Change(
                kind="added", what="rule", name=rule.id, direction="stricter", said=_rule(rule)
            )
            continue
        fields = tuple(_rule_fields(before[rule.id], rule))
        if fields:
            yield Change(
                kind="changed",
                what="rule",
                name=rule.id,
                direction=_joined(field.direction for field in fields if field.key not in _WORDS),
                fields=fields,
            )
        if rule.id in moved:
            said = f"now {_place(new, rule.id)}, before {_place(old, rule.id)}"
            yield Change(kind="moved", what="rule", name=rule.id, said=said)
    for rule in old.rules:
        if rule.id not in after:
            yield Change(
                kind="removed", what="rule", name=rule.id, direction="looser", said=_rule(rule)
            )


_WORDS = frozenset({"reason", "hint"})
"""Keys that change what is said and not what is decided."""


def _rule(rule: Rule) -> str:
    unless = f", unless {told(rule.unless)}" if rule.unless else ""
    return f"{rule.action} when {told(rule.when)}{unless}; unknown: {rule.unknown}"


def _rule_fields(old: Rule, new: Rule) -> Iterator[FieldChange]:
    if old.action is not new.action:
        yield _stronger("action", old.action, new.action)
    if not same(old.when, new.when):
        wider = covers(new.when, old.when)
        narrower = covers(old.when, new.when)
        direction: Direction = "" if wider == narrower else "stricter" if wider else "looser"
        yield FieldChange(key="when", old=told(old.when), new=told(new.when), direction=direction)
    yield from _unless(old.unless, new.unless)
    if old.unknown is not new.unknown:
        yield _stronger("unknown", old.unknown, new.unknown)
    for key in sorted(_WORDS):
        before, after = getattr(old, key), getattr(new, key)
        if before != after:
            yield FieldChange(key=key, old=before or _NOTHING, new=after or _NOTHING)


def _stronger(key: str, old: Action, new: Action) -> FieldChange:
    direction: Direction = "stricter" if _STRENGTH[new] > _STRENGTH[old] else "looser"
    return FieldChange(key=key, old=str(old), new=str(new), direction=direction)


def _unless(old: Term | None, new: Term | None) -> Iterator[FieldChange]:
    if (old is None and new is None) or (old is not None and new is not None and same(old, new)):
        return
    looser = old is None or (new is not None and covers(new, old))
    stricter = new is None or (old is not None and covers(old, new))
    direction: Direction = "" if looser == stricter else "looser" if looser else "stricter"
    yield FieldChange(key="unless", old=told(old), new=told(new), direction=direction)


def _joined(directions: Iterator[Direction]) -> Direction:
    found = set(directions)
    return found.pop() if len(found) == 1 else ""


def _moved(old: list[str], new: list[str]) -> frozenset[str]:
    """Return the names that stand elsewhere among those that both have."""
    matcher = SequenceMatcher(a=old, b=new, autojunk=False)
    stayed = {
        name
        for match in matcher.get_matching_blocks()
        for name in old[match.a : match.a + match.size]
    }
    return frozenset(new) - stayed


def _place(policy: Policy, name: str) -> str:
    ids = [rule.id for rule in policy.rules]
    number = ids.index(name)
    return f"after `{ids[number - 1]}`" if number else "first"


def _of_exemptions(old: Policy, new: Policy) -> Iterator[Change]:
    before, after = _by_subject(old), _by_subject(new)
    for name, exemption in after.items():
        earlier = before.get(name)
        if earlier is None:
            said = f"{exemption.reason} ({exemption.owner}, until {exemption.expires})"
            yield Change(kind="added", what="exemption", name=name, direction="looser", said=said)
        elif fields := tuple(_exemption_fields(earlier, exemption)):
            direction = _joined(field.direction for field in fields if field.key == "expires")
            yield Change(
                kind="changed", what="exemption", name=name, direction=direction, fields=fields
            )
    for name, exemption in before.items():
        if name not in after:
            said = f"{exemption.reason} ({exemption.owner}, until {exemption.expires})"
            yield Change(
                kind="removed", what="exemption", name=name, direction="stricter", said=said
            )


def _by_subject(policy: Policy) -> Mapping[str, Exemption]:
    """Return the exemptions by what they are for; of two for the same the one that lasts longer."""
    found: dict[str, Exemption] = {}
    for exemption in policy.exemptions:
        name = _subject(exemption)
        if name not in found or found[name].ends < exemption.ends:
            found[name] = exemption
    return found


def _subject(exemption: Exemption) -> str:
    version = f" {exemption.version}" if exemption.version is not None else ""
    if exemption.packages is not None:
        version = f" ({', '.join(sorted(f'{n}=={v}' for n, v in exemption.packages))})"
    team = "" if exemption.team is None else f" for the team {exemption.team}"
    return f"{exemption.written}{version} from {', '.join(sorted(exemption.rules))}{team}"


def _exemption_fields(old: Exemption, new: Exemption) -> Iterator[FieldChange]:
    if old.expires != new.expires:
        yield FieldChange(
            key="expires",
            old=str(old.expires),
            new=str(new.expires),
            direction="looser" if new.expires > old.expires else "stricter",
        )
    for key in ("reason", "owner"):
        before, after = getattr(old, key), getattr(new, key)
        if before != after:
            yield FieldChange(key=key, old=before, new=after)
