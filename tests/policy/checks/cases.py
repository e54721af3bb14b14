"""Cases for tests of checks, built of little."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from indexgate_policy.assessment import Case, Context, Lookalike
from indexgate_policy.downloads.panel import Panel
from indexgate_policy.flags import Flag
from indexgate_policy.signals import Signal, Signals, Unknown, Value
from indexgate_policy.subject import File, Project, Release

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
UNTOLD = Unknown(reason="the page does not tell")


class OneLookalike:
    """A list on which every name but the popular one resembles the same name."""

    def __init__(self, found: Lookalike | None = None, *, least: int = 50_000) -> None:
        self._found = found
        self._least = least

    def lookalike(self, name: NormalizedName) -> Lookalike | None:
        """Return what it was made with, None for that name itself."""
        return None if self._found is None or name == self._found.imitates else self._found

    def rank(self, name: NormalizedName) -> int | None:
        """Return the rank of the one name."""
        return self._found.rank if self._found and name == self._found.imitates else None

    @property
    def least_downloads(self) -> int:
        """Return what it was made with."""
        return self._least


def case_of(
    name: str = "reqeusts",
    *,
    popular: OneLookalike | None = None,
    first_upload: datetime | Unknown = NOW - timedelta(days=5),
    count: int | None = None,
    public: bool = True,
    status: str = "active",
    status_reason: str = "",
    releases: tuple[Release, ...] = (),
    signals: Mapping[str, Value | Unknown] | None = None,
    owners_of: Mapping[str, frozenset[str]] | None = None,
    history: Panel | Unknown = UNTOLD,
    now: datetime = NOW,
) -> Case:
    """Return a case of a public project, five days old, with one release, unless told else."""
    told = signals or {}
    kept = sum(not release.yanked for release in releases)
    return Case(
        project=Project(
            name=canonicalize_name(name),
            index_id="index",
            public=public,
            status=status,
            status_reason=status_reason,
            first_upload=first_upload,
            last_upload=_last(releases),
            first_seen=UNTOLD,
            releases=count if count is not None else (kept if releases else 1),
        ),
        releases=releases,
        signals=Signals(
            Signal(name=key, value=value, source="test", observed_at=now)
            for key, value in told.items()
        ),
        context=Context(popular=popular or OneLookalike(), owners_of=owners_of or {}),
        now=now,
        history=history,
    )


def release_of(
    version: str, released: datetime | Unknown, *, yanked: bool | str = False
) -> Release:
    """Return a release with one wheel."""
    project = case_of().project
    parsed = Version(version)
    file = File(
        project=project,
        filename=f"{project.name}-{version}-py3-none-any.whl",
        kind="wheel",
        version=version,
        parsed=parsed,
        uploaded=released,
        released=released,
        yanked=yanked,
    )
    return Release(version=version, parsed=parsed, released=released, files=(file,))


def _last(releases: tuple[Release, ...]) -> datetime | Unknown:
    moments = [file.uploaded for release in releases for file in release.files]
    known = [moment for moment in moments if not isinstance(moment, Unknown)]
    return max(known) if known and len(known) == len(moments) else UNTOLD


def label(found: Flag | Unknown | None) -> str:
    """Return the severity of a flag, `unknown` when the check could not look, else `none`."""
    if isinstance(found, Unknown):
        return "unknown"
    return "none" if found is None else found.severity.label


def flag_of(found: Flag | Unknown | None) -> Flag:
    """Return the flag that there must be."""
    assert isinstance(found, Flag)
    return found
