"""Project pages that a gate keeps in its state folder, read without asking any index."""

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from indexgate.index.page_folder import PageFolder
from indexgate.index.protocol import UpstreamFailed
from indexgate.index.subjects import releases
from indexgate.replay.remembered import Paged
from indexgate.replay.traffic import Name
from indexgate.store.past_alone import KeptPast
from indexgate.upstream_choice import UpstreamChoice
from indexgate_policy.rules.as_of import NOT_KEPT

_UNBOUNDED = 1 << 62  # nothing is saved here, so nothing has to go


class KeptPages(Struct, frozen=True):
    """The kept pages of the configured *indexes*, in the *folder* of pages."""

    folder: Path
    indexes: Sequence[UpstreamChoice]
    kept: KeptPast

    def configured(self, index_id: str) -> bool:
        """Tell whether that index is one of those that the settings name."""
        return any(index.index_id == index_id for index in self.indexes)

    def public(self, index_id: str) -> bool:
        """Tell whether public facts speak of the projects of that index."""
        return any(index.public for index in self.indexes if index.index_id == index_id)

    def of(self, name: Name) -> Paged | None:
        """Return the kept page of a project; None where there is none. Raises StoreFailed."""
        index_id, project = name
        snapshot = PageFolder(self.folder, index_id, _UNBOUNDED).load(project)
        if snapshot is None:
            return None
        try:
            page = snapshot.page()
        except UpstreamFailed:
            return None
        found = releases(
            page,
            index_id=index_id,
            public=self.public(index_id),
            first_seen=self.kept.projects.first_seen(index_id, project) or NOT_KEPT,
            watched_since=self.kept.created_at,
        )
        return Paged(project=found[0], releases=found[1])
