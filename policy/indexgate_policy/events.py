"""Events: what happened to a project on a day, and what explains a change."""

from datetime import datetime
from typing import Literal, TypeAlias

from msgspec import Struct

EventKind: TypeAlias = Literal[
    "first-release",
    "release",
    "yank",
    "owner-change",
    "status",
    "advisory",
    "repository-change",
    "new-dependents",
    "stars",
    "mention",
    "counting-break",
    "lost-day",
    "holiday",
    "client-change",
    "whole-index",
]


class Event(Struct, frozen=True, kw_only=True):
    """Something that happened.

    `text` is one clause that stands alone ("owner `ann` replaced by `bo`"). `size` is what the
    event can carry of a change where that was measured: consumer downloads a week for
    `new-dependents`, new stars for `stars`; else None. `source` is who said so.
    """

    kind: EventKind
    at: datetime
    text: str
    source: str
    size: float | None = None
