"""Centrality: how many others stand on it, counted by who they are."""

from indexgate_policy.health.definition import Dimension, Input, Reading
from indexgate_policy.health.facts import (
    INSTALLS_A_PROJECT,
    INSTALLS_AN_OWNER,
    ON_TRUST,
    Facts,
)
from indexgate_policy.health.shapes import sat
from indexgate_policy.health.wording import count, number
from indexgate_policy.signals import Unknown

INSTALLS = ("human_installs_high", "human_installs")
"""How often people install it, where that is known."""


def _dependents(facts: Facts) -> Reading:
    dependents = facts.dependents
    if isinstance(dependents, Unknown):
        return Reading(None, dependents.reason)
    return Reading(sat(dependents.owners, 5_000), dependents.evidence)


def _transitive(facts: Facts) -> Reading:
    projects = facts.number("dependents_transitive")
    if isinstance(projects, Unknown):
        return Reading(None, projects.reason)
    said = f"reached through others by {count(projects, 'project')}"
    return _borne_out(facts, projects, 50_000, said)


def _repositories(facts: Facts) -> Reading:
    repositories = facts.number("dependent_repositories")
    if isinstance(repositories, Unknown):
        return Reading(None, repositories.reason)
    said = f"needed by {count(repositories, 'repository', 'repositories')}"
    return _borne_out(facts, repositories, 100_000, said)


def _borne_out(facts: Facts, found: float, full: float, said: str) -> Reading:
    counted = facts.installed_for(found, INSTALLS_A_PROJECT)
    if counted < found:
        said += f"; people install it too seldom for more than {number(round(counted))}"
    return Reading(sat(counted, full), said)


_SEEN = (
    f"only as many count as people's installs of 30 days bear out: {ON_TRUST}, and one more for "
)

CENTRALITY = Dimension(
    name="centrality",
    weight=0.15,
    why="What many different people build on is watched, and kept alive by someone",
    inputs=(
        Input(
            name="dependents",
            weight=0.45,
            says="Different owners of projects that need it",
            computes=(
                "ln(1 + owners) / ln(1 + 5,000), at most 1; where only projects were counted, a "
                f"tenth of them stands for owners; {_SEEN}every {INSTALLS_AN_OWNER} installs (the "
                "upper end of what may be people; all, where that is unknown)"
            ),
            source=(
                "Science hs-1; one account can publish hundreds of projects in a night. Whoever "
                "installs a dependent installs this too: of 55 known projects none has under 40 "
                "installs an owner, and 500 bought accounts brought 14 points of 100"
            ),
            signals=("dependent_owners", "dependents", *INSTALLS),
            read=_dependents,
        ),
        Input(
            name="transitive",
            weight=0.30,
            says="Projects that reach it through others",
            computes=(
                f"ln(1 + projects) / ln(1 + 50,000), at most 1; {_SEEN}every {INSTALLS_A_PROJECT}"
            ),
            source="Science hs-1; OpenSSF Criticality Score with deps.dev (dependent_count)",
            signals=("dependents_transitive", *INSTALLS),
            read=_transitive,
        ),
        Input(
            name="repositories",
            weight=0.25,
            says="Repositories that need it",
            computes=(
                f"ln(1 + repositories) / ln(1 + 100,000), at most 1; {_SEEN}every "
                f"{INSTALLS_A_PROJECT}"
            ),
            source="Science hs-1",
            signals=("dependent_repositories", *INSTALLS),
            read=_repositories,
        ),
    ),
)
