"""A name that can be taken for a popular one, weighed with what else is known of the project.

A confusable name is only a suspicion: about one honest name in seventy is confusable. So the
likeness is multiplied by factors 0..1, each a reason that is shown; a factor that cannot be known
is left out and named (science fl-1, "typosquat").
"""

from datetime import datetime, timedelta
from math import log10

from msgspec import Struct
from packaging.utils import canonicalize_name

from indexgate_policy.assessment import Case, Lookalike
from indexgate_policy.checks import readings
from indexgate_policy.checks.definition import Definition
from indexgate_policy.flags import Flag, Severity
from indexgate_policy.signals import Unknown, Value
from indexgate_policy.subject import age

DEFINITION = Definition(
    id="typosquat",
    short="The name can be taken for a popular project's",
    motivation=(
        "Malicious projects are given names that people type by mistake or believe to belong to a "
        "known project; most of them are found within days, so the first days matter"
    ),
    computes=(
        "How easily the name is taken for one of the most downloaded names, times the popularity "
        "of that name, the project's youth, the gap in downloads, and what speaks for its own "
        "standing (the same owner, a repository that is not called like the popular one, five "
        "releases or more)"
    ),
    source=(
        "Science fl-1; likeness by a noisy channel over slips (the classes of typogard and "
        "GuardDog) and added words, set on public lists of squats"
    ),
    minimum_data=(
        "A public index and the list of popular names; without the first upload the severity is at "
        "most medium"
    ),
    severity="Low from .2, medium from .35, high from .6 of the product",
    known_false_alarms="New plugins, forks and bindings of a popular project; short names",
    remediation=(
        "Compare the name with the one you meant; if this project is meant, look at its owner and "
        "repository and exempt it by name"
    ),
)

LIKE_ENOUGH = 0.5  # the working point of the likeness
BANDS = ((0.6, Severity.HIGH), (0.35, Severity.MEDIUM), (0.2, Severity.LOW))

FAMOUS, KNOWN = 100, 5_000  # ranks between which popularity falls from 1 to OF_KNOWN
OF_KNOWN = 0.65  # not less: the likeness has already paid for the rank
NEW = timedelta(days=30)  # younger is 1
AGE_HALVES = timedelta(days=335)  # after NEW: 1/2 at a year, 1/4 at three
COUNTED = timedelta(days=30)  # downloads are of 30 days
CLEAR_GAP = 2.5  # decades between the downloads of both; less is damped
SAME_OWNER = 0.05
OWN_REPOSITORY, SOME_REPOSITORY = 0.7, 0.75  # squats mostly link none: see evaluation
MANY_RELEASES, OF_MANY_RELEASES = 5, 0.8


class _Factor(Struct, frozen=True, kw_only=True):
    """One reason: `weight` 0..1 (Unknown: left out), `why` in a clause."""

    name: str
    weight: float | Unknown
    why: str


def check(case: Case) -> Flag | None:
    """Flag a project whose name can be taken for a popular one."""
    if not case.project.public:
        return None  # popular names are facts about public indexes
    found = case.context.popular.lookalike(case.project.name)
    if found is None or found.confusability < LIKE_ENOUGH:
        return None
    factors = _factors(case, found)
    score = found.confusability
    for factor in factors:
        score *= 1.0 if isinstance(factor.weight, Unknown) else factor.weight
    severity = next((severity for least, severity in BANDS if score >= least), None)
    if severity is None:
        return None
    first = case.project.first_upload
    if isinstance(first, Unknown):
        severity = min(severity, Severity.MEDIUM)
    return Flag(
        check=DEFINITION.id,
        severity=severity,
        evidence=_evidence(case, found, factors),
        facts=_facts(found, factors, score),
        began=None if isinstance(first, Unknown) else first,
    )


def _factors(case: Case, found: Lookalike) -> tuple[_Factor, ...]:
    return (
        _popularity(found),
        _youth(case),
        _gap(case, found),
        _owners(case, found),
        _repository(case, found),
        _releases(case),
    )


def _popularity(found: Lookalike) -> _Factor:
    fall = log10(max(found.rank, FAMOUS) / FAMOUS) / log10(KNOWN / FAMOUS)
    weight = 1 - (1 - OF_KNOWN) * min(1.0, fall)
    return _Factor(name="popularity", weight=weight, why=f"`{found.imitates}` is rank {found.rank}")


