"""A page read once for judging single files: its files by name, its releases by file."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import chain
from urllib.parse import unquote

from msgspec import Struct
from packaging.utils import NormalizedName

from indexgate.index.addresses import address_of, canonical
from indexgate.index.listed_releases import versions_of
from indexgate.index.protocol import Snapshot
from indexgate.simple.filename import candidates, parse
from indexgate.simple.model import PageFile, ProjectPage
from indexgate.simple.ordinary_files import filenames, versions
from indexgate_policy.subject import File, Project, Release

MOST_CANDIDATES = 3
"""How many projects a file name is tried for: each may cost a request upstream."""


class Listing(Struct, frozen=True, kw_only=True):
    """What a snapshot lists.

    `unguessable` are the gate's addresses of files whose names do not tell this project (legacy
    names). To be asked for, they must be remembered.
    """

    snapshot: Snapshot
    page: ProjectPage
    project: Project
    releases: Sequence[Release]
    unguessable: tuple[str, ...] = ()

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
        version = parse(filename, self.project.name).version
        told = enumerate(versions_of(self.releases))
        likely = (self.releases[place] for place, each in told if each == version)
        for release in chain(likely, self.releases):
            with suppress(KeyError):
                return release, release.file(filename)
        raise KeyError(filename)


def listing(
    snapshot: Snapshot, page: ProjectPage, project: Project, releases: Sequence[Release]
) -> Listing:
    """Return the listing of *page*, as it was read from *snapshot*."""
    return Listing(
        snapshot=snapshot,
        page=page,
        project=project,
        releases=releases,
        unguessable=tuple(_unguessable(page.files, project.name)),
    )


def _unguessable(files: Sequence[PageFile], project: NormalizedName) -> Iterator[str]:
    told = versions(files, project).texts
    if "" not in told:  # as on most pages
        return
    for place, (name, version) in enumerate(zip(filenames(files), told, strict=True)):
        if version or name[-4:] == ".whl":
            continue
        if project not in candidates(name)[:MOST_CANDIDATES]:
            yield canonical(address_of(files[place].url, name))
