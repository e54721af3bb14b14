"""Snapshots and assessments for tests."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec.structs import replace
from packaging.utils import NormalizedName

from indexgate.index.page_folder import PageFolder
from indexgate.snapshot.assess_again import AssessAgain
from indexgate.snapshot.give_out import give_out
from indexgate.snapshot.manifest import IndexIdentity, Manifest
from indexgate.store.database import Store
from indexgate_policy.assess import assess
from indexgate_policy.assessment import Assessment, Case, Context
from indexgate_policy.lookalike import PopularNameList
from indexgate_policy.signals import Signal, Signals, Unknown, Value
from indexgate_policy.subject import Project

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)
INDEX = IndexIdentity(url="https://index.example.test/simple/", id="0" * 16, public=True)
POPULAR = PopularNameList(lambda: iter([("requests", 1_000_000), ("numpy", 900_000)]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    path: Path
    public: str


def signal(
    name: str,
    value: Value | Unknown,
    *,
    source: str = "deps-dev",
    licence: str = "CC-BY-4.0",
    at: datetime = NOW - DAY,
) -> Signal:
    return Signal(name=name, value=value, source=source, observed_at=at, licence=licence)


def assessed(name: str, *signals: Signal, at: datetime = NOW - DAY) -> Assessment:
    """Return an honest assessment of a project by *signals*, without releases."""
    unknown = Unknown(reason="not told")
    project = Project(
        name=NormalizedName(name),
        index_id=INDEX.id,
        public=True,
        first_upload=unknown,
        first_seen=unknown,
        releases=3,
    )
    case = Case(
        project=project,
        releases=(),
        signals=Signals(signals),
        context=Context(popular=POPULAR),
        now=at,
    )
    found = assess(case, ())
    return replace(found, inputs=tuple(sorted(signals, key=lambda one: one.name)))


def exported(
    store: Store,
    folder: Path,
    key: Key,
    *,
    now: datetime = NOW,
    index: IndexIdentity = INDEX,
    private: str = "",
    pages: Path | None = None,
) -> Manifest:
    """Export all of *store*."""
    with asyncio.Runner() as runner:
        again = AssessAgain(
            store=store,
            index_id=index.id,
            public=index.public,
            pages=PageFolder(pages or folder.parent / "pages", index.id, 10_000_000),
            popular=POPULAR,
            now=now,
            runner=runner,
            log=lambda _event, text: None,
        )
        return give_out(
            folder,
            index,
            key=key.path,
            lasts=14 * DAY,
            again=again,
            now=now,
            private=lambda name: name == private,
        )
