"""Community: different people who show up, more than those who click."""

from collections.abc import Callable

from indexgate_policy.health import engagement
from indexgate_policy.health.definition import Dimension, Input, Reading
from indexgate_policy.health.facts import Facts
from indexgate_policy.health.shapes import sat
from indexgate_policy.health.wording import count, percent
from indexgate_policy.signals import Unknown


def _stars(facts: Facts) -> Reading:
    given, counted = facts.number("stars"), engagement.stars(facts)
    if isinstance(given, Unknown) or isinstance(counted, Unknown):
        reason = given.reason if isinstance(given, Unknown) else ""
        return Reading(None, reason)
    said = count(given, "star")
    if counted < given:
        burst = percent(1 - counted / given)
        said += f", {burst} of which came in bursts that nothing explains and do not count"
    return Reading(sat(counted, 20_000), said)


def _counted(signal: str, full: float, words: Callable[[float], str]) -> Callable[[Facts], Reading]:
    def read(facts: Facts) -> Reading:
        x = facts.number(signal)
        if isinstance(x, Unknown):
            return Reading(None, x.reason)
        return Reading(sat(x, full), words(x))

    return read


def _people(x: float) -> str:
    return f"{count(x, 'person', 'different people')} in issues and pull requests in a year"


COMMUNITY = Dimension(
    name="community",
    weight=0.13,
    why="People who write, ask and repair are harder to buy than stars",
    inputs=(
        Input(
            name="stars",
            weight=0.30,
            says="Stars of the source repository",
            computes=(
                "ln(1 + stars) / ln(1 + 20,000), at most 1; stars of bursts that nothing explains "
                "are left out (at most 90 % of all)"
            ),
            source="Science hs-1; StarScout on bought stars",
            signals=("stars", "star_burst_share"),
            of_repository=True,
            read=_stars,
        ),
        Input(
            name="people",
            weight=0.40,
            says="Different people who opened issues, discussions and pull requests in a year",
            computes="ln(1 + people) / ln(1 + 400), at most 1",
            source="Science hs-1",
            signals=("people_in_issues",),
            of_repository=True,
            read=_counted("people_in_issues", 400, _people),
        ),
        Input(
            name="forks",
            weight=0.10,
            says="Forks of the source repository",
            computes="ln(1 + forks) / ln(1 + 4,000), at most 1",
            source="Science hs-1",
            signals=("forks",),
            of_repository=True,
            read=_counted("forks", 4_000, lambda x: count(x, "fork")),
        ),
        Input(
            name="mentions",
            weight=0.20,
            says="Questions and posts about it elsewhere",
            computes="ln(1 + mentions) / ln(1 + 2,000), at most 1",
            source="Science hs-1; OpenSSF Criticality Score (github_mention_count)",
            signals=("mentions",),
            read=_counted("mentions", 2_000, lambda x: f"{count(x, 'mention')} elsewhere"),
        ),
    ),
)
