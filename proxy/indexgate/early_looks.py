"""Which assessments are first looks: made for a policy that reads no more of a project."""

from cachetools import LRUCache
from packaging.utils import NormalizedName

from indexgate_policy.assessment import Assessment
from indexgate_policy.first_look import is_first_look
from indexgate_policy.rules.reads import ALL, NOTHING, Reads

_MOST = 20_000


class EarlyLooks:
    """The first looks in force, each with what the policy read that it was made for."""

    def __init__(self) -> None:
        self._kept: LRUCache[NormalizedName, tuple[Assessment, Reads]] = LRUCache(_MOST)

    def keep(self, assessment: Assessment, reads: Reads) -> None:
        """Note that *assessment* was made for a policy that *reads* so much."""
        self._kept[assessment.project] = (assessment, reads)

    def drop(self, project: NormalizedName) -> None:
        """Note that a whole assessment has taken its place."""
        self._kept.pop(project, None)

    def is_too_little(self, assessment: Assessment, reads: Reads) -> bool:
        """Tell whether *assessment* does not do for a policy that *reads* so much."""
        return not self.made_for(assessment).covers(reads)

    def made_for(self, assessment: Assessment) -> Reads:
        """Return what the policy read that *assessment* was made for: all, if it is a whole one.

        Nothing, if another one has taken its place since, or so many others that it is forgotten.
        """
        if not is_first_look(assessment):
            return ALL
        kept = self._kept.get(assessment.project)
        return NOTHING if kept is None or kept[0] is not assessment else kept[1]
