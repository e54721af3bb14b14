"""What the facts of an index are made from: its identity, the stores, and who is asked."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol

from msgspec import Struct, field
from packaging.utils import NormalizedName

from indexgate.assessment_memory import StoredAssessments
from indexgate.fellows import ALONE, Fellows
from indexgate.index.listing import Listing
from indexgate.index.once import EACH_ALONE, Once
from indexgate.observing import Observer
from indexgate.past import NoPast, Past
from indexgate.sources.osv_records import FeedState
from indexgate_policy.advisories import Advisories, Advisory
from indexgate_policy.assessment import PopularNames
from indexgate_policy.rules.reads import ALL, Reads
from indexgate_policy.signals import Unknown


class StoredAdvisories(Protocol):
    """The local copy of the advisory feed."""

    def of(self, project: NormalizedName) -> tuple[Advisory, ...]:
        """Return the advisories about *project*."""

    def feed_state(self) -> FeedState | None:
        """Return the state of the feed, None when it was never read."""

    def revision(self) -> int:
        """Return a number that grows with every change of the advisories."""


class Surroundings(Struct, frozen=True, kw_only=True):
    """What facts are made from: the index's identity, the stores, and who is asked.

    Sources that are the index itself are asked at the first sight of a project, third parties only
    in the background; so is `past`, since what has a history takes longer than a page may wait.
    `listing` is told whether somebody asked for the project: the background does not keep one alive
    that nobody asks for any more. Of several workers the first does what is in the background, and
    what is seen for the first time is looked at *once*; all *fellows* hear of what is new.
    `page_reads` tells what pages wait for under the policy in force: what is worth to ask early.
    """

    index_id: str
    public: bool
    assessments: StoredAssessments
    advisories: StoredAdvisories
    popular: PopularNames
    observer: Observer
    listing: Callable[[NormalizedName, bool], Awaitable[Listing]]
    clock: Callable[[], datetime]
    log: Callable[[str, str], None]
    past: Past = field(default_factory=NoPast)
    fellows: Fellows = ALONE
    once: Once = EACH_ALONE
    page_reads: Callable[[], Reads] = lambda: ALL

    @property
    def shared(self) -> bool:
        """Whether other workers judge by the same store, and show pages of their own."""
        return self.fellows.count > 1

    def advisories_about(self, project: NormalizedName) -> Advisories:
        """Return what the local advisories say of *project*. Raises StoreFailed."""
        if not self.public:
            nobody = Unknown(reason="public advisories do not speak of this index")
            return Advisories(records=(), feed=nobody, applicable=False)
        state = self.advisories.feed_state()
        return Advisories(
            records=self.advisories.of(project),
            feed=state.fetched_at
            if state is not None
            else Unknown(reason="the advisory feed has not been read yet"),
        )
