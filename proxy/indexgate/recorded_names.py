"""What the gate was asked for lately, as a lock: versions that it served, refused or warned of."""

from collections.abc import Callable, Collection
from datetime import datetime
from pathlib import Path

from packaging.utils import NormalizedName
from packaging.version import InvalidVersion, Version

from indexgate.locks.entry import Lock, Pinned
from indexgate.store.past_alone import past_at
from indexgate.store.record_alone import record_at

PLACE = "record"
_MOST_DECISIONS = 100_000


def recorded(
    store: Path, since: datetime, *, index_ids: Collection[str], clock: Callable[[], datetime]
) -> Lock:
    """Return the versions of the indexes that the store has on record since then, newest first.

    Versions that are not PEP 440 are left out. Raises StoreFailed.
    """
    last: dict[tuple[NormalizedName, str], datetime] = {}

    def note(project: NormalizedName, version: str, at: datetime) -> None:
        key = project, version
        last[key] = max(last.get(key, at), at)

    with record_at(store) as record:
        for decision in record.query(since=since, limit=_MOST_DECISIONS):
            if decision.index_id in index_ids:
                for version in decision.versions:
                    note(decision.project, version, decision.at)
    with past_at(store, clock) as past:
        for of_index, project in past.served.names(since):
            if of_index in index_ids:
                for served in past.served.of(of_index, project, since, clock()):
                    note(project, served.version, served.first_at)
    newest = sorted(last, key=lambda key: last[key], reverse=True)
    pinned = [key for key in newest if _is_version(key[1])]
    return Lock(
        path=PLACE,
        format="environment",
        entries=tuple(
            Pinned(name=name, version=version, line=number)
            for number, (name, version) in enumerate(pinned, 1)
        ),
    )


def _is_version(text: str) -> bool:
    try:
        Version(text)
    except InvalidVersion:
        return False
    return True
