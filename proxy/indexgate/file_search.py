"""Finding a file by its address alone: a lock file asks for it without having opened a page."""

from collections.abc import Awaitable, Callable

from msgspec import Struct
from packaging.utils import NormalizedName

from indexgate.formerly import Formerly
from indexgate.index.addresses import FileAddress
from indexgate.index.listing import Listing
from indexgate.index.presentation import QUARANTINED
from indexgate.index.protocol import Index, NoSuchProject, Snapshot, UpstreamFailed
from indexgate.simple.model import PageFile

FRESH = 1.0
"""Seconds: how old a page may be that says of a file that it is not there."""


class Found(Struct, frozen=True, kw_only=True):
    """A file, and the page that lists it."""

    listing: Listing
    file: PageFile


class Removed(Struct, frozen=True, kw_only=True):
    """A file that no page lists any more, and the page of its project, if there still is one."""

    former: Formerly
    listing: Listing | None


class _Missed(Struct, frozen=True, kw_only=True):
    """Pages that do not list a file, by project, and the failure of one that might."""

    pages: dict[NormalizedName, Listing]
    failed: UpstreamFailed | None


class FileSearch:
    """Finds files of *index*: *listing* reads a page, *former* tells whose an address once was."""

    def __init__(
        self,
        index: Index,
        listing: Callable[[Snapshot], Awaitable[Listing]],
        former: Callable[[FileAddress], Formerly | None],
    ) -> None:
        self._index = index
        self._listing = listing
        self._former = former

    async def search(
        self,
        address: FileAddress,
        names: tuple[NormalizedName, ...],
        *,
        of: tuple[NormalizedName, ...] | None,
    ) -> Found | Removed | None:
        """Return the file at *address*; None when the index lists no such file, and never did.

        It is looked for on the pages of the projects *names*, and of whose it once was, if that may
        be: of those in *of*, by default of any. Raises UpstreamFailed when the page that would tell
        cannot be had.
        """
        found = await self._find(address, names, stand_in=True)
        if isinstance(found, Found):
            return found
        former = self._former(address)
        if former is not None and of is not None and former.project not in of:
            former = None
        if former is not None and former.project not in names:
            told = await self._find(address, (former.project,), stand_in=True)
            if isinstance(told, Found):
                return told
            found = _Missed(pages=found.pages | told.pages, failed=found.failed or told.failed)
        if found.pages:
            # Not on the page that is at hand: it may be newer than that page. Ask once more.
            newer = await self._find(address, tuple(found.pages), stand_in=False)
            if isinstance(newer, Found):
                return newer
            found = _Missed(
                pages=found.pages | newer.pages, failed=newer.failed if former is None else None
            )
        if found.failed is not None and former is None:
            raise found.failed
        former = former or _quarantined(found, address)
        if former is None:
            return None
        return Removed(former=former, listing=found.pages.get(former.project))

    async def _find(
        self, address: FileAddress, names: tuple[NormalizedName, ...], *, stand_in: bool
    ) -> "Found | _Missed":
        """Return the file at *address* and its page; else the pages that lack it, and a failure."""
        pages: dict[NormalizedName, Listing] = {}
        failed: UpstreamFailed | None = None
        for project in names:
            max_age = None if stand_in else FRESH
            try:
                snapshot = await self._index.snapshot(project, max_age=max_age, stand_in=stand_in)
            except NoSuchProject:
                continue
            except UpstreamFailed as error:
                failed = failed or error
                continue
            listed = await self._listing(snapshot)
            file = listed.at(address.path)
            if file is not None:
                return Found(listing=listed, file=file)
            pages[project] = listed
        return _Missed(pages=pages, failed=failed)


def _quarantined(missed: _Missed, address: FileAddress) -> Formerly | None:
    """Return whose the file is if a page may lack it because it lists nothing in quarantine."""
    for project, listed in missed.pages.items():
        if listed.page.status == QUARANTINED:
            return Formerly(project=project, filename=address.filename)
    return None
