"""How long what was made from facts stands, when nothing new is heard."""

from datetime import datetime, timedelta

from indexgate.facts import Known
from indexgate.first_sight import INTERIM
from indexgate_policy.rules.document import Policy
from indexgate_policy.rules.durations import after
from indexgate_policy.rules.reads import ALL
from indexgate_policy.signals import Unknown

STALE_FEED = timedelta(minutes=1)
"""How long what was judged by an advisory feed that is too old stands before it is looked again."""


def good_until(known: Known, policy: Policy, now: datetime) -> datetime:
    """Return how long what was made from *known* may be kept: not at all without facts.

    By a feed that is too old only for a moment: it may be read again at any time, and that it was
    is no change of the facts where nothing new is in it. By a first look no longer than it should
    take to know the rest: should the background have failed, somebody must ask for it again.
    """
    if isinstance(known.assessment, Unknown):
        return now
    advisories, until = known.assessment.advisories, known.assessment.valid_until
    if known.reads != ALL:
        until = min(until, now + INTERIM)
    if isinstance(advisories, Unknown) or isinstance(advisories.feed, Unknown):
        return until
    stale = advisories.applicable and now >= after(advisories.feed, policy.max_feed_age)
    return min(until, now + STALE_FEED) if stale else until
