"""A page read once for judging single files: its files by name, its releases by file."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote

from indexgate.index.addresses import address_of, canonical
from indexgate.index.protocol import Snapshot
from indexgate.simple.filename import candidates
from indexgate.simple.model import PageFile, ProjectPage
from indexgate.simple.ordinary_files import filenames
from indexgate.simple.projects import valid_name
from indexgate_policy.subject import File, Project, Release

# What of an archive's name leaves no doubt where the project's ends: most are called so.
_is_plain = re.compile(r"[0-9.]+\.tar\.gz").fullmatch

MOST_CANDIDATES = 3
"""How many projects a file name is tried for: each may cost a request upstream."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a snapshot lists."""

    snapshot: Snapshot
    page: ProjectPage
    project: Project
    releases: tuple[Release, ...]
    _by_name: dict[str, Release] = field(default_factory=dict, compare=False, repr=False)

    def at(self, address: str) -> PageFile | None:
        """Return the file with the gate's *address*, in its one spelling; None: not listed."""
        file = self.named(unquote(address.rpartition("/")[2]))
        if file is None or canonical(address_of(file.url, file.filename)) != address:
            return None
        return file

    def named(self, filename: str) -> PageFile | None:
        """Return the file *filename*; None: not listed."""
        try:
            return self.page.files[filenames(self.page.files).index(filename)]
        except ValueError:
            return None

    def release_of(self, filename: str) -> tuple[Release, File]:
        """Return the release that *filename* belongs to, and the file as it is judged.

        Raises KeyError.
        """
        if not self._by_name:
            self._by_name.update(
                {name: release for release in self.releases for name in release.filenames}
            )
        release = self._by_name[filename]
        return release, next(file for file in release.files if file.filename == filename)

    def unguessable(self) -> Iterator[str]:
        """Yield the gate's addresses of files whose names do not tell this project (legacy names).

        To be asked for, they must be remembered.
        """
        for place, name in enumerate(filenames(self.page.files)):
            if not name.endswith(".whl") and not self._tells_project(name):
                yield canonical(address_of(self.page.files[place].url, name))

    def _tells_project(self, filename: str) -> bool:
        head, _, version = filename.partition("-")
        if valid_name(head) == self.project.name and _is_plain(version):
            return True
        return self.project.name in candidates(filename)[:MOST_CANDIDATES]


def listing(
    snapshot: Snapshot, page: ProjectPage, project: Project, releases: tuple[Release, ...]
) -> Listing:
    """Return the listing of *page*, as it was read from *snapshot*."""
    return Listing(snapshot=snapshot, page=page, project=project, releases=releases)
