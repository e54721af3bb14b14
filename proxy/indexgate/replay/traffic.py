"""The recorded traffic of a gate as asks: files that were served and files that were refused."""

from collections.abc import Iterator
from datetime import datetime
from heapq import merge
from typing import TypeAlias

from packaging.utils import NormalizedName

from indexgate.store.past_alone import KeptPast
from indexgate_policy.rules.replay import Ask
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import Client

Name: TypeAlias = tuple[str, NormalizedName]
"""index_id and project."""

_NOT_IN_CI = Unknown(reason="the record does not say whether it was CI")


def names(kept: KeptPast, since: datetime) -> list[Name]:
    """Return every project of which files were asked for since. Raises StoreFailed."""
    return sorted({*kept.served.names(since), *kept.refused.names(since)})


def asks(kept: KeptPast, name: Name, since: datetime, until: datetime) -> list[Ask]:
    """Return the asks for one project in order of time. Raises StoreFailed.

    A file that was served several times on a day stands at the first of them.
    """
    return list(
        merge(
            _served(kept, name, since, until),
            _refused(kept, name, since, until),
            key=lambda ask: ask.at,
        )
    )


def _served(kept: KeptPast, name: Name, since: datetime, until: datetime) -> Iterator[Ask]:
    for row in kept.served.of(*name, since, until):
        yield Ask(
            at=row.first_at,
            index_id=row.index_id,
            project=row.project,
            version=row.version,
            filename=row.filename,
            client=Client(family=row.family, kind="ci" if row.ci else _NOT_IN_CI),
            count=row.count,
        )


def _refused(kept: KeptPast, name: Name, since: datetime, until: datetime) -> Iterator[Ask]:
    for row in kept.refused.of(*name, since, until):
        yield Ask(
            at=row.at,
            index_id=row.index_id,
            project=row.project,
            version=row.version,
            filename=row.filename,
            client=Client(family=row.family, kind=_NOT_IN_CI),
            refused_by=row.policy_digest,
        )
