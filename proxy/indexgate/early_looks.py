"""Which assessments are first looks: made for a policy that reads no more of a project."""

from collections.abc import Callable

from cachetools import LRUCache
from packaging.utils import NormalizedName

from indexgate_policy.assessment import Assessment
from indexgate_policy.rules.reads import Reads

_MOST = 20_000


class EarlyLooks:
    """The first looks in force, each with what the policy read that it was made for.

    *reads* tells what the policy in force reads.
    """

    def __init__(self, reads: Callable[[], Reads]) -> None:
        self._reads = reads
        self._kept: LRUCache[NormalizedName, tuple[Assessment, Reads]] = LRUCache(_MOST)

    def __contains__(self, project: NormalizedName) -> bool:
        """Tell whether of *project* no more is known than a policy read."""
        return project in self._kept

    def keep(self, assessment: Assessment, reads: Reads) -> None:
        """Note that *assessment* was made for a policy that *reads* so much."""
        self._kept[assessment.project] = (assessment, reads)

    def drop(self, project: NormalizedName) -> None:
        """Note that a whole assessment has taken its place."""
        self._kept.pop(project, None)

    def is_too_little(self, assessment: Assessment, *, wholly: bool) -> bool:
        """Tell whether *assessment* does not do for who needs it *wholly*, or for the policy."""
        kept = self._kept.get(assessment.project)
        if kept is None or kept[0] is not assessment:
            return False
        return wholly or kept[1] != self._reads()
