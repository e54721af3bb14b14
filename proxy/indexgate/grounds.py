"""By which facts something was judged, as far as the policy can tell.

Facts are found out anew again and again, mostly with the same outcome. A stamp of the facts that
stays as it is while the policy cannot tell the newer ones from those before keeps what was made by
them good: finished pages, and verdicts on files.
"""

from cachetools import LRUCache
from msgspec import Struct
from packaging.utils import NormalizedName

from indexgate.facts import Facts, Known, Stamp
from indexgate_policy.assessment import Assessment
from indexgate_policy.rules.document import Policy
from indexgate_policy.rules.indifferent import indifferent
from indexgate_policy.signals import Unknown

_MOST = 20_000


class _Ground(Struct, frozen=True, kw_only=True):
    """The newest facts with their stamp, and that of the first that were no different."""

    stamp: Stamp
    assessment: Assessment
    newest: Stamp


class Grounds:
    """What the facts of an index are to policies."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._kept: LRUCache[tuple[NormalizedName, str], _Ground] = LRUCache(_MOST)

    def stamp(self, project: NormalizedName, policy: Policy) -> Stamp:
        """Return what changes whenever *policy* may judge *project* otherwise by its facts."""
        newest = self._facts.stamp(project)
        kept = self._kept.get((project, policy.digest))
        if kept is None or kept.newest == newest:
            return newest if kept is None else kept.stamp
        assessment = self._facts.known(project)
        return newest if assessment is None else self._ground(policy, newest, assessment)

    def of(self, known: Known, project: NormalizedName, policy: Policy) -> Stamp:
        """Return the stamp of *known*, by which *policy* is about to judge *project*."""
        if isinstance(known.assessment, Unknown):
            return known.stamp
        kept = self._kept.get((project, policy.digest))
        if kept is not None and kept.newest == known.stamp:
            return kept.stamp
        return self._ground(policy, known.stamp, known.assessment)

    def _ground(self, policy: Policy, newest: Stamp, assessment: Assessment) -> Stamp:
        key = (assessment.project, policy.digest)
        kept = self._kept.get(key)
        same = kept is not None and indifferent(policy, kept.assessment, assessment)
        stamp = kept.stamp if kept is not None and same else newest
        self._kept[key] = _Ground(stamp=stamp, assessment=assessment, newest=newest)
        return stamp
