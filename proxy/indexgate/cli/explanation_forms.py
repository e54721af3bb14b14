"""An explanation as tables for people and as JSON for programs."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct, structs
from rich.console import Console
from rich.table import Table
from rich.text import Text

from indexgate.cli.reasons import by_reason
from indexgate.cli.score_form import score_form
from indexgate.cli.terminal_text import safe
from indexgate.explanation import Explanation
from indexgate_policy.advisories import Advisories
from indexgate_policy.assess import UNCHECKED
from indexgate_policy.flags import Severity
from indexgate_policy.rules.exemptions import NOT_WAIVABLE
from indexgate_policy.rules.verdict import Action, Verdict
from indexgate_policy.signals import Signal, Unknown, Value

_COLOURS = {Action.ALLOW: "green", Action.WARN: "yellow", Action.REFUSE: "red"}
_EVIDENCE = "evidence"
_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


def as_json(explanation: Explanation) -> str:
    """Return *explanation* as one JSON object.

    Times are ISO 8601 in UTC, severities are words, an unknown value is `{"unknown": reason}`.
    """
    document = _plain(explanation) | {"refused": explanation.refused}
    return json.dumps(document, indent=2, ensure_ascii=False)


def print_tables(
    explanation: Explanation, console: Console | None = None, *, asking: str = ""
) -> None:
    """Print *explanation* as tables, on stdout unless *console* says otherwise.

    *asking* are the flags of the command that asks for an exemption.
    """
    console = console or Console(highlight=False)
    now = explanation.at
    console.print(_facts(explanation))
    console.print(score_form(explanation.score))
    console.print(
        _table(
            "Flags",
            ("flag", "severity", "evidence"),
            (
                (flag.check, flag.severity.label, _evidence(flag.evidence, flag.versions))
                for flag in explanation.flags
            ),
        )
    )
    for line in _unchecked(explanation.signals):
        console.print(line)
    console.print(
        _table(
            "Signals",
            ("signal", "value", "source", "seen"),
            (
                (row.name, _value(row.value), row.source, _age(row.observed_at, now))
                for row in explanation.signals
                if row.name not in (UNCHECKED, _EVIDENCE) and not isinstance(row.value, Unknown)
            ),
        )
    )
    for line in _unknown_signals(explanation.signals):
        console.print(line)
    for line in _entered_by_hand(explanation.signals):
        console.print(line)
    console.print(_advisories(explanation.advisories, now))
    console.print(_verdicts(explanation))
    console.print(_conclusion(explanation, asking), soft_wrap=True)  # its command is to be copied


def _facts(explanation: Explanation) -> Table:
    now = explanation.at
    page = f"fetched {_age(explanation.fetched_at, now)}"
    if explanation.stale:
        page += f", stale: {explanation.stale}"
    status = explanation.status
    if explanation.status_reason:
        status += f": {explanation.status_reason}"
    rows = (
        ("project", explanation.project),
        ("index", _index(explanation)),
        ("page", page),
        ("status", status),
        ("releases", str(explanation.releases)),
        ("first upload", _time(explanation.first_upload)),
        ("first seen here", _time(explanation.first_seen)),
        ("assessed", _time(explanation.assessed_at)),
        ("policy", f"{explanation.policy} ({explanation.policy_digest[:12]})"),
    )
    table = Table.grid(padding=(0, 2))
    for name, value in rows:
        table.add_row(Text(name, style="bold"), safe(value))
    return table


def _index(explanation: Explanation) -> str:
    public = "public" if explanation.public else "not public"
    if not explanation.index_name:
        return f"{explanation.index} ({public})"
    name, why = explanation.index_name, explanation.index_why
    return f"{name}: {why} ({explanation.index}, {public})"


def _unchecked(signals: Iterable[Signal]) -> Iterator[Text]:
    """Say which checks could not look, those that lack the same fact together."""
    told = next((signal.value for signal in signals if signal.name == UNCHECKED), ())
    pairs = (one.partition(": ") for one in told) if isinstance(told, tuple) else ()
    grouped = tuple(by_reason((reason, check) for check, _, reason in pairs))
    if grouped:
        yield Text("Not checked:")
    for reason, checks in grouped:
        yield safe(f"  {checks}: {reason}")


def _unknown_signals(signals: Iterable[Signal]) -> Iterator[Text]:
    pairs = (
        (signal.value.reason, signal.name)
        for signal in signals
        if isinstance(signal.value, Unknown)
    )
    grouped = tuple(by_reason(pairs))
    if grouped:
        yield Text("Not known:")
    for reason, names in grouped:
        yield safe(f"  {names}: {reason}")


def _entered_by_hand(signals: Iterable[Signal]) -> Iterator[Text]:
    """Say what an operator entered, one entry a line: nobody else has checked it."""
    told = next((signal.value for signal in signals if signal.name == _EVIDENCE), ())
    for one in told if isinstance(told, tuple) else ():
        yield safe(f"entered by hand: {one}")


def _advisories(advisories: Advisories | Unknown, now: datetime) -> Table | Text:
    if isinstance(advisories, Unknown):
        return safe(f"\nAdvisories: not known ({advisories.reason})")
    if not advisories.applicable:
        return safe("\nAdvisories: none hold, since this index is not public")
    feed = advisories.feed
    if isinstance(feed, Unknown):
        if not advisories.records:  # "none" would read as if somebody had looked
            return safe(f"\nAdvisories: not known ({feed.reason})")
        title = f"Advisories (feed: {feed.reason})"
    else:
        title = f"Advisories (feed read {_age(feed, now)})"
    return _table(
        title,
        ("id", "kind", "severity", "summary"),
        (
            (
                record.id,
                record.kind,
                record.severity.label
                if isinstance(record.severity, Severity)
                else _value(record.severity),
                record.summary,
            )
            for record in advisories.records
        ),
    )


def _verdicts(explanation: Explanation) -> Table:
    table = Table(title="Verdicts", title_justify="left", title_style="bold", expand=False)
    for heading in ("version", "released", "verdict", "rule", "reason", "until"):
        table.add_column(heading, overflow="fold")
    for row in explanation.verdicts:
        verdict = row.verdict
        table.add_row(
            safe(row.version + (" (asked)" if row.version == explanation.asked else "")),
            safe(_time(row.released)),
            Text(verdict.action.value, style=_COLOURS[verdict.action]),
            safe(verdict.rule or ", ".join(warned.rule for warned in verdict.warnings)),
            safe(_reasons(verdict)),
            safe("" if verdict.until is None else _time(verdict.until)),
        )
    return table


def _conclusion(explanation: Explanation, asking: str) -> Text:
    decisive = next(
        (row.verdict for row in explanation.verdicts if row.version == explanation.asked),
        explanation.refused_project,
    )
    asked = explanation.project + (f"=={explanation.asked}" if explanation.asked else "")
    if decisive is None or not decisive.refused:
        return safe(f"\n{asked} passes")
    hint = f"\n\nhint: {decisive.hint}" if decisive.hint else ""
    if decisive.rule not in NOT_WAIVABLE:
        where = f"{asking} " if asking else ""
        hint += f"\n\nask: indexgate exempt request {where}{asked} --rule {decisive.rule}"
    return safe(f"\n{asked} is refused by `{decisive.rule}`: {decisive.reason}{hint}")


def _reasons(verdict: Verdict) -> str:
    parts = [verdict.reason, *(warned.reason for warned in verdict.warnings)]
    told = {warned.rule for warned in verdict.warnings if warned.exemption}
    parts.extend(f"waived: {rule}" for rule in verdict.waived if rule not in told)
    return "; ".join(dict.fromkeys(part for part in parts if part))


def _table(title: str, headings: Iterable[str], rows: Iterable[tuple[str, ...]]) -> Table | Text:
    table = Table(title=title, title_justify="left", title_style="bold", expand=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(safe(cell) for cell in row))
    return table if table.row_count else safe(f"\n{title}: none")


def _evidence(evidence: str, versions: tuple[str, ...]) -> str:
    return f"{evidence} ({', '.join(versions)})" if versions else evidence


def _value(value: Value | Unknown) -> str:
    match value:
        case Unknown(reason=reason):
            return f"unknown: {reason}"
        case bool():
            return "yes" if value else "no"
        case tuple():
            return ", ".join(value) or "none"
        case _:
            return str(value)


def _time(value: datetime | Unknown) -> str:
    return _value(value) if isinstance(value, Unknown) else f"{value:%Y-%m-%d %H:%M} UTC"


def _age(since: datetime, now: datetime) -> str:
    age = max(now - since, timedelta(0))
    if age < _MINUTE:
        return "just now"
    if age < _HOUR:
        return f"{age // _MINUTE} min ago"
    if age < 2 * _DAY:
        return f"{age // _HOUR} h ago"
    return f"{age // _DAY} days ago"


def _plain(value: Any) -> Any:
    match value:
        case Unknown(reason=reason):
            return {"unknown": reason}
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case Severity():
            return value.label
        case tuple():
            return [_plain(member) for member in value]
        case Mapping():
            members = value
        case Struct():
            members = structs.asdict(value)
        case _:
            return value
    return {key: _plain(member) for key, member in members.items()}
