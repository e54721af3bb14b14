"""What a run did, in Markdown, as CI systems show it beside a job."""

import shlex
from collections.abc import Sequence

from indexgate.redact import redact
from indexgate.run.summary import Told, heading, order

_ROWS = 100
_MARKS = {"<": "&lt;", ">": "&gt;", "&": "&amp;"} | {each: f"\\{each}" for each in "\\`*_[]|~$#!"}


def markdown(
    things: Sequence[Told],
    *,
    command: Sequence[str],
    code: int,
    policy: str,
    flags: str = "",
    trouble: str | None = None,
) -> str:
    """Return the summary of a *command* that ended with *code*, behind the gate's *policy*.

    *flags* are those that `explain` needs to judge as the run did.
    """
    said = redact(shlex.join(command)).replace("`", "'").replace("\n", " ")
    lines = [
        f"### indexgate: {heading(things)}",
        "",
        f"`{said}` ended with {code}, behind the policy {_plain(policy)}.",
        "",
    ]
    if things:
        lines += ["| | project | versions | rule | why |", "| --- | --- | --- | --- | --- |"]
        lines += [_row(thing) for thing in things[:_ROWS]]
        if len(things) > _ROWS:
            lines.append(f"| | {len(things) - _ROWS} more | | | |")
        first = things[0]
        asked = f"{flags + ' ' if flags else ''}{first.project}=={first.versions[0]}"
        lines += ["", f"Why, and what passes: `indexgate explain {asked.replace('`', '')}`", ""]
    if trouble:
        lines += [f"The record of this run may lack something: {_plain(trouble)}", ""]
    return "\n".join(lines)


def _row(thing: Told) -> str:
    versions = ", ".join(sorted(thing.versions, key=order, reverse=True)[:6])
    instead = ", ".join(thing.instead) or thing.passes
    why = thing.reason + (f" ({thing.way}: {instead})" if instead else "")
    cells = (thing.kind, thing.project, versions, thing.rule, why)
    return f"| {' | '.join(map(_plain, cells))} |"


def _plain(text: str) -> str:
    """Return *text* as nothing but text in Markdown and in the HTML that comes of it."""
    return "".join(_MARKS.get(each, each) for each in " ".join(text.split()))
