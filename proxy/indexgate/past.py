"""What is remembered of a project over time: its downloads, its events, and what changed."""

from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct
from packaging.utils import NormalizedName

from indexgate.index.listing import Listing
from indexgate_policy.events import Event
from indexgate_policy.signals import Signal, Signals, Unknown

if TYPE_CHECKING:  # what has a history needs numpy, which the start does without
    from indexgate_policy.downloads.panel import Movement, Panel

_NO_HISTORY = Unknown(reason="no download history is known yet")
_NO_MOVEMENT = Unknown(reason="the whole index's downloads are not known")


class Recalled(Struct, frozen=True, kw_only=True):
    """What the past says at a moment: signals made from it, events in order, and the panel."""

    signals: tuple[Signal, ...] = ()
    events: tuple[Event, ...] = ()
    history: "Panel | Unknown" = _NO_HISTORY
    movement: "Movement | Unknown" = _NO_MOVEMENT


class Past(Protocol):
    """The memory of one index's projects. What it cannot read it leaves out, and tells the log."""

    @property
    def speaks_as(self) -> frozenset[str]:
        """The sources that its signals name: they are made anew at each recall."""

    async def note(self, listing: Listing, signals: Signals, before: Signals) -> None:
        """Remember what *listing* and *signals* say today: owners, repository, stars, yanks.

        *before* are the signals of the assessment before this one.
        """

    async def recall(self, project: NormalizedName, listing: Listing, now: datetime) -> Recalled:
        """Return what is remembered of *project* at *now*. It may take some milliseconds."""


class NoPast:
    """A memory that has nothing and keeps nothing."""

    speaks_as: frozenset[str] = frozenset()

    async def note(self, listing: Listing, signals: Signals, before: Signals) -> None:
        """Keep nothing."""

    async def recall(self, project: NormalizedName, listing: Listing, now: datetime) -> Recalled:
        """Return that nothing is known."""
        return Recalled()
