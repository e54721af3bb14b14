"""The policy document: TOML in, a policy out, or an error that names the key and the place.

The document is strict, since a rule that is silently not understood lets through what it was
written to stop. What is legal but surely not meant (no rules, a rule that can never match, an
exemption that is over) is a notice.
"""

import hashlib
import json
import re
import tomllib
from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property

from msgspec import Struct

from indexgate_policy.errors import PolicyError
from indexgate_policy.rules import exemptions, expression
from indexgate_policy.rules.conditions import Definition, Scope
from indexgate_policy.rules.exemptions import BUILT_IN, Exemption
from indexgate_policy.rules.expression import Condition
from indexgate_policy.rules.reads import Reads, reads, reads_of_pages
from indexgate_policy.rules.strict import Field, Fields, Place, shown
from indexgate_policy.rules.verdict import Action
from indexgate_policy.rules.wording import plain
from indexgate_policy.subject import Client, File

LARGEST = 256 * 1024
"""Bytes that a policy may have; the largest sensible one has a hundredth of it."""

DEEPEST = 16
"""How deep tables and lists may nest."""

MAX_FEED_AGE = timedelta(hours=48)
"""Age of the advisory feed from which "no advisory" is unknown: a laptop's weekend is longer, but
then the gate reads the feed as soon as it is up again."""

_KEYS = (
    *("version", "max_feed_age", "max_exemption", "break_glass"),
    *("rule", "exemption", "grandfather"),
)
_RULE_KEYS = ("id", "action", "when", "unless", "unknown", "reason", "hint")
_TOMLLIB_PLACE = re.compile(r"at line ([0-9]+), column ([0-9]+)")
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


class Policy(Struct, frozen=True, kw_only=True, dict=True):
    """A policy document that was understood.

    `digest` changes when the meaning may have changed (never with comments or layout), `source`
    says where the text came from, `notices` what the reader should be told at start.
    `max_exemption` is the longest that an exemption may be granted for (None: no bound),
    `break_glass` whether a run may have refusals turned into warnings.
    """

    version: int
    rules: tuple[Rule, ...]
    exemptions: tuple[Exemption, ...]
    digest: str
    source: str
    max_feed_age: timedelta
    notices: tuple[str, ...]
    max_exemption: timedelta | None = None
    break_glass: bool = True

    @cached_property
    def asks_client(self) -> bool:
        """Whether verdicts differ by client, so that pages are private to it."""
        return any("client" in rule.names for rule in self.rules) or any(
            exemption.team is not None for exemption in self.exemptions
        )

    @cached_property
    def reads(self) -> Reads:
        """What facts the verdicts depend on."""
        return reads(self.rules, waives=bool(self.exemptions))

    @cached_property
    def page_reads(self) -> Reads:
        """Which of these facts tell what files a page lists."""
        return reads_of_pages(self.rules, waives=bool(self.exemptions))

    @property
    def teams(self) -> frozenset[str]:
        """The names of the teams that it speaks of."""
        named = {exemption.team for exemption in self.exemptions if exemption.team is not None}
        return frozenset(named).union(*map(_teams_of, self.rules))

    def waiver(
        self, rule: str, file: File, client: Client, now: datetime, *, malware: bool = False
    ) -> Exemption | None:
        """Return what waives *rule* of *file* for *client*: the exemption that lasts longest.

        *malware* tells that the file is called so. The gate asks it for `removed-upstream`, which
        is its own rule.
        """
        covering = [
            exemption
            for exemption in self.exemptions
            if rule in exemption.rules
            and exemption.ends > now
            and not (malware and exemption.spares_malware)
            and exemption.serves(client)
            and exemption.covers(file)
        ]
        return max(covering, key=lambda exemption: exemption.ends, default=None)


