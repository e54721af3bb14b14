"""The JSON documents of projects (`/pypi/<name>/json`), fetched and kept as pages are.

They lie beside the simple index on PyPI and what follows it; elsewhere the gate knows of none.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol
from urllib.parse import quote, urlsplit, urlunsplit

from packaging.utils import NormalizedName

from indexgate.index.cached import CachedIndex, Freshness
from indexgate.index.page_folder import PageFolder
from indexgate.index.protocol import NoSuchProject, Snapshot

_MEMORY = 8_000_000  # bytes, packed: few clients ask for documents, and those soon after each other


def document_address(
    index_url: str, project: NormalizedName, version: str | None = None
) -> str | None:
    """Return where the index at *index_url* has the JSON of *project*; None where none is known.

    `<x>/simple/` and `<x>/pypi/<project>/json` stand side by side on PyPI and what follows it. With
    *version* the address is that of the version's own document.
    """
    parts = urlsplit(index_url)
    root, found, rest = parts.path.rstrip("/").rpartition("/simple")
    if not found or rest:
        return None
    of = project if version is None else f"{project}/{quote(version, safe='')}"
    return urlunsplit((parts.scheme, parts.netloc, f"{root}/pypi/{of}/json", "", ""))


class DocumentSource(Protocol):
    """An index that can be asked for what lies beside its pages."""

    async def document(self, key: NormalizedName, url: str, known: Snapshot | None) -> Snapshot:
        """Fetch the project document at *url*; *known* makes it a conditional request.

        Raises NoSuchProject, UpstreamFailed.
        """


class Documents:
    """The project documents of the index at *index_url*; *source* None means offline."""

    def __init__(
        self,
        source: DocumentSource | None,
        index_url: str,
        folder: PageFolder,
        *,
        freshness: Freshness,
        clock: Callable[[], datetime],
        log: Callable[[str, str], None] = lambda _event, _text: None,
    ) -> None:
        self._index_url = index_url
        self._kept = CachedIndex(
            None if source is None else _Asked(source, index_url),
            folder,
            freshness=freshness,
            clock=clock,
            max_bytes=_MEMORY,
            log=log,
        )

    @property
    def offered(self) -> bool:
        """Whether the index has such documents, as far as its address tells."""
        return document_address(self._index_url, NormalizedName("any")) is not None

    async def snapshot(
        self, project: NormalizedName, version: str | None, *, max_age: float | None = None
    ) -> Snapshot:
        """Return the document of *project*, or of one *version* of it.

        Raises NoSuchProject, UpstreamFailed.
        """
        if not self.offered:
            raise NoSuchProject(project)
        key = project if version is None else NormalizedName(f"{project}/{version}")
        return await self._kept.snapshot(key, max_age=max_age)

    async def close(self) -> None:
        """End the fetches under way."""
        await self._kept.close()


class _Asked:
    """The source of documents, as one of pages: what is asked for is `<project>[/<version>]`."""

    def __init__(self, source: DocumentSource, index_url: str) -> None:
        self._source = source
        self._index_url = index_url

    async def page(self, project: NormalizedName, known: Snapshot | None) -> Snapshot:
        name, _, version = project.partition("/")
        url = document_address(self._index_url, NormalizedName(name), version or None)
        if url is None:
            raise NoSuchProject(project)
        return await self._source.document(project, url, known)
