"""What an index is to the gate, and every way in which it can fail."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from packaging.utils import NormalizedName

from indexgate.simple.model import ProjectPage


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A project page as upstream gave it, and when.

    `fetched_at` is when upstream last confirmed it, `digest` changes when the content does,
    `stale` is a reason when upstream failed and an older page stands in for it, else None.
    `serial` is upstream's `X-PyPI-Last-Serial`.
    """

    page: ProjectPage
    digest: str
    fetched_at: datetime
    serial: str | None = None
    stale: str | None = None


class Index(Protocol):
    """Something that has project pages."""

    async def project_page(self, project: NormalizedName) -> Snapshot:
        """Return the page of *project*.

        Raises NoSuchProject, UpstreamFailed.
        """


class NoSuchProject(Exception):
    """The index answered that it has no such project (404 or 410)."""

    def __init__(self, project: str) -> None:
        super().__init__(project)
        self.project = project


class UpstreamFailed(Exception):
    """Upstream could not give what was asked for, and nothing stored stands in.

    `kind` is a stable slug (`refused`, `timeout`, `status`, `garbage`, `too-large`, `certificate`,
    `dns`, `redirect`, `private-address`, `loop`, `offline`, `version`, `hash`), `reason` one ASCII
    clause for people ("did not answer within 10 s"), `status` upstream's HTTP status if it gave
    one, `retry_after` its wish in seconds.
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
