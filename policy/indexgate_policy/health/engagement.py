"""How much of a download count other people's acts confirm."""

from typing import TYPE_CHECKING

from indexgate_policy.health.shapes import sat
from indexgate_policy.signals import Unknown

if TYPE_CHECKING:
    from indexgate_policy.health.facts import Facts

SIGNALS = (
    "stars",
    "star_burst_share",
    "people_in_issues",
    "dependent_owners",
    "dependents",
    "dependent_repositories",
)
"""What the confirmation is read from."""

_UNCONFIRMED = 0.16  # so that downloads by themselves bring less than 2 points of 100


def confirmed(facts: "Facts") -> float | Unknown:
    """Return 0..1, what downloads may be worth at most: .16 and, for .84, two confirmations.

    These are the two strongest of stars, people in issues, owners of dependents and dependent
    repositories; the stronger counts .4, the other .6, since one alone is easily bought. Unknown
    when none of them is known: a count that nothing could confirm says nothing.
    """
    dependents = facts.dependents
    acts = (
        _of_repository(facts, stars(facts), 10_000),
        _of_repository(facts, facts.number("people_in_issues"), 300),
        None if isinstance(dependents, Unknown) else sat(dependents.owners, 2_000),
        _seen(facts.repositories, 50_000),
    )
    known = sorted((act for act in acts if act is not None), reverse=True)
    if not known:
        return Unknown(reason="no stars, people or dependents are known that could confirm it")
    first, second, *_ = (*known, 0.0)
    return _UNCONFIRMED + (1 - _UNCONFIRMED) * (0.4 * first + 0.6 * second)


def stars(facts: "Facts") -> float | Unknown:
    """Return the stars without those that came in bursts which nothing explains (at most 90 %)."""
    given, burst = facts.number("stars"), facts.share("star_burst_share")
    if isinstance(given, Unknown) or isinstance(burst, Unknown):
        return given
    return given * (1 - min(burst, 0.9))


def _seen(x: float | Unknown, full: float) -> float | None:
    return None if isinstance(x, Unknown) else sat(x, full)


def _of_repository(facts: "Facts", x: float | Unknown, full: float) -> float | None:
    share = facts.repository_share
    if isinstance(x, Unknown) or isinstance(share, Unknown):
        return None
    return share * sat(x, full)
