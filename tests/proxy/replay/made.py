"""A made-up record of a gate: what was asked for, with the pages, advisories and facts beside it.

All of it is drawn from a seed, and kept as plain rows too, so that it can be counted by hand.
"""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from isal import isal_zlib
from packaging.utils import NormalizedName
from sqlalchemy import Connection

from indexgate.index.packing import digest_of, pack
from indexgate.index.page_folder import PageFolder
from indexgate.index.protocol import Snapshot
from indexgate.sources.osv_records import FeedState, Record
from indexgate.store.database import Store, open_store
from indexgate.store.engines import STORE_FILE
from indexgate.store.schema import events, facts_then, refusals, served
from indexgate.store.schema import projects as seen
from indexgate.store.upserts import insert_new
from indexgate_policy.advisories import Advisory
from indexgate_policy.flags import Severity
from indexgate_policy.signals import Signal

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
INDEX = "ab" * 8
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
DAYS = 30
_JSON = "application/vnd.pypi.simple.v1+json"


@dataclass(frozen=True)
class MadeFile:
    """A version with one wheel: when it came, whether it is malware since when, or gone."""

    project: str
    version: str
    uploaded: datetime
    reported: datetime | None
    removed: bool
    owners: int | None  # None: no facts are kept of the project

    @property
    def filename(self) -> str:
        return f"{self.project.replace('-', '_')}-{self.version}-py3-none-any.whl"


@dataclass(frozen=True)
class MadeAsk:
    """A decision of the record. Refused ones count once."""

    file: MadeFile
    at: datetime
    count: int
    refused: bool


def made(asks: int, projects: int, seed: int = 1) -> list[MadeAsk]:
    """Return about *asks* decisions about *projects* projects, in order of time."""
    chosen = random.Random(seed)
    files = [file for number in range(projects) for file in _files(chosen, number)]
    found: dict[tuple[str, int], MadeAsk] = {}
    refused: list[MadeAsk] = []
    while len(found) + len(refused) < asks:
        file = chosen.choice(files)
        at = NOW - timedelta(minutes=chosen.randrange(1, DAYS * 1440))
        if at < file.uploaded:
            continue
        if chosen.random() < 0.1:
            refused.append(MadeAsk(file, at, 1, refused=True))
        else:  # the first of its day
            ask = MadeAsk(file, at, chosen.randrange(1, 20), refused=False)
            found.setdefault((file.filename, at.toordinal()), ask)
    return sorted([*found.values(), *refused], key=lambda ask: ask.at)


def _files(chosen: random.Random, number: int) -> Iterator[MadeFile]:
    project = f"project-{number}"
    owners = chosen.randrange(1, 4) if chosen.random() < 0.7 else None
    for version in range(1, 5):
        uploaded = NOW - timedelta(minutes=chosen.randrange(60, 45 * 1440))
        reported = uploaded + timedelta(hours=chosen.randrange(1, 20 * 24))
        bad = chosen.random() < 0.1 and reported < NOW
        yield MadeFile(
            project=project,
            version=f"{version}.0",
            uploaded=uploaded,
            reported=reported if bad else None,
            removed=chosen.random() < 0.05,
            owners=owners,
        )


def fill(
    state: Path,
    asks: list[MadeAsk],
    digest: str,
    *,
    signals: tuple[Signal, ...] = (),
    older: int = 0,
) -> None:
    """Make the state folder of a gate that decided *asks*.

    *signals* are told of every project, and *older* versions that nobody asks for are on its page.
    """
    store = open_store(state / STORE_FILE, lambda: NOW - 60 * DAY)
    files = {ask.file.filename: ask.file for ask in asks}
    projects: dict[str, list[MadeFile]] = {}
    for file in files.values():
        projects.setdefault(file.project, []).append(file)
    for name, of in projects.items():
        before = [_older(name, number) for number in range(older)]
        _save_page(state / "pages", name, [*before, *of])
    _insert(store, seen, _seen_rows(projects))
    _insert(store, served, _served_rows(asks))
    _insert(store, refusals, _refusal_rows(asks, digest))
    _insert(store, events, _release_rows(files.values()))
    _insert(store, facts_then, _fact_rows(asks, signals))
    feed = FeedState(fetched_at=NOW - HOUR, newest_modified=None, etag=None, records=1)
    store.advisories.replace_all(list(_records(files.values())), feed)
    store.close()


