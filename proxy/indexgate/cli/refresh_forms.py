"""A refresh as tables for people and as JSON for programs."""

from collections import Counter
from collections.abc import Iterator

import msgspec
from rich.console import Console
from rich.table import Table

from indexgate.cli.terminal_text import safe
from indexgate.refreshed import DayRow, Intended, ProjectRow, Question, Refreshed
from indexgate.sources.day_log import Plan
from indexgate.sources.spending import in_units
from indexgate_policy.signals import Unknown

_STYLES = {"refreshed": "", "failed": "red", "not reached": "dim"}
_SHOWN_NAMES = 3


def as_json(document: Refreshed | Intended) -> str:
    """Return *document* as one JSON object; an unknown score is `{"reason": ...}`."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()


def print_refreshed(done: Refreshed, console: Console | None = None) -> None:
    """Print *done* as tables on stdout, unless *console* says otherwise."""
    console = console or Console(highlight=False)
    if done.days:
        console.print(_days(done.days))
    if done.projects:
        console.print(_projects(done.projects))
    for line in _conclusion(done):
        console.print(safe(line))


def print_intended(intended: Intended, console: Console | None = None) -> None:
    """Print *intended* as tables on stdout, unless *console* says otherwise."""
    console = console or Console(highlight=False)
    console.print(
        safe(
            f"{intended.projects} projects of {intended.index}; the index itself is asked for"
            " the page of each"
        )
    )
    if intended.projects:
        table = _table("source", "projects", "names", "limits now", "costs")
        for question in intended.questions:
            table.add_row(
                safe(question.source),
                safe(_count(question)),
                safe(_names(question)),
                safe(question.left),
                safe(question.costs),
            )
        console.print(table)
    if intended.days or intended.untold:
        console.print(_plans(intended))


def _projects(rows: tuple[ProjectRow, ...]) -> Table:
    table = _table("project", "score", "confidence", "flags", "asked", "what failed")
    for row in rows:
        score, confidence = "", ""
        if not isinstance(row.score, Unknown):
            score = f"{row.score.value:.0f} {row.score.grade}"
            confidence = f"{row.score.confidence:.2f}"
        failed = row.error or ", ".join(failure.source for failure in row.failures)
        if row.state == "not reached":
            failed = "not reached"
        table.add_row(
            safe(row.project, _STYLES[row.state]),
            safe(score),
            safe(confidence),
            safe(", ".join(f"{flag.check} ({flag.severity.label})" for flag in row.flags)),
            safe(", ".join(row.asked)),
            safe(failed, "red" if row.error else "yellow"),
        )
    return table


def _failures(rows: tuple[ProjectRow, ...]) -> Iterator[str]:
    """Say once what a source said of many projects."""
    counted = Counter((one.source, one.reason) for row in rows for one in row.failures)
    for (source, reason), count in counted.items():
        yield f"{source} {reason} ({count} of {len(rows)} projects)"


def _days(rows: tuple[DayRow, ...]) -> Table:
    table = _table("day", "source", "projects", "rows", "what failed")
    for row in rows:
        table.add_row(
            row.day.isoformat(),
            safe(row.source),
            "" if row.error else f"{row.projects:,}",
            "" if row.error else f"{row.rows:,}",
            safe(row.error, "red"),
        )
    return table


def _conclusion(done: Refreshed) -> Iterator[str]:
    yield from _failures(done.projects)
    states = Counter(row.state for row in done.projects)
    if done.projects:
        yield ", ".join(f"{count} {state}" for state, count in states.items())
    if done.whole_index is not None:
        counted = done.whole_index
        yield (
            f"whole index: {counted.assessed:,} projects assessed from their downloads, "
            f"{counted.flagged:,} of them with a flag"
        )
    if done.billed:
        yield f"billed: {in_units(done.billed)} (${done.dollars:.2f}, free allowance not taken off)"
    if done.feed_failure is not None:
        yield f"advisories: {done.feed_failure}"


def _plans(intended: Intended) -> Table:
    table = _table("day", "source", "queries", "likely", "at most", "left this month")
    for plan in intended.days:
        table.add_row(
            plan.day.isoformat() + ("" if plan.settled else " (not settled)"),
            safe(plan.source),
            str(plan.jobs),
            _likely(plan),
            in_units(plan.most_bytes) if plan.most_bytes else "nothing billed",
            "" if plan.left_bytes is None else in_units(plan.left_bytes),
        )
    for row in intended.untold:
        table.add_row(row.day.isoformat(), safe(row.source), "", safe(row.error, "red"), "", "")
    return table


def _likely(plan: Plan) -> str:
    if not plan.most_bytes:
        return "nothing billed"
    return f"{in_units(plan.likely_bytes)}, ${plan.likely_dollars:.2f}"


def _count(question: Question) -> str:
    more = f" and up to {question.perhaps} more" if question.perhaps else ""
    return f"{question.projects}{more}"


def _names(question: Question) -> str:
    more = question.projects - _SHOWN_NAMES
    names = ", ".join(question.names[:_SHOWN_NAMES])
    return f"{names} and {more} more" if more > 0 else names


def _table(*headings: str) -> Table:
    table = Table()
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table