def parse(
    text: bytes | str, *, source: str, now: datetime, checks: Collection[str] | None = None
) -> Policy:
    """Return the policy that *text* says; *source* is its path or name, for messages.

    *checks*, if given, are the ids of the checks that are computed: a rule on other flags only is a
    notice. Raises PolicyError and nothing else.
    """
    root = read_toml(text, source)
    if not root.value:
        raise _no_version(root)
    fields = root.fields(_KEYS, "a policy")
    if "version" not in fields:
        raise _no_version(root)
    version = fields["version"]
    if type(version.value) is not int:
        raise version.wrong("the number `1`")
    if version.value != 1:
        what = f"`version = {shown(version.value)}` is not a version of the policy language"
        raise version.error(
            "unknown-version", what, "this version of indexgate reads `version = 1`"
        )
    rules = _rules(fields["rule"]) if "rule" in fields else ()
    ids = frozenset(rule.id for rule in rules)
    longest = fields["max_exemption"].duration() if "max_exemption" in fields else None
    waived = tuple(each.capped(longest) for each in read_exemptions(fields, ids))
    age = fields["max_feed_age"].duration() if "max_feed_age" in fields else MAX_FEED_AGE
    return Policy(
        version=1,
        rules=rules,
        exemptions=waived,
        digest=hashlib.sha256(json.dumps(root.value, default=str).encode()).hexdigest(),
        source=source,
        max_feed_age=age,
        notices=(*_rule_notices(rules, checks), *_exemption_notices(waived, longest, now)),
        max_exemption=longest,
        break_glass=_break_glass(fields),
    )


def read_toml(text: bytes | str, source: str) -> Field:
    """Return a document's top-level table. Raises PolicyError and nothing else."""
    body = _decoded(text, source)
    return Field(key="", value=_toml(body, source), place=Place(source=_path(source), text=body))


def _path(source: str) -> str:
    """Return *source* whole, as its end tells the file, and printable."""
    return "".join(letter if letter.isprintable() else "?" for letter in source)


def _decoded(text: bytes | str, source: str) -> str:
    where = f"`{_path(source)}`"
    try:
        raw = text.encode() if isinstance(text, str) else text
    except UnicodeEncodeError:
        raise PolicyError("policy-not-utf8", f"{where} is not UTF-8 text") from None
    if len(raw) > LARGEST:
        raise PolicyError(
            "policy-too-large",
            f"{where} has {len(raw)} bytes, more than {LARGEST}",
            "is this the right file?",
        )
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        what = f"{where} is not UTF-8 text (byte {error.start})"
        raise PolicyError("policy-not-utf8", what, "save the file as UTF-8") from None


def _toml(body: str, source: str) -> dict[str, object]:
    where = f"`{_path(source)}`"
    try:
        data = tomllib.loads(body)
    except RecursionError:
        raise _too_deep(where) from None
    except (ValueError, OverflowError) as error:
        what = f"{where} is not TOML: {plain(str(error), 200)}"
        at = _TOMLLIB_PLACE.search(str(error))
        line, column = (int(at[1]), int(at[2])) if at else (0, 0)
        raise PolicyError("policy-not-toml", what, line=line, column=column) from None
    level: list[object] = [data]
    for _ in range(DEEPEST):
        level = [inner for value in level for inner in _inside(value)]
        if not level:
            return data
    raise _too_deep(where)


