"""The packages of `packages.tsv` as cases."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path

from msgspec import structs
from packaging.utils import canonicalize_name
from packaging.version import Version

from indexgate_policy.advisories import Advisories, Advisory, Range
from indexgate_policy.assessment import Case, Context
from indexgate_policy.flags import Severity
from indexgate_policy.signals import Signal, Signals, Unknown, Value
from indexgate_policy.subject import File, Kind, Project, Release
from tests.policy.checks.cases import OneLookalike

TABLE = Path(__file__).with_name("packages.tsv")
UNTOLD = Unknown(reason="the fixture does not tell")

SIGNALS = {
    "human_installs": "human_installs",
    "persistence": "human_persistence",
    "recent_share": "recent_version_share",
    "old_share": "old_version_share",
    "stars": "stars",
    "star_bursts": "star_burst_share",
    "forks": "forks",
    "people_in_issues": "people_in_issues",
    "answer_days": "median_answer_days",
    "bus_factor": "bus_factor",
    "mentions": "mentions",
    "dependent_owners": "dependent_owners",
    "transitive": "dependents_transitive",
    "repositories": "dependent_repositories",
    "scorecard": "scorecard",
}
"""Columns that are signals as they stand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A package of the fixture: its group, its case, and its advisories."""

    group: str
    case: Case
    advisories: Advisories

    @property
    def label(self) -> str:
        """The name and the day."""
        return f"{self.case.project.name} on {self.case.now.date()}"

    def with_signals(self, **values: Value | Unknown) -> "Package":
        """Return the package with some signals changed."""
        changed = {**{n: s.value for n, s in self.case.signals.items()}, **values}
        case = structs.replace(self.case, signals=signals(changed, self.case.now))
        return replace(self, case=case)

    def with_releases(self, releases: tuple[Release, ...]) -> "Package":
        """Return the package with other releases."""
        project = structs.replace(self.case.project, releases=len(releases))
        return replace(self, case=structs.replace(self.case, project=project, releases=releases))


@cache
def load() -> tuple[Package, ...]:
    """Return all packages."""
    lines = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if line[0] != "#"]
    names = lines[0].split("\t")
    return tuple(_package(dict(zip(names, line.split("\t"), strict=True))) for line in lines[1:])


def signals(values: Mapping[str, Value | Unknown], now: datetime) -> Signals:
    """Return *values* as signals seen at *now*."""
    return Signals(
        Signal(name=name, value=value, source="fixture", observed_at=now)
        for name, value in values.items()
    )


def release(
    project: Project,
    version: str,
    at: datetime,
    *,
    files: str = "ws",
    size: int = 50_000,
    attested: float = 0,
) -> Release:
    """Return a release with a wheel (w), an sdist (s) or both, of *size* bytes each."""
    kinds: list[Kind] = [kind for kind in ("wheel", "sdist") if kind[0] in files]
    endings = {"wheel": "-py3-none-any.whl", "sdist": ".tar.gz"}
    made = tuple(
        File(
            project=project,
            filename=f"{project.name}-{version}{endings[kind]}",
            kind=kind,
            version=version,
            parsed=Version(version),
            uploaded=at,
            released=at,
            provenance=attested >= 0.5,
            size=size,
        )
        for kind in kinds
    )
    return Release(version=version, parsed=Version(version), released=at, files=made)


def day(text: str) -> datetime:
    """Return the start of a day."""
    return datetime.combine(date.fromisoformat(text), time(), UTC)


def _package(row: dict[str, str]) -> Package:
    now = day(row["as_of"])
    project = Project(
        name=canonicalize_name(row["name"]),
        index_id="index",
        public=True,
        status=row["status"],
        first_upload=day(row["first_release"]),
        first_seen=UNTOLD,
        releases=1,
    )
    releases = tuple(_releases(row, project, now))
    case = Case(
        project=structs.replace(project, releases=len(releases)),
        releases=releases,
        signals=signals(dict(_signals(row)), now),
        context=Context(popular=OneLookalike()),
        now=now,
    )
    advisories = Advisories(records=tuple(_advisories(row)), feed=now)
    return Package(group=row["group"], case=case, advisories=advisories)


def _releases(row: dict[str, str], project: Project, now: datetime) -> Iterator[Release]:
    """Yield the first release, and those of two years evenly up to the last one."""
    first, last, many = day(row["first_release"]), day(row["last_release"]), int(row["releases_2y"])
    begin = max(first, now - timedelta(days=729))
    times = [begin + (last - begin) * step / max(1, many - 1) for step in range(many)][:-1]
    times = sorted({first, *times, last})
    assert all(one < two for one, two in pairwise(times))
    for number, at in enumerate(times):
        yield release(
            project,
            f"1.{number}",
            at,
            files=row["files"],
            size=int(float(row["kilobytes"]) * 1000 * (1 + number % 7 / 100)),
            attested=float(row["attested"]),
        )


def _signals(row: dict[str, str]) -> Iterator[tuple[str, Value | Unknown]]:
    for column, name in SIGNALS.items():
        yield name, UNTOLD if row[column] == "-" else float(row[column])
    yield "last_commit_on", UNTOLD if row["last_commit"] == "-" else row["last_commit"]
    yield "pythons", UNTOLD if row["pythons"] == "-" else tuple(row["pythons"].split(","))
    yield "owners", tuple(f"owner-{number}" for number in range(int(row["owners"])))
    yield "organization", ""
    yield "owners_watched_since", row["owners_since"]
    policy = row["security_policy"]
    yield "security_policy", UNTOLD if policy == "-" else policy == "1"
    link = row["repository"]
    yield "repository", "" if link == "none" else f"https://code.example.test/{row['name']}"
    yield "repository_proven", link == "proven"
    named = link in ("proven", "named", "archived")
    yield "repository_names", row["name"] if named else UNTOLD
    yield "repository_archived", link == "archived"


def _advisories(row: dict[str, str]) -> Iterator[Advisory]:
    for kind, severity in (("high", Severity.HIGH), ("other", Severity.MEDIUM)):
        for number in range(int(row[f"{kind}_advisories"])):
            yield Advisory(
                id=f"EXAMPLE-{kind}-{number}",
                kind="vulnerability",
                severity=severity,
                summary="an example",
                ranges=(Range(introduced="0"),),
                published=day(row["high_since"]) if kind == "high" else None,
            )
