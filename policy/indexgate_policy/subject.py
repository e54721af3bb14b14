"""What is judged: a project of one index, its releases and their files, and who asks."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from msgspec import Struct
from packaging.utils import NormalizedName
from packaging.version import Version

from indexgate_policy.signals import Unknown

Kind: TypeAlias = Literal["wheel", "sdist", "other"]
Status: TypeAlias = str  # PEP 792: active, archived, quarantined, deprecated; unknown ones pass


class Project(Struct, frozen=True, kw_only=True):
    """A project as its one index shows it.

    `first_upload` is the earliest upload that the page tells, `first_seen` the first time this gate
    was asked for it; `releases` counts versions with files that are not yanked. No file was
    uploaded after `last_upload`, where that is known.
    """

    name: NormalizedName
    index_id: str
    public: bool
    status: Status = "active"
    status_reason: str = ""
    first_upload: datetime | Unknown
    last_upload: datetime | Unknown = Unknown(reason="nobody looked for the latest upload")
    first_seen: datetime | Unknown
    watched_since: datetime | None = None
    releases: int


class File(Struct, frozen=True, kw_only=True):
    """One file of a release.

    `version` is the text as the file name carries it, `parsed` its PEP 440 form where it has one.
    `uploaded` is this file's upload, `released` the earliest upload of any file of the version
    (release age counts from there). `yanked` is upstream's: False, True or the reason.
    `provenance` says whether the index offers attestations (PEP 740); `size` is in bytes.
    """

    project: Project
    filename: str
    kind: Kind
    version: str
    parsed: Version | Unknown
    uploaded: datetime | Unknown
    released: datetime | Unknown
    yanked: bool | str = False
    provenance: bool | Unknown = False
    sha256: str | None = None
    size: int | Unknown = Unknown(reason="the index does not say how large the file is")


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:  # no struct: a page's releases make their fields when they are asked for
    """The files of one version, in page order."""

    version: str
    parsed: Version | Unknown
    released: datetime | Unknown
    files: tuple[File, ...]

    @property
    def filenames(self) -> tuple[str, ...]:
        """The names of the files; they may be had for less than the files."""
        return tuple(file.filename for file in self.files)

    @property
    def like_all(self) -> File | None:
        """A file whose version and release time all the others share; None: they do not."""
        first = next(iter(self.files), None)
        if first is None or all(
            file.version == first.version and file.released == first.released for file in self.files
        ):
            return first
        return None

    def file(self, filename: str) -> File:
        """Return the file *filename*. Raises KeyError."""
        for file in self.files:
            if file.filename == filename:
                return file
        raise KeyError(filename)

    @property
    def yanked(self) -> bool:
        """Whether upstream yanked every file of the version (PEP 592 marks files)."""
        return all(file.yanked is not False for file in self.files)

    @property
    def has_yanked(self) -> bool:
        """Whether upstream yanked a file of the version."""
        return any(file.yanked is not False for file in self.files)


class TimedReleases(Sequence[Release]):
    """Releases that tell their `times` without anybody looking at each of them."""

    __slots__ = ()

    @property
    @abstractmethod
    def times(self) -> Sequence[datetime | Unknown]:
        """When each was released."""


def release_times(releases: Sequence[Release]) -> Sequence[datetime | Unknown]:
    """Return when each of *releases* was released."""
    if isinstance(releases, TimedReleases):
        return releases.times
    return [release.released for release in releases]


class Client(Struct, frozen=True, kw_only=True):
    """Who asks, as far as the request tells; `family` is the installer's name, `other` else."""

    family: str = "other"
    kind: Literal["ci", "person"] | Unknown = Unknown(reason="the client does not say")
    team: str | Unknown = Unknown(reason="no team is configured for this client")


def age(since: datetime | Unknown, now: datetime) -> timedelta | Unknown:
    """Return the time since *since*; a time in the future is age 0, an unknown one unknown."""
    if isinstance(since, Unknown):
        return since
    return max(timedelta(0), now - since)
