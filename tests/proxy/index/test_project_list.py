"""The project list is fetched once for everybody, kept, and stands in for a failing upstream."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from indexgate.index.cached import Freshness
from indexgate.index.packing import unpack
from indexgate.index.project_list import ListSource, ProjectLists
from indexgate.index.protocol import UpstreamFailed
from indexgate.simple.accept import Form

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
URL = "https://index.example.test/simple/"
LIST = b'{"meta": {"api-version": "1.1"}, "projects": [{"name": "Demo", "_last-serial": 7}]}'
PAGE = b'<!DOCTYPE html><html><body><a href="/simple/demo/">Demo</a></body></html>'
JSON_LIST = (LIST, Form.JSON.value, URL)
HTML_LIST = (PAGE, "text/html", URL)
Answer = tuple[bytes, str, str] | Exception


class Source:
    """An index whose list is `answer`, given once `go` is set."""

    def __init__(self, answer: Answer = JSON_LIST) -> None:
        self.answer = answer
        self.asked = 0
        self.reached = asyncio.Event()
        self.go = asyncio.Event()
        self.go.set()

    async def project_list(self, accept: str) -> tuple[bytes, str, str]:
        self.asked += 1
        self.reached.set()
        await self.go.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Clock:
    now = NOW

    def __call__(self) -> datetime:
        return self.now

    def turn(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def source() -> Source:
    return Source()


def lists(
    source: ListSource | None,
    folder: Path,
    clock: Clock,
    *,
    in_memory: int = 1_000_000,
    patience: float = 60,
) -> ProjectLists:
    return ProjectLists(
        source,
        folder / "list",
        freshness=Freshness(patience=patience, max_stale=86400.0),
        clock=clock,
        in_memory=in_memory,
    )


@pytest.mark.parametrize("answer", [JSON_LIST, HTML_LIST], ids=["json", "html"])
async def test_both_forms_come_of_one_answer(tmp_path: Path, clock: Clock, answer: Answer) -> None:
    source = Source(answer)
    kept = lists(source, tmp_path, clock)
    json = unpack((await kept.listed(Form.JSON)).packed)
    html = unpack((await kept.listed(Form.HTML)).packed)
    assert b'"name":"Demo"' in json.replace(b": ", b":")
    assert b'<a href="demo/">Demo</a>' in html
    assert await kept.listed(Form.HTML_V1) == await kept.listed(Form.HTML)
    assert source.asked == 1


async def test_what_json_says_beyond_the_standard_stays(
    tmp_path: Path, clock: Clock, source: Source
) -> None:
    assert unpack((await lists(source, tmp_path, clock).listed(Form.JSON)).packed) == LIST


async def test_all_who_ask_at_once_wait_for_one_fetch_which_no_leaver_ends(
    tmp_path: Path, clock: Clock, source: Source
) -> None:
    source.go.clear()
    kept = lists(source, tmp_path, clock)
    asking = [asyncio.create_task(kept.listed(form)) for form in [*Form] * 10]
    await source.reached.wait()
    asking[0].cancel()
    source.go.set()
    answers = await asyncio.gather(*asking, return_exceptions=True)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert not any(isinstance(answer, BaseException) for answer in answers[1:])
    assert source.asked == 1


@pytest.mark.parametrize("in_memory", [0, 1_000_000])
async def test_a_list_is_good_for_its_time_in_memory_or_on_disk_and_after_a_restart(
    tmp_path: Path, clock: Clock, source: Source, in_memory: int
) -> None:
    first = lists(source, tmp_path, clock, in_memory=in_memory)
    fresh = await first.listed(Form.JSON)
    clock.turn(seconds=599)
    assert await first.listed(Form.JSON) == fresh
    assert await lists(source, tmp_path, clock, in_memory=in_memory).listed(Form.JSON) == fresh
    assert source.asked == 1
    clock.turn(seconds=2)
    assert (await first.listed(Form.JSON)).fetched_at == clock.now
    assert source.asked == 2


FAILURES: list[tuple[Answer, str]] = [
    (UpstreamFailed("status", "answered with status 500"), "answered with status 500"),
    ((b"{", Form.JSON.value, URL), "broken or cut off"),
    ((b"", "text/plain", URL), "text/plain"),
    (RuntimeError("anything"), "RuntimeError"),
]


@pytest.mark.parametrize(("answer", "told"), FAILURES, ids=[told for _, told in FAILURES])
async def test_a_known_list_stands_in_until_it_is_too_old(
    tmp_path: Path, clock: Clock, source: Source, answer: Answer, told: str
) -> None:
    kept = lists(source, tmp_path, clock)
    fresh = await kept.listed(Form.JSON)
    source.answer = answer
    clock.turn(hours=1)
    old = await kept.listed(Form.JSON)
    assert told in (old.stale or "")
    assert old.packed == fresh.packed
    await kept.listed(Form.HTML)
    assert source.asked == 2  # a failing upstream is not asked again at once
    clock.turn(days=1)
    with pytest.raises(UpstreamFailed, match=told):
        await kept.listed(Form.JSON)
    source.answer = JSON_LIST
    clock.turn(seconds=3)
    assert (await kept.listed(Form.JSON)).stale is None


async def test_an_unknown_list_is_asked_for_again_after_a_failure(
    tmp_path: Path, clock: Clock, source: Source
) -> None:
    source.answer = UpstreamFailed("refused", "refused the connection")
    kept = lists(source, tmp_path, clock)
    with pytest.raises(UpstreamFailed, match="refused the connection"):
        await kept.listed(Form.JSON)
    source.answer = JSON_LIST
    assert (await kept.listed(Form.JSON)).stale is None


async def test_a_slow_upstream_keeps_nobody_waiting_who_can_have_an_old_list(
    tmp_path: Path, clock: Clock, source: Source
) -> None:
    kept = lists(source, tmp_path, clock, patience=0.01)
    await kept.listed(Form.JSON)
    clock.turn(hours=1)
    source.go.clear()
    assert (await kept.listed(Form.JSON)).stale == "is slow to answer"
    await kept.close()
    assert kept._flight is None


async def test_offline_nobody_is_asked(tmp_path: Path, clock: Clock, source: Source) -> None:
    with pytest.raises(UpstreamFailed, match="offline"):
        await lists(None, tmp_path, clock).listed(Form.JSON)
    await lists(source, tmp_path, clock).listed(Form.JSON)
    clock.turn(hours=1)
    assert "offline" in ((await lists(None, tmp_path, clock).listed(Form.JSON)).stale or "")


async def test_without_a_disk_the_list_is_kept_in_memory_whatever_its_size(
    tmp_path: Path, clock: Clock, source: Source
) -> None:
    (tmp_path / "list").write_text("in the way of a folder")
    kept = lists(source, tmp_path, clock, in_memory=0)
    assert await kept.listed(Form.JSON) == await kept.listed(Form.JSON)
    assert source.asked == 1


@pytest.mark.parametrize("left", [b"", b"\xc1", b"\x91\x01"])
async def test_what_is_not_a_kept_list_is_fetched_anew(
    tmp_path: Path, clock: Clock, source: Source, left: bytes
) -> None:
    (tmp_path / "list").mkdir()
    (tmp_path / "list" / "json").write_bytes(left)
    assert (await lists(source, tmp_path, clock).listed(Form.JSON)).stale is None


async def test_the_html_form_is_made_anew_with_each_new_list_and_once_for_all(
    tmp_path: Path, clock: Clock, source: Source
) -> None:
    kept = lists(source, tmp_path, clock)
    first, second = await asyncio.gather(kept.listed(Form.HTML), kept.listed(Form.HTML))
    assert first == second
    source.answer = (LIST.replace(b"Demo", b"Other"), Form.JSON.value, URL)
    clock.turn(hours=1)
    await kept.listed(Form.JSON)
    newer = await kept.listed(Form.HTML)
    assert newer.fetched_at > first.fetched_at
    assert b'<a href="other/">Other</a>' in unpack(newer.packed)
    assert await lists(None, tmp_path, clock).listed(Form.HTML) == newer
