"""One grouped row of the download log, in the columns of the roll-up query (science dn-1)."""

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from packaging.utils import NormalizedName


class Client(NamedTuple):
    """What a row tells of the client, all of it the client's own word; None: it does not tell.

    `installer_version` is the version's beginning (`26.1`), `kernel` one of `wsl`, `desktop-vm`,
    `cloud` and `server`, `ci` True or None, never False. `ci_told` is False for rows of a source
    that does not carry the mark at all.
    """

    installer: str | None = None
    installer_version: str | None = None
    ci: bool | None = None
    system: str | None = None
    distro: str | None = None
    kernel: str | None = None
    python: str | None = None
    ci_told: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRow:
    """*n* downloads of one file type of one version of a project, by one kind of client.

    When the log's `details` are null as a whole, everything in `client` is None; when only the
    installer is null (a bare urllib), `client.python` is set. `country` is an ISO 3166 code;
    `file_type` is `sdist`, `bdist_wheel` or an older kind.
    """

    project: NormalizedName
    day: date
    client: Client
    country: str | None = None
    version: str | None = None
    file_type: str | None = None
    n: int


COLUMNS = (
    "project", "day", "installer", "installer_version", "ci", "system", "distro", "kernel",
    "python", "country", "version", "file_type", "n",
)  # fmt: skip
"""The columns of a batch of rows, each as long as the others; `ci_told` may come with them."""
