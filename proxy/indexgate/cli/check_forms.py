"""A check of requirements as a table for people and as JSON for programs."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec
from rich.console import Console
from rich.table import Table

from indexgate.checked import Check, Checked, Outcome
from indexgate.cli.terminal_text import safe
from indexgate_policy.rules import unjudged
from indexgate_policy.rules.unjudged import Unjudged

_STYLES: dict[Outcome, str] = {
    "allow": "green",
    "warn": "yellow",
    "refuse": "bold red",
    "unlisted": "bold red",
    "skipped": "dim",
    "not judged": "yellow",
    "failed": "red",
}
_WORDS: dict[Outcome, str] = {
    "allow": "pass",
    "warn": "pass with a warning",
    "refuse": "refused",
    "unlisted": "not listed by the index",
    "skipped": "skipped",
    "not judged": "not judged",
    "failed": "could not be judged",
}
_MANY = 40
_SAID_BELOW = "cannot be judged, see below"


def as_json(check: Check) -> str:
    """Return *check* as one JSON object; `requirements` has one object for each requirement."""
    document = msgspec.to_builtins(check) | {"counts": dict(check.counts)}
    text = msgspec.json.format(msgspec.json.encode(document), indent=2).decode()
    return text.replace("##", r"\u0023#")  # the same JSON, but no command to a CI system


def print_table(check: Check, console: Console | None = None, *, whole: bool = True) -> None:
    """Print *check* as a table, the hints below it, on stdout unless *console* says otherwise.

    A long one leaves out what simply passes, unless it shall be *whole*. What several projects
    cannot be judged by, for the same reason, stands once below the table.
    """
    console = console or Console(highlight=False)
    long = len(check.requirements) > _MANY and not whole
    rows = [row for row in check.requirements if not (long and _is_plain(row))]
    if rows:
        _print_rows(check, rows, console)
    _print_rest(check, console)
    if left := len(check.requirements) - len(rows):
        console.print(safe(f"{left} that pass or are skipped are not shown; `--all` shows them"))


def _is_plain(row: Checked) -> bool:
    return row.action in {"allow", "skipped"} and not row.notes


def _print_rows(check: Check, rows: Sequence[Checked], console: Console) -> None:
    shared = _shared(check.requirements)
    table = Table()
    for heading in ("requirement", "version", "verdict", "rule", "reason"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        version = row.version or ""
        if row.chosen == "newest":
            version += f" ({row.how})"
        table.add_row(
            safe(row.requirement),
            safe(version),
            safe(row.action, _STYLES[row.action]),
            safe(row.rule or ", ".join(dict.fromkeys(w.rule for w in row.warnings))),
            safe(_reasons(row, shared)),
        )
    console.print(table)


def _print_rest(check: Check, console: Console) -> None:
    for found, count in _shared(check.requirements).items():
        console.print(safe(found.of_many(count)), soft_wrap=True)
    for line in _hints(check.requirements):
        console.print(safe(line), soft_wrap=True)
    for sentence in check.ways_past:
        console.print(safe(f"warning: {sentence}"), soft_wrap=True)
    for sentence in check.notes:
        console.print(safe(f"note: {sentence}"), soft_wrap=True)
    if check.feed_failure:
        told = f"warning: the advisories could not be read: {check.feed_failure}"
        console.print(safe(told), soft_wrap=True)
    console.print(safe(_summary(check)), soft_wrap=True)


def _reasons(row: Checked, shared: Mapping[Unjudged, int]) -> str:
    told = (_SAID_BELOW if found in shared else reason for reason, found in _said(row))
    return "; ".join(dict.fromkeys(part for part in (*told, *row.notes) if part))


def _shared(rows: Iterable[Checked]) -> Mapping[Unjudged, int]:
    """Return what more than one project cannot be judged by, and how many projects that are."""
    projects: dict[Unjudged, set[str]] = {}
    for row in rows:
        for _, found in _said(row):
            if found is not None and row.project is not None:
                projects.setdefault(found, set()).add(row.project)
    return {found: len(names) for found, names in projects.items() if len(names) > 1}


def _said(row: Checked) -> Iterator[tuple[str, Unjudged | None]]:
    """Yield each reason of *row*, and what could not be judged if it says so."""
    pairs = [(row.rule, row.reason), *((warned.rule, warned.reason) for warned in row.warnings)]
    for rule, reason in pairs:
        yield reason, unjudged.read(reason, project=row.project or "", rule=rule)


def _hints(rows: Sequence[Checked]) -> Iterator[str]:
    """Yield a line for each hint; one that is given to several requirements is said once."""
    given: dict[str, list[Checked]] = {}
    for row in rows:
        if row.hint:
            given.setdefault(row.hint, []).append(row)
    for hint, those in given.items():
        one = f"{those[0].requirement} ({those[0].place})"
        yield f"hint: {one if len(those) == 1 else f'{len(those)} requirements'}: {hint}"


def _summary(check: Check) -> str:
    counts = check.counts
    told = [f"{counts[outcome]} {words}" for outcome, words in _WORDS.items() if counts[outcome]]
    noun = "requirement" if len(check.requirements) == 1 else "requirements"
    rest = f": {', '.join(told)}" if told else ""
    return f"{len(check.requirements)} {noun} by policy {check.policy}{rest}"
