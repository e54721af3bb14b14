"""Runs whose glass is broken: for them alone, and while they last, refusals are warnings.

In memory of the one gate that the run uses, in each of its workers: one that ends forgets them,
which refuses again.
"""

from datetime import datetime, timedelta

from cachetools import LRUCache
from msgspec import Struct

from indexgate_policy.rules import break_glass
from indexgate_policy.rules.document import Policy

LONGEST = timedelta(hours=12)
"""How long a run's glass stays broken if nobody says that the run has ended."""

_RUNS = 64


class Glass(Struct, frozen=True, kw_only=True):
    """A broken glass: who broke it, why, and until when it lasts."""

    owner: str
    reason: str
    ends: datetime


class BrokenGlass:
    """The runs, by token. For the event loop's thread."""

    def __init__(self) -> None:
        self._runs: LRUCache[str, Glass] = LRUCache(_RUNS)
        self._opened: LRUCache[str, tuple[Policy, Policy]] = LRUCache(_RUNS)

    def open(self, run: str, *, owner: str, reason: str, now: datetime) -> None:
        """Break the glass for *run*."""
        self._runs[run] = Glass(owner=owner, reason=reason, ends=now + LONGEST)
        self._opened.pop(run, None)

    def close(self, run: str) -> bool:
        """End it for *run*; tell whether it was broken."""
        self._opened.pop(run, None)
        return self._runs.pop(run, None) is not None

    def policy(self, run: str | None, policy: Policy, now: datetime) -> Policy:
        """Return *policy* as it is for *run*."""
        glass = None if run is None else self._runs.get(run)
        if run is None or glass is None or glass.ends <= now:
            return policy
        made = self._opened.get(run)
        if made is None or made[0] is not policy:
            opened = break_glass.opened(
                policy, run=run, owner=glass.owner, reason=glass.reason, ends=glass.ends
            )
            made = self._opened[run] = (policy, opened)
        return made[1]