def _inside(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _too_deep(where: str) -> PolicyError:
    return PolicyError("policy-too-deep", f"{where} nests deeper than {DEEPEST} levels")


def _no_version(root: Field) -> PolicyError:
    return root.error(
        "missing-key", "`version` is missing from the policy", "begin with `version = 1`"
    )


def tables(field: Field, name: str) -> Iterator[Field]:
    """Yield the tables of a list, each with its place: its number and the name under *name*."""
    items = field.items(f"tables `[[{field.key}]]`")
    for number, item in enumerate(items):
        table = f"`[[{field.key}]]` number {number + 1}"
        label = item.value.get(name) if isinstance(item.value, dict) else None
        if isinstance(label, str):
            table += f', "{shown(label)}"'
        place = replace(field.place, table=table, within=(field.key, number))
        yield Field(key="", value=item.value, place=place)


def _rules(field: Field) -> tuple[Rule, ...]:
    rules: dict[str, Rule] = {}
    for table in tables(field, "id"):
        rule = _rule(table)
        if rule.id in rules:
            what = f"the id `{rule.id}` is taken by a rule above"
            raise table.error("duplicate-rule", what, "give each rule an id of its own", key="id")
        rules[rule.id] = rule
    return tuple(rules.values())


def _rule(table: Field) -> Rule:
    fields = table.fields(_RULE_KEYS, "a rule")
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


def _break_glass(fields: Fields) -> bool:
    if "break_glass" not in fields:
        return True
    return fields["break_glass"].one_of(["allow", "refuse"]) == "allow"


def read_exemptions(fields: Fields, ids: frozenset[str] | None) -> tuple[Exemption, ...]:
    """Return what the tables `[[exemption]]` and `[[grandfather]]` of a document say.

    *ids* are the rules that exist; None: any may be named. Raises PolicyError.
    """
    found: dict[str, Exemption] = {}
    for key, label, read in (
        ("exemption", "project", exemptions.read),
        ("grandfather", "id", exemptions.read_grandfather),
    ):
        for table in tables(fields[key], label) if key in fields else ():
            exemption = read(table, ids)
            if exemption.id in found and isinstance(table.value, dict) and "id" in table.value:
                what = f"the id `{exemption.id}` is taken by an exemption above"
                raise table.error("duplicate-exemption", what, "give each an id of its own")
            found[exemption.id] = exemption  # two that say the same are one
    return tuple(found.values())


def _rule_notices(rules: tuple[Rule, ...], checks: Collection[str] | None) -> Iterator[str]:
    if not rules:
        yield "the policy has no rules, so it allows all"
    for number, rule in enumerate(rules):
        for above in rules[:number]:
            if above.action is Action.REFUSE and above.unless is None and _same(above, rule):
                yield f"the rule `{rule.id}` can never match: `{above.id}` refuses the same before"
        missing = sorted(_flags_of(rule) - set(checks if checks is not None else _flags_of(rule)))
        if missing:
            names = ", ".join(f"`{name}`" for name in missing)
            yield f"the rule `{rule.id}` waits for flags that are not computed yet: {names}"


def _same(left: Rule, right: Rule) -> bool:
    """Tell whether two rules ask for the very same one condition."""
    if not isinstance(left.when, Condition) or not isinstance(right.when, Condition):
        return False
    return (left.when.written, left.when.value) == (right.when.written, right.when.value)


def _flags_of(rule: Rule) -> set[str]:
    ids: set[str] = set()
    for condition in rule.when.conditions():
        if condition.definition.name == "flag" and isinstance(condition.value, dict):
            wanted = condition.value["id"]
            ids.update([wanted] if isinstance(wanted, str) else wanted)
    return ids


def _teams_of(rule: Rule) -> set[str]:
    """Return the names of the teams that *rule* asks clients for."""
    terms = (rule.when, rule.unless) if rule.unless else (rule.when,)
    named: set[str] = set()
    for condition in (each for term in terms for each in term.conditions()):
        if condition.definition.name == "client" and isinstance(condition.value, dict):
            wanted = condition.value.get("team", [])
            named.update([wanted] if isinstance(wanted, str) else wanted)
    return named


def _exemption_notices(
    waived: tuple[Exemption, ...], longest: timedelta | None, now: datetime
) -> Iterator[str]:
    for exemption in waived:
        rules = ", ".join(f"`{rule}`" for rule in sorted(exemption.rules))
        what = f"the exemption of `{exemption.written}` from {rules}"
        if exemption.ends <= now:
            yield f"{what} expired at the end of {exemption.expires} and waives nothing"
        elif longest is not None and exemption.granted is None and exemption.ends - now > longest:
            yield f"{what} ends on {exemption.expires}, later than `max_exemption` from now"
