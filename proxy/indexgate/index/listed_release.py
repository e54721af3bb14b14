"""A release as a page lists it: what nobody asks of it is never made."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from packaging.version import Version

from indexgate.simple.filename import parse, pep440
from indexgate.simple.model import PageFile, ProjectPage
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import File, Kind, Project, Release

_TELLS_PROVENANCE = (1, 3)
_NO_PROVENANCE = Unknown(reason="the index speaks an API older than attestations")
_NO_FILES = Unknown(reason="the project has no files")
_NO_SIZE = Unknown(reason="the index does not say how large the file is")


class ListedFiles(NamedTuple):
    """What the releases of a page share: the names, uploads and yank marks of all its files."""

    page: ProjectPage
    filenames: Sequence[str]
    project: Project
    uploads: Sequence[datetime | Unknown]
    yanked: set[int]


class ListedRelease(Release):
    """The release of which the files stand at *places* of a page."""

    __slots__ = ("_files", "_listed", "_parsed", "_places")

    _files: tuple[File, ...]
    _parsed: Version | Unknown

    # Made by the thousand: nothing else than this class sets anything. Python is quick to set
    # attributes only where it may delete them as quickly.
    __setattr__ = object.__setattr__
    __delattr__ = object.__delattr__

    def __init__(
        self,
        listed: ListedFiles,
        version: str,
        places: Sequence[int],
        released: datetime | Unknown,
    ) -> None:
        self._listed = listed
        self._places = places
        self.version = version  # type: ignore[misc]  # frozen for all others
        self.released = released  # type: ignore[misc]

    @property
    def parsed(self) -> Version | Unknown:
        """The version as PEP 440 has it."""
        try:
            return self._parsed
        except AttributeError:
            unknown = Unknown(reason=f"`{self.version}` is not a PEP 440 version")
            self._parsed = pep440(self.version) or unknown
            return self._parsed

    @property
    def files(self) -> tuple[File, ...]:
        """The files, in page order."""
        try:
            return self._files
        except AttributeError:
            self._files = tuple([self._file(place) for place in self._places])
            return self._files

    @property
    def like_all(self) -> File | None:
        """A file whose version and release time all the others share: any, as a page has it."""
        return self._file(self._places[0])

    def file(self, filename: str) -> File:
        """Return the file *filename*. Raises KeyError."""
        names = self._listed.filenames
        for place in self._places:
            if names[place] == filename:
                return self._file(place)
        raise KeyError(filename)

    @property
    def filenames(self) -> tuple[str, ...]:
        """The names of the files."""
        names = self._listed.filenames
        return tuple([names[place] for place in self._places])

    @property
    def yanked(self) -> bool:
        """Whether upstream yanked every file of the version (PEP 592 marks files)."""
        yanked = self._listed.yanked
        return bool(yanked) and yanked.issuperset(self._places)

    @property
    def has_yanked(self) -> bool:
        """Whether upstream yanked a file of the version."""
        yanked = self._listed.yanked
        return bool(yanked) and not yanked.isdisjoint(self._places)

    def _file(self, place: int) -> File:
        page, _, project, uploads, _ = self._listed
        file = page.files[place]
        unattested = False if page.api_version >= _TELLS_PROVENANCE else _NO_PROVENANCE
        return File(
            project=project,
            filename=file.filename,
            kind=_kind(file, project),
            version=self.version,
            parsed=self.parsed,
            uploaded=uploads[place],
            released=self.released,
            yanked=file.yanked,
            provenance=True if file.provenance else unattested,
            sha256=file.hashes.get("sha256"),
            size=file.size if isinstance(file.size, int) else _NO_SIZE,
        )


def _kind(file: PageFile, project: Project) -> Kind:
    if file.filename.endswith(".whl"):
        return "wheel"
    return parse(file.filename, project.name).kind


def earliest(moments: Sequence[datetime | Unknown]) -> datetime | Unknown:
    """Return the earliest of *moments*, unknown if any is."""
    if not moments:
        return _NO_FILES
    try:
        return min(moments)  # type: ignore[type-var]  # what is unknown does not compare
    except TypeError:
        return next(moment for moment in moments if isinstance(moment, Unknown))
