"""What the checks on releases have in common: for how long one is news, and what speaks for it."""

from datetime import datetime, timedelta

from indexgate_policy.assessment import Case
from indexgate_policy.dated import Dated, DatedReleases
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import Release

FRESH = timedelta(days=30)
"""For so long a release is news; by then people would have noticed what is wrong with it."""


def is_fresh(one: Dated, now: datetime) -> bool:
    """Tell whether *one* is news at *now*."""
    return now < one.at + FRESH


def with_news(case: Case) -> DatedReleases | Unknown | None:
    """Return all releases, earliest first, if the newest is news; unknown when one has no time."""
    last = case.project.last_upload
    if not isinstance(last, Unknown) and last <= case.now - FRESH:
        return None  # as of most projects: nothing need be sorted to know it
    dated = case.dated
    if isinstance(dated, Unknown):
        return dated
    return dated if dated and is_fresh(dated[-1], case.now) else None


def is_attested(release: Release) -> bool | Unknown:
    """Tell whether a file of *release* carries attestations (PEP 740)."""
    told = [file.provenance for file in release.files]
    if True in told:
        return True
    return next((one for one in told if isinstance(one, Unknown)), False)
