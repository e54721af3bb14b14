"""A timeline as a document for programs; `docs/tasks/read-a-timeline.md` describes it."""

import json
from collections.abc import Iterator
from datetime import timedelta
from math import isfinite
from typing import Any

from indexgate.charts.view import View
from indexgate_policy.downloads.kinds import CLASSES
from indexgate_policy.downloads.panel import Panel
from indexgate_policy.events import Event
from indexgate_policy.flags import Flag
from indexgate_policy.signals import Unknown
from indexgate_policy.timeline.changes import Change
from indexgate_policy.timeline.entries import Entry


def as_json(view: View) -> str:
    """Return *view* as one JSON object: days are ISO dates, what is not known is null."""
    return json.dumps(document(view), indent=2, ensure_ascii=False)


def document(view: View) -> dict[str, Any]:
    """Return *view* as the object that `as_json` writes."""
    line, history = view.timeline, view.history
    known = not isinstance(history, Unknown)
    return {
        "project": line.project,
        "index": view.index,
        "until": str(view.until),
        "made_at": view.at.isoformat().replace("+00:00", "Z"),
        "formula": view.formula,
        "first_day": str(line.first_day),
        "known_until": None if isinstance(history, Unknown) else str(history.last_day),
        "unknown": None if known else view.age.reason if isinstance(view.age, Unknown) else None,
        "changes": [_change(change) for change in line.changes],
        "flags": [_flag(flag) for flag in line.flags],
        "events": [_entry(entry) for entry in line.entries],
        "days": [] if isinstance(history, Unknown) else list(_days(history, view.shown_from)),
        "notes": list(view.notes),
    }


def _change(change: Change) -> dict[str, Any]:
    found = change.explanation
    return {
        "flag": change.flag,
        "onset": str(change.onset),
        "told": str(change.told),
        "severity": None if change.severity is None else change.severity.label,
        "before": change.before,
        "now": change.now,
        "unit": change.unit,
        "part": change.part or None,
        "verdict": found.says,
        "explained": round(found.share, 4),
        "absent": list(found.absent),
        "not_known": list(found.not_known),
        "causes": [
            {
                **_event(cause.event),
                "lag": cause.lag,
                "carries": round(cause.carries, 4),
                "taken_out": cause.taken_out,
            }
            for cause in found.causes
        ],
    }


def _flag(flag: Flag) -> dict[str, Any]:
    return {
        "flag": flag.check,
        "severity": flag.severity.label,
        "evidence": flag.evidence,
        "began": None if flag.began is None else str(flag.began.date()),
        "explained": flag.explained,
    }


def _entry(entry: Entry) -> dict[str, Any]:
    cause = entry.cause
    return {
        **_event(entry.event),
        "of": entry.of,
        "lag": None if cause is None else cause.lag,
        "carries": None if cause is None else round(cause.carries, 4),
    }


def _event(event: Event) -> dict[str, Any]:
    return {
        "day": str(event.at.date()),
        "kind": event.kind,
        "text": event.text,
        "source": event.source,
        "size": event.size,
    }


def _days(panel: Panel, first: int) -> Iterator[dict[str, Any]]:
    rows, stars = panel.classes[0, first:].tolist(), panel.stars[0, first:].tolist()
    for place, (row, new) in enumerate(zip(rows, stars, strict=True), first):
        yield {
            "day": str(panel.first_day + timedelta(days=place)),
            **{name: _number(value) for name, value in zip(CLASSES, row, strict=True)},
            "stars": _number(new),
            "complete": not bool(panel.incomplete[place]),
        }


def _number(value: float) -> float | None:
    return round(value, 1) if isfinite(value) else None
