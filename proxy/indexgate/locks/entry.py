"""What a lock file pins: projects in one version each, with the files that may be installed."""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from msgspec import Struct
from packaging.utils import NormalizedName

Format: TypeAlias = Literal[
    "uv", "poetry", "pdm", "pipenv", "pylock", "requirements", "cyclonedx", "environment"
]

STDIN_SHOWN = "standard input"
"""What a lock is called that comes from there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedFile:
    """A file that may be installed, as far as the lock tells it.

    `hashes` are `algorithm:digest` in lower case, any of which the file may have; `url` is where
    the lock takes it from, if it says so; `line` is its line in the lock, from 1.
    """

    filename: str | None = None
    hashes: frozenset[str] = frozenset()
    url: str | None = field(default=None, repr=False)
    line: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """A project in one version that an index is asked for.

    Without `files` the lock leaves open which of the version's files is meant. `index` is the
    address of the index as the lock writes it, None where it names none.
    """

    name: NormalizedName
    version: str
    line: int
    files: tuple[PinnedFile, ...] = ()
    index: str | None = field(default=None, repr=False)


class Unasked(Struct, frozen=True, kw_only=True):
    """An entry that no index is asked for; `reason` is a clause that says why.

    `harmless` where it brings nothing from elsewhere: the locked project itself, or something that
    is no Python package.
    """

    text: str
    reason: str
    line: int
    name: NormalizedName | None = None
    harmless: bool = False


class Lock(Struct, frozen=True, kw_only=True):
    """A lock file: its `path` as it was named, and its entries in order, whatever their markers."""

    path: str
    format: Format
    entries: tuple[Pinned | Unasked, ...]

    @property
    def pinned(self) -> tuple[Pinned, ...]:
        """The entries that an index is asked for."""
        return tuple(entry for entry in self.entries if isinstance(entry, Pinned))
