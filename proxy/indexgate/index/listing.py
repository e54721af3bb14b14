"""A page read once for judging single files: its files by gate address, its releases by file."""

from dataclasses import dataclass

from indexgate.index.addresses import address_of, canonical
from indexgate.index.protocol import Snapshot
from indexgate.simple.filename import candidates
from indexgate.simple.model import PageFile, ProjectPage
from indexgate_policy.subject import File, Project, Release

MOST_CANDIDATES = 3
"""How many projects a file name is tried for: each may cost a request upstream."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a snapshot lists.

    `by_address` has the gate's addresses, canonical. `unguessable` are those of files whose name
    does not tell this project (legacy names): to be asked for, they must be remembered.
    """

    snapshot: Snapshot
    page: ProjectPage
    project: Project
    releases: tuple[Release, ...]
    by_address: dict[str, PageFile]
    unguessable: tuple[str, ...] = ()

    def release_of(self, filename: str) -> tuple[Release, File]:
        """Return the release that *filename* belongs to, and the file as it is judged.

        Raises KeyError.
        """
        for release in self.releases:
            for file in release.files:
                if file.filename == filename:
                    return release, file
        raise KeyError(filename)


def listing(
    snapshot: Snapshot, page: ProjectPage, project: Project, releases: tuple[Release, ...]
) -> Listing:
    """Return the listing of *page*, as it was read from *snapshot*."""
    by_address = {canonical(address_of(file.url, file.filename)): file for file in page.files}
    return Listing(
        snapshot=snapshot,
        page=page,
        project=project,
        releases=releases,
        by_address=by_address,
        unguessable=tuple(
            address
            for address, file in by_address.items()
            if not file.filename.endswith(".whl")
            and project.name not in candidates(file.filename)[:MOST_CANDIDATES]
        ),
    )
