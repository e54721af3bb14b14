"""A rule in plain words: when it holds, what is unknown then, what a refusal by it looks like.

All words are the definitions' own, and the comments are those that stand above the rule in its
document: whoever wrote it has the last word on why.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Literal, TypeAlias

from msgspec import Struct
from packaging.utils import canonicalize_name
from packaging.version import Version

from indexgate_policy.rules.conditions import Scope
from indexgate_policy.rules.document import Policy
from indexgate_policy.rules.exemptions import BUILT_IN, NOT_WAIVABLE
from indexgate_policy.rules.expression import All, Any, Condition, Term, in_toml
from indexgate_policy.rules.positions import nearest
from indexgate_policy.rules.refusal import exemption
from indexgate_policy.rules.rule import Rule
from indexgate_policy.rules.verdict import Action
from indexgate_policy.subject import File, Project

Word: TypeAlias = Literal["when", "and", "or", "not", "all of", "any of", "unless"]

_SCOPES = {
    Scope.PROJECT: "It says the same of all files of a project.",
    Scope.RELEASE: "It says the same of all files of a version.",
    Scope.FILE: "It looks at each file by itself.",
}
_UNKNOWN = {
    Action.ALLOW: "Where nobody can tell, it lets the file pass without a word.",
    Action.WARN: "Where nobody can tell, it warns.",
    Action.REFUSE: "Where nobody can tell, it refuses.",
}


class Line(Struct, frozen=True, kw_only=True):
    """A condition of a rule, or a word that joins those below it (`depth` one more).

    `written` is the condition as the policy has it, `means` what its definition says, `unknown`
    when nobody can tell whether it holds (empty: that is always known).
    """

    depth: int
    word: Word
    written: str = ""
    means: str = ""
    unknown: str = ""


class InWords(Struct, frozen=True, kw_only=True):
    """A rule in plain words.

    `line` is where it stands (0: nowhere), `comment` what the document says above it. `sentences`
    tell what it does, `conditions` when, `example` the reason and the hint that whoever installs
    reads, `exemption` TOML that waives it for one version (empty: nothing can).
    """

    rule: str
    line: int = 0
    comment: str = ""
    sentences: tuple[str, ...]
    conditions: tuple[Line, ...] = ()
    example: str = ""
    exemption: str = ""
    waived_for: tuple[str, ...] = ()


def in_words(
    policy: Policy, name: str, body: str, now: datetime, *, example: tuple[str, str] = ("", "")
) -> InWords | None:
    """Return the rule *name* of *policy*, whose document is *body*; None when there is none.

    *example* is the reason and the hint of a verdict by the rule, if there is one to show.
    """
    number = next((n for n, rule in enumerate(policy.rules) if rule.id == name), None)
    waived = tuple(
        f"{each.written}{f' {each.version}' if each.version is not None else ''}"
        f"{'' if each.team is None else f' for the team {each.team}'}"
        f" until {each.expires}: {each.reason} ({each.owner})"
        for each in policy.exemptions
        if name in each.rules and each.ends > now
    )
    if number is None:
        if name not in BUILT_IN:
            return None
        waivable = name not in NOT_WAIVABLE
        return InWords(
            rule=name,
            sentences=("It is built in and holds under every policy.", f"{BUILT_IN[name]}."),
            exemption=exemption(_example_file(now), name, now) if waivable else "",
            waived_for=waived,
        )
    rule = policy.rules[number]
    position = nearest(body, ("rule", number))
    return InWords(
        rule=name,
        line=position.line if position else 0,
        comment=_comment(body, position.line) if position else "",
        sentences=tuple(_sentences(rule)),
        conditions=tuple(_conditions(rule)),
        example=_example(rule, *example),
        exemption=exemption(_example_file(now), name, now),
        waived_for=waived,
    )


def _sentences(rule: Rule) -> Iterator[str]:
    if rule.action is Action.REFUSE:
        yield "It refuses a file when its condition holds; rules below it are not asked then."
    else:
        yield "It warns of a file when its condition holds, and lets it pass."
    yield _SCOPES[rule.scope]
    if rule.action is Action.REFUSE and rule.scope is Scope.FILE:
        yield (
            "It picks out single files of a version; the others pass."
            if rule.singles_out
            else "One file that it refuses makes it refuse the whole version."
        )
    if any(condition.definition.unknown for condition in rule.when.conditions()):
        yield _UNKNOWN[rule.unknown]
    if rule.unless is not None:
        yield "It excuses what is known to fit `unless`."


def _conditions(rule: Rule) -> Iterator[Line]:
    yield from _lines(rule.when, "when", 0)
    if rule.unless is not None:
        yield from _lines(rule.unless, "unless", 0)


def _lines(term: Term, word: Word, depth: int) -> Iterator[Line]:
    if isinstance(term, Condition):
        definition = term.definition
        yield Line(
            depth=depth,
            word=word,
            written=f"{definition.name} = {in_toml(term.value)}",
            means=definition.what,
            unknown=definition.unknown,
        )
        return
    yield Line(depth=depth, word=word)
    if isinstance(term, All):
        for number, part in enumerate(term.parts):
            yield from _lines(part, "and" if number else "all of", depth + 1)
    elif isinstance(term, Any):
        for number, part in enumerate(term.parts):
            yield from _lines(part, "or" if number else "any of", depth + 1)
    else:
        yield from _lines(term.part, "not", depth + 1)


def _example(rule: Rule, reason: str, hint: str) -> str:
    """Return what whoever installs would read: of an example, else in general words."""
    reason = reason or rule.reason or "(what the condition found, with names and dates)"
    hint = hint or rule.hint or "(what passes instead, and whom to ask)"
    if rule.action is Action.REFUSE:
        return f"Blocked by indexgate: {reason}. {hint}"
    return f"warning: {reason}"


def _comment(body: str, line: int) -> str:
    """Return the comment that ends right above *line*, without its signs."""
    found: list[str] = []
    for above in reversed(body.splitlines()[: line - 1]):
        if not above.lstrip().startswith("#"):
            break
        found.append(above.lstrip().lstrip("#").strip())
    return " ".join(reversed(found)).strip()


def _example_file(now: datetime) -> File:
    """Return the file of which the example speaks."""
    project = Project(
        name=canonicalize_name("demo"),
        index_id="example",
        public=True,
        first_upload=now,
        first_seen=now,
        releases=1,
    )
    return File(
        project=project,
        filename="demo-1.0-py3-none-any.whl",
        kind="wheel",
        version="1.0",
        parsed=Version("1.0"),
        uploaded=now,
        released=now,
    )
