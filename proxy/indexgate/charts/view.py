"""All that a picture of a timeline shows, and nothing of how."""

from datetime import date, datetime

from msgspec import Struct

from indexgate_policy.downloads.panel import Panel
from indexgate_policy.signals import Unknown
from indexgate_policy.timeline.entries import Timeline


class View(Struct, frozen=True, kw_only=True):
    """A project's timeline `until` the end of a day, as made `at` a moment.

    `index` is the upstream without credentials. `history` is what was counted, and may begin before
    the days that are shown; its last day is the newest that is known. `formula` names the version
    of the flags. `notes` say what the figures are not, one sentence each.
    """

    index: str
    at: datetime
    until: date
    formula: str
    history: Panel | Unknown
    timeline: Timeline
    notes: tuple[str, ...] = ()

    @property
    def is_past(self) -> bool:
        """Whether it is told as of an earlier day than the one it was made on."""
        return self.until < self.at.date()

    @property
    def shown_from(self) -> int:
        """The first day of `history` that is shown."""
        if isinstance(self.history, Unknown):
            return 0
        return max(0, (self.timeline.first_day - self.history.first_day).days)

    @property
    def age(self) -> int | Unknown:
        """Days between the newest downloads and the day until which it is told."""
        if isinstance(self.history, Unknown):
            return self.history
        return max(0, (self.until - self.history.last_day).days)
