"""Centrality: how many others stand on it, counted by who they are."""

from indexgate_policy.health.definition import Dimension, Input, Reading
from indexgate_policy.health.facts import Facts
from indexgate_policy.health.shapes import sat
from indexgate_policy.health.wording import count
from indexgate_policy.signals import Unknown


def _dependents(facts: Facts) -> Reading:
    dependents = facts.dependents
    if isinstance(dependents, Unknown):
        return Reading(None, dependents.reason)
    return Reading(sat(dependents.owners, 5_000), dependents.evidence)


def _transitive(facts: Facts) -> Reading:
    projects = facts.number("dependents_transitive")
    if isinstance(projects, Unknown):
        return Reading(None, projects.reason)
    return Reading(sat(projects, 50_000), f"reached through others by {count(projects, 'project')}")


def _repositories(facts: Facts) -> Reading:
    repositories = facts.number("dependent_repositories")
    if isinstance(repositories, Unknown):
        return Reading(None, repositories.reason)
    return Reading(
        sat(repositories, 100_000), f"needed by {count(repositories, 'repository', 'repositories')}"
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
                "tenth of them stands for owners"
            ),
            source="Science hs-1; one account can publish hundreds of projects in a night",
            signals=("dependent_owners", "dependents"),
            read=_dependents,
        ),
        Input(
            name="transitive",
            weight=0.30,
            says="Projects that reach it through others",
            computes="ln(1 + projects) / ln(1 + 50,000), at most 1",
            source="Science hs-1; OpenSSF Criticality Score with deps.dev (dependent_count)",
            signals=("dependents_transitive",),
            read=_transitive,
        ),
        Input(
            name="repositories",
            weight=0.25,
            says="Repositories that need it",
            computes="ln(1 + repositories) / ln(1 + 100,000), at most 1",
            source="Science hs-1",
            signals=("dependent_repositories",),
            read=_repositories,
        ),
    ),
)
