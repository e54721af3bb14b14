"""Fetching project pages into the state folder, for those who read them there."""

import asyncio
from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct
from packaging.utils import NormalizedName

from indexgate.config import Settings
from indexgate.index.protocol import NoSuchProject, UpstreamFailed
from indexgate.upstream_choice import UpstreamChoice
from indexgate.web.checked import AT_ONCE, read_feed
from indexgate.web.parts import open_parts

_NAMED = 5


class Fetched(Struct, frozen=True, kw_only=True):
    """The index (its id) that each project is from, and sentences on what failed."""

    owners: Mapping[NormalizedName, str]
    failed: tuple[str, ...]


async def fetch_pages(
    settings: Settings,
    upstream: UpstreamChoice,
    names: Iterable[NormalizedName],
    *,
    step: Callable[[str], None] = lambda _name: None,
) -> Fetched:
    """Fetch the pages of *names*, and the advisories if they are old.

    Pages that are fresh, or cannot be had anew, stay as they are. *step* is told each name. Raises
    GateError, PolicyError.
    """
    failed: dict[str, list[str]] = {}
    owners: dict[NormalizedName, str] = {}
    async with open_parts(settings, upstream, base="/") as parts:
        fault = await read_feed(parts)
        room = asyncio.Semaphore(AT_ONCE)

        async def fetch(name: NormalizedName) -> None:
            async with room:
                try:
                    await parts.indexes.listing(name, asked=False)
                except NoSuchProject:
                    failed.setdefault("the index has no such project", []).append(name)
                except UpstreamFailed as error:
                    failed.setdefault(f"upstream {error.reason}", []).append(name)
            if name not in owners:
                owners[name] = parts.known_by(name).index_id
            step(name)

        async with asyncio.TaskGroup() as together:
            for name in names:
                together.create_task(fetch(name))
    told = [f"the advisories could not be read: {fault}"] if fault else []
    told += [f"{_named(those)}: {why}" for why, those in failed.items()]
    return Fetched(owners=owners, failed=tuple(told))


def _named(names: list[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(sorted(names)[:_NAMED]) + (f" and {more} more" if more > 0 else "")
