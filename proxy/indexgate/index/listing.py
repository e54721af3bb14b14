"""A page read once for judging single files: its files by name, its releases by file."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from indexgate.index.addresses import address_of, canonical
from indexgate.index.protocol import Snapshot
from indexgate.simple.filename import candidates, parse
from indexgate.simple.model import PageFile, ProjectPage
from indexgate.simple.ordinary_files import filenames
from indexgate.simple.projects import valid_name
from indexgate_policy.subject import File, Project, Release

# What of an archive's name leaves no doubt where the project's ends: most are called so.
_PLAIN = r"[0-9.]+\.tar\.gz"
_is_plain = re.compile(_PLAIN).fullmatch

MOST_CANDIDATES = 3
"""How many projects a file name is tried for: each may cost a request upstream."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a snapshot lists."""

    snapshot: Snapshot
    page: ProjectPage
    project: Project
    releases: tuple[Release, ...]

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
        likely = [release for release in self.releases if release.version == version]
        for release in (*likely, *self.releases):
            if filename in release.filenames:
                return release, next(f for f in release.files if f.filename == filename)
        raise KeyError(filename)

    def unguessable(self) -> Iterator[str]:
        """Yield the gate's addresses of files whose names do not tell this project (legacy names).

        To be asked for, they must be remembered.
        """
        names = filenames(self.page.files)
        sources = [place for place, name in enumerate(names) if name[-4:] != ".whl"]
        if self._all_tell_project([names[place] for place in sources]):
            return
        for place in sources:
            if not self._tells_project(names[place]):
                yield canonical(address_of(self.page.files[place].url, names[place]))

    def _all_tell_project(self, sources: Sequence[str]) -> bool:
        """Tell whether all are plain, and spell the project alike; to ask of each takes longer."""
        head = sources[0].partition("-")[0] if sources else self.project.name
        alike = f"(?:{re.escape(head)}-{_PLAIN}\n)*+"
        text = "".join([f"{name}\n" for name in sources])
        return valid_name(head) == self.project.name and re.fullmatch(alike, text) is not None

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
