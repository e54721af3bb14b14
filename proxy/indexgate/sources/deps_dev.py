"""deps.dev: dependents, attestations, the proven repository, and what Google finds unusual.

Source: the published API, v3 for what is stable, v3alpha for dependents, similar names, findings
and the batch of package URLs; its own data CC-BY-4.0, caching expressly allowed, no limit stated.
Dependents are counted per version and of public packages only: those of the default version are a
floor.

What v3alpha fails to answer is unknown by itself and never fails the rest: it may change or vanish.
But what was not asked because the limits were used up is no answer, and asked later as a whole.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar
from urllib.parse import quote

import httpx
from msgspec import Struct
from packaging.utils import NormalizedName, canonicalize_name

from indexgate.sources import deps_dev_answers as answers
from indexgate.sources import scorecard
from indexgate.sources.budgets import Budget
from indexgate.sources.protocol import About, Asked, SourceFailed
from indexgate.sources.service import Service, part
from indexgate.sources.told import signals
from indexgate_policy.signals import Signal, Unknown, Value

BASE = "https://api.deps.dev"
ABOUT = About(
    name="deps-dev",
    title="deps.dev",
    by="Google",
    documented_at="https://docs.deps.dev/api/",
    gives=(
        "dependents",
        "dependents_transitive",
        "repository_proven",
        "attested_versions",
        "attested_repository",
        "attested_repository_before",
        "stars",
        "forks",
        *scorecard.ABOUT.gives,
        "third_party_findings",
        "third_party_advisories",
        "third_party_status",
        "similar_names",
    ),
    licence="CC-BY-4.0",
    third_party=True,
    fresh_for=timedelta(days=2),
)
NEWEST = 10
"""So many versions are looked at for attestations."""

_MOST_PAGES = 10
_UNKNOWN_PROJECT = Unknown(reason="deps.dev does not know the project")

T = TypeVar("T")
Told = dict[str, Value | Unknown]


class _Stable(Struct, kw_only=True):
    """What v3 told of a project: its newest versions, the default one by name, and the values."""

    newest: list[str]
    default: dict[str, answers.Version]
    told: Told


class DepsDev:
    """The service, as a source that answers in batches. *base* is the address of its API."""

    most_at_once = 50

    def __init__(
        self,
        client: httpx.AsyncClient,
        budget: Budget,
        *,
        base: str = BASE,
        within: float = 30.0,
    ) -> None:
        self._service = Service(ABOUT, client, budget, base=base, within=within, most=32_000_000)

    @property
    def about(self) -> About:
        """What the source is."""
        return ABOUT

    async def signals(self, asked: Asked, now: datetime) -> tuple[Signal, ...]:
        """Return the signals of one project. Raises SourceFailed."""
        return (await self.many((asked,), now))[asked.project]

    async def many(
        self, asked: Sequence[Asked], now: datetime
    ) -> Mapping[NormalizedName, tuple[Signal, ...]]:
        """Return the signals of each project; versions are asked for together.

        Raises SourceFailed when none could be had.
        """
        stable = await _gathered({a.project: self._stable(a) for a in asked})
        failures = [found for found in stable.values() if isinstance(found, SourceFailed)]
        if failures and len(failures) == len(stable):
            raise failures[0]
        known = {p: found for p, found in stable.items() if isinstance(found, _Stable)}
        alpha = _Alpha(self._service)
        versions = await alpha.versions({p: found.newest for p, found in known.items()})
        for project, found in known.items():
            there = {**found.default, **versions.get(project, {})}
            found.told |= answers.attested(found.newest, there)
            found.told |= await alpha.told(project, found.newest)
        return {p: tuple(signals(ABOUT, _told(found), now)) for p, found in stable.items()}

    async def _stable(self, asked: Asked) -> _Stable | None:
        """Return what v3 tells; None when it does not know the project."""
        package = await self._package(asked.project)
        if package is None:
            return None
        newest = package.newest(NEWEST)
        default = await self._default(asked.project, newest)
        claimed = asked.known.value("repository")
        told = {} if default is None else answers.of_the_default(default, claimed)
        told |= await self._repository(answers.repository_id(default, claimed))
        there = {} if default is None else {default.version_key.version: default}
        return _Stable(newest=newest, default=there, told=told)

    async def _package(self, project: NormalizedName) -> answers.Package | None:
        package = await self._service.found(
            answers.Package, f"v3/systems/pypi/packages/{part(project)}"
        )
        if package is not None and not _is(package.package_key.name, project):
            raise self._service.garbage("answered another project")
        return package

    async def _default(
        self, project: NormalizedName, newest: Sequence[str]
    ) -> answers.Version | None:
        if not newest:
            return None
        path = f"v3/systems/pypi/packages/{part(project)}/versions/{part(newest[0])}"
        version = await self._service.found(answers.Version, path)
        if version is not None:
            key = version.version_key
            if not _is(key.name, project) or key.version != newest[0]:
                raise self._service.garbage("answered another version")
        return version

    async def _repository(self, identity: str | Unknown) -> Told:
        names = ("stars", "forks", *scorecard.ABOUT.gives)
        if isinstance(identity, Unknown):
            return dict.fromkeys(names, identity)
        try:
            found = await self._service.found(answers.Repository, f"v3/projects/{part(identity)}")
            if found is not None and found.project_key.id.lower() != identity.lower():
                raise self._service.garbage("answered another repository")
        except SourceFailed as failed:
            if not failed.lasting:
                raise
            return dict.fromkeys(names, Unknown(reason=str(failed)))
        if found is None:
            return dict.fromkeys(names, Unknown(reason="deps.dev does not know the repository"))
        return answers.of_the_repository(found)


class _Alpha:
    """What v3alpha tells. Once it has failed in a way that may pass it is not asked any more.

    Its methods raise SourceFailed only where it was never asked: the limits are used up.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._down: SourceFailed | None = None

    async def versions(
        self, newest: Mapping[NormalizedName, Sequence[str]]
    ) -> dict[NormalizedName, dict[str, answers.Version]]:
        """Return the newest versions of all projects, as far as the batch has them."""
        purls = [
            {"purl": f"pkg:pypi/{project}@{quote(version, safe='')}"}
            for project, versions in newest.items()
            for version in versions
        ]
        found: dict[NormalizedName, dict[str, answers.Version]] = {}
        question: dict[str, object] = {"requests": purls}
        for _ in range(_MOST_PAGES if purls else 0):
            batch = await self._asked(answers.Batch, "v3alpha/purlbatch", question)
            if isinstance(batch, SourceFailed):
                break  # then only the default versions are looked at
            for version in batch.versions:
                key = version.version_key
                if key.version in newest.get(canonicalize_name(key.name), ()):
                    found.setdefault(canonicalize_name(key.name), {})[key.version] = version
            if not batch.next_page_token:
                break
            question["pageToken"] = batch.next_page_token
        return found

    async def told(self, project: NormalizedName, newest: Sequence[str]) -> Told:
        """Return similar names, and what is known of the newest version only."""
        package = f"v3alpha/systems/pypi/packages/{part(project)}"
        told = await self._maybe(
            answers.Similar,
            f"{package}:similarlyNamedPackages",
            lambda told: answers.similar_names(told, project),
            "similar_names",
        )
        if not newest:
            return told
        version = f"{package}/versions/{part(newest[0])}"
        told |= await self._maybe(
            answers.Dependents,
            f"{version}:dependents",
            answers.dependents,
            "dependents",
            "dependents_transitive",
        )
        told |= await self._maybe(
            answers.Findings,
            f"{version}:findings",
            lambda told: answers.findings(told, project),
            "third_party_findings",
        )
        return told

    async def _maybe(
        self, kind: type[T], path: str, meaning: Callable[[T], Told], *names: str
    ) -> Told:
        found = await self._asked(kind, path)
        if isinstance(found, SourceFailed):
            return dict.fromkeys(names, Unknown(reason=str(found)))
        return meaning(found)

    async def _asked(self, kind: type[T], path: str, question: object = None) -> T | SourceFailed:
        if self._down is not None:
            return self._down
        try:
            return await self._service.json(kind, path, question=question)
        except SourceFailed as failed:
            if failed.kind in {"budget", "resting"}:
                raise
            if not failed.lasting:
                self._down = failed
            return failed


def _is(told: str, project: NormalizedName) -> bool:
    return canonicalize_name(told) == project


def _told(found: _Stable | SourceFailed | None) -> Told:
    if isinstance(found, SourceFailed):
        return dict.fromkeys(ABOUT.gives, Unknown(reason=str(found)))
    if found is None:
        return dict.fromkeys(ABOUT.gives, _UNKNOWN_PROJECT)
    return found.told


async def _gathered(
    asked: Mapping[NormalizedName, Awaitable[T]],
) -> dict[NormalizedName, T | SourceFailed]:
    """Await all; one that fails stands for itself."""

    async def one(waiting: Awaitable[T]) -> T | SourceFailed:
        try:
            return await waiting
        except SourceFailed as failed:
            return failed

    answered = await asyncio.gather(*(one(waiting) for waiting in asked.values()))
    return dict(zip(asked, answered, strict=True))
