"""Adoption: users take up what is released."""

from indexgate_policy.health.definition import NEUTRAL, Dimension, Input, Reading
from indexgate_policy.health.facts import Facts
from indexgate_policy.health.wording import percent
from indexgate_policy.signals import Unknown

YEAR = 365.0


def _recent_versions(facts: Facts) -> Reading:
    share = facts.share("recent_version_share")
    if isinstance(share, Unknown):
        return Reading(None, share.reason)
    said = f"{percent(share)} of installs are of versions under a year old"
    return _judged(facts, min(1.0, share / 0.7), said)


def _old_versions(facts: Facts) -> Reading:
    share = facts.share("old_version_share")
    if isinstance(share, Unknown):
        return Reading(None, share.reason)
    said = f"{percent(share)} of installs are of versions two years old or older"
    return _judged(facts, 1 - min(1.0, share / 0.8), said)


def _judged(facts: Facts, value: float, said: str) -> Reading:
    if isinstance(facts.age, Unknown):
        return Reading(None, facts.age.reason)
    if facts.age < YEAR:
        return Reading(None, "every version is under a year old")
    if facts.finished is not None and value < NEUTRAL:
        return Reading(NEUTRAL, f"{said}, and none is newer", facts.counted_until)
    return Reading(value, said, facts.counted_until)


_UNKNOWN = "; unknown under one year of age, at least .40 for what is, or may be, finished"

ADOPTION = Dimension(
    name="adoption",
    weight=0.05,
    why="Users who stay on old versions do not get what is repaired; a slow and weak sign",
    inputs=(
        Input(
            name="recent_versions",
            weight=0.6,
            says="Installs of versions under a year old",
            computes=f"Their share / .7, at most 1{_UNKNOWN}",
            source="Science hs-1",
            signals=("recent_version_share",),
            read=_recent_versions,
        ),
        Input(
            name="old_versions",
            weight=0.4,
            says="Installs of versions two years old or older",
            computes=f"1 - their share / .8, at least 0{_UNKNOWN}",
            source="Science hs-1",
            signals=("old_version_share",),
            read=_old_versions,
        ),
    ),
)
