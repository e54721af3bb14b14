"""What an index is to the gate, and every way in which it can fail."""

from datetime import datetime
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace
from packaging.utils import NormalizedName

from indexgate.index.packing import unpack
from indexgate.simple.model import ProjectPage, Unreadable
from indexgate.simple.read import page as read_page


class Snapshot(Struct, frozen=True, kw_only=True):
    """A project page as upstream gave it, and when: bytes, read only when a new form is needed.

    `packed` is upstream's body, gzipped, as objects would take ten times the room; `url` is the
    page's final address, `digest` changes when the content does, `fetched_at` is when upstream last
    confirmed it, `etag` and `last_modified` are upstream's validators, `serial` its
    `X-PyPI-Last-Serial`. `stale` is a reason when upstream failed and this stands in, else None.
    `clock_ahead` is how many seconds upstream's clock was ahead of ours, `api_version` what the
    page claimed when it was fetched, None for one from the disk. `ordinary` tells that `packed` was
    read here before and gave `OrdinaryFiles`, which spares finding it out again. `at_hand` is the
    page itself while it was read a moment ago, to spare the next reader the work; see `put_away`.
    """

    project: NormalizedName
    packed: bytes
    content_type: str
    url: str
    digest: str
    fetched_at: datetime
    etag: str | None = None
    last_modified: str | None = None
    serial: str | None = None
    stale: str | None = None
    clock_ahead: float = 0.0
    api_version: tuple[int, int] | None = None
    ordinary: bool = False
    at_hand: ProjectPage | None = None

    def put_away(self) -> "Snapshot":
        """Return the snapshot as it is kept for long: without the page at hand."""
        return self if self.at_hand is None else replace(self, at_hand=None)

    def bare(self) -> "Snapshot":
        """Return what is known of the page, without the page."""
        return replace(self, packed=b"", at_hand=None)

    def page(self) -> ProjectPage:
        """Read the page. It was readable when it was taken in. Raises UpstreamFailed."""
        return self.read(unpack(self.packed)) if self.at_hand is None else self.at_hand

    def read(self, body: bytes) -> ProjectPage:
        """Read *body* as the page that this is. Raises UpstreamFailed."""
        try:
            return read_page(
                body,
                content_type=self.content_type,
                url=self.url,
                project=self.project,
                known=self.ordinary,
            )
        except Unreadable as error:
            raise UpstreamFailed(error.kind, error.reason) from error


class Index(Protocol):
    """Something that has project pages."""

    async def snapshot(
        self, project: NormalizedName, *, max_age: float | None = None, stand_in: bool = True
    ) -> Snapshot:
        """Return the page of *project*, confirmed at most *max_age* seconds ago if that can be.

        Without *stand_in* an older page does not do. Raises NoSuchProject, UpstreamFailed.
        """

    def holds(self, project: NormalizedName) -> bool:
        """Tell whether the page of *project* is at hand without asking disk or upstream."""

    def at_hand(self, project: NormalizedName) -> Snapshot | None:
        """Return the page of *project*, bare, if upstream need not be asked for it."""

    @property
    def bytes_in_memory(self) -> int:
        """The packed bytes of the pages in memory."""

    @property
    def joined(self) -> int:
        """How often somebody waited for a page that another one had asked for."""


class NoSuchProject(Exception):
    """The index answered that it has no such project (404 or 410)."""

    def __init__(self, project: str) -> None:
        super().__init__(project)
        self.project = project


class UpstreamFailed(Exception):
    """Upstream could not give what was asked for, and nothing stored stands in.

    `kind` is a stable slug (`refused`, `timeout`, `status`, `garbage`, `cut-off`, `too-large`,
    `certificate`, `dns`, `redirect`, `private-address`, `loop`, `offline`, `version`, `hash`,
    `store`, `missing`, `too-many`), `reason` one ASCII clause for people ("did not answer within
    10 s"), `status` upstream's HTTP status if it gave one, `retry_after` its wish in seconds.
    """

    def __init__(
        self, kind: str, reason: str, *, status: int | None = None, retry_after: int | None = None
    ) -> None:
        super().__init__(kind, reason)
        self.kind = kind
        self.reason = reason
        self.status = status
        self.retry_after = retry_after

    def __str__(self) -> str:
        return self.reason
