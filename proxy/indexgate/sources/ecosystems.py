"""ecosyste.ms: who depends on a project, and what is known of its repository.

Source: packages.ecosyste.ms' API description; CC-BY-SA-4.0, which every signal carries, so that it
can be left out where a snapshot is given away. Projects are named by package URL. Its `downloads`
are pypistats' and not read (two that agree would be one). `rankings` are percentages of projects
that have more; `critical` has no schedule and is not read. It serves those better who tell a
contact in the user agent.
"""

from datetime import datetime, timedelta

import httpx
import msgspec
from packaging.utils import InvalidName, NormalizedName, canonicalize_name

from indexgate.sources.budgets import Budget
from indexgate.sources.outbound import user_agent
from indexgate.sources.protocol import About, Asked
from indexgate.sources.service import Service
from indexgate.sources.told import count, share, signals
from indexgate_policy.signals import Signal, Unknown, Value

BASE = "https://packages.ecosyste.ms/api/v1"
ABOUT = About(
    name="ecosystems",
    title="ecosyste.ms",
    by="ecosyste.ms",
    documented_at="https://packages.ecosyste.ms/docs",
    gives=(
        "dependents",
        "dependent_repositories",
        "downloads_rank_share",
        "owner_projects",
        "stars",
        "forks",
        "contributors",
        "people_in_issues",
        "commits_a_week",
        "repository_archived",
        "security_policy",
    ),
    licence="CC-BY-SA-4.0",
    third_party=True,
    fresh_for=timedelta(days=3),
    key="better with: a contact address",
)

_WEEKS = 52


class _Commits(msgspec.Struct):
    total_committers: int | None = None


class _Files(msgspec.Struct):
    security: str | None = None


class _RepositoryMetadata(msgspec.Struct):
    files: _Files | None = None


class _Repository(msgspec.Struct):
    archived: bool | None = None
    stargazers_count: int | None = None
    forks_count: int | None = None
    commit_stats: _Commits | None = None
    metadata: _RepositoryMetadata | None = None


class _Issues(msgspec.Struct):
    past_year_issue_authors_count: int | None = None
    past_year_pull_request_authors_count: int | None = None
    past_year_commits_count: int | None = None


class _Rankings(msgspec.Struct):
    downloads: float | None = None


class _Maintainer(msgspec.Struct):
    packages_count: int | None = None


class _Package(msgspec.Struct):
    name: str
    ecosystem: str
    dependent_packages_count: int | None = None
    dependent_repos_count: int | None = None
    rankings: _Rankings | None = None
    maintainers: list[_Maintainer] | None = None
    repo_metadata: _Repository | None = None
    issue_metadata: _Issues | None = None


class Ecosystems:
    """The service, as a source. *base* is the address of its API.

    *contact* is a mail address that it may write to; empty to tell none.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        budget: Budget,
        *,
        contact: str = "",
        base: str = BASE,
        within: float = 20.0,
    ) -> None:
        headers = {}
        if contact:
            headers = {"From": contact, "User-Agent": f"{user_agent()} (mailto:{contact})"}
        self._service = Service(ABOUT, client, budget, base=base, within=within, headers=headers)

    @property
    def about(self) -> About:
        """What the source is."""
        return ABOUT

    async def signals(self, asked: Asked, now: datetime) -> tuple[Signal, ...]:
        """Return dependents and what is known of the repository. Raises SourceFailed."""
        found = await self._service.found(
            list[_Package], "packages/lookup", query={"purl": f"pkg:pypi/{asked.project}"}
        )
        if not found:
            absent = Unknown(reason="ecosyste.ms does not know the project")
            return tuple(signals(ABOUT, dict.fromkeys(ABOUT.gives, absent), now))
        package = next((p for p in found if _is(p, asked.project)), None)
        if package is None:
            raise self._service.garbage("answered another project")
        return tuple(signals(ABOUT, _values(package), now))


def _is(package: _Package, project: NormalizedName) -> bool:
    try:
        return package.ecosystem == "pypi" and (
            canonicalize_name(package.name, validate=True) == project
        )
    except InvalidName:
        return False


def _values(package: _Package) -> dict[str, Value | Unknown]:
    rankings = package.rankings or _Rankings()
    return {
        "dependents": count(package.dependent_packages_count, _untold("dependents")),
        "dependent_repositories": count(
            package.dependent_repos_count, _untold("repositories that depend on it")
        ),
        "downloads_rank_share": share(
            rankings.downloads, 100, _untold("the rank of its downloads")
        ),
        "owner_projects": _owner_projects(package),
        **_of_the_repository(package.repo_metadata),
        **_of_the_year(package.issue_metadata),
    }


def _of_the_repository(told: _Repository | None) -> dict[str, Value | Unknown]:
    known = told or _Repository()
    committers = known.commit_stats.total_committers if known.commit_stats else None
    files = known.metadata.files if known.metadata else None
    archived: Value | Unknown = Unknown(reason=_untold("whether the repository is archived"))
    security: Value | Unknown = Unknown(reason=_untold("the repository's files"))
    return {
        "stars": count(known.stargazers_count, _untold("stars")),
        "forks": count(known.forks_count, _untold("forks")),
        "contributors": count(committers, _untold("who committed")),
        "repository_archived": archived if known.archived is None else known.archived,
        "security_policy": security if files is None else bool(files.security),
    }


def _of_the_year(told: _Issues | None) -> dict[str, Value | Unknown]:
    known = told or _Issues()
    authors = [
        n
        for n in (known.past_year_issue_authors_count, known.past_year_pull_request_authors_count)
        if n is not None
    ]
    commits = count(known.past_year_commits_count, _untold("commits of the last year"))
    return {
        # Who opens issues and who opens requests may be the same people: at least the larger.
        "people_in_issues": count(max(authors, default=None), _untold("who opened issues")),
        "commits_a_week": commits if isinstance(commits, Unknown) else round(commits / _WEEKS, 2),
    }


def _owner_projects(package: _Package) -> int | Unknown:
    counts = [m.packages_count for m in package.maintainers or () if m.packages_count is not None]
    most = max(counts, default=None)
    return count(most - 1 if most else None, _untold("the projects of the owners"))


def _untold(what: str) -> str:
    return f"ecosyste.ms does not tell {what}"
