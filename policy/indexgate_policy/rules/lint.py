"""What is legal in a policy and most likely not meant: each a lint with an id, a place, a way out.

What the reader of documents refuses is no lint but an error; see `document`.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from typing import TypeAlias

from msgspec import Struct
from packaging.utils import canonicalize_name

from indexgate_policy.rules import document, exemptions
from indexgate_policy.rules.conditions.findings import VOLUME
from indexgate_policy.rules.covering import covers
from indexgate_policy.rules.document import Policy
from indexgate_policy.rules.document_text import read_toml
from indexgate_policy.rules.exemptions import Exemption
from indexgate_policy.rules.expression import All, Any, Condition, Not, Term
from indexgate_policy.rules.positions import Path, Position, nearest
from indexgate_policy.rules.rule import Rule
from indexgate_policy.rules.strict import Field, tables
from indexgate_policy.rules.verdict import Action

LONG = timedelta(days=366)
"""An exemption that lasts longer than this is nobody's exception any more."""

LINTS: Mapping[str, str] = {
    "no-rules": "The policy has no rules, so it allows all.",
    "never-fires": "A rule above refuses all that the rule could speak of.",
    "never-holds": "A number is asked for that does not exist, as a confidence of 60.",
    "always-holds": "A window takes in every number that there is.",
    "malware-unknown-allowed": (
        "The rule against malware lets pass what nobody can tell, so a feed that is missing is"
        " not even told."
    ),
    "new-projects-refused": (
        '`unknown = "refuse"` on facts that no project has when it is first asked for.'
    ),
    "health-without-confidence": "A score that rests on little is judged as one that rests on all.",
    "volume-refuses-alone": (
        "Downloads alone refuse, which an honest release or a course moves as far as a bought loop."
    ),
    "flag-not-computed": "The rule waits for flags that this version does not compute.",
    "exemption-expired": "The exemption is over and waives nothing.",
    "exemption-lasts-long": (
        f"The exemption ends later than `max_exemption` from now, or than {LONG.days} days."
    ),
    "exemption-matches-none": "The exemption speaks of none of the names that were given.",
}
"""Each lint by its id, and what it says."""

_STRENGTH = {action: strength for strength, action in enumerate(Action)}
_LATE_FACTS = {"health", "confidence", "grade", "human_installs", "owners", "signal", "first_seen"}
"""Conditions that are unknown for every project until it was looked at, or seen for long."""


class Finding(Struct, frozen=True, kw_only=True):
    """A lint at a place: `id` is one of `LINTS`, `message` one sentence, `hint` how to mend it.

    `position` is where in the document; None for the document as a whole.
    """

    id: str
    message: str
    hint: str
    position: Position | None


_Found: TypeAlias = Iterator[tuple[str, Path, str, str]]
"""Lints as id, the way to the place in the document, message and hint."""


def lint(
    text: bytes | str,
    *,
    source: str,
    now: datetime,
    checks: Collection[str] | None = None,
    names: Collection[str] = (),
) -> tuple[Finding, ...]:
    """Return what is odd in the policy *text*, in the order in which it stands there.

    *checks* are the ids of the checks that are computed; *names*, if there are any, the projects
    that exemptions are meant for. Raises PolicyError for what `document.parse` raises it.
    """
    policy = document.parse(text, source=source, now=now)
    root = read_toml(text, source)
    body = root.place.text
    found = [
        Finding(id=lint_id, message=message, hint=hint, position=nearest(body, path))
        for lint_id, path, message, hint in (
            *_of_rules(policy, checks),
            *_of_exemptions(policy, root, now, names),
        )
    ]
    return tuple(sorted(found, key=lambda each: each.position or Position(0, 0)))


def _of_rules(policy: Policy, checks: Collection[str] | None) -> _Found:
    if not policy.rules:
        hint = "write a `[[rule]]`, or name a shipped policy"
        yield "no-rules", (), "the policy has no rules, so it allows all", hint
    for number, rule in enumerate(policy.rules):
        at: Path = ("rule", number)
        yield from _never_fires(policy, number, at)
        yield from _windows(rule, at)
        yield from _unknowns(rule, at)
        yield from _flags(rule, at, checks)


def _never_fires(policy: Policy, number: int, at: Path) -> _Found:
    rule = policy.rules[number]
    for above in policy.rules[:number]:
        if _shadows(above, rule):
            waived = any(above.id in exemption.rules for exemption in policy.exemptions)
            least = "fires only where that one is waived" if waived else "can never fire"
            message = f"the rule `{rule.id}` {least}: `{above.id}` above refuses all that it would"
            yield "never-fires", at, message, "remove it, or move it up"
            return


def _shadows(above: Rule, below: Rule) -> bool:
    """Tell whether *above* certainly refuses whatever *below* would speak of.

    Where neither can tell, *below* is silent too if *above* does as much then.
    """
    if above.action is not Action.REFUSE or not covers(above.when, below.when):
        return False
    if above.unless is not None and not (
        below.unless is not None and covers(below.unless, above.unless)
    ):
        return False
    can_be_unknown = any(condition.definition.unknown for condition in below.when.conditions())
    return not can_be_unknown or _STRENGTH[above.unknown] >= _STRENGTH[below.unknown]