def _youth(case: Case) -> _Factor:
    known = age(case.project.first_upload, case.now)
    if isinstance(known, Unknown):
        return _Factor(name="age", weight=known, why="the first upload is not known")
    weight = 1 / (1 + max(known - NEW, timedelta(0)) / AGE_HALVES)
    return _Factor(name="age", weight=weight, why=f"first upload {_day(case.project.first_upload)}")


def _gap(case: Case, found: Lookalike) -> _Factor:
    """Weigh downloads of a week: a name used about as much as the other is its own thing."""
    own = readings.number(case, "downloads")
    if not isinstance(own, Unknown):
        why = f"{own:.0f} downloads in 30 days"
    else:
        least = case.context.popular.least_downloads
        known = age(case.project.first_upload, case.now)
        lived = 1.0 if isinstance(known, Unknown) else min(1.0, known / COUNTED)
        own = least * lived
        why = f"not among the most downloaded, which begin at {least} in 30 days"
    gap = log10((_weekly(found.downloads) + 10) / (_weekly(own) + 10))
    return _Factor(name="usage_gap", weight=min(1.0, max(0.0, gap / CLEAR_GAP)), why=why)


def _weekly(of_30_days: float) -> float:
    return max(0.0, of_30_days) * 7 / 30


def _owners(case: Case, found: Lookalike) -> _Factor:
    own = case.signals.value("owners")
    others = case.context.owners_of.get(found.imitates)
    if isinstance(own, Unknown):
        return _Factor(name="owner", weight=own, why="the owners are not known")
    if not others or not isinstance(own, tuple):
        unknown = Unknown(reason=f"the owners of {found.imitates} have not been looked up")
        return _Factor(name="owner", weight=unknown, why=unknown.reason)
    same = sorted(others.intersection(own))
    if same:
        return _Factor(name="owner", weight=SAME_OWNER, why=f"{same[0]} owns both")
    return _Factor(name="owner", weight=1.0, why="no owner in common")


def _repository(case: Case, found: Lookalike) -> _Factor:
    link = case.signals.value("repository")
    if isinstance(link, Unknown):
        return _Factor(name="repository", weight=link, why="the repository is not known")
    if not isinstance(link, str) or not link:
        return _Factor(name="repository", weight=1.0, why="no repository link")
    last = link.rstrip("/").rpartition("/")[2].removesuffix(".git")
    named = canonicalize_name(last).replace("-", "")
    if named == found.imitates.replace("-", ""):
        why = f"links a repository called `{found.imitates}`"
        return _Factor(name="repository", weight=1.0, why=why)
    if named == case.project.name.replace("-", ""):
        return _Factor(name="repository", weight=OWN_REPOSITORY, why="a repository that names it")
    return _Factor(name="repository", weight=SOME_REPOSITORY, why="a repository of another name")


def _releases(case: Case) -> _Factor:
    count = case.project.releases
    weight = OF_MANY_RELEASES if count >= MANY_RELEASES else 1.0
    return _Factor(
        name="releases", weight=weight, why="one release" if count == 1 else f"{count} releases"
    )


def _evidence(case: Case, found: Lookalike, factors: tuple[_Factor, ...]) -> str:
    told = [
        factor.why
        for factor in factors
        if factor.name in {"age", "releases", "repository"}
        and not isinstance(factor.weight, Unknown)
    ]
    of_owner = next(factor for factor in factors if factor.name == "owner")
    if of_owner.weight == SAME_OWNER:
        told.append(of_owner.why)
    head = f"{found.relation} `{found.imitates}` (rank {found.rank} by downloads)"
    return ", ".join([head, *told])


def _facts(found: Lookalike, factors: tuple[_Factor, ...], score: float) -> dict[str, Value]:
    facts: dict[str, Value] = {
        "imitates": found.imitates,
        "relation": found.relation,
        "confusability": round(found.confusability, 3),
        "rank": found.rank,
        "score": round(score, 3),
    }
    for factor in factors:
        if not isinstance(factor.weight, Unknown):
            facts[factor.name] = round(factor.weight, 3)
        facts[f"{factor.name}_why"] = factor.why
    facts["unknown"] = tuple(f.name for f in factors if isinstance(f.weight, Unknown))
    return facts


def _day(when: datetime | Unknown) -> str:
    return "" if isinstance(when, Unknown) else when.date().isoformat()
