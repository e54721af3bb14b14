"""What the first page would have to wait for, made ready when the gate has listened for a moment.

A gate answers as soon as it can. What its first pages need beside that takes longer to make than
ten pages do, and an installer takes longer than this moment to begin. While somebody is being
answered most of it would only be in the way: what they need they have made by themselves.
"""

import asyncio
import importlib
from collections.abc import Awaitable, Callable
from contextlib import suppress

from packaging.utils import NormalizedName

from indexgate.store.engines import StoreFailed
from indexgate.web.parts import Parts

MOMENT = 0.05
"""Seconds for which the very first requests have the gate to themselves, and after which it is
looked again whether somebody is being answered."""

_NOBODYS = NormalizedName("-")  # no project can have this name


async def make_ready(
    parts: Parts, wait: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> None:
    """Have the store's questions compiled, what fetches ahead imported, look-alikes searchable."""
    await wait(MOMENT)
    await asyncio.gather(
        _when_idle(parts, wait),
        # To be made by who needs it first, it would take all who are being answered with it.
        asyncio.to_thread(parts.popular.prepare),
    )


async def _when_idle(parts: Parts, wait: Callable[[float], Awaitable[None]]) -> None:
    while parts.requests.under_way:
        await wait(MOMENT)
    with suppress(StoreFailed):  # whoever asks in earnest will tell
        _ask(parts)
    if parts.prefetch.wanted:
        await asyncio.to_thread(importlib.import_module, "indexgate.prefetch.prefetching")


def _ask(parts: Parts) -> None:
    """Ask the store what it is asked at the first sight of a project."""
    index_id, store = parts.gate.index_id, parts.store
    store.projects.first_seen(index_id, _NOBODYS)
    store.advisories.revision()
    store.assessments.made_at(index_id, _NOBODYS)
