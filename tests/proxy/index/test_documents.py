"""The JSON documents of projects: where they are, and how they are kept."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from packaging.utils import NormalizedName, canonicalize_name

from indexgate.index.cached import Freshness
from indexgate.index.documents import Documents
from indexgate.index.packing import digest_of, pack
from indexgate.index.page_folder import PageFolder
from indexgate.index.protocol import NoSuchProject, Snapshot, UpstreamFailed

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DEMO = canonicalize_name("demo")


class Source:
    """A source of documents that writes down what it is asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def document(self, key: NormalizedName, url: str, known: Snapshot | None) -> Snapshot:
        self.asked.append(url)
        body = url.encode()
        return Snapshot(
            project=key,
            packed=pack(body),
            content_type="application/json",
            url=url,
            digest=digest_of(body),
            fetched_at=NOW,
        )


def documents(folder: Path, source: Source | None, url: str) -> Documents:
    kept = PageFolder(folder, "0123456789abcdef", 1_000_000)
    return Documents(source, url, kept, freshness=Freshness(), clock=lambda: NOW)


async def test_project_and_version_are_kept_apart_and_over_a_restart(tmp_path: Path) -> None:
    source, url = Source(), "https://index.example.test/simple/"
    found = documents(tmp_path, source, url)
    whole = await found.snapshot(DEMO, None)
    one = await found.snapshot(DEMO, "1.0+local/x")
    assert await found.snapshot(DEMO, None) is whole
    assert source.asked == [
        "https://index.example.test/pypi/demo/json",
        "https://index.example.test/pypi/demo/1.0%2Blocal%2Fx/json",
    ]
    await found.close()
    offline = documents(tmp_path, None, url)
    assert (await offline.snapshot(DEMO, "1.0+local/x")).digest == one.digest
    with pytest.raises(UpstreamFailed):
        await offline.snapshot(DEMO, "2.0")


async def test_an_index_whose_address_tells_nothing_is_not_asked(tmp_path: Path) -> None:
    source = Source()
    found = documents(tmp_path, source, "https://index.example.test/elsewhere/")
    assert not found.offered
    with pytest.raises(NoSuchProject):
        await found.snapshot(DEMO, None)
    assert not source.asked
