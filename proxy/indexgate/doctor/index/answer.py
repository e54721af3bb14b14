"""What an index answered to the few questions that it is asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from msgspec import Struct

from indexgate.simple.model import ProjectPage

Question: TypeAlias = Literal[
    "json",
    "html",
    "again",
    "head",
    "bare",
    "spelled",
    "missing",
    "list",
    "file-head",
    "file-part",
    "metadata",
    "provenance",
]
"""The page as JSON and as HTML, conditionally, by HEAD, without its slash, by another spelling; a
project that is not there; the project list; a file's head, its first bytes, its side files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer. `headers` have lower-case names; `url` is where redirects ended, without login.

    `status` 0 means none came, and `failure` is a clause that says why. `length` counts the bytes
    that were read, unpacked; `body` may be cut or left out.
    """

    status: int
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    length: int = 0
    failure: str = ""

    @property
    def type(self) -> str:
        """The media type, without parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def told(self) -> str:
        """The status, or why there is none."""
        return self.failure or f"status {self.status}"


class Examined(Struct, frozen=True, kw_only=True):
    """All answers of the index at `url`, about the project `name`.

    `pages` are those that could be read, by form; `unreadable` says of the others why not. `names`
    counts the projects of the list, None if it was cut off or not told.
    """

    url: str
    name: str
    answers: Mapping[Question, Answer]
    pages: Mapping[Question, ProjectPage]
    unreadable: Mapping[Question, str]
    names: int | None = None
    whole_list: bool = True

    @property
    def page(self) -> ProjectPage | None:
        """The page in the richest form that could be read."""
        return self.pages.get("json") or self.pages.get("html")

    @property
    def html_only(self) -> bool:
        """Whether what was asked for as JSON came as HTML."""
        return "json" not in self.answers["json"].type
