"""How critical a project is, by OpenSSF's formula: shown beside the score, which it is not.

Criticality says how much stands on a project; an abandoned one can be most critical. The formula is
Rob Pike's, with bounds and weights as in ossf/criticality_score at 47238f4 (`original_pike.yml` and
`pike_depsdev.yml`). There, missing fields drop out of the mean unseen; here they are shown.
"""

from collections.abc import Callable, Mapping
from math import log1p
from typing import Literal, TypeAlias

from msgspec import Struct

from indexgate_policy.assessment import Case
from indexgate_policy.health.facts import Facts
from indexgate_policy.signals import Unknown

Variant: TypeAlias = Literal["original", "deps.dev"]
VARIANTS: tuple[Variant, ...] = ("original", "deps.dev")

_MONTH = 365.25 / 12
_UNASKED = Unknown(reason="criticality reads no advisories")


class Field(Struct, frozen=True, kw_only=True):
    """A field of the formula: what it is here, and how far it reaches its bound (0..1)."""

    name: str
    value: float | Unknown
    weight: float
    bound: float
    less_is_better: bool = False

    @property
    def reached(self) -> float | Unknown:
        """ln(1 + x) / ln(1 + bound), at most 1; x is what is left to it if less is better."""
        if isinstance(self.value, Unknown):
            return self.value
        x = min(max(self.value, 0.0), self.bound)
        return log1p(self.bound - x if self.less_is_better else x) / log1p(self.bound)


class Term(Struct, frozen=True, kw_only=True):
    """A term of the formula: its bound, its weight in each variant, and what it reads."""

    name: str
    bound: float
    weights: Mapping[Variant, float]
    read: Callable[[Facts], float | Unknown]
    less_is_better: bool = False


class Criticality(Struct, frozen=True, kw_only=True):
    """The mean 0..1 of the known fields by weight, and the share of the weight that is known."""

    variant: Variant
    value: float | Unknown
    known: float
    fields: tuple[Field, ...]


def criticality(case: Case, variant: Variant = "deps.dev") -> Criticality:
    """Return how critical the project of *case* is."""
    facts = Facts(case, _UNASKED)
    fields = tuple(
        Field(
            name=term.name,
            value=term.read(facts),
            weight=term.weights[variant],
            bound=term.bound,
            less_is_better=term.less_is_better,
        )
        for term in TERMS
        if term.weights[variant]
    )
    points = known = 0.0
    for field in fields:
        reached = field.reached
        if not isinstance(reached, Unknown):
            points += field.weight * reached
            known += field.weight
    return Criticality(
        variant=variant,
        value=points / known if known else Unknown(reason="none of its fields is known"),
        known=known / sum(field.weight for field in fields),
        fields=fields,
    )


def _age(facts: Facts) -> float | Unknown:
    return facts.age if isinstance(facts.age, Unknown) else facts.age / _MONTH


def _since_commit(facts: Facts) -> float | Unknown:
    commit = facts.moment("last_commit_on")
    return commit if isinstance(commit, Unknown) else facts.days_since(commit) / _MONTH


def _releases(facts: Facts) -> float | Unknown:
    rhythm = facts.rhythm
    return rhythm if isinstance(rhythm, Unknown) else (rhythm.changes + rhythm.empty) / 2


def _dependents(facts: Facts) -> float | Unknown:
    """Return all projects that reach it, else those that need it directly: a floor."""
    reaching = facts.number("dependents_transitive")
    return facts.number("dependents") if isinstance(reaching, Unknown) else reaching


def _term(
    name: str,
    bound: float,
    weight: float,
    read: Callable[[Facts], float | Unknown],
    *,
    with_dependents: float | None = None,
    less_is_better: bool = False,
) -> Term:
    other = weight if with_dependents is None else with_dependents
    return Term(
        name=name,
        bound=bound,
        weights={"original": weight, "deps.dev": other},
        read=read,
        less_is_better=less_is_better,
    )


def _signal(name: str) -> Callable[[Facts], float | Unknown]:
    return lambda facts: facts.number(name)


TERMS: tuple[Term, ...] = (
    _term("months since the first release", 120, 1, _age),
    _term("months since the last commit", 120, 1, _since_commit, less_is_better=True),
    _term("contributors", 5_000, 2, _signal("contributors")),
    _term("organisations", 10, 1, _signal("organizations")),
    _term("commits a week", 1_000, 1, _signal("commits_a_week")),
    _term("releases a year", 26, 0.5, _releases),
    _term("issues updated in 90 days", 5_000, 0.5, _signal("issues_updated")),
    _term("issues closed in 90 days", 5_000, 0.5, _signal("issues_closed")),
    _term("comments per issue", 15, 1, _signal("comments_per_issue")),
    _term("mentions", 500_000, 2, _signal("mentions"), with_dependents=1),
    _term("dependents", 200_000, 0, _dependents, with_dependents=4),
)
"""The terms. Two are stand-ins: the first release for the repository's creation, and mentions of
any kind for those in commit messages."""
