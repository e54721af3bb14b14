"""What is known of a project at a time: its signals, flags and advisories."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct, field
from msgspec.structs import replace
from packaging.utils import NormalizedName

from indexgate_policy.advisories import Advisories
from indexgate_policy.dated import DatedReleases, by_upload
from indexgate_policy.events import Event
from indexgate_policy.flags import Flag
from indexgate_policy.health.result import HealthScore
from indexgate_policy.signals import Signal, Signals, Unknown
from indexgate_policy.subject import Project, Release
from indexgate_policy.version_order import Order, order

if TYPE_CHECKING:  # numpy takes a tenth of a second and 25 MB, and most of the gate does without
    from indexgate_policy.downloads.panel import Movement, Panel


class Lookalike(Struct, frozen=True, kw_only=True):
    """A popular name that another name can be taken for.

    `confusability` is 0..1 (how alike, not how guilty), `rank` and `downloads` (of 30 days) are the
    popular name's, `relation` says in words how the two differ.
    """

    imitates: str
    confusability: float
    relation: str
    rank: int
    downloads: int


class PopularNames(Protocol):
    """The most downloaded names, and how to find the one that a name resembles."""

    def lookalike(self, name: NormalizedName) -> Lookalike | None:
        """Return the popular name that *name* resembles most; None for a popular name itself."""

    def rank(self, name: NormalizedName) -> int | None:
        """Return the rank of *name* (1: most downloaded), None when it is not on the list."""

    @property
    def least_downloads(self) -> int:
        """Downloads in 30 days of the last name on the list: others have at most about as many."""


class Context(Struct, frozen=True, kw_only=True):
    """What a check needs to know of the rest of the index."""

    popular: PopularNames
    owners_of: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Owners of popular projects, where they were looked up, for `same owner` evidence."""
    movement: "Movement | Unknown" = Unknown(reason="the whole index's downloads are not known")


# With a dict: what several checks need is found out once.
class Case(Struct, frozen=True, kw_only=True, dict=True):
    """All that a check may look at. Nothing else: no clock, no network.

    `history` is a panel of this one project, its last day the newest that is known; `events` are
    in order of time.
    """

    project: Project
    releases: Sequence[Release]
    signals: Signals
    context: Context
    now: datetime
    history: "Panel | Unknown" = Unknown(reason="no download history is known yet")
    events: tuple[Event, ...] = ()

    @cached_property
    def dated(self) -> DatedReleases | Unknown:
        """All releases, yanked ones too, by their upload; unknown when one has no time."""
        return by_upload(self.releases)

    @cached_property
    def orders(self) -> Mapping[str, Order | None]:
        """By what each version is sorted, None for one that is not PEP 440."""
        return {release.version: order(release) for release in self.releases}

    def at(self, moment: datetime) -> "Case":
        """Return the same case at another *moment*, with what was found out already."""
        later = replace(self, now=moment)
        vars(later).update(vars(self))
        return later


class Assessment(Struct, frozen=True, kw_only=True):
    """The result of assessing a project, stored with its inputs so that it can be explained.

    `formula` names the version of checks and formulas; `inputs` are the signals that went in;
    `valid_until` is when age alone changes the result or a refresh is due. `advisories` is joined
    on from the local feed at request time and never stored.
    """

    index_id: str
    project: NormalizedName
    formula: str
    inputs: tuple[Signal, ...]
    flags: tuple[Flag, ...]
    score: HealthScore | Unknown = Unknown(reason="it has not been scored yet")
    assessed_at: datetime
    valid_until: datetime
    advisories: Advisories | Unknown = Unknown(reason="no advisory feed has been read yet")

    def flag(self, check: str) -> Flag | None:
        """Return the flag with id *check*, if the project has it."""
        return next((flag for flag in self.flags if flag.check == check), None)
