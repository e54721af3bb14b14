"""Telling projects whose downloads surge because one that needs them surges too.

Only projects that clients asked for are looked at: of the others nobody knows what they need.
"""

import asyncio
from collections.abc import Iterable
from datetime import timedelta

from packaging.utils import NormalizedName

from indexgate.store.database import Store
from indexgate_policy.assessment import Assessment
from indexgate_policy.events import Event
from indexgate_policy.timeline.co_surges import events_of

CARRIED_FOR = 30
"""Days for which what a new dependent brings counts as its (science fl-1, memory of dependents)."""


async def relate_surges(store: Store, index_id: str) -> tuple[NormalizedName, ...]:
    """Note with each project whose surge another one brings that this is so.

    Returns those projects; their next assessment takes it as explained. What was noted before is
    noted again without any effect. Raises StoreFailed.
    """
    brought = await asyncio.to_thread(_brought, store, index_id)
    for project, event in brought:
        await store.events.note(index_id, project, event, key=f"co-surge {event.at:%Y-%m-%d}")
        if event.size is not None:
            first, a_day = event.at.date(), event.size / 7
            days = {first + timedelta(days=day): a_day for day in range(CARRIED_FOR)}
            await store.history.note_activity(index_id, project, "inflow", days)
    return tuple(project for project, _ in brought)


def _brought(store: Store, index_id: str) -> tuple[tuple[NormalizedName, Event], ...]:
    return events_of(_assessed(store, index_id, sorted(store.projects.asked(index_id))))


def _assessed(store: Store, index_id: str, names: Iterable[NormalizedName]) -> Iterable[Assessment]:
    for name in names:
        found = store.assessments.current(index_id, name, lines=False)
        if found is not None:
            yield found
