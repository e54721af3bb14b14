"""What the checks on releases have in common: for how long one is news, and what speaks for it."""

from datetime import datetime, timedelta

from indexgate_policy.dated import Dated
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import Release

FRESH = timedelta(days=30)
"""For so long a release is news; by then people would have noticed what is wrong with it."""


def is_fresh(one: Dated, now: datetime) -> bool:
    """Tell whether *one* is news at *now*."""
    return now < one.at + FRESH


def is_attested(release: Release) -> bool | Unknown:
    """Tell whether a file of *release* carries attestations (PEP 740)."""
    told = [file.provenance for file in release.files]
    if True in told:
        return True
    return next((one for one in told if isinstance(one, Unknown)), False)
