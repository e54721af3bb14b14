"""The list of all projects of several indexes: the union, each name from the index it belongs to.

One list after the other is read and let go, so that no more than one is in memory beside the names.
"""

import asyncio
from collections.abc import Callable, Sequence

from msgspec import Struct
from packaging.utils import NormalizedName

from indexgate.index.one_of_several import named
from indexgate.index.project_list import ListSource
from indexgate.index.protocol import UpstreamFailed
from indexgate.simple import read, write
from indexgate.simple.accept import Form
from indexgate.simple.model import ProjectList, Unreadable
from indexgate.simple.projects import valid_name


class ListPart(Struct, frozen=True, kw_only=True):
    """One index's part; *elsewhere* tells which names belong to another index."""

    name: str
    source: ListSource
    elsewhere: Callable[[NormalizedName], bool]


class UnionList:
    """The union of lists, in their order; a name that two of them have stands where it was first.

    A list that cannot be had fails the whole: names would seem to be gone.
    """

    def __init__(self, parts: Sequence[ListPart]) -> None:
        self._parts = tuple(parts)

    async def project_list(self, accept: str) -> tuple[bytes, str, str]:
        """Return body, content type and an empty address. Raises UpstreamFailed."""
        names: dict[NormalizedName, str] = {}
        for part in self._parts:
            try:
                body, content_type, url = await part.source.project_list(accept)
                await asyncio.to_thread(_add, names, body, content_type, url, part.elsewhere)
            except UpstreamFailed as error:
                raise named(part.name, error) from error
            except Unreadable as error:
                raise named(part.name, UpstreamFailed(error.kind, error.reason)) from error
        union = ProjectList(names=tuple(names.values()))
        return await asyncio.to_thread(write.list_json, union), Form.JSON.value, ""


def _add(
    names: dict[NormalizedName, str],
    body: bytes,
    content_type: str,
    url: str,
    elsewhere: Callable[[NormalizedName], bool],
) -> None:
    """Add the names of a list to *names*. Raises Unreadable."""
    for shown in read.project_list(body, content_type=content_type, url=url).names:
        name = valid_name(shown)
        if name is not None and name not in names and not elsewhere(name):
            names[name] = shown
