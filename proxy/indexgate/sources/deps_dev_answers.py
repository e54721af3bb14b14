"""What deps.dev answers, and the signals it means. Pure.

Names of members: the published protocol of v3 and v3alpha, in the JSON form of protocol buffers,
where a member may be left out; what is left out is unknown here, never zero.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

import msgspec
from packaging.utils import NormalizedName, canonicalize_name

from indexgate.sources import repository, scorecard
from indexgate.sources.told import count, line, lines, moment
from indexgate_policy.signals import Unknown, Value

_PROVEN = {"PYPI_PUBLISH_ATTESTATION", "SLSA_ATTESTATION"}
_MOST_NAMES = 50
_PROJECT_HOSTS = ("github.com/", "gitlab.com/", "bitbucket.org/")
_ANOTHER = Unknown(reason="deps.dev answered another project")
_EARLIEST = datetime.min.replace(tzinfo=UTC)


class PackageKey(msgspec.Struct, gc=False):
    """A project by name."""

    system: str
    name: str


class VersionKey(msgspec.Struct, gc=False):
    """A version by name."""

    system: str
    name: str
    version: str


class ListedVersion(msgspec.Struct, rename="camel"):
    """A version as the list of a package has it."""

    version_key: VersionKey
    published_at: str | None = None
    is_default: bool = False


class Package(msgspec.Struct, rename="camel"):
    """A package with its versions."""

    package_key: PackageKey
    versions: list[ListedVersion] | None = None

    def newest(self, most: int) -> list[str]:
        """Return the *most* newest versions, newest first; the default one leads."""
        found = self.versions or []
        times = {v.version_key.version: moment(v.published_at) or _EARLIEST for v in found}
        default = {v.version_key.version for v in found if v.is_default}
        ordered = sorted(times, key=lambda v: (v in default, times[v]), reverse=True)
        return ordered[:most]


class _AdvisoryKey(msgspec.Struct, gc=False):
    id: str


class _Attestation(msgspec.Struct, rename="camel"):
    verified: bool = False
    source_repository: str = ""


class _ProjectKey(msgspec.Struct, gc=False):
    id: str


class _Related(msgspec.Struct, rename="camel"):
    project_key: _ProjectKey
    relation_provenance: str = ""
    relation_type: str = ""


class _Status(msgspec.Struct):
    status: str = ""


class Version(msgspec.Struct, rename="camel"):
    """One version: its advisories, its attestations and the repositories it is tied to."""

    version_key: VersionKey
    advisory_keys: list[_AdvisoryKey] | None = None
    attestations: list[_Attestation] | None = None
    slsa_provenances: list[_Attestation] | None = None
    related_projects: list[_Related] | None = None
    project_status: _Status | None = None


class _Batched(msgspec.Struct):
    version: Version | None = None


class _BatchEntry(msgspec.Struct):
    result: _Batched | None = None


class Batch(msgspec.Struct, rename="camel"):
    """The versions that a batch of package URLs asked for; those that are not known are missing."""

    responses: list[_BatchEntry] | None = None
    next_page_token: str = ""

    @property
    def versions(self) -> list[Version]:
        """The versions that were found."""
        found = (entry.result for entry in self.responses or [])
        return [result.version for result in found if result is not None and result.version]


class _ScorecardResult(msgspec.Struct, rename="camel"):
    date: str | None = None
    checks: list[scorecard.Check] | None = None
    overall_score: float | None = None


class Repository(msgspec.Struct, rename="camel"):
    """A source repository."""

    project_key: _ProjectKey
    stars_count: int | None = None
    forks_count: int | None = None
    scorecard: _ScorecardResult | None = None


class Dependents(msgspec.Struct, rename="camel"):
    """How many packages need a version."""

    dependent_count: int | None = None
    direct_dependent_count: int | None = None


class _Similar(msgspec.Struct, rename="camel"):
    package_key: PackageKey


class Similar(msgspec.Struct, rename="camel"):
    """Packages of names similar to that of `package_key`."""

    package_key: PackageKey
    packages: list[_Similar] | None = None


class _Finding(msgspec.Struct):
    type: str


class _Found(msgspec.Struct):
    findings: list[_Finding] | None = None


class Findings(msgspec.Struct, rename="camel"):
    """What deps.dev finds unusual about a version, and about its package."""

    version_key: VersionKey
    requested_version: _Found | None = None
    package_findings: list[_Finding] | None = None


def of_the_default(version: Version, claimed: Value | Unknown) -> dict[str, Value | Unknown]:
    """Return what the default version tells; *claimed* is the repository the project claims."""
    advisories = version.advisory_keys
    status = version.project_status
    return {
        "repository_proven": _proven(version, claimed),
        "third_party_advisories": _untold("advisories")
        if advisories is None
        else tuple(sorted(lines(key.id for key in advisories))),
        "third_party_status": _untold("a status")
        if status is None or not status.status
        else line(status.status).lower(),
    }


def repository_id(version: Version | None, claimed: Value | Unknown) -> str | Unknown:
    """Return the id of the repository to ask about: the claimed one, else one deps.dev relates."""
    if not isinstance(claimed, Unknown) and claimed:
        identity = str(claimed).removeprefix("https://")
        if identity.startswith(_PROJECT_HOSTS):
            return identity
        return Unknown(reason="the repository is on a host that deps.dev does not know")
    related = _sources(version)
    proven = [r for r in related if r.relation_provenance in _PROVEN]
    found = next((r.project_key.id for r in (*proven, *related)), None)
    return found or Unknown(reason="deps.dev knows no source repository of it")


def _proven(version: Version, claimed: Value | Unknown) -> bool | Unknown:
    related = _sources(version)
    if not related:
        return Unknown(reason="deps.dev knows no source repository of it")
    proven = {r.project_key.id.lower() for r in related if r.relation_provenance in _PROVEN}
    if isinstance(claimed, Unknown) or not claimed:
        return bool(proven)
    return str(claimed).removeprefix("https://").lower() in proven


def _sources(version: Version | None) -> list[_Related]:
    related = (version.related_projects if version else None) or []
    return [r for r in related if r.relation_type == "SOURCE_REPO"]


def attested(newest: Sequence[str], versions: Mapping[str, Version]) -> dict[str, Value | Unknown]:
    """Return which of the *newest* versions (newest first) carry a verified attestation."""
    if not any(version in versions for version in newest):
        untold = _untold("attestations")
        names = ("attested_versions", "attested_repository", "attested_repository_before")
        return dict.fromkeys(names, untold)
    found = [
        (name, attestation)
        for name in newest
        if (attestation := _attestation(versions.get(name))) is not None
    ]
    repositories = [repository.normalized(a.source_repository) for _, a in found]
    none = Unknown(reason=f"none of the newest {len(newest)} versions names one by attestation")
    return {
        "attested_versions": tuple(line(name) for name, _ in found),
        "attested_repository": next(iter(repositories), None) or none,
        "attested_repository_before": next(iter(repositories[1:]), None) or none,
    }


def _attestation(version: Version | None) -> _Attestation | None:
    if version is None:
        return None
    told = [*(version.attestations or ()), *(version.slsa_provenances or ())]
    return next((attestation for attestation in told if attestation.verified), None)


def of_the_repository(told: Repository) -> dict[str, Value | Unknown]:
    """Return what deps.dev knows of the source repository."""
    result = told.scorecard
    return {
        "stars": count(told.stars_count, "deps.dev does not tell stars"),
        "forks": count(told.forks_count, "deps.dev does not tell forks"),
        **(
            dict.fromkeys(scorecard.ABOUT.gives, _untold("a scorecard"))
            if result is None
            else scorecard.values(result.overall_score, result.checks, result.date)
        ),
    }


def dependents(told: Dependents) -> dict[str, Value | Unknown]:
    """Return the dependents of the default version: a floor, as other versions have their own."""
    return {
        "dependents": count(told.direct_dependent_count, "deps.dev does not tell dependents"),
        "dependents_transitive": count(told.dependent_count, "deps.dev does not tell dependents"),
    }


def similar_names(told: Similar, project: NormalizedName) -> dict[str, Value | Unknown]:
    """Return names that deps.dev finds similar to that of *project*."""
    if canonicalize_name(told.package_key.name) != project:
        return {"similar_names": _ANOTHER}
    if told.packages is None:
        return {"similar_names": _untold("similar names")}
    names = lines(p.package_key.name for p in told.packages if p.package_key.system == "PYPI")
    return {"similar_names": names[:_MOST_NAMES]}


def findings(told: Findings, project: NormalizedName) -> dict[str, Value | Unknown]:
    """Return the kinds of findings about *project* as words ("low usage")."""
    if canonicalize_name(told.version_key.name) != project:
        return {"third_party_findings": _ANOTHER}
    found: Iterable[_Finding] | None = told.package_findings
    if told.requested_version is not None:
        found = [*(found or ()), *(told.requested_version.findings or ())]
    if found is None:
        return {"third_party_findings": _untold("findings")}
    words = sorted(line(f.type).replace("_", " ").lower() for f in found)
    return {"third_party_findings": lines(words)}


def _untold(what: str) -> Unknown:
    return Unknown(reason=f"deps.dev does not tell {what}")
