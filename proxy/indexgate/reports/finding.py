"""One thing that was found, and where in the project it stands."""

from collections.abc import Iterable, Iterator
from typing import Literal, TypeAlias

from msgspec import Struct

from indexgate.checked import FILE_UNLISTED, HASH_DIFFERS, Check, Checked, RuleTold
from indexgate.locks.entry import STDIN_SHOWN
from indexgate_policy.rules.verdict import Action

Level: TypeAlias = Literal["error", "warning", "note"]

NOT_JUDGED = "not-judged"
FAILED = "could-not-be-judged"
PAST = "past-the-gate"


class Rule(Struct, frozen=True, kw_only=True):
    """What a finding's `rule` means: in a line, and how to go on."""

    id: str
    level: Level
    text: str
    help: str


class Finding(Struct, frozen=True, kw_only=True):
    """What was found: `message` is one sentence, `path` and `line` the place if there is one.

    `path` is as the user named it, `line` counts from 1. `project` and `version` are what it is
    about, `rule` is the policy's or one of the gate's own.
    """

    rule: str
    level: Level
    message: str
    hint: str = ""
    path: str | None = None
    line: int | None = None
    project: str | None = None
    version: str | None = None


_EXPLAIN = "`indexgate explain NAME==VERSION` tells what is known of a release and what passes."
OWN_RULES: tuple[Rule, ...] = (
    Rule(
        id=FILE_UNLISTED,
        level="error",
        text="The index does not list what is pinned",
        help="Make the lock anew; if the index never had it, find out where it came from.",
    ),
    Rule(
        id=HASH_DIFFERS,
        level="error",
        text="The index lists the file with another hash than the lock",
        help="Do not install it. Compare the lock with an older one, then make it anew.",
    ),
    Rule(
        id=NOT_JUDGED,
        level="note",
        text="What asks no index, or another one, is not judged",
        help="Take it from the index, or look at it by hand.",
    ),
    Rule(
        id=FAILED,
        level="warning",
        text="What the index does not tell cannot be judged",
        help="Look whether the index answers, and try again.",
    ),
    Rule(
        id=PAST,
        level="warning",
        text="Something leads installers past the gate",
        help="Take the line out, or have the gate stand for that index.",
    ),
)


def rules(policy: Iterable[RuleTold]) -> tuple[Rule, ...]:
    """Return the rules of a policy and the gate's own, as findings refer to them."""
    told = (
        Rule(
            id=rule.id,
            level="error" if rule.action is Action.REFUSE else "warning",
            text=rule.reason or f"The rule `{rule.id}` of the policy ({rule.action})",
            help=f"{rule.hint}. {_EXPLAIN}" if rule.hint else _EXPLAIN,
        )
        for rule in policy
    )
    return (*told, *OWN_RULES)


def of_check(check: Check) -> tuple[Finding, ...]:
    """Return what a check found, in the order of its requirements; what passes is no finding."""
    found = [finding for row in check.requirements for finding in _of_row(row)]
    found.extend(Finding(rule=PAST, level="warning", message=each) for each in check.ways_past)
    return tuple(found)


def _of_row(row: Checked) -> Iterator[Finding]:
    path, line = _place(row)

    def finding(rule: str, level: Level, reason: str) -> Finding:
        return Finding(
            rule=rule,
            level=level,
            message=reason if row.requirement in reason else f"{row.requirement}: {reason}",
            hint="" if level == "warning" else row.hint,  # it is about what is refused
            path=path,
            line=line,
            project=row.project,
            version=row.version,
        )

    if row.action in {"refuse", "unlisted"}:
        yield finding(row.rule, "error", row.reason)
    elif row.action == "not judged":
        yield finding(NOT_JUDGED, "note", row.reason)
    elif row.action == "failed":
        yield finding(FAILED, "warning", row.reason)
    if row.action != "refuse":
        for warned in row.warnings:
            yield finding(warned.rule, "warning", warned.reason)


def _place(row: Checked) -> tuple[str | None, int | None]:
    """Return file and line of *row*; a missing file has a line of its own."""
    path, line = row.path, row.line
    if path is None:  # a requirement tells its place in words
        path, colon, number = row.place.rpartition(":")
        if not colon or not number.isdigit() or path == STDIN_SHOWN:
            return None, None
        return path, int(number)
    of_file = (f.line for f in row.files if f.rule == row.rule and f.line is not None)
    return path, next(of_file, line) if row.action == "unlisted" else line
