"""A project as it stood at a moment of the past, from the few facts that public lists keep."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeAlias

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from indexgate.sources import popular
from indexgate_policy.assessment import Case, Context
from indexgate_policy.rules.as_of import NOT_KEPT
from indexgate_policy.signals import Signal, Signals, Unknown, Value
from indexgate_policy.subject import File, Project, Release

Uploads: TypeAlias = Sequence[tuple[str, datetime]]
"""(version, time of its upload), earliest first."""


def case_at(
    now: datetime,
    name: str,
    uploads: Uploads,
    signals: Mapping[str, Value | Unknown],
    *,
    first_seen: datetime | None = None,
) -> Case:
    """Return the case of a public project at *now*; later uploads are not in it.

    It was asked for since *first_seen*, or is for the first time.
    """
    known = [upload for upload in uploads if upload[1] <= now]
    project = Project(
        name=canonicalize_name(name),
        index_id="past",
        public=True,
        first_upload=min((at for _, at in known), default=NOT_KEPT),
        first_seen=first_seen or now,
        releases=len(known),
    )
    return Case(
        project=project,
        releases=tuple(_release(project, version, at) for version, at in known),
        signals=Signals(
            Signal(name=key, value=value, source="past", observed_at=now)
            for key, value in signals.items()
        ),
        context=Context(popular=popular.load()),
        now=now,
    )


def _release(project: Project, version: str, at: datetime) -> Release:
    parsed: Version | Unknown
    try:
        parsed = Version(version)
    except InvalidVersion:
        parsed = Unknown(reason="it is not a PEP 440 version")
    file = File(
        project=project,
        filename=f"{project.name}-{version}-py3-none-any.whl",
        kind="wheel",
        version=version,
        parsed=parsed,
        uploaded=at,
        released=at,
        provenance=NOT_KEPT,
    )
    return Release(version=version, parsed=parsed, released=at, files=(file,))