def _windows(rule: Rule, at: Path) -> _Found:
    for path, condition in _conditions(rule, at):
        definition, value = condition.definition, condition.value
        if definition.least is None or not isinstance(value, dict):
            continue
        least, most = definition.least, definition.most
        reach = f"goes from {least:g} to {most:g}" if most is not None else f"begins at {least:g}"
        below, at_least = value.get("below"), value.get("at_least")
        message = f"`{condition.written}` of the rule `{rule.id}`"
        if below is not None and below <= least:
            hint = f"`{definition.name}` {reach}"
            yield "never-holds", (*path, "below"), f"{message} can never hold", hint
        elif at_least is not None and most is not None and at_least > most:
            hint = f"`{definition.name}` {reach}"
            yield "never-holds", (*path, "at_least"), f"{message} can never hold", hint
        elif (below is None or (most is not None and below > most)) and (
            at_least is None or at_least <= least
        ):
            hint = f"`{definition.name}` {reach}, so it says nothing where that is known"
            yield "always-holds", path, f"{message} always holds", hint


def _unknowns(rule: Rule, at: Path) -> _Found:
    names = {condition.definition.name for condition in rule.when.conditions()}
    if rule.action is Action.REFUSE and rule.unknown is Action.ALLOW and _is_of_malware(rule.when):
        message = (
            f"the rule `{rule.id}` lets pass what nobody can tell from malware, without a word"
        )
        hint = 'write `unknown = "warn"` or `unknown = "refuse"`'
        yield "malware-unknown-allowed", (*at, "unknown"), message, hint
    late = sorted(names & _LATE_FACTS)
    if rule.unknown is Action.REFUSE and late:
        told = ", ".join(f"`{name}`" for name in late)
        message = f"the rule `{rule.id}` refuses every project of which {told} is not known yet"
        hint = "facts are asked for in the background after the first request: write `warn`"
        yield "new-projects-refused", (*at, "unknown"), message, hint
    if not names.isdisjoint({"health", "grade"}) and "confidence" not in names:
        message = f"the rule `{rule.id}` judges scores of which hardly anything may be known"
        yield "health-without-confidence", (*at, "when"), message, "add `confidence` beside it"


def _flags(rule: Rule, at: Path, checks: Collection[str] | None) -> _Found:
    if rule.action is Action.REFUSE and _by_volume_alone(rule.when):
        message = f"the rule `{rule.id}` can refuse for downloads alone"
        hint = "join it by `all` with a sign that has nothing to do with downloads, or warn"
        yield "volume-refuses-alone", (*at, "when"), message, hint
    for path, condition in _conditions(rule, at):
        wanted = _ids(condition) if checks is not None else frozenset()
        missing = sorted(wanted.difference(checks or ()))
        if missing:
            told = ", ".join(f"`{name}`" for name in missing)
            message = f"the rule `{rule.id}` waits for flags that are not computed: {told}"
            yield "flag-not-computed", path, message, "it says nothing until they are"


def _conditions(rule: Rule, at: Path) -> Iterator[tuple[Path, Condition]]:
    """Yield each condition of *rule* with the way to it, or to the key around it."""
    for key, term in (("when", rule.when), ("unless", rule.unless)):
        if term is not None:
            for condition in term.conditions():
                yield (*at, *(condition.path or (key,))), condition


def _is_of_malware(term: Term) -> bool:
    """Tell whether *term* looks for advisories of malware."""
    for condition in term.conditions():
        if condition.definition.name == "advisory":
            value = condition.value
            kind = value.get("kind", "malware") if isinstance(value, dict) else value
            if kind == "malware":
                return True
    return False


def _by_volume_alone(term: Term) -> bool:
    """Tell whether *term* can hold although nothing is found but an odd number of downloads."""
    if isinstance(term, All):
        return all(map(_by_volume_alone, term.parts))
    if isinstance(term, Any):
        return any(map(_by_volume_alone, term.parts))
    if isinstance(term, Not):
        return False
    return term.definition.name == "any_flag" or not VOLUME.isdisjoint(_ids(term))


def _ids(condition: Condition) -> frozenset[str]:
    if condition.definition.name != "flag" or not isinstance(condition.value, dict):
        return frozenset()
    wanted = condition.value["id"]
    return frozenset([wanted] if isinstance(wanted, str) else wanted)


def _of_exemptions(policy: Policy, root: Field, now: datetime, names: Collection[str]) -> _Found:
    normal = sorted({str(canonicalize_name(name)) for name in names})
    for path, written in _exemptions(root):
        exemption = written.capped(policy.max_exemption)
        waived = ", ".join(f"`{rule}`" for rule in sorted(exemption.rules))
        what = f"the exemption of `{exemption.written}` from {waived}"
        if exemption.ends <= now:
            message = f"{what} was over at the end of {exemption.expires}"
            yield "exemption-expired", (*path, "expires"), message, "remove it, or grant it anew"
            continue
        longest = policy.max_exemption or LONG
        if written.ends - now > longest:
            message = f"{what} lasts until {written.expires}"
            hint = f"let it end within {longest.days} days, or change the rule"
            if policy.max_exemption is not None and written.granted is None:
                message += ", and without its day of grant nothing cuts it short"
                hint = (
                    f"write `granted = {now.date()}`, from which `max_exemption` counts, or let it"
                    f" end within {longest.days} days"
                )
            yield "exemption-lasts-long", (*path, "expires"), message, hint
        if normal and not any(map(exemption.projects.fullmatch, normal)):
            message = f"{what} speaks of none of the {len(normal)} names that were given"
            yield "exemption-matches-none", (*path, "project"), message, "remove it if it is done"


def _exemptions(root: Field) -> Iterator[tuple[Path, Exemption]]:
    """Yield the exemptions as they are written, with the way to each."""
    for key, label, read in (
        ("exemption", "project", exemptions.read),
        ("grandfather", "id", exemptions.read_grandfather),
    ):
        if key in root.table():
            field = Field(key=key, value=root.table()[key], place=root.place)
            for number, table in enumerate(tables(field, label)):
                yield (key, number), read(table, None)
