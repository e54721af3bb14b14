"""Popularity: people who install it, as far as anything else confirms them."""

from indexgate_policy.health import engagement
from indexgate_policy.health.definition import Dimension, Input, Reading
from indexgate_policy.health.facts import Facts
from indexgate_policy.health.shapes import sat
from indexgate_policy.health.wording import count, percent
from indexgate_policy.signals import Unknown

MANY = 3e6  # human-like installs a month of the largest projects


def _human_installs(facts: Facts) -> Reading:
    installs = facts.number("human_installs")
    if isinstance(installs, Unknown):
        return Reading(None, installs.reason)
    said = f"{count(installs, 'human-like install')} in 30 days"
    allowed = facts.confirmed
    if isinstance(allowed, Unknown):
        return Reading(None, f"{said}, but {allowed.reason}")
    counted = sat(installs, MANY)
    value = min(allowed, 0.5 * counted + 0.5 * allowed)
    if allowed < counted:
        said += ", which stars, people and dependents confirm in part only"
    return Reading(value, said, facts.counted_until)


def _persistence(facts: Facts) -> Reading:
    share = facts.share("human_persistence")
    if isinstance(share, Unknown):
        return Reading(None, share.reason)
    said = f"people installed it in {percent(share)} of the last 26 weeks"
    allowed = facts.confirmed
    if isinstance(allowed, Unknown):
        return Reading(None, f"{said}, but {allowed.reason}")
    return Reading(min(share, allowed), said, facts.counted_until)


POPULARITY = Dimension(
    name="popularity",
    weight=0.12,
    why=(
        "Many people at keyboards find what is broken; but downloads are the easiest thing to "
        "forge, so this counts little, and only as far as other people's acts confirm it"
    ),
    inputs=(
        Input(
            name="human_installs",
            weight=0.65,
            says="People at a keyboard who install it",
            computes=(
                "The mean of ln(1 + installs) / ln(1 + 3,000,000) and what is confirmed, at most "
                "what is confirmed: .16, and .84 times .4 of the strongest and .6 of the second of "
                "stars (full at 10,000), people in issues (300), owners of dependents (2,000) and "
                "dependent repositories (50,000). Unknown when none of these four is known. "
                "Downloads by mirrors, bots, CI and servers are not read at all"
            ),
            source=(
                "Science hs-1, on classes dn-1. There the mean was the count alone, and the "
                "strongest confirmation counted most: so a thousandfold count brings less than 2 "
                "points of 100, and one bought confirmation less than 3"
            ),
            signals=("human_installs", *engagement.SIGNALS),
            read=_human_installs,
        ),
        Input(
            name="persistence",
            weight=0.35,
            says="That they go on installing it",
            computes=(
                "The share of 26 weeks with at least a quarter of the median week, at most what "
                "is confirmed (as above)"
            ),
            source="Science hs-1; one week's campaign cannot fill half a year",
            signals=("human_persistence", *engagement.SIGNALS),
            read=_persistence,
        ),
    ),
)
