"""Views of made-up stories, for looking at pictures of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from indexgate.charts.view import View
from indexgate_policy.flags import Flag, Severity
from tests.policy.timeline.cases import LAST_DAY, SHOWN, STORIES, before_end, told

AT = datetime.combine(LAST_DAY + timedelta(days=1), datetime.min.time(), UTC) + timedelta(hours=9)


def view_of(name: str, *, days: int = SHOWN, **changes: Any) -> View:
    """Return the view of the story *name* on the morning after its last day."""
    story = STORIES[name]()
    line = told(name, flags=_in_force(name))
    view = View(
        index="https://index.example.test/simple/",
        at=AT,
        until=AT.date(),
        formula="fl-1",
        history=story.panel,
        timeline=replace(line, first_day=before_end(days - 2), last_day=AT.date()),
        notes=("People, CI and pipelines are told apart by rule, not counted one by one",),
    )
    return replace(view, **changes)


def _in_force(name: str) -> tuple[Flag, ...]:
    if name == "needed":
        return (Flag(check="download-surge", severity=Severity.INFO, evidence="a surge"),)
    check = {"bought": "download-surge", "stopped": "drop-to-zero"}[name]
    return (
        Flag(check=check, severity=Severity.MEDIUM, evidence="it changed"),
        Flag(check="typosquat", severity=Severity.LOW, evidence="one letter from `other`"),
    )
