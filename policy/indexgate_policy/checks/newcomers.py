"""Accounts that could release only since shortly before a release: stand-ins for its uploader.

No index tells publicly who uploaded a file, so a newcomer among the owners is the nearest fact.
"""

from datetime import datetime, timedelta

from indexgate_policy.assessment import Case
from indexgate_policy.checks import readings
from indexgate_policy.signals import Unknown

SHORTLY = timedelta(days=45)
_TOLD = 3  # an organisation has dozens, and a sentence has an end


def newcomers(case: Case, released: datetime) -> tuple[str, ...] | Unknown:
    """Return the accounts that were added to the owners in the 45 days before *released*.

    Unknown when the owners were not watched at that time.
    """
    watched = readings.day(case, "owners_watched_since")
    if isinstance(watched, Unknown):
        return watched
    if watched >= released.date():
        return Unknown(reason=f"the owners have been watched only since {watched}")
    changed = readings.day(case, "owners_changed_on")
    if isinstance(changed, Unknown):
        return ()  # watched, and no change was seen
    if not readings.start(changed) <= released <= readings.start(changed) + SHORTLY:
        return ()
    return readings.texts(case, "owners_added")


def named(accounts: tuple[str, ...]) -> str:
    """Return *accounts* for a sentence: the first three, and how many more."""
    told = ", ".join(f"`{account}`" for account in accounts[:_TOLD])
    return told if len(accounts) <= _TOLD else f"{told} and {len(accounts) - _TOLD} more"