def _insert(store: Store, table: Any, rows: Iterator[dict[str, Any]]) -> None:
    every = list(rows)
    for first in range(0, len(every), 1_000):
        some = every[first : first + 1_000]

        def write(connection: Connection, some: list[dict[str, Any]] = some) -> None:
            insert_new(connection, table, some)

        store.writer.wait(write)


def _seen_rows(names: Iterable[str]) -> Iterator[dict[str, Any]]:
    for name in names:
        at = NOW - 50 * DAY
        yield {"index_id": INDEX, "project": name, "first_seen": at, "last_asked": NOW}


def _served_rows(asks: list[MadeAsk]) -> Iterator[dict[str, Any]]:
    for ask in asks:
        if not ask.refused:
            yield {
                "index_id": INDEX,
                "project": ask.file.project,
                "version": ask.file.version,
                "filename": ask.file.filename,
                "family": "pip",
                "ci": False,
                "day": ask.at.date(),
                "first_at": ask.at,
                "count": ask.count,
            }


def _refusal_rows(asks: list[MadeAsk], digest: str) -> Iterator[dict[str, Any]]:
    for number, ask in enumerate(asks):
        if ask.refused:
            yield {
                "key": f"{number:032}",
                "at": ask.at,
                "index_id": INDEX,
                "project": ask.file.project,
                "version": ask.file.version,
                "filename": ask.file.filename,
                "rule": "some",
                "reason": "some reason",
                "policy_digest": digest,
                "run": None,
                "family": "pip",
                "formula": None,
                "assessed_at": None,
            }


def _release_rows(files: Any) -> Iterator[dict[str, Any]]:
    for file in files:
        yield {
            "index_id": INDEX,
            "project": file.project,
            "key": f"release {file.version}",
            "kind": "release",
            "at": file.uploaded,
            "text": f"release {file.version}",
            "source": "page",
            "size": None,
        }


def _fact_rows(asks: list[MadeAsk], signals: tuple[Signal, ...]) -> Iterator[dict[str, Any]]:
    """Yield the facts of the day, an hour before the first ask of it, where any are kept."""
    first: dict[tuple[str, int], MadeAsk] = {}
    for ask in asks:
        first.setdefault((ask.file.project, ask.at.toordinal()), ask)
    for ask in first.values():
        if ask.file.owners is None:
            continue
        at = ask.at - HOUR
        owned = Signal(
            name="owners",
            value=tuple(f"o{number}" for number in range(ask.file.owners)),
            source="made",
            observed_at=at,
        )
        facts = msgspec.json.encode(((owned, *signals), (), None))
        yield {
            "index_id": INDEX,
            "project": ask.file.project,
            "assessed_at": at,
            "valid_until": at + DAY,
            "formula": "fl-1",
            "facts": isal_zlib.compress(facts, 1),
        }


def _records(files: Any) -> Iterator[Record]:
    for file in files:
        if file.reported is not None:
            advisory = Advisory(
                id=f"MAL-{file.filename}",
                kind="malware",
                severity=Severity.CRITICAL,
                summary="made up",
                versions=(file.version,),
                published=file.reported,
            )
            of = ((NormalizedName(file.project), advisory),)
            yield Record(id=advisory.id, modified=NOW, withdrawn=False, advisories=of)


def _older(project: str, number: int) -> MadeFile:
    return MadeFile(
        project=project,
        version=f"0.{number}",
        uploaded=NOW - (400 + number) * DAY,
        reported=None,
        removed=False,
        owners=None,
    )


def _save_page(folder: Path, project: str, files: list[MadeFile]) -> None:
    listed = [
        {
            "filename": file.filename,
            "url": f"https://files.example.test/{file.filename}",
            "hashes": {"sha256": "0" * 64},
            "size": 1,
            "upload-time": file.uploaded.isoformat(),
        }
        for file in files
        if not file.removed
    ]
    body = msgspec.json.encode(
        {
            "meta": {"api-version": "1.4"},
            "name": project,
            "files": listed,
            "versions": sorted({file.version for file in files if not file.removed}),
        }
    )
    snapshot = Snapshot(
        project=NormalizedName(project),
        packed=pack(body),
        content_type=_JSON,
        url=f"https://index.example.test/simple/{project}/",
        digest=digest_of(body),
        fetched_at=NOW,
    )
    PageFolder(folder, INDEX, 1 << 40).save(snapshot)
