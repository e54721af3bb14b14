"""A project as it stood at a moment of the past, from the few facts that public lists keep."""

import csv
import gzip
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import InvalidVersion, Version

from indexgate.sources import popular
from indexgate_policy.assessment import Case, Context
from indexgate_policy.signals import Signal, Signals, Unknown, Value
from indexgate_policy.subject import File, Project, Release

Uploads = Sequence[tuple[str, datetime]]
"""(version, time of its upload), earliest first."""

NOT_KEPT = Unknown(reason="the list does not keep it")


def rows(path: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of a tab separated table, packed or not."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)


def case_at(
    now: datetime, name: str, uploads: Uploads, signals: Mapping[str, Value | Unknown]
) -> Case:
    """Return the case of a public project at *now*; later uploads are not in it."""
    known = [upload for upload in uploads if upload[1] <= now]
    project = Project(
        name=canonicalize_name(name),
        index_id="past",
        public=True,
        first_upload=min((at for _, at in known), default=NOT_KEPT),
        first_seen=now,
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


def is_popular(name: str) -> bool:
    """Tell whether *name* is on the bundled list."""
    return popular.load().rank(NormalizedName(canonicalize_name(name))) is not None


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
